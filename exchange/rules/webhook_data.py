"""What each event of a webhook says: rows as they are stored, in the words of the API."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from exchange.rules.assets import ASSET_BY_NUMBER, asset_code
from exchange.rules.money import price_text, scaled_text, usd_text
from exchange.rules.restraints import said_of
from exchange.rules.waterfall import LAYER_AT
from exchange.rules.webhooks import Happening, HookEvent
from matching.codes import AssetMove, Code, Side

NS_PER_MS: Final = 1_000_000
TOGETHER_MAX: Final = 100  # fills, or settlements, in one delivery
BEGINS: Final = 1  # step of a liquidation

Row = Mapping[str, Any]
Data = dict[str, Any]


def _ms(ns: int) -> int:
    return ns // NS_PER_MS


def _code(code: int | None) -> str | None:
    return None if code is None else Code(code).name.lower()


def _side(side: int) -> str:
    return Side(side).name.lower()


# Of notes


def margin_call(row: Row) -> Data:
    """Return a margin call as it is now; `event` is the new state, or `reminder`."""
    return {
        "event": row["event"],
        "call_id": str(row["call_id"]),
        "state": row["state"],
        "amount": usd_text(row["amount_usd_micros"]),
        "met": usd_text(row["met_usd_micros"]),
        "reminders": row["reminders"],
        "issued_ts": _ms(row["issued_ns"]),
        "due_ts": _ms(row["due_ns"]),
    }


def transfer(row: Row) -> Data:
    """Return a deposit or withdrawal of dollars; `code` says why it was refused."""
    return {
        "asset": "USD",
        "transfer_id": row["client_key"],
        "amount": usd_text(abs(row["amount_usd_micros"])),
        "status": row["status"],
        "code": _code(row["code"]),
        "seq": row["seq"],
    }


def asset_move(row: Row) -> Data:
    """Return a move of an asset; `step` is pay or return where it decides a withdrawal."""
    asset = ASSET_BY_NUMBER.get(row["asset"])
    amount = scaled_text(row["units"], asset.digits) if asset else str(row["units"])
    return {
        "asset": asset_code(row["asset"]),
        "transfer_id": row["client_key"],
        "amount": amount,
        "step": AssetMove(row["move"]).name.lower(),
        "status": row["status"],
        "code": _code(row["code"]),
        "seq": row["seq"],
    }


def cash_or_asset(row: Row) -> Data:
    """Return a deposit or withdrawal of anything."""
    return asset_move(row) if "asset" in row else transfer(row)


def delivery(row: Row) -> Data:
    """Return an event of a receipt for GPU-hours."""
    return {
        "receipt_id": row["receipt_id"],
        "number": row["number"],
        "kind": row["kind"],
        "status": row["status"],
        "note": row["note"],
        "ts": _ms(row["ts_ns"]),
    }


def giveup(row: Row) -> Data:
    """Return what became of a give-up."""
    return {
        "giveup_id": str(row["giveup_id"]),
        "role": row["role"],
        "status": row["status"],
        "from_account_id": row["giver_id"],
        "to_account_id": row["taker_id"],
        "trade_id": f"{row['seq']}-{row['leg']}",
        "symbol": row["symbol"],
        "side": _side(row["side"]),
        "price": price_text(row["price_ticks"]),
        "quantity": str(row["qty_lots"]),
        "ts": _ms(row["ts_ns"]),
    }


def notice(row: Row) -> Data:
    """Return a notice, as `GET /notices` has it."""
    head = {"notice_id": str(row["notice_id"]), "kind": row["kind"], "ts": _ms(row["ts_ns"])}
    return head | said_of(row["kind"], row["body"])


def alert(row: Row) -> Data:
    """Return what surveillance suspects."""
    return {
        "alert_id": str(row["alert_id"]),
        "pattern": row["pattern"],
        "subject": row["subject"],
        "symbol": row["symbol"],
        "seqs": row["seqs"],
        "figures": row["figures"],
        "first_ts": _ms(row["first_ns"]),
        "last_ts": _ms(row["last_ns"]),
    }


NOTES: Final[Mapping[str, Callable[[Row], Data]]] = {
    HookEvent.MARGIN_CALL: margin_call,
    HookEvent.DEPOSIT: cash_or_asset,
    HookEvent.WITHDRAWAL: cash_or_asset,
    HookEvent.DELIVERY: delivery,
    HookEvent.GIVEUP: giveup,
    HookEvent.NOTICE: notice,
    HookEvent.ALERT: alert,
}


def of_note(event: str, account_idx: int | None, row: Row) -> Happening:
    """Return what a note says has happened."""
    return Happening(event, account_idx, NOTES[event](row))


# Of what clearing wrote


def fill(row: Row) -> Data:
    """Return one side of a trade, as the account's `fills` have it."""
    return {
        "trade_id": f"{row['seq']}-{row['leg']}",
        "symbol": row["symbol"],
        "side": _side(row["side"]),
        "price": price_text(row["price_ticks"]),
        "quantity": str(abs(row["qty_lots"])),
        "fee": usd_text(row["fee_usd_micros"]),
        "liquidity": "maker" if row["is_maker"] else "taker",
        "order_id": str(row["order_id"]),
        "seq": row["seq"],
        "ts": _ms(row["ts_ns"]),
    }


def variation(row: Row) -> Data:
    """Return what one settlement paid, or took when below zero."""
    return {
        "symbol": row["symbol"],
        "price": price_text(row["price_ticks"]),
        "quantity": str(row["qty_lots"]),
        "amount": usd_text(row["amount_usd_micros"]),
        "seq": row["seq"],
        "ts": _ms(row["ts_ns"]),
    }


def liquidation(row: Row) -> Data:
    """Return the begin or end of a liquidation."""
    return {
        "event": "begins" if row["step"] == BEGINS else "ends",
        "liquidation_id": str(row["liquidation_id"]),
        "equity": usd_text(row["equity_usd_micros"]),
        "initial": usd_text(row["initial_usd_micros"]),
        "maintenance": usd_text(row["maintenance_usd_micros"]),
        "seq": row["seq"],
        "ts": _ms(row["ts_ns"]),
    }


def layer_use(row: Row) -> Data:
    """Return what one layer of the waterfall gave; the account defaulted, or paid."""
    return {
        "liquidation_id": str(row["liquidation_id"]),
        "role": row["role"],
        "layer": LAYER_AT[row["layer"]].name.value,
        "amount": usd_text(row["amount_usd_micros"]),
        "seq": row["seq"],
        "ts": _ms(row["ts_ns"]),
    }


def each(event: HookEvent, rows: Iterable[Row], shape: Callable[[Row], Data]) -> list[Happening]:
    """Return one happening a row."""
    return [Happening(event, row["account_idx"], shape(row), row["seq"]) for row in rows]


def gathered(
    event: HookEvent, name: str, rows: Iterable[Row], shape: Callable[[Row], Data]
) -> Iterator[Happening]:
    """Yield the rows of each account together, up to a hundred in one: data[name] is a list.

    Args:
        rows: those of an account beside each other, in order of seq.
    """
    for account_idx, own in groupby(rows, key=lambda row: int(row["account_idx"])):
        kept = list(own)
        for at in range(0, len(kept), TOGETHER_MAX):
            part = kept[at : at + TOGETHER_MAX]
            yield Happening(event, account_idx, {name: [shape(r) for r in part]}, part[0]["seq"])
