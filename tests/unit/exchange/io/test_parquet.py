"""Parquet files: what is written is what a reader of the format finds.

The digest is of a file that pyarrow 26 read back as exactly these values.
"""

import hashlib
import io
import struct

from exchange.io.parquet import MAGIC, Column, write

COLUMNS = (
    Column(name="account", is_text=True),
    Column(name="seq"),
    Column(name="time", is_time=True),
    Column(name="amount", scale=8),
)
ROWS = [("cash:1", 7, 1_700_000_000_000_000, -(10**20)), ("käse", -1, 0, 5)]


def written(rows: list[tuple[object, ...]]) -> bytes:
    file = io.BytesIO()
    write(file, COLUMNS, rows)  # type: ignore[arg-type]
    return file.getvalue()


def test_a_file_has_its_magic_at_both_ends_and_says_how_long_its_footer_is():
    for rows in ([], ROWS):
        data = written(rows)
        (size,) = struct.unpack("<I", data[-8:-4])
        assert data[:4] == data[-4:] == MAGIC
        footer = data[-8 - size : -8]
        assert footer.endswith(b"\x08wellhead\0")
        assert all(column.name.encode() in footer for column in COLUMNS)


def test_values_stand_in_the_file_as_plain_bytes():
    data = written(ROWS)
    assert struct.pack("<2q", 7, -1) in data
    assert struct.pack("<I", 6) + b"cash:1" + struct.pack("<I", 5) + "käse".encode() in data
    assert (-(10**20)).to_bytes(16, "big", signed=True) + (5).to_bytes(16, "big") in data


def test_the_bytes_are_those_that_another_program_has_read():
    assert (
        hashlib.sha256(written(ROWS)).hexdigest()
        == "b281920ce06debb32f33d1fe38a1bcb76cd52c3e24ee20a56ea7e36faa4386f1"
    )
