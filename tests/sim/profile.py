"""What kind of market a seed gives: sizes, money, prices, habits."""

from dataclasses import dataclass
from random import Random

from matching.limits import QTY_LOTS_MAX, TICK_VALUE_USD_MICROS_MAX, TRANSFER_USD_MICROS_MAX
from tests.oracle.state import Capacity


@dataclass(frozen=True)
class Profile:
    """One market. Small rooms make refusals for lack of room happen."""

    capacity: Capacity
    accounts: int  # opened at the start
    contracts: int  # listed at the start
    combinations: int  # of them, listed behind them
    tick_values: tuple[int, ...]
    qty_max_lots: int
    qty_usual_lots: int
    mark_ticks: int  # first mark
    spread_ticks: int  # orders come within this distance of the mark, mostly
    band_bps: tuple[int, ...]
    funding_usd_micros: int  # the usual deposit
    whale: bool  # the first account has all the money it may have
    shock_ticks: int  # the usual size of a shock
    junk: float  # share of commands with one field spoiled
    envelope: float  # share of commands that come from a gateway
    patience: float  # share of orders that mean to rest
    control: float  # weight of states, bands, listings and the like
    self_share: float  # how often the taker is who rests at the best price
    clock_leap: float  # share of commands after which hours pass
    deals: float  # weight of blocks and requests for quotes
    corrects: bool  # settlements are corrected, not only asked to be


FIRST_SEEDS = 20  # what these have always drawn stays: together they reach every refusal
KINDS = ("roomy", "cramped", "poor", "wild", "rich")


def profile_of(rng: Random, seed: int) -> Profile:
    """Draw a market; its kind is the seed's, so that a few seeds in a row see all kinds."""
    kind = KINDS[seed % len(KINDS)]
    cramped = kind == "cramped"
    rich = kind == "rich"
    qty_max_lots = QTY_LOTS_MAX if rich else rng.choice((5, 50, 1000))
    qty_usual_lots = QTY_LOTS_MAX if rich else rng.choice((3, 12, 40))
    shock_ticks = rng.choice((2, 20, 100))
    contracts = rng.randint(1, 3)
    tick_values = (1, 730, 744_000, TICK_VALUE_USD_MICROS_MAX) if rich else (1, 10, 730)
    return Profile(
        corrects=seed > FIRST_SEEDS,
        capacity=Capacity(
            price_bits=rng.choice((12, 12, 13, 16, 18)),
            accounts=6 if cramped else 12,
            contracts=4 if cramped else 8,
            positions=14 if cramped else 96,
            orders=rng.choice((6, 20)) if cramped else rng.choice((64, 256)),
            client_ids=rng.choice((4, 6)) if cramped else rng.choice((16, 64)),
            origins=1024,
            scenarios=rng.choice((8, 8, 16, 16, 24, 24, 64, 128)),
            deals=8 if cramped else 96,
            contract_stops=rng.choice((2, 4)) if cramped else rng.choice((16, 8192)),
            contract_trails=rng.choice((1, 3)) if cramped else rng.choice((3, 256)),
            account_stops=rng.choice((2, 5)) if cramped else rng.choice((8, 256)),
            taker_makers=rng.choice((1, 3, 9)) if cramped else rng.choice((5, 20, 4096)),
            account_cancels=rng.choice((1, 2, 5)) if cramped else rng.choice((8, 4096)),
            command_events=rng.choice((2, 3, 9)) if cramped else rng.choice((16, 2048)),
        ),
        accounts=rng.randint(3, 6),
        contracts=contracts,
        combinations=rng.randint(0, 2) if contracts > 1 else 0,
        tick_values=tick_values,
        qty_max_lots=qty_max_lots,
        qty_usual_lots=qty_usual_lots,
        mark_ticks=rng.choice((20, 300, 2_000)),
        spread_ticks=rng.choice((2, 6, 30)),
        band_bps=(0, 0, 5, 100, 1_000, 10_000) if kind == "wild" else (0, 500, 2_000),
        funding_usd_micros=_funding(rng, kind, max(tick_values) * shock_ticks * qty_usual_lots),
        whale=rich,
        shock_ticks=shock_ticks,
        junk=rng.choice((0.02, 0.1)),
        envelope=rng.choice((0.0, 0.1, 0.5)),
        patience=rng.choice((0.5, 0.8)),
        control=rng.choice((0.3, 1.0)) if kind != "wild" else 3.0,
        self_share=rng.choice((0.05, 0.3)),
        clock_leap=rng.choice((0.0, 0.002, 0.01)),
        deals=rng.choice((0.5, 1.0, 3.0)),
    )


def _funding(rng: Random, kind: str, one_order_usd_micros: int) -> int:
    """Return the usual deposit, in orders that it can carry."""
    if kind == "rich":
        return TRANSFER_USD_MICROS_MAX
    orders = rng.choice((3, 10, 40)) if kind == "poor" else rng.choice((200, 10_000))
    return orders * one_order_usd_micros
