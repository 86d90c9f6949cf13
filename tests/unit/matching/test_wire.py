"""Records keep their sizes; texts of up to 32 bytes go into four words and back."""

import numpy as np
import pytest

from matching import wire, wire_ids

SIZES = {
    "COMMAND": 128, "EVENT": 64, "ACCOUNT": 64, "CONTRACT": 192, "POSITION": 64, "ORDER": 64,
    "DETAIL": 64, "CLIENT_ID": 128, "ORIGIN": 16,
}  # fmt: skip


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_a_record_keeps_its_size_and_every_field_is_aligned(name: str, size: int):
    record: np.dtype = getattr(wire_ids if hasattr(wire_ids, name) else wire, name)
    assert record.itemsize == size
    for field, (dtype, offset) in ((n, record.fields[n][:2]) for n in record.names):
        assert offset % dtype.base.itemsize == 0, field


@pytest.mark.parametrize("text", ["", "a", "H100-USE-2027M03", "x" * 8, "~" * 31, "z" * 32])
def test_a_text_comes_back_as_it_was_packed(text: str):
    assert wire.unpack_text(*wire.pack_text(text)) == text


def test_the_first_letter_is_the_lowest_byte_of_the_first_word():
    assert wire.pack_text("AB") == (0x4241, 0, 0, 0)


@pytest.mark.parametrize("text", ["x" * 33, "a\0b", "\0", "é", "日本"])
def test_a_text_that_would_not_come_back_is_refused(text: str):
    with pytest.raises(ValueError):
        wire.pack_text(text)


def test_the_shocks_begin_at_the_price_of_a_command():
    rows = wire.new_commands(2)
    rows[1]["price_ticks"], rows[1]["client_d"] = 7, 9
    words = wire.command_words(rows)
    assert words.shape == (2, 16)
    assert (words[1, wire.SHOCK_WORD], words[1, wire.SHOCK_WORD + 7]) == (7, 9)
