"""Texts to ticks, lots and rows of the core, and back: the only place that does it."""

import re
import struct
from typing import Final

from msgspec import UNSET, UnsetType

from api.errors import Problem
from exchange.rules.money import (
    TICK_USD_MICROS,
    DecimalError,
    Reason,
    difference_ticks_of,
    lots_of,
    price_text,
    price_ticks_of,
    usd_micros_of,
)
from exchange.rules.records import Contract
from matching.codes import (
    AccountState,
    Kind,
    OrderType,
    Peg,
    Side,
    Stp,
    Tif,
    TradingState,
    TriggerBy,
)
from matching.wire import COMMAND

SIDES: Final = {side.name.lower(): int(side) for side in Side}
TRAILING: Final = "trailing_stop"  # a stop that has an offset
TYPES: Final = {kind.name.lower(): int(kind) for kind in OrderType} | {
    TRAILING: int(OrderType.STOP)
}
TRIGGERS: Final = {by.name.lower(): int(by) for by in TriggerBy}
TIFS: Final = {tif.name: int(tif) for tif in Tif}
STPS: Final = {stp.name.lower(): int(stp) for stp in Stp}
PEGS: Final = {peg.name.lower(): int(peg) for peg in Peg}
ACCOUNT_STATES: Final = {state.name.lower(): int(state) for state in AccountState}
TRADING_STATES: Final = {state.name.lower(): int(state) for state in TradingState}

SIDE_NAMES: Final = tuple(SIDES)
TYPE_NAMES: Final = {int(kind): kind.name.lower() for kind in OrderType}
TRIGGER_NAMES: Final = tuple(TRIGGERS)
PEG_NAMES: Final = {0: None, **{number: name for name, number in PEGS.items()}}
TIF_NAMES: Final = tuple(TIFS)
STP_NAMES: Final = tuple(STPS)
ACCOUNT_STATE_NAMES: Final = tuple(ACCOUNT_STATES)
TRADING_STATE_NAMES: Final = tuple(TRADING_STATES)

STP_DEFAULT: Final = int(Stp.CANCEL_NEWEST)
QTY_TEXT_MAX: Final = (1 << 31) - 1  # fits the record; what is too large is the core's to say
PRICE_TEXT_MAX: Final = (1 << 31) - 1
SHOWN_MAX: Final = 40  # of a text that is refused
ORDER_ID_MAX: Final = (1 << 63) - 1
NS_PER_MS: Final = 1_000_000
USD_MICROS_PER_TICK: Final = TICK_USD_MICROS  # of every SKU today

# A COMMAND row without its last two words, origin and request id: the gateway adds them.
ROW: Final = struct.Struct("<16x6bhii10q")
assert ROW.size == COMMAND.itemsize - 16, "rows and records have grown apart"

NO_WORDS: Final = (0, 0, 0, 0)
_WORDS: Final = struct.Struct("<4q")
_CLIENT_ORDER_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,32}", re.ASCII)
_ORDER_ID: Final = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
_CACHE_MAX: Final = 1 << 16
_price_cache: dict[str, int] = {}
_price_texts: dict[int, str] = {}


class TooLarge(Problem):
    """More lots than any order may have; whoever knows the contract says how many it may."""

    def __init__(self, text: str, field: str) -> None:
        detail = f"{text[:SHOWN_MAX]} lots are more than an order may have"
        super().__init__("qty_too_large", detail, status=422, field=field)


def price_ticks(text: str, field: str = "price") -> int:
    """Return a price in ticks; texts seen before are looked up."""
    ticks = _price_cache.get(text)
    if ticks is None:
        ticks = _decimal(price_ticks_of, text, field)
        if ticks > PRICE_TEXT_MAX:
            raise Problem("field_invalid", "the price is too large", field=field)
        if len(_price_cache) >= _CACHE_MAX:
            _price_cache.clear()
        _price_cache[text] = ticks
    return ticks


def difference_ticks(text: str, field: str = "price") -> int:
    """Return a difference of prices in ticks: a spread's price, which may be negative."""
    ticks = _decimal(difference_ticks_of, text, field)
    if abs(ticks) > PRICE_TEXT_MAX:
        raise Problem("field_invalid", "the price is too large", field=field)
    return ticks


def price_out(ticks: int) -> str:
    """Return ticks as text; there are few different prices, so each is made once."""
    text = _price_texts.get(ticks)
    if text is None:
        if len(_price_texts) >= _CACHE_MAX:
            _price_texts.clear()
        text = _price_texts[ticks] = price_text(ticks)
    return text


def qty_lots(text: str, field: str = "quantity") -> int:
    """Return whole lots."""
    if text.isdigit() and text.isascii() and len(text) < 10 and text[0] != "0":
        return int(text)
    lots = _decimal(lots_of, text, field)
    if lots > QTY_TEXT_MAX:
        raise TooLarge(text, field)
    return lots


def usd_micros(text: str, field: str = "amount") -> int:
    """Return micro-dollars of a positive amount of dollars."""
    return _decimal(usd_micros_of, text, field)


def _decimal(parse: object, text: str, field: str) -> int:
    try:
        return parse(text)  # type: ignore[operator, no-any-return]
    except DecimalError as error:
        allowed = error.allowed
        if error.reason == Reason.NEGATIVE:
            allowed = "nothing below zero"
        elif parse is lots_of and error.reason == Reason.TOO_MANY_DECIMALS:
            allowed = "whole lots"
        shown = text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}..."
        raise Problem(
            "field_invalid", f"{shown!r} was given; allowed: {allowed}", field=field
        ) from None


def choice(table: dict[str, int], text: str | UnsetType, default: int, field: str) -> int:
    """Return the number of a word of the table."""
    if text is UNSET:
        return default
    found = table.get(text)
    if found is None:
        raise Problem("field_invalid", f"one of {', '.join(table)}", field=field)
    return found


def client_words(
    text: str | UnsetType, field: str = "client_order_id"
) -> tuple[int, int, int, int]:
    """Return the four words of a client order id, zeros for none."""
    if text is UNSET:
        return NO_WORDS
    if not _CLIENT_ORDER_ID.fullmatch(text):
        raise Problem("field_invalid", "1 to 32 of A-Z a-z 0-9 . _ : -", field=field)
    return _WORDS.unpack(text.encode().ljust(_WORDS.size, b"\0"))


def order_id(text: str, field: str = "order_id") -> int:
    """Return an order id as a number."""
    if not _ORDER_ID.fullmatch(text) or (number := int(text)) > ORDER_ID_MAX:
        raise Problem(
            "field_invalid", f"an id is a whole number from 1 to {ORDER_ID_MAX}", field=field
        )
    return number


def at_least_one(text: str, field: str) -> int:
    """Return whole lots, of which there must be one."""
    lots = qty_lots(text, field)
    if lots == 0:
        raise Problem("field_invalid", "at least one lot, or leave it out", field=field)
    return lots


def offset_ticks(text: str, field: str = "peg_offset") -> int:
    """Return a signed distance of prices in ticks."""
    sign = -1 if text.startswith("-") else 1
    return sign * price_ticks(text.removeprefix("-"), field)


def offset_out(ticks: int) -> str:
    """Return a signed distance of prices as text."""
    return f"-{price_out(-ticks)}" if ticks < 0 else price_out(ticks)


def cancel_row(account_idx: int, order_id: int, words: tuple[int, int, int, int]) -> bytes:
    """Return the CANCEL row."""
    return ROW.pack(Kind.CANCEL, 0, 0, 0, 0, 0, 0, account_idx, 0, order_id, 0, 0, 0, 0, *words, 0)


def cancel_all_row(account_idx: int, contract_idx: int, side: int | None) -> bytes:
    """Return the MASS_CANCEL row; contract -1 means all, side None both."""
    state = 0 if side is None else side + 1
    return ROW.pack(
        Kind.MASS_CANCEL, 0, 0, 0, 0, state, 0, account_idx, contract_idx,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    )  # fmt: skip


def admin_row(
    kind: Kind, *, account_idx: int = 0, contract_idx: int = 0, state: int = 0, order_id: int = 0
) -> bytes:
    """Return a SET_ACCOUNT, SET_STATE or SET_BAND row."""
    return ROW.pack(
        kind, 0, 0, 0, 0, state, 0, account_idx, contract_idx, order_id, 0, 0, 0, 0, 0, 0, 0, 0, 0
    )


def words_row(
    kind: Kind,
    account_idx: int,
    *,
    state: int = 0,
    flags: int = 0,
    stp: int = 0,
    contract_idx: int = 0,
    order_id: int = 0,
    price_ticks: int = 0,
    qty_lots: int = 0,
    amount_usd_micros: int = 0,
    expires_ns: int = 0,
    ref_id: int = 0,
) -> bytes:
    """Return the row of a quote or a protection; `matching/wire.py` says what its words hold."""
    return ROW.pack(
        kind, 0, 0, 0, stp, state, flags, account_idx, contract_idx, order_id, price_ticks,
        qty_lots, amount_usd_micros, expires_ns, *NO_WORDS, ref_id,
    )  # fmt: skip


def tick_size() -> str:
    """Return the size of one tick as text."""
    return price_text(1)


def lot_gpu_hours(contract: Contract) -> str:
    """Return the GPU-hours of one lot as text; one tick is $0.001 for each of them.

    A spread's are those of its longer leg, a strip's those of all its legs.
    """
    return str(contract.tick_value_usd_micros // USD_MICROS_PER_TICK)
