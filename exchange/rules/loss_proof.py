"""How a default was borne, so that anybody can recompute it: every party's part, and its share.

A party stands under a tag that only its owner can link to an account. The rows say what each had
and what it gave: the shares follow from the rows alone, by the rule of the waterfall.
"""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from exchange.rules.waterfall import LAYERS, PLACE_OF, LayerName, bear


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What had to be borne, and when: a default may take more than one round."""

    liquidation_id: int
    round_no: int  # everything was read after this command
    loss_usd_micros: int  # beyond all that the defaulter had


@dataclass(frozen=True, slots=True, kw_only=True)
class LossRow:
    """One party of one layer."""

    place: int  # of the layer
    tag: str
    available_usd_micros: int
    used_usd_micros: int
    junior: bool = False  # of its layer used first: it did not bid enough in the auction

    def words(self) -> tuple[object, ...]:
        """Return what is hashed of it; rows of before there were juniors keep their hash."""
        plain = (self.place, self.tag, self.available_usd_micros, self.used_usd_micros)
        return (*plain, "junior") if self.junior else plain


@dataclass(frozen=True, slots=True, kw_only=True)
class LossProof:
    """Who bore how much, and why."""

    round: Round
    rows: tuple[LossRow, ...]  # by layer and tag
    left_usd_micros: int  # that no layer bore: positions are torn up for it

    def digest(self) -> str:
        """Return the hash that is published beside it."""
        head = (self.round.liquidation_id, self.round.round_no, self.round.loss_usd_micros)
        body = [row.words() for row in self.rows]
        text = repr((head, body, self.left_usd_micros))
        return blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def proof_of(
    head: Round,
    parts: Iterable[tuple[LayerName, str, int]],
    juniors: Collection[tuple[LayerName, str]] = (),
) -> LossProof:
    """Return the proof of a round: `parts` are layer, tag and what it has; `juniors` go first."""
    held: dict[LayerName, dict[str, int]] = {}
    for layer, tag, available in parts:
        held.setdefault(layer, {})[tag] = available
    waterfall = bear(head.loss_usd_micros, held, juniors)
    used = {(use.layer, use.party): use.used_usd_micros for use in waterfall.uses}
    rows = tuple(
        LossRow(
            place=layer.place, tag=tag, available_usd_micros=held[layer.name][tag],
            used_usd_micros=used.get((layer.name, tag), 0), junior=(layer.name, tag) in juniors,
        )
        for layer in LAYERS
        for tag in sorted(held.get(layer.name, {}))
    )  # fmt: skip
    return LossProof(round=head, rows=rows, left_usd_micros=waterfall.uncovered_usd_micros)


def faults(proof: LossProof) -> list[str]:
    """Return what is wrong with a proof, recomputed from its own public rows; none is right."""
    names = {place: name for name, place in PLACE_OF.items()}
    if any(row.place not in names or row.available_usd_micros < 0 for row in proof.rows):
        return ["a row is of no layer, or has less than nothing"]
    if len({(row.place, row.tag) for row in proof.rows}) != len(proof.rows):
        return ["a party stands twice in a layer"]
    parts = [(names[row.place], row.tag, row.available_usd_micros) for row in proof.rows]
    again = proof_of(
        proof.round, parts, {(names[row.place], row.tag) for row in proof.rows if row.junior}
    )
    found: list[str] = []
    if again.rows != proof.rows:
        found.append("the shares are not those of the rule")
    if again.left_usd_micros != proof.left_usd_micros:
        found.append("what is left is not what the shares leave")
    return found


def proof_out(proof: LossProof) -> dict[str, Any]:
    """Return a proof as JSON."""
    return {
        "round": asdict(proof.round),
        "rows": [_row_out(row) for row in proof.rows],
        "left_usd_micros": proof.left_usd_micros,
    }


def _row_out(row: LossRow) -> dict[str, Any]:
    """Return a row as JSON; only a junior's says so, as rows of before there were any."""
    return {name: value for name, value in asdict(row).items() if name != "junior" or value}


def proof_in(body: dict[str, Any]) -> LossProof:
    """Return the proof of its JSON.

    Errors:
        ValueError: it is none.
    """
    try:
        return LossProof(
            round=Round(**body["round"]), rows=tuple(LossRow(**row) for row in body["rows"]),
            left_usd_micros=body["left_usd_micros"],
        )  # fmt: skip
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a proof: {error!r}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicUse:
    """Money that a layer gave, as the journal has it; whose is said by the tag alone."""

    seq: int
    place: int
    tag: str
    amount_usd_micros: int


def faults_of_published(bodies: Iterable[dict[str, Any]], uses: Iterable[PublicUse]) -> list[str]:
    """Return what is wrong with a liquidation's proofs, and with the money that was moved.

    Every use of a layer but the defaulter's own must be a row of the newest proof before it. A
    round that a crash cut off is followed by another for the rest.
    """
    found: list[str] = []
    proofs = sorted(map(proof_in, bodies), key=lambda proof: proof.round.round_no)
    digests = {body.get("digest") for body in bodies}
    for proof in proofs:
        found += faults(proof)
        if proof.digest() not in digests:
            found.append("the digest is another")
    due = [{(row.place, row.tag): row.used_usd_micros for row in one.rows} for one in proofs]
    for use in uses:
        if use.place == PLACE_OF[LayerName.DEFAULTER_MARGIN]:
            continue
        before = [at for at, one in enumerate(proofs) if one.round.round_no < use.seq]
        owed = due[before[-1]].pop((use.place, use.tag), 0) if before else 0
        if owed != use.amount_usd_micros:
            found.append(f"command {use.seq} took what no proof says")
    return found
