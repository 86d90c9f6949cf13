"""What counts of collateral: haircuts, caps, prices that grow old, and wrong-way risk.

    counted = min(value x (1 - haircut), cap x requirement)

Everything rounds down. The core is told the sum and nothing else. Rules in their order (COLL_110
to COLL_117 of docs/clearing.md); the first that makes an asset worthless ends the matter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exchange.rules.assets import ASSET_BY_NUMBER, DAY_NS, NO_CAP, PAR_USD_MICROS, Asset
from exchange.rules.holdings import AssetPrice
from exchange.rules.money import BPS
from matching.limits import COLLATERAL_USD_MICROS_MAX

STALE_BPS: Final = 5_000  # what is left of a value whose price is stale
JOINT_BTC_HAIRCUT_BPS: Final = 5_000  # BTC -50 % while compute falls by 30 %: who is long has both
ADDRESS_HOLD_NS: Final = DAY_NS  # before a withdrawal may go to a new address
TWO_ADMINS_ABOVE_USD_MICROS: Final = 100_000_000_000  # a withdrawal of $100,000
PLEDGE_HAIRCUT_BPS: Final = 1_500  # of pledged capacity: the bond of a receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """What of a member matters to its collateral."""

    kind: str  # as in the registry: customer, miner, neocloud, ...
    group: str  # whose own paper counts for nothing
    long_lots: int  # of compute, all contracts together; negative when it is short
    requirement_usd_micros: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One asset of an account, from its units to what is counted."""

    asset: int
    units: int
    price_usd_micros: int  # of one whole; 0 when there is none
    value_usd_micros: int
    haircut_bps: int
    after_haircut_usd_micros: int
    counted_usd_micros: int
    reason: str  # what lowered it beyond the haircut, "" for nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What an account's assets count for."""

    lines: tuple[Line, ...]
    counted_usd_micros: int


def count(
    units: Mapping[int, int], prices: Mapping[int, AssetPrice], member: Member, now_ns: int
) -> Counted:
    """Return what an account's assets count for, line by line in the order of their numbers."""
    rooms: dict[str, int] = {}  # what is left under the cap of each issuer
    lines = []
    for asset in sorted(units):
        row = ASSET_BY_NUMBER.get(asset)
        if row is None or not units[asset]:
            continue
        line = _valued(row, units[asset], prices.get(asset), member, now_ns)
        lines.append(_capped(row, line, member, rooms))
    total = sum(line.counted_usd_micros for line in lines)
    return Counted(lines=tuple(lines), counted_usd_micros=min(total, COLLATERAL_USD_MICROS_MAX))


def _valued(row: Asset, units: int, price: AssetPrice | None, member: Member, now_ns: int) -> Line:
    said = price.price_usd_micros if price is not None else 0
    usd_micros = PAR_USD_MICROS if row.at_par else said
    value = units * usd_micros // 10**row.digits
    haircut_bps = row.haircut_bps
    if row.kind == "coin" and member.long_lots > 0:
        haircut_bps = max(haircut_bps, JOINT_BTC_HAIRCUT_BPS)
    reason, left_bps = _judged(row, price, member, now_ns)
    after = value * (BPS - haircut_bps) * left_bps // BPS**2
    return Line(
        asset=row.asset, units=units, price_usd_micros=usd_micros, value_usd_micros=value,
        haircut_bps=haircut_bps, after_haircut_usd_micros=after, counted_usd_micros=after,
        reason=reason,
    )  # fmt: skip


def sale_usd_micros(asset: int, units: int, price: AssetPrice | None, now_ns: int) -> int:
    """Return what the house pays for units of a defaulter: their value after the haircut.

    Caps and wrong-way rules say what counts while a member trades, not what a thing is worth.
    """
    row = ASSET_BY_NUMBER.get(asset)
    if row is None:
        return 0
    nobody = Member(kind="", group="", long_lots=0, requirement_usd_micros=0)
    return _valued(row, units, price, nobody, now_ns).after_haircut_usd_micros


def _judged(row: Asset, price: AssetPrice | None, member: Member, now_ns: int) -> tuple[str, int]:
    """Return what lowers an asset, and what is left of it in basis points."""
    if member.group and row.issuer.casefold() == member.group.casefold():
        return "own_paper", 0
    if member.kind in row.zero_for:
        return "wrong_way", 0
    if row.at_par:
        return "", BPS
    if price is None:
        return "no_price", 0
    age_ns = now_ns - price.priced_ns
    if age_ns > row.dead_ns:
        return "price_dead", 0
    if price.price_usd_micros < row.floor_usd_micros:
        return "below_floor", 0
    return ("price_stale", STALE_BPS) if age_ns > row.stale_ns else ("", BPS)


def _capped(row: Asset, line: Line, member: Member, rooms: dict[str, int]) -> Line:
    """Hold a line to what is left under the cap of its issuer."""
    if row.cap_bps == NO_CAP:
        return line
    cap = row.cap_bps * member.requirement_usd_micros // BPS
    room = rooms.get(row.issuer, cap)
    counted = min(line.after_haircut_usd_micros, room)
    rooms[row.issuer] = room - counted
    reason = "cap" if counted < line.after_haircut_usd_micros else line.reason
    return Line(
        asset=line.asset, units=line.units, price_usd_micros=line.price_usd_micros,
        value_usd_micros=line.value_usd_micros, haircut_bps=line.haircut_bps,
        after_haircut_usd_micros=line.after_haircut_usd_micros, counted_usd_micros=counted,
        reason=reason,
    )  # fmt: skip


def cover_lots(
    short_lots: int, pledged_lots: int, long_lots: int, haircut_bps: int = PLEDGE_HAIRCUT_BPS
) -> int:
    """Return the short lots of one hub, SKU and period that pledged capacity covers.

    A member that is long compute all in all has no cover: its pledge falls when it loses.
    """
    if long_lots > 0:
        return 0
    return min(max(0, short_lots), pledged_lots * (BPS - haircut_bps) // BPS)


def approvals_needed(row: Asset, units: int, price: AssetPrice | None, now_ns: int) -> int:
    """Return how many admins must approve a withdrawal: two where nobody knows what it is worth."""
    usd_micros = PAR_USD_MICROS
    if not row.at_par:
        if price is None or now_ns - price.priced_ns > row.dead_ns:
            return 2
        usd_micros = price.price_usd_micros
    return 2 if units * usd_micros > TWO_ADMINS_ABOVE_USD_MICROS * 10**row.digits else 1
