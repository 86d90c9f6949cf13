"""Checking a published proof of a receipt, with nothing but what was published."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from exchange.rules.delivery.merkle import Root, leaf, root_by
from exchange.rules.delivery.receipts import Event
from exchange.rules.tenors import NS_PER_DAY


def open_days(proofs: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the days since 1970 of events that are under no signed root yet, each once.

    Errors:
        ValueError: they are not of the published form.
    """
    try:
        return sorted({int(one["event_ts_ns"]) // NS_PER_DAY
                       for one in proofs if one["root"] is None})  # fmt: skip
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not of the published form: {error!r}") from error


def faults_of_proofs(
    proofs: Sequence[Mapping[str, Any]],
    receipt_id: str,
    public_key: str | None = None,
    *,
    may_be_open: bool = False,
) -> list[str]:
    """Return what is wrong with the proofs of a receipt; none for a closed and sound history.

    Args:
        public_key: the only key that may have signed, in hex; None for any.
        may_be_open: whether an event may be of a day that is not sealed yet.

    Errors:
        ValueError: they are not of the published form.
    """
    try:
        return [
            fault for one in proofs for fault in _faults(one, receipt_id, public_key, may_be_open)
        ]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not of the published form: {error!r}") from error


def _faults(
    one: Mapping[str, Any], receipt_id: str, public_key: str | None, may_be_open: bool
) -> list[str]:
    event = Event(
        int(one["number"]), one["receipt_id"], one["kind"], int(one["event_ts_ns"]), one["note"],
        one["body"], bytes.fromhex(one["digest"]),
    )  # fmt: skip
    place = f"event {event.number}"
    if event.receipt_id != receipt_id:
        return [f"{place} is of another receipt"]
    if hashlib.sha256(bytes.fromhex(one["before"]) + event.line).digest() != event.digest:
        return [f"{place}: the digest is of something else"]
    if one["root"] is None:
        return [] if may_be_open else [f"{place}: its day is not sealed yet"]
    root = _root(one["root"])
    count = root.last_number - root.first_number + 1
    path = [bytes.fromhex(text) for text in one["path"]]
    if len(path) > 64 or count >= 1 << 62:
        return [f"{place}: no such path"]
    if root_by(leaf(event.digest), event.number - root.first_number, count, path) != root.root:
        return [f"{place} is not under the root of day {root.day}"]
    if not _is_signed(root, one["root"], public_key):
        return [f"the root of day {root.day} is not signed by the exchange"]
    return []


def _root(said: Mapping[str, Any]) -> Root:
    return Root(
        int(said["day"]), int(said["first_number"]), int(said["last_number"]),
        bytes.fromhex(said["root"]), bytes.fromhex(said["before"]),
    )  # fmt: skip


def _is_signed(root: Root, said: Mapping[str, Any], public_key: str | None) -> bool:
    if public_key is not None and said["public_key"] != public_key:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(said["public_key"]))
        key.verify(bytes.fromhex(said["signature"]), root.signed_text)
    except InvalidSignature:
        return False
    return True
