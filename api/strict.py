"""JSON as strictly as money deserves: text in, a checked shape or a Problem out.

The decoder refuses unknown fields and wrong types but takes a duplicate key
silently. A message has at least one colon for each of its keys, so when there
are no more colons than distinct fields, nothing can hide; otherwise, and after
every error, the whole text is looked at by the slow and careful way.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, Generic, NoReturn, TypeVar

import msgspec
from msgspec import UNSET

from api.errors import Problem

T = TypeVar("T")

DEPTH_MAX: Final = 16
ORDER_BYTES_MAX: Final = 16 * 1024
NUMBER_DIGITS_MAX: Final = 40

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_AT = re.compile(r" - at `\$((?:\.[A-Za-z_0-9]+|\[[0-9.]+\])*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `([^`]{0,80})")
_MISSING = re.compile(r"^Object missing required field `(\w+)`")
_LONE = re.compile("[\ud800-\udfff]")


# shape -> (keys of a message with every field, whether it may hold other shapes)
_SHAPES: dict[type, tuple[int, bool]] = {}


class Decoder(Generic[T]):
    """Decodes one shape strictly."""

    def __init__(self, shape: Any) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(shape)

    def decode(self, raw: bytes) -> T:
        """Return the message.

        Errors:
            Problem: with the code of what is wrong, and the field where there is one.
        """
        try:
            message = self._decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            check_text(raw)
            refuse(str(error))
        if raw.count(b":") != count_fields(message):
            check_text(raw)
        return message


def count_fields(message: Any) -> int:
    """Return how many keys the text of a decoded message had, each counted once."""
    shape = type(message)
    found = _SHAPES.get(shape)
    if found is None:
        has_list = any("list" in str(field.type) for field in msgspec.structs.fields(shape))
        tagged = message.__struct_config__.tag is not None
        found = _SHAPES[shape] = (len(shape.__struct_fields__) + tagged, has_list)
    values = msgspec.structs.astuple(message)
    count = found[0] - values.count(UNSET)
    if found[1]:
        for value in values:
            if type(value) is list:
                count += sum(count_fields(v) for v in value if isinstance(v, msgspec.Struct))
    return count


def refuse(message: str) -> NoReturn:
    """Raise the problem of a decoder's message."""
    at = _AT.search(message)
    place = at[1].lstrip(".") if at else ""
    text = message[: at.start()] if at else message
    if unknown := _UNKNOWN.search(message):
        raise Problem("field_unknown", "there is no such field", field=_inside(place, unknown[1]))
    if missing := _MISSING.search(message):
        raise Problem("field_missing", "this field is due", field=_inside(place, missing[1]))
    if text.startswith("Invalid value") and (place == "op" or place.endswith(".op")):
        raise Problem("op_unknown", "there is no such op", field=place)
    wrong_type = text.startswith("Expected") and "got" in text
    code = "field_type" if wrong_type else "field_invalid"
    if not at and not wrong_type:
        code = "json_malformed"
    raise Problem(code, text.replace("`", ""), field=place or None)


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def check_text(raw: bytes) -> Any:
    """Look at the whole text; return its value when it is JSON that nobody can misread.

    Errors:
        Problem: bad UTF-8, too deep, malformed, duplicate keys, numbers out of range,
            lone surrogates, NUL.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Problem("utf8_invalid", f"byte {error.start} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise Problem("json_malformed", "a byte order mark does not belong here")
    if depth(raw) > DEPTH_MAX:
        raise Problem("json_too_deep", f"at most {DEPTH_MAX} levels")
    try:
        value = _CAREFUL.decode(text)
    except json.JSONDecodeError as error:
        raise Problem("json_malformed", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise Problem("json_too_deep", f"at most {DEPTH_MAX} levels") from None
    _check_strings(value)
    return value


def depth(raw: bytes) -> int:
    """Return how deep brackets nest outside of strings."""
    deepest = level = 0
    for byte in _STRING.sub(b"", raw):
        if byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def _pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        _check_strings(key)
        if key in found:
            raise Problem("json_duplicate_key", "a key may be given once", field=key[:80])
        found[key] = value
    return found


def _constant(name: str) -> NoReturn:
    raise Problem("json_number_invalid", f"{name} is not a number of JSON")


def _number(text: str) -> float | int:
    if len(text) > NUMBER_DIGITS_MAX:
        raise Problem("json_number_invalid", f"a number has at most {NUMBER_DIGITS_MAX} digits")
    if text.lstrip("-").isdigit():
        return int(text)
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Problem("json_number_invalid", "a number is out of range")
    return number


_CAREFUL: Final = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_float=_number, parse_int=_number
)


def _check_strings(value: Any) -> None:
    if isinstance(value, str):
        if _LONE.search(value):
            raise Problem("text_invalid", "a lone surrogate is not text")
        if "\0" in value:
            raise Problem("text_invalid", "a NUL does not belong in text")
    elif isinstance(value, list):
        for item in value:
            _check_strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            _check_strings(item)
