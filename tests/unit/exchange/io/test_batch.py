"""A batch as bytes, and back."""

import pytest

from exchange.io.batch import Batch, joined
from exchange.io.errors import Corrupt
from tests.support.batches import batch, same


@pytest.mark.parametrize("count", [1, 2, 4096])
def test_a_batch_comes_back_from_its_bytes(count):
    one = batch(17, count)
    back = Batch.from_bytes(one.to_bytes())
    assert same(one, back)
    assert (back.count, back.last_seq, back.ts_ns) == (count, 16 + count, one.ts_ns)


@pytest.mark.parametrize("cut", [0, 7, 31, 32, 100, 223])
def test_bytes_that_end_early_are_no_batch(cut):
    with pytest.raises(Corrupt):
        Batch.from_bytes(batch(1).to_bytes()[:cut])


def test_strange_bytes_are_no_batch():
    raw = bytearray(batch(1).to_bytes())
    raw[0] ^= 1
    with pytest.raises(Corrupt):
        Batch.from_bytes(bytes(raw))
    with pytest.raises(Corrupt):
        Batch.from_bytes(batch(1).to_bytes() + b"x")


def test_what_comes_from_bytes_cannot_be_changed_by_a_reader():
    back = Batch.from_bytes(batch(1).to_bytes())
    with pytest.raises(ValueError, match="read-only"):
        back.commands["seq"] = 9


def test_rows_are_joined_into_one_array_that_can_be_written():
    parts = [batch(1).commands, batch(2, 3).commands[::2], batch(9, 1).commands[:0]]
    rows = joined(parts)
    assert rows["seq"].tolist() == [1, 2, 4] and rows.dtype == parts[0].dtype
    rows["seq"] = 7
    assert parts[0]["seq"].tolist() == [1]
