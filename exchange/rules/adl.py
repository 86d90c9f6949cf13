"""Auto-deleveraging: whose positions close what nobody took, in which order, and the proof of it.

Accounts on the other side are ranked by profit share times leverage (losers by profit share
divided by leverage, behind all winners). Each closes against the position that ended, at its
bankruptcy price, as far as it stays solvent; who has no equity closes all its room or nothing,
because a part may not make it solvent. Who is flat, or on the same side, is no candidate.

The proof names every candidate by a tag that only its owner can link to an account, with
the numbers the order and the shares follow from: anybody can recompute all shares, and each
account its own row.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

SCORE_ONE: Final = 1_000_000  # a score of 1
NO_EQUITY: Final = -(1 << 62)  # the score of whoever has none: the last


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An account on the other side of what has to be closed."""

    account_id: int  # the public id, never reused
    qty_lots: int  # signed
    entry_usd_micros: int  # signed entry value of the position
    value_usd_micros: int  # signed value at the mark
    equity_usd_micros: int

    @property
    def profit_usd_micros(self) -> int:
        """Return what the position has gained since its entry."""
        return self.value_usd_micros - self.entry_usd_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What has to be closed, for whom, at which price."""

    liquidation_id: int
    round_no: int
    symbol: str
    qty_lots: int  # signed, of the account that ended
    price_ticks: int
    mark_ticks: int
    tick_value_usd_micros: int
    state_seq: int  # everything was read after this command


@dataclass(frozen=True, slots=True, kw_only=True)
class AdlRow:
    """One candidate as it is published."""

    tag: str
    score: int
    held_lots: int  # unsigned
    room_lots: int  # as far as it stays solvent at the price
    share_lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AdlProof:
    """Who closes how much, and why."""

    closing: Closing
    rows: tuple[AdlRow, ...]  # in rank order
    left_lots: int  # that no candidate could take

    def digest(self) -> str:
        """Return the hash that is published beside it."""
        closing = self.closing
        head = (
            closing.liquidation_id, closing.round_no, closing.symbol, closing.qty_lots,
            closing.price_ticks, closing.mark_ticks, closing.tick_value_usd_micros,
            closing.state_seq, self.left_lots,
        )  # fmt: skip
        body = [
            (row.tag, row.score, row.held_lots, row.room_lots, row.share_lots) for row in self.rows
        ]
        return blake2b(repr((head, body)).encode("ascii"), digest_size=16).hexdigest()


def score(profit: int, entry: int, value: int, equity: int) -> int:
    """Return profit share x leverage of a winner, profit share / leverage of a loser, millionths.

    Args:
        profit, entry, value, equity: usd micros, values unsigned; equity above zero.
    """
    if profit >= 0:
        return SCORE_ONE * profit * value // max(1, entry * equity)
    return -(SCORE_ONE * -profit * equity // max(1, entry * value))


def score_of(candidate: Candidate) -> int:
    """Return the rank of a candidate; whoever has no equity comes last."""
    if candidate.equity_usd_micros <= 0:
        return NO_EQUITY
    return score(
        candidate.profit_usd_micros,
        abs(candidate.entry_usd_micros),
        abs(candidate.value_usd_micros),
        candidate.equity_usd_micros,
    )


def room_lots(candidate: Candidate, closing: Closing) -> int:
    """Return how many lots a candidate may close at the price and stay solvent."""
    if candidate.qty_lots * closing.qty_lots >= 0:
        return 0
    most = min(abs(candidate.qty_lots), abs(closing.qty_lots))
    sign = 1 if candidate.qty_lots > 0 else -1
    gain = sign * (closing.price_ticks - closing.mark_ticks) * closing.tick_value_usd_micros
    equity = candidate.equity_usd_micros
    if gain >= 0:
        return most if equity + gain * most >= 0 else 0
    return min(most, max(0, equity) // -gain)


def tag_of(account_id: int, liquidation_id: int) -> str:
    """Return the name under which an account stands in a proof."""
    return blake2b(f"{liquidation_id}:{account_id}".encode("ascii"), digest_size=8).hexdigest()


def plan(closing: Closing, candidates: Iterable[Candidate]) -> tuple[AdlProof, dict[int, int]]:
    """Return the proof, and the lots that each account closes, by account id."""
    known = [one for one in candidates if one.qty_lots * closing.qty_lots < 0]
    tagged = [(tag_of(one.account_id, closing.liquidation_id), one) for one in known]
    tagged.sort(key=lambda pair: (-score_of(pair[1]), pair[0]))
    ranked = [(score_of(one), room_lots(one, closing)) for _, one in tagged]
    shares = shares_of(abs(closing.qty_lots), ranked)
    rows = tuple(
        AdlRow(
            tag=tag, score=rank, held_lots=abs(one.qty_lots), room_lots=room, share_lots=share,
        )
        for (tag, one), (rank, room), share in zip(tagged, ranked, shares, strict=True)
    )  # fmt: skip
    left = abs(closing.qty_lots) - sum(shares)
    by_id = {one.account_id: share for (_, one), share in zip(tagged, shares, strict=True) if share}
    return AdlProof(closing=closing, rows=rows, left_lots=left), by_id


def shares_of(lots: int, ranked: Iterable[tuple[int, int]]) -> list[int]:
    """Return what each in rank order closes: all it may, until nothing is left.

    Args:
        lots: what has to be closed.
        ranked: score and room of each.
    """
    shares: list[int] = []
    for rank, room in ranked:
        share = min(room, lots)
        if rank == NO_EQUITY and share < room:
            share = 0
        shares.append(share)
        lots -= share
    return shares


def faults(proof: AdlProof) -> list[str]:
    """Return what is wrong with a proof, recomputed from its own public rows; none is right."""
    found: list[str] = []
    keys = [(-row.score, row.tag) for row in proof.rows]
    if keys != sorted(keys):
        found.append("the rows are not in the order of their scores")
    if len({row.tag for row in proof.rows}) != len(proof.rows):
        found.append("a candidate stands twice")
    lots = abs(proof.closing.qty_lots)
    shares = shares_of(lots, [(row.score, row.room_lots) for row in proof.rows])
    if shares != [row.share_lots for row in proof.rows]:
        found.append("the shares are not those of the order")
    if proof.left_lots != lots - sum(shares):
        found.append("what is left is not what the shares leave")
    if any(not 0 <= row.room_lots <= row.held_lots for row in proof.rows):
        found.append("a candidate closes more than it holds")
    return found


def faults_of_own(proof: AdlProof, candidate: Candidate) -> list[str]:
    """Return what is wrong with an account's own row, recomputed from what it knows of itself."""
    tag = tag_of(candidate.account_id, proof.closing.liquidation_id)
    row = next((row for row in proof.rows if row.tag == tag), None)
    if row is None:
        return (
            [] if candidate.qty_lots * proof.closing.qty_lots >= 0 else ["the account is missing"]
        )
    found: list[str] = []
    if row.score != score_of(candidate):
        found.append("the score is another")
    if row.held_lots != abs(candidate.qty_lots):
        found.append("the position is another")
    if row.room_lots != room_lots(candidate, proof.closing):
        found.append("the room is another")
    return found


def may_deleverage(equity_usd_micros: int) -> bool:
    """Return whether an account may be closed against others: when it has less than nothing."""
    return equity_usd_micros < 0
