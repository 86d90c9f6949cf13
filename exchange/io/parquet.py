"""Parquet files with nothing but the standard library: whole columns, uncompressed, one row group.

As much of the format as a table of whole numbers, money and texts needs: version 1 data pages of
required values, encoding PLAIN, and the footer in Thrift's compact protocol. Money is a DECIMAL of
38 digits over 16 bytes, so that no reader makes floats of it. Source: apache/parquet-format,
`README.md`, `Encodings.md` and `parquet.thrift`.
"""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

MAGIC: Final = b"PAR1"
_INT64, _BYTE_ARRAY, _FIXED_BYTES = 2, 6, 7  # Type
_UTF8, _DECIMAL, _TIMESTAMP_MICROS = 0, 5, 10  # ConvertedType
_PLAIN, _RLE = 0, 3  # Encoding
_T_I32, _T_I64, _T_BINARY, _T_LIST, _T_STRUCT = 5, 6, 8, 9, 12  # of the compact protocol
PAGE_ROWS: Final = 100_000  # a page's size is an int32: a text is far below 20,000 bytes
_PRECISION: Final = 38  # digits of a decimal that fits its bytes
_DECIMAL_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; `scale` makes whole numbers decimals with so many digits after the point."""

    name: str
    is_text: bool = False
    is_time: bool = False  # microseconds since 1970, UTC
    scale: int | None = None

    @property
    def type_id(self) -> int:
        """Return how values are stored."""
        if self.is_text:
            return _BYTE_ARRAY
        return _INT64 if self.scale is None else _FIXED_BYTES


Field = tuple[int, int, bytes]  # id, type, value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _zigzag(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _binary(text: bytes) -> bytes:
    return _varint(len(text)) + text


def _struct(*fields: Field) -> bytes:
    """Return a struct; fields in the order of their ids, which differ by less than 16."""
    found, last = bytearray(), 0
    for number, kind, value in fields:
        found += bytes([(number - last) << 4 | kind]) + value
        last = number
    return bytes(found) + b"\0"


def _list(kind: int, values: Sequence[bytes]) -> bytes:
    head = bytes([len(values) << 4 | kind]) if len(values) < 15 else (
        bytes([0xF0 | kind]) + _varint(len(values))
    )  # fmt: skip
    return head + b"".join(values)


def _i32(number: int, value: int) -> Field:
    return number, _T_I32, _zigzag(value)


def _i64(number: int, value: int) -> Field:
    return number, _T_I64, _zigzag(value)


def _schema(column: Column) -> bytes:
    """Return the SchemaElement of a column."""
    fixed = [] if column.scale is None else [_i32(2, _DECIMAL_BYTES)]
    fields = [
        _i32(1, column.type_id),
        *fixed,
        _i32(3, 0),  # required
        (4, _T_BINARY, _binary(column.name.encode())),
    ]
    if column.is_text:
        fields.append(_i32(6, _UTF8))
    elif column.is_time:
        fields.append(_i32(6, _TIMESTAMP_MICROS))
    elif column.scale is not None:
        fields += [_i32(6, _DECIMAL), _i32(7, column.scale), _i32(8, _PRECISION)]
    return _struct(*fields)


def _plain(column: Column, values: Sequence[int | str]) -> bytes:
    """Return values as PLAIN bytes."""
    if column.scale is not None:
        return b"".join(int(value).to_bytes(_DECIMAL_BYTES, "big", signed=True) for value in values)
    if not column.is_text:
        return struct.pack(f"<{len(values)}q", *values)
    texts = [str(value).encode() for value in values]
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def _page(column: Column, values: Sequence[int | str]) -> bytes:
    """Return a data page with its header."""
    data = _plain(column, values)
    header = _struct(
        _i32(1, 0), _i32(2, len(data)), _i32(3, len(data)),
        (5, _T_STRUCT, _struct(_i32(1, len(values)), _i32(2, _PLAIN), _i32(3, _RLE),
                               _i32(4, _RLE))),
    )  # fmt: skip
    return header + data


def _chunk(column: Column, count: int, first: int, size: int) -> bytes:
    """Return the ColumnChunk of a column whose pages begin at a place of the file."""
    meta = _struct(
        _i32(1, column.type_id),
        (2, _T_LIST, _list(_T_I32, [_zigzag(_PLAIN), _zigzag(_RLE)])),
        (3, _T_LIST, _list(_T_BINARY, [_binary(column.name.encode())])),
        _i32(4, 0), _i64(5, count), _i64(6, size), _i64(7, size), _i64(9, first),
    )  # fmt: skip
    return _struct(_i64(2, first), (3, _T_STRUCT, meta))


def write(file: BinaryIO, columns: Sequence[Column], rows: Iterable[Sequence[int | str]]) -> None:
    """Write a table; every row has a value of each column, none is missing."""
    table = list(zip(*rows, strict=True)) or [() for _ in columns]
    assert len(table) == len(columns)
    count, place, chunks = len(table[0]), len(MAGIC), []
    file.write(MAGIC)
    for column, values in zip(columns, table, strict=True):
        pages = b"".join(
            _page(column, values[first : first + PAGE_ROWS]) for first in range(0, count, PAGE_ROWS)
        )
        file.write(pages)
        chunks.append(_chunk(column, count, place, len(pages)))
        place += len(pages)
    file.write(footer := _footer(columns, chunks, count, place - len(MAGIC)))
    file.write(struct.pack("<I", len(footer)) + MAGIC)


def _footer(columns: Sequence[Column], chunks: Sequence[bytes], count: int, size: int) -> bytes:
    root = _struct((4, _T_BINARY, _binary(b"table")), _i32(5, len(columns)))
    groups = []
    if count:
        groups = [_struct((1, _T_LIST, _list(_T_STRUCT, chunks)), _i64(2, size), _i64(3, count))]
    return _struct(
        _i32(1, 1),
        (2, _T_LIST, _list(_T_STRUCT, [root, *map(_schema, columns)])),
        _i64(3, count),
        (4, _T_LIST, _list(_T_STRUCT, groups)),
        (6, _T_BINARY, _binary(b"wellhead")),
    )
