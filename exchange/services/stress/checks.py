"""What must hold at the end of a stress run, looked at from scratch."""

from collections.abc import Collection, Mapping
from typing import Final

import numpy as np

from exchange.rules.adl import faults, tag_of
from exchange.rules.default_auction_public import faults as auction_faults
from exchange.rules.loss_proof import faults as loss_faults
from exchange.rules.money import USD_MICROS
from exchange.rules.standing import equity_usd_micros
from exchange.services.stress.world import World
from matching.codes import EventKind, MoveReason
from matching.wire import EVENT

FLAT_USD: Final = 25_000  # that each account without a position has


def checks_of(
    world: World, deposited_usd_micros: int, flat: Collection[int], layers: Mapping[int, int]
) -> list[tuple[str, bool]]:
    """Return what was looked at, and whether it holds; `layers` is what each gave, by place."""
    world.engine.check()
    mirror, books = world.mirror, world.clearing.books
    cash = [one.cash_usd_micros for one in mirror.accounts]
    flat_cash = {cash[idx] for idx in flat}
    adl = _deleveraged(world)
    used = sum(row.used_usd_micros for one in world.losses for row in one.rows)
    return [
        ("cash of all accounts is what was deposited, to the micro-dollar",
         sum(cash) == deposited_usd_micros),
        ("positions of every contract sum to zero",
         all(sum(p.qty_lots for p in c.positions) == 0 for c in mirror.contracts)),
        ("the ledger holds the same cash for every account",
         all(books.cash_usd_micros(idx) == own for idx, own in enumerate(cash))),
        ("no account that was flat was touched",
         flat_cash == {FLAT_USD * USD_MICROS}
         and not set(adl["maker_account_idx"].tolist()) & set(flat)),
        ("layers in order, each used up before the next: every share is that of the rule",
         not any(loss_faults(proof) for proof in world.losses)),
        ("deleveraging only when the layers before had nothing left", not any(world.grounds)),
        ("layers gave what the proofs say", used == sum(layers.values())),
        ("every proof of deleveraging verifies",
         all(not faults(proof) for proof in world.proofs)),
        ("every account finds its own row of each proof to be what it is", not world.own_faults),
        ("every auction verifies, and what winners took is what they were awarded",
         not any(auction_faults(one) for one in world.results)
         and _auctioned(world) <= _awarded(world)),
        ("shares that were moved are those of the proofs",
         int(adl["qty_lots"].sum()) == sum(row.share_lots for p in world.proofs for row in p.rows)),
        ("nobody is left in liquidation with less than nothing",
         all(equity_usd_micros(mirror, idx) >= 0 for idx in mirror.liquidations)),
    ]  # fmt: skip


def _auctioned(world: World) -> set[tuple[int, str, str, int]]:
    """Return (liquidation, tag, symbol, price) of lots that winners of auctions took."""
    moves: np.ndarray = np.concatenate(world.moves or [np.zeros(0, EVENT)])
    wanted = (moves["kind"] == EventKind.POSITION_MOVED) & (moves["code"] == MoveReason.AUCTION)
    symbols = [one.symbol for one in world.mirror.contracts]
    return {
        (number, tag_of(winner, number), symbols[contract_idx], price)
        for number, winner, contract_idx, price in moves[wanted][
            ["order_id", "maker_account_idx", "contract_idx", "price_ticks"]
        ].tolist()
    }


def _awarded(world: World) -> set[tuple[int, str, str, int]]:
    return {
        (one.liquidation_id, award.tag, award.symbol, award.price_ticks)
        for one in world.results
        for award in one.awards
    }


def _deleveraged(world: World) -> np.ndarray:
    """Return the events of all lots that deleveraging moved."""
    moves: np.ndarray = np.concatenate(world.moves or [np.zeros(0, EVENT)])
    wanted = (moves["kind"] == EventKind.POSITION_MOVED) & (moves["code"] == MoveReason.DELEVERAGE)
    adl: np.ndarray = moves[wanted]
    return adl
