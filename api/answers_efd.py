"""The exchange for delivery as the API says it: sessions, own entries, what a call came to."""

from collections.abc import Mapping
from typing import Any

from api import codec
from api.answers import millis
from api.errors import core_name
from exchange.io.efd import Listed, Outcome, OwnEntry
from exchange.rules.money import usd_text

BUYS, SELLS = "buy", "sell"


def status_of(one: Listed, now_ns: int) -> str:
    """Return where a session is: announced, open, calling, called or void."""
    if one.result is not None:
        return "void" if one.result["void"] else "called"
    if now_ns >= one.session.call_ns:
        return "calling"
    return "open" if now_ns >= one.session.opens_ns else "announced"


def session_out(one: Listed, now_ns: int) -> dict[str, Any]:
    """Return a session as it is shown."""
    session, result = one.session, one.result
    price = result["differential_ticks"] if result else None
    return {
        "session_id": session.session_id,
        "symbol": session.symbol,
        "status": status_of(one, now_ns),
        "opens_ts": millis(session.opens_ns),
        "call_ts": millis(session.call_ns),
        "said_by": session.said_by,
        "differential": None if price is None else codec.price_out(price),
        "settlement_price": codec.price_out(result["settle_ticks"]) if result else None,
        "quantity": str(result["lots"]) if result else None,
    }


def entry_out(one: OwnEntry, *, stands: bool) -> dict[str, Any]:
    """Return an entry as its account sees it."""
    entry = one.entry
    return {
        "session_id": one.session_id,
        "entry_id": entry.entry_key,
        "side": codec.SIDE_NAMES[entry.side],
        "quantity": str(entry.qty_lots),
        "differential": codec.price_out(entry.limit_ticks),
        "said_ts": millis(entry.ts_ns),
        "digest": one.digest.hex(),
        "stands": stands,
    }


def leg_out(leg: Outcome) -> dict[str, Any]:
    """Return how a leg ended."""
    return {
        "place": leg.place,
        "receipt_id": leg.receipt_id,
        "outcome": leg.outcome,
        "code": None if leg.code is None else core_name(leg.code),
        "move_seq": leg.seq,
    }


def own_out(
    shown: Mapping[str, Any], body: Mapping[str, Any], legs: list[Outcome], account_idx: int
) -> dict[str, Any]:
    """Return what a call came to for one account that had entered: its entries, its legs."""
    ended = {leg.place: leg for leg in legs}
    return {
        **shown,
        "entries": [
            {
                "entry_id": row["entry_key"],
                "side": codec.SIDE_NAMES[row["side"]],
                "quantity": str(row["qty_lots"]),
                "differential": codec.price_out(row["limit_ticks"]),
                "counted": str(row["counted"]),
                "filled": str(row["filled"]),
            }
            for row in _newest(body["entries"], account_idx)
        ],
        "legs": [
            {
                **leg_out(ended.get(leg["place"], _under_way(leg))),
                "side": BUYS if leg["buyer_idx"] == account_idx else SELLS,
                "quantity": str(leg["lots"]),
                "paid": usd_text(leg["amount_usd_micros"]),
            }
            for leg in body["legs"]
            if account_idx in (leg["buyer_idx"], leg["seller_idx"])
        ],
    }


def _newest(rows: list[Mapping[str, Any]], account_idx: int) -> list[Mapping[str, Any]]:
    """Return the newest of each name that an account said, but what it took back."""
    found = {row["entry_key"]: row for row in rows if row["account_idx"] == account_idx}
    return [row for row in found.values() if row["qty_lots"]]


def _under_way(leg: Mapping[str, Any]) -> Outcome:
    return Outcome(leg["place"], leg["receipt_id"], None, None, None)
