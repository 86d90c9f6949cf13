"""What can be collateral beside cash: a row an asset. A number is never reused: it is journaled."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from exchange.rules.money import BPS
from matching.limits import ASSETS_MAX

MINUTE_NS: Final = 60 * 1_000_000_000
DAY_NS: Final = 24 * 60 * MINUTE_NS
NO_CAP: Final = 0
PAR_USD_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One asset, and how much of its value counts."""

    asset: int  # its number in the journal
    symbol: str
    kind: str  # treasury, stablecoin, coin, letter
    name: str
    issuer: str  # what has one issuer shares one cap
    digits: int  # one whole is 10**digits units
    haircut_bps: int
    cap_bps: int = NO_CAP  # most of the requirement that one issuer's assets cover
    floor_usd_micros: int = 0  # below this price it counts for nothing
    at_par: bool = False  # worth a dollar a whole, without a price
    stale_ns: int = 15 * MINUTE_NS  # an older price counts by half
    dead_ns: int = 2 * 60 * MINUTE_NS  # an even older one not at all
    zero_for: tuple[str, ...] = ()  # kinds of members that it moves with: wrong-way risk


ASSETS: Final = (
    Asset(asset=1, symbol="UST", kind="treasury", name="US treasury bill of at most one year",
          issuer="US Treasury", digits=6, haircut_bps=100, stale_ns=4 * DAY_NS,
          dead_ns=10 * DAY_NS),
    Asset(asset=2, symbol="USDC", kind="stablecoin", name="USD Coin", issuer="Circle", digits=6,
          haircut_bps=300, cap_bps=2_500, floor_usd_micros=985_000),
    Asset(asset=3, symbol="EURC", kind="stablecoin", name="Euro Coin", issuer="Circle", digits=6,
          haircut_bps=1_000, cap_bps=2_500, floor_usd_micros=900_000),
    Asset(asset=4, symbol="PYUSD", kind="stablecoin", name="PayPal USD", issuer="Paxos", digits=6,
          haircut_bps=300, cap_bps=2_500, floor_usd_micros=985_000),
    Asset(asset=5, symbol="BTC", kind="coin", name="Bitcoin", issuer="Bitcoin", digits=8,
          haircut_bps=4_500, cap_bps=1_500, zero_for=("miner",)),
    Asset(asset=6, symbol="LC-1", kind="letter", name="Letter of credit, first bank",
          issuer="first bank", digits=6, haircut_bps=0, cap_bps=5_000, at_par=True),
    Asset(asset=7, symbol="LC-2", kind="letter", name="Letter of credit, second bank",
          issuer="second bank", digits=6, haircut_bps=0, cap_bps=5_000, at_par=True),
)  # fmt: skip

ASSET_BY_NUMBER: Final[Mapping[int, Asset]] = MappingProxyType({row.asset: row for row in ASSETS})
ASSET_BY_SYMBOL: Final[Mapping[str, Asset]] = MappingProxyType({row.symbol: row for row in ASSETS})
assert len(ASSET_BY_NUMBER) == len(ASSET_BY_SYMBOL) == len(ASSETS)
assert all(0 < row.asset < ASSETS_MAX and 0 <= row.haircut_bps <= BPS for row in ASSETS)


def asset_code(asset: int) -> str:
    """Return the symbol of an asset, `A9` for one that is in no row of ours."""
    row = ASSET_BY_NUMBER.get(asset)
    return row.symbol if row is not None else f"A{asset}"
