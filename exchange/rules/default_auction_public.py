"""The result of a default's auction as it is published, and recomputed by whoever checks it."""

from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any, NamedTuple

from exchange.rules.default_auction import (
    ALL_BPS,
    Ask,
    Award,
    Carries,
    Due,
    Lot,
    LotResult,
    Piece,
    Result,
    Row,
    allocate,
    awards_of,
    dues_of,
)


class PublicMove(NamedTuple):
    """Lots that a winner took, as the journal has them; who is said by the tag alone."""

    seq: int
    tag: str
    symbol: str
    qty_lots: int  # signed, as the defaulter held them
    price_ticks: int


def result_out(result: Result) -> dict[str, Any]:
    """Return a result as JSON."""
    return {
        "liquidation_id": result.liquidation_id,
        "state_seq": result.state_seq,
        "price_top_ticks": result.price_top_ticks,
        "lots": [
            {
                **lot_out(one.lot),
                "reserve_usd_micros": one.reserve_usd_micros,
                "rows": [asdict(row) for row in one.rows],
            }
            for one in result.lots
        ],
        "awards": [asdict(one) for one in result.awards],
        "dues": [asdict(one) for one in result.dues],
    }


def lot_out(lot: Lot) -> dict[str, Any]:
    """Return a lot as JSON."""
    pieces = [piece._asdict() for piece in lot.pieces]
    return {"lot_no": lot.lot_no, "name": lot.name, "pieces": pieces}


def lot_in(body: dict[str, Any]) -> Lot:
    """Return a lot of its JSON."""
    pieces = tuple(Piece(**piece) for piece in body["pieces"])
    return Lot(body["lot_no"], body["name"], pieces)


def result_in(body: dict[str, Any]) -> Result:
    """Return the result of its JSON.

    Errors:
        ValueError: it is none.
    """
    try:
        return Result(
            liquidation_id=body["liquidation_id"], state_seq=body["state_seq"],
            price_top_ticks=body["price_top_ticks"],
            lots=tuple(
                LotResult(lot=lot_in(one), reserve_usd_micros=one["reserve_usd_micros"],
                          rows=tuple(Row(**row) for row in one["rows"]))
                for one in body["lots"]
            ),
            awards=tuple(Award(**one) for one in body["awards"]),
            dues=tuple(Due(**one) for one in body["dues"]),
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the result of an auction: {error!r}") from error


def faults(result: Result) -> list[str]:
    """Return what is wrong with a result, recomputed from its bids; none is right."""
    found: list[str] = []
    for one in result.lots:
        if len({row.tag for row in one.rows}) != len(one.rows):
            found.append(f"lot {one.lot.lot_no}: a bidder stands twice")
            continue
        if any(not 0 < row.asked_bps <= ALL_BPS for row in one.rows):
            found.append(f"lot {one.lot.lot_no}: a bid is for no share of it")
            continue
        failed = {row.tag for row in one.rows if not row.carried}
        asks = [Ask(row.tag, row.premium_ticks, row.asked_bps) for row in one.rows]
        rows = allocate(one.lot, one.reserve_usd_micros, asks, _not_in(failed))
        if rows != one.rows:
            found.append(f"lot {one.lot.lot_no}: the shares are not those of the rule")
    if found:
        return found  # nothing follows from these
    due = [award for one in result.lots for award in awards_of(one, result.price_top_ticks)]
    if sorted(due, key=repr) != sorted(result.awards, key=repr):
        found.append("the lots awarded are not those of the shares")
    contributions = {one.tag: one.contribution_usd_micros for one in result.dues}
    if dues_of(result.lots, contributions) != result.dues:
        found.append("who is junior is not what the bids say")
    return found


def _not_in(failed: Collection[str]) -> Carries:
    def carries(tag: str, _: int) -> bool:
        return tag not in failed

    return carries


def faults_of_published(body: dict[str, Any], moves: Iterable[PublicMove]) -> list[str]:
    """Return what is wrong with a published result, and with the lots that were moved by it.

    Every move must be an award, at its price, once; an award that the core refused was not moved.
    """
    result = result_in(body)
    found = faults(result)
    if result.digest() != body.get("digest"):
        found.append("the digest is another")
    left = [(one.tag, one.symbol, one.qty_lots, one.price_ticks) for one in result.awards]
    for move in moves:
        if move[1:] in left:
            left.remove(move[1:])
        else:
            found.append(f"command {move.seq} moved what was not awarded")
    return found
