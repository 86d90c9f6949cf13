"""Strict JSON: what is refused, and with which code."""

import pytest

from api.errors import Problem
from api.schemas import OrderBatch, WsMessage, WsPing
from api.strict import DEPTH_MAX, Decoder, count_fields, depth

MESSAGES: Decoder = Decoder(WsMessage)


def test_depth_is_counted_outside_of_strings():
    assert depth(b'{"a":"[[[[[["}') == 1
    assert depth(b'{"a\\"[":[[1]]}') == 3
    assert depth(b"[" * 100) == 100 > DEPTH_MAX


def test_fields_are_counted_through_a_batch():
    raw = b'{"requests":[{"op":"cancel","order_id":"1"},{"op":"cancel","order_id":"2"}]}'
    assert count_fields(Decoder(OrderBatch).decode(raw)) == 5


@pytest.mark.parametrize(
    ("raw", "code", "field"),
    [
        (b'{"op":"ping","id":true}', "field_type", "id"),
        (b'{"op":"ping","x":1}', "field_unknown", "x"),
        (b'{"op":"resync"}', "field_missing", "channel"),
        (b'{"op":"nope"}', "op_unknown", "op"),
        (b'{"op":"ping","id":NaN}', "json_number_invalid", None),
        (b'{"op":"ping","id":1e400}', "json_number_invalid", None),
        (b'{"op":"ping","op":"ping"}', "json_duplicate_key", "op"),
        (b'{"op":"ping","id":1,"\\u0069d":1}', "json_duplicate_key", "id"),
        (b'{"op":"ping","id":"\\ud800"}', "text_invalid", None),
        (b'{"op":"ping","id":"\xff"}', "utf8_invalid", None),
        (b"[" * 17, "json_too_deep", None),
        (b"{", "json_malformed", None),
        (b"[]", "field_type", None),
    ],
)
def test_what_is_wrong_has_its_code_and_field(raw: bytes, code: str, field: str | None):
    with pytest.raises(Problem) as refused:
        MESSAGES.decode(raw)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_colons_inside_of_texts_hide_no_duplicate_and_refuse_nothing():
    assert MESSAGES.decode(b'{"op":"ping","id":"a:b:c"}') == WsPing(id="a:b:c")
    with pytest.raises(Problem):
        MESSAGES.decode(b'{"op":"ping","id":"a:b","id":"c:d"}')
