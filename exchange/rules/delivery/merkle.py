"""Merkle trees over events: one root a day, and a short proof that an event is under it (CDR_016).

As RFC 6962 has it: leaf = SHA-256(0x00 || event), node = SHA-256(0x01 || left || right), a tree of
n leaves is cut at the largest power of two below n. A root is signed together with the one before.
"""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class Root(NamedTuple):
    """The tree of one closed day."""

    day: int  # since 1970, UTC
    first_number: int
    last_number: int
    root: bytes
    before: bytes  # the root of the day before that had one; zeros: none

    @property
    def signed_text(self) -> bytes:
        """Return what is signed of it, over receipts."""
        return self.text("wellhead receipt root 1")

    def text(self, title: str) -> bytes:
        """Return what is signed of a root over what `title` says."""
        cells = (title, self.day, self.first_number, self.last_number)
        return ("\n".join(map(str, (*cells, self.root.hex(), self.before.hex()))) + "\n").encode()


def leaf(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of what is above two."""
    return hashlib.sha256(b"\1" + left + right).digest()


def _cut(count: int) -> int:
    """Return the largest power of two below a count of at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over leaf hashes."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    cut = _cut(len(leaves))
    return node(root_of(leaves[:cut]), root_of(leaves[cut:]))


def path_of(leaves: Sequence[bytes], at: int) -> list[bytes]:
    """Return the hashes beside the way from a leaf to the root, the lowest first."""
    assert 0 <= at < len(leaves)
    if len(leaves) == 1:
        return []
    cut = _cut(len(leaves))
    if at < cut:
        return [*path_of(leaves[:cut], at), root_of(leaves[cut:])]
    return [*path_of(leaves[cut:], at - cut), root_of(leaves[:cut])]


def root_by(found: bytes, at: int, count: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf hash and its path lead to, None if the path has another length.

    Args:
        at: the place of the leaf among `count`.
    """
    if not 0 <= at < count:
        return None
    if count == 1:
        return None if path else found
    if not path:
        return None
    cut, (*below, beside) = _cut(count), path
    if at < cut:
        left = root_by(found, at, cut, below)
        return None if left is None else node(left, beside)
    right = root_by(found, at - cut, count - cut, below)
    return None if right is None else node(beside, right)
