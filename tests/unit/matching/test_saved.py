"""The saved form is canonical; damaged bytes are refused."""

from collections.abc import Callable

import numpy as np
import pytest

from matching import saved
from matching.codes import EventKind, Kind
from matching.engine import Engine
from tests.support.rows import command
from tests.unit.matching.small import SIZES, random_run


@pytest.fixture(scope="module")
def blob() -> bytes:
    """Return the saved form of a market in use."""
    engine = Engine(SIZES)
    engine.apply(np.concatenate(random_run(60)))
    timer = command(Kind.CANCEL_ALL_AFTER, account_idx=0, expires_ns=1_000_000_000)
    timer["seq"], timer["ts_ns"] = engine.last_seq + 1, engine.now_ns
    assert engine.apply(timer)["kind"].tolist() != [EventKind.REFUSED]
    return engine.save()


def test_what_was_read_packs_to_the_same_bytes(blob: bytes):
    found = saved.unpack(blob)
    meta = found.pop("meta")
    assert saved.pack(meta, found) == blob
    assert len(saved.hash_of(meta, found)) == saved.STATE_HASH_BYTES


def test_any_byte_of_an_array_changes_the_hash(blob: bytes):
    found = saved.unpack(blob)
    meta = found.pop("meta")
    before = saved.hash_of(meta, found)
    for name in saved.ARRAYS:
        raw = bytearray(found[name].tobytes())
        raw[-1] ^= 1
        rows = np.frombuffer(raw, found[name].dtype).reshape(found[name].shape)
        assert saved.hash_of(meta, found | {name: rows}) != before, name


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda blob: b"",
    "another version": lambda blob: b"WHSTATE0" + blob[8:],
    "cut in the length": lambda blob: blob[:12],
    "cut in the header": lambda blob: blob[:40],
    "cut at the last byte": lambda blob: blob[:-1],
    "a byte too many": lambda blob: blob + b"\0",
    "a header one byte longer": lambda blob: blob[:8] + bytes([blob[8] ^ 1]) + blob[9:],
    "no JSON": lambda blob: blob[:16] + b"[" + blob[17:],
    "an array without a shape": lambda blob: blob.replace(b'"orders": [', b'"orderz": [', 1),
    "a counter that is no number": lambda blob: blob.replace(b'"seq": ', b'"seq":"', 1),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_bytes_are_refused(blob: bytes, name: str):
    with pytest.raises(saved.Damaged):
        Engine.restore(DAMAGES[name](blob), SIZES)
