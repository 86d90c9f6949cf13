"""The binary form of COPY, byte by byte as PostgreSQL documents it."""

import struct
from typing import NamedTuple

import pytest

from exchange.io.copying import BLOCK_ROWS, HEADER, TRAILER, binary_rows, layout_of
from exchange.rules.clearing_rows import LedgerAccountRow, OrderChangeRow, OrderRow, TradeRow


class Some(NamedTuple):
    """Two numbers, a truth, and a text that may be missing."""

    one: int
    is_so: bool
    words: str | None
    other: int


def written(row: Some) -> bytes:
    return struct.pack(">hiqibiiq", 4, 8, row.one, 1, row.is_so, -1, 8, row.other)


@pytest.mark.parametrize("count", [0, 1, BLOCK_ROWS, BLOCK_ROWS + 1])
async def test_each_row_has_its_fields_with_their_lengths(count):
    ends = (2**63 - 1, -(2**63), 0, -1)
    rows = [Some(ends[n % 4], n % 2 == 0, None, n) for n in range(count)]
    layout = layout_of(Some)
    assert layout is not None
    found = b"".join([part async for part in binary_rows(layout, rows)])
    assert found == HEADER + b"".join(map(written, rows)) + TRAILER


def test_rows_whose_length_varies_have_no_layout():
    assert layout_of(LedgerAccountRow) is None
    assert layout_of(OrderChangeRow) is None
    assert layout_of(TradeRow) is not None
    assert layout_of(OrderRow).texts == (OrderRow._fields.index("client_order_id"),)


async def test_a_number_that_no_bigint_holds_is_an_error():
    with pytest.raises(OverflowError):
        assert [part async for part in binary_rows(layout_of(Some), [Some(2**63, True, None, 0)])]
