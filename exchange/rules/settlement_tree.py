"""Final settlements under signed roots: one leaf each, a tree a closed day (FNST_006).

Trees are those of receipts (`delivery/merkle.py`, CDR_016). A leaf says all that a final settlement
is: whoever has it, the way to the root and the root's signature needs nobody to check it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.rules.delivery.merkle import Root, leaf, root_by
from exchange.rules.final_settlement import HOURS_A_DAY
from exchange.rules.money import MICROS_DIGITS, DecimalError, scaled_of, scaled_text
from exchange.rules.tenors import NS_PER_DAY

TITLE: Final = "wellhead settlement root 1"
PATH_MAX: Final = 64
_UNREADABLE: Final = (KeyError, TypeError, AttributeError, RecursionError, DecimalError,
                      ArithmeticError)  # fmt: skip


class FinalLeaf(NamedTuple):
    """A final settlement, as it is hashed."""

    number: int  # of all final settlements, from 1 in the order of the journal
    symbol: str
    seq: int  # of its command
    settled_ns: int
    days: int
    worth_usd_micros: int  # of one lot
    open_interest_lots: int
    paid_usd_micros: int  # sum of what the gaining accounts received with it
    digest: str  # of the prints it was reached from

    @property
    def line(self) -> bytes:
        """Return what is hashed of it."""
        return ("\n".join(map(str, ("wellhead final settlement 1", *self))) + "\n").encode()

    @property
    def day(self) -> int:
        """Return the day of its root."""
        return self.settled_ns // NS_PER_DAY

    @property
    def price_usd_micros(self) -> int:
        """Return the final price of a GPU-hour."""
        return self.worth_usd_micros // (HOURS_A_DAY * self.days)


def leaf_out(one: FinalLeaf) -> dict[str, Any]:
    """Return a leaf as it is published."""
    return {
        "number": str(one.number),
        "symbol": one.symbol,
        "settled_seq": one.seq,
        "settled_ts_ns": str(one.settled_ns),
        "days": one.days,
        "worth": scaled_text(one.worth_usd_micros, MICROS_DIGITS, 2),
        "final_price": scaled_text(one.price_usd_micros, MICROS_DIGITS, 4),
        "open_interest": str(one.open_interest_lots),
        "paid": scaled_text(one.paid_usd_micros, MICROS_DIGITS, 2),
        "digest": one.digest,
    }


def leaf_of(said: Mapping[str, Any]) -> FinalLeaf:
    """Return a leaf from what is published."""
    return FinalLeaf(
        int(said["number"]), str(said["symbol"]), int(said["settled_seq"]),
        int(said["settled_ts_ns"]), int(said["days"]), scaled_of(said["worth"], MICROS_DIGITS),
        int(said["open_interest"]), scaled_of(said["paid"], MICROS_DIGITS), str(said["digest"]),
    )  # fmt: skip


OPEN_DAY: Final = "its day is not sealed yet"


def faults_of_proof(
    proof: Mapping[str, Any], symbol: str, public_key: str | None = None
) -> list[str]:
    """Return what is wrong with the proof of a final settlement; none for a sound one.

    Args:
        public_key: the only key that may have signed, in hex; None for any.

    Errors:
        ValueError: it is not of the published form.
    """
    try:
        return list(_faults(proof, symbol, public_key))
    except _UNREADABLE as error:
        raise ValueError(f"not of the published form: {error!r}") from error


def _faults(proof: Mapping[str, Any], symbol: str, public_key: str | None) -> Iterator[str]:
    one, said = leaf_of(proof["settlement"]), proof["root"]
    if one.symbol != symbol:
        yield f"a settlement of {one.symbol}"
        return
    if leaf_out(one)["final_price"] != proof["settlement"]["final_price"]:
        yield "the price is not what a lot is worth over its hours"
    if said is None:
        yield OPEN_DAY
        return
    root = Root(
        int(said["day"]), int(said["first_number"]), int(said["last_number"]),
        bytes.fromhex(said["root"]), bytes.fromhex(said["before"]),
    )  # fmt: skip
    count = root.last_number - root.first_number + 1
    path = [bytes.fromhex(text) for text in proof["path"]]
    if len(path) > PATH_MAX or not 0 < count < 1 << 62:
        yield "no such path"
        return
    if root.day != one.day:
        yield "the root is of another day"
    if root_by(leaf(one.line), one.number - root.first_number, count, path) != root.root:
        yield f"it is not under the root of day {root.day}"
    if not is_signed(root, bytes.fromhex(said["public_key"]), bytes.fromhex(said["signature"])):
        yield f"the root of day {root.day} is not signed by its key"
    if public_key is not None and said["public_key"] != public_key:
        yield f"the root of day {root.day} is signed by another key"


def is_signed(root: Root, public_key: bytes, signature: bytes) -> bool:
    """Return whether a key signed a root over settlements."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, root.text(TITLE))
    except (InvalidSignature, ValueError):
        return False
    return True
