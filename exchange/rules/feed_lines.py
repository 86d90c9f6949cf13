"""Commands as lines of JSON: what a line may say, and the COMMAND row it becomes.

One object a line. `kind` is a command's name in lower case; `account`, `symbol` and `id` are names
that the lines themselves give: an account by `open_account`, a contract by `list`, an order or a
deal by its own line. Fields that the API knows are spelled as there, decimals as strings; every
field of a COMMAND may also be given by its own name, as a whole number. docs/cli.md has the table.
"""

import json
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from exchange.rules.money import DecimalError, lots_of, price_ticks_of, usd_micros_of
from matching.codes import (
    AccountState,
    DealKind,
    Flag,
    Kind,
    OrderType,
    Side,
    Stp,
    Tif,
    TradingState,
)
from matching.wire import COMMAND, new_commands, pack_halves, pack_legs, pack_text

REPLACE: Final = "replace"  # a cancellation and, if it is taken, a new order of the same id
KINDS: Final = {kind.name.lower(): int(kind) for kind in Kind} | {REPLACE: int(Kind.CANCEL)}
NS_PER_MS: Final = 1_000_000
LINE_BYTES_MAX: Final = 1 << 16
WORDS: Final = ("client_a", "client_b", "client_c", "client_d")
STAMPS: Final = frozenset({"seq", "kind"})
MOST: Final = {
    name: int(np.iinfo(COMMAND[name]).max) for name in COMMAND.names or () if name not in STAMPS
}
FLAGS: Final = {"post_only": int(Flag.POST_ONLY), "reduce_only": int(Flag.REDUCE_ONLY)}
STATES: Final[dict[int, type]] = {
    Kind.SET_STATE: TradingState, Kind.LIST: TradingState, Kind.LIST_COMBINATION: TradingState,
    Kind.SET_ACCOUNT: AccountState, Kind.PROPOSE: DealKind,
}  # fmt: skip
SIDE_IN_STATE: Final = frozenset({int(Kind.MASS_CANCEL), int(Kind.REQUEST_QUOTES)})
SHOCKS: Final = ("price_ticks", "qty_lots", "amount_usd_micros", "expires_ns", *WORDS)


class LineError(ValueError):
    """A line that cannot be read: which field, and why."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}" if field else why)
        self.field = field


class Names:
    """What the lines so far have named."""

    def __init__(self) -> None:
        self.accounts: dict[str, int] = {}
        self.symbols: dict[str, int] = {}
        self.orders: dict[str, int] = {}  # orders and deals, by the id of their line
        self.ids: dict[str, int] = {}  # every id that a line had, in order of appearance


def decoded(line: str) -> dict[str, Any]:
    """Return the object of a line.

    Errors:
        LineError: it is none, or names a field twice.
    """
    if len(line) > LINE_BYTES_MAX:
        raise LineError("", f"at most {LINE_BYTES_MAX} characters")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        for name in names:
            if names.count(name) > 1:
                raise LineError(name, "given twice")
        return dict(pairs)

    try:
        found = json.loads(line, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        if isinstance(error, LineError):
            raise
        raise LineError("", f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise LineError("", "an object is due")
    return found


def row_of(line: dict[str, Any], names: Names) -> np.ndarray:
    """Return the COMMAND row of a line; `seq` is left to who applies it.

    Errors:
        LineError: a field is missing, unknown, or holds what it may not.
    """
    left = dict(line)
    name = left.pop("kind", None)
    if not isinstance(name, str) or name not in KINDS:
        raise LineError("kind", f"one of {', '.join(KINDS)}")
    rows = new_commands(1)
    row, kind = rows[0], KINDS[name]
    row["kind"] = kind
    if kind == Kind.MASS_CANCEL:
        row["contract_idx"] = -1
    _take_id(left, names)
    for field, value in left.items():
        read = _READERS.get(field)
        if read is not None:
            read(row, field, value, names)
        elif field in MOST:
            row[field] = _whole(field, value, MOST[field])
        else:
            raise LineError(field, f"{name} has no such field")
    return rows


def _take_id(left: dict[str, Any], names: Names) -> None:
    text = left.pop("id", None)
    if text is not None:
        names.ids.setdefault(_text("id", text), len(names.ids))


def _text(field: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise LineError(field, "a text is due")
    return value


def _whole(field: str, value: Any, most: int) -> int:
    if type(value) is not int or not -most - 1 <= value <= most:
        raise LineError(field, f"a whole number from {-most - 1} to {most} is due")
    return value


def _decimal(parse: Callable[[str], int], field: str, value: Any) -> int:
    try:
        return parse(_text(field, value))
    except DecimalError as error:
        raise LineError(field, str(error)) from error


def _account(row: np.void, field: str, value: Any, names: Names) -> None:
    idx = names.accounts.get(_text(field, value))
    if row["kind"] == Kind.OPEN_ACCOUNT:
        idx = names.accounts.setdefault(value, len(names.accounts))
    if idx is None:
        raise LineError(field, f"no line opened {value!r}")
    row["ref_id" if field == "counterparty" else "account_idx"] = idx


def _symbol(row: np.void, field: str, value: Any, names: Names) -> None:
    idx = names.symbols.get(_text(field, value))
    if row["kind"] in (Kind.LIST, Kind.LIST_COMBINATION):
        idx = names.symbols.setdefault(value, len(names.symbols))
        _words(row, field, value, names)
    if idx is None:
        raise LineError(field, f"no line listed {value!r}")
    row["contract_idx"] = idx


def _words(row: np.void, field: str, value: Any, names: Names) -> None:
    try:
        words = pack_text(_text(field, value))
    except (ValueError, UnicodeEncodeError) as error:
        raise LineError(field, "at most 32 ASCII characters") from error
    for name, word in zip(WORDS, words, strict=True):
        row[name] = word


def _order(row: np.void, field: str, value: Any, names: Names) -> None:
    """An order or deal of an earlier line; one the core never took is unknown to it too."""
    text = _text(field, value)
    if text not in names.ids:
        raise LineError(field, f"no earlier line has the id {text!r}")
    row["order_id"] = names.orders.get(text, 0)


def _enum(table: dict[str, int], target: str) -> Callable[..., None]:
    def read(row: np.void, field: str, value: Any, names: Names) -> None:
        if not isinstance(value, str) or value not in table:
            raise LineError(field, f"one of {', '.join(table)}")
        row[target] = table[value]

    return read


def _side(row: np.void, field: str, value: Any, names: Names) -> None:
    if value not in ("buy", "sell"):
        raise LineError(field, "buy or sell")
    side = int(Side[value.upper()])
    if int(row["kind"]) in SIDE_IN_STATE:
        row["state"] = side + 1
    else:
        row["side"] = side


def _state(row: np.void, field: str, value: Any, names: Names) -> None:
    states = STATES.get(int(row["kind"]))
    if states is None or isinstance(value, int):
        row["state"] = _whole(field, value, MOST["state"])
        return
    table = {one.name.lower(): int(one) for one in states}  # type: ignore[attr-defined]
    _enum(table, "state")(row, field, value, names)


def _flag(row: np.void, field: str, value: Any, names: Names) -> None:
    if not isinstance(value, bool):
        raise LineError(field, "true or false")
    row["flags"] |= FLAGS[field] if value else 0


def _number(parse: Callable[[str], int], target: str) -> Callable[..., None]:
    def read(row: np.void, field: str, value: Any, names: Names) -> None:
        row[target] = _decimal(parse, field, value)

    return read


def _open_quantity(row: np.void, field: str, value: Any, names: Names) -> None:
    row["qty_lots"] = _decimal(lots_of, field, value)
    row["flags"] |= int(Flag.QTY_IS_OPEN)


def _expires(row: np.void, field: str, value: Any, names: Names) -> None:
    row["expires_ns"] = _whole(field, value, MOST["expires_ns"] // NS_PER_MS) * NS_PER_MS


def _plain(target: str) -> Callable[..., None]:
    def read(row: np.void, field: str, value: Any, names: Names) -> None:
        row[target] = _whole(field, value, MOST[target])

    return read


def _blocks(row: np.void, field: str, value: Any, names: Names) -> None:
    """A least quantity and a range: {"min_quantity": "50", "range_bps": 200}."""
    if not isinstance(value, dict) or set(value) != {"min_quantity", "range_bps"}:
        raise LineError(field, "an object of min_quantity and range_bps is due")
    least = _decimal(lots_of, "min_quantity", value["min_quantity"])
    bps = _whole("range_bps", value["range_bps"], (1 << 31) - 1)
    if row["kind"] == Kind.LIST:
        if least >= 1 << 31:
            raise LineError("min_quantity", "too many lots")
        row["ref_id"] = pack_halves(least, bps)
    else:
        row["qty_lots"], row["order_id"] = least, bps


def _shocks(row: np.void, field: str, value: Any, names: Names) -> None:
    if not isinstance(value, list) or not 1 <= len(value) <= len(SHOCKS):
        raise LineError(field, f"1 to {len(SHOCKS)} whole numbers of micro-dollars are due")
    for name, shock in zip(SHOCKS, value, strict=False):
        row[name] = _whole(field, shock, MOST["expires_ns"])


def _legs(row: np.void, field: str, value: Any, names: Names) -> None:
    if not isinstance(value, list):
        raise LineError(field, 'a list of [symbol, ratio] is due, as [["M3", 1], ["M4", -1]]')
    legs: list[tuple[int, int]] = []
    for leg in value:
        if not isinstance(leg, list) or len(leg) != 2 or leg[0] not in names.symbols:
            raise LineError(field, f"no leg: {leg!r}")
        legs.append((names.symbols[leg[0]], _whole(field, leg[1], 1)))
    try:
        words = pack_legs(legs)
    except ValueError as error:
        raise LineError(field, str(error)) from error
    for name, word in words.items():
        row[name] = word


_READERS: Final[dict[str, Callable[..., None]]] = {
    "account": _account,
    "counterparty": _account,
    "symbol": _symbol,
    "client_order_id": _words,
    "client_id": _words,
    "order": _order,
    "side": _side,
    "type": _enum({one.name.lower(): int(one) for one in OrderType}, "order_type"),
    "tif": _enum({one.name: int(one) for one in Tif}, "tif"),
    "stp": _enum({one.name.lower(): int(one) for one in Stp}, "stp"),
    "state": _state,
    "post_only": _flag,
    "reduce_only": _flag,
    "price": _number(price_ticks_of, "price_ticks"),
    "quantity": _number(lots_of, "qty_lots"),
    "open_quantity": _open_quantity,
    "amount": _number(usd_micros_of, "amount_usd_micros"),
    "tick_value": _number(usd_micros_of, "amount_usd_micros"),
    "expires_at": _expires,
    "band_bps": _plain("order_id"),
    "first": _plain("order_id"),
    "scenarios": _plain("qty_lots"),
    "worst": _plain("order_id"),
    "blocks": _blocks,
    "shocks": _shocks,
    "legs": _legs,
}
