"""Requests about give-ups."""

import uuid
from urllib.parse import quote

from wellhead import giveup_types as gt
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target


def offer(
    trade_id: str, to: str, quantity: int | None = None, *, side: str | None = None,
    giveup_id: str | None = None, expires_ms: int | None = None,
) -> Call[gt.GiveUp]:  # fmt: skip
    """Offer a fill, whole or in part, to another account at the price of the trade."""
    body: Json = {"trade_id": trade_id, "to": to, "giveup_id": giveup_id or uuid.uuid4().hex}
    given = {
        "quantity": None if quantity is None else str(quantity),
        "side": side,
        "expires_ms": expires_ms,
    }
    body |= {name: value for name, value in given.items() if value is not None}
    return Call("POST", target("/giveups"), member("giveup", gt.GiveUp), body=body, repeatable=True)


def giveups(limit: int | None = None) -> Call[wt.Page[gt.GiveUp]]:
    """Return what the account gives up, or is offered, newest first."""
    return get_call("/giveups", page("giveups", gt.GiveUp), limit=limit)


def giveup(giveup_id: str) -> Call[gt.GiveUp]:
    """Return one give-up."""
    return get_call(f"/giveups/{quote(giveup_id, safe='')}", member("giveup", gt.GiveUp))


def accept(giveup_id: str) -> Call[gt.GiveUp]:
    """Take the lots."""
    return _say("POST", giveup_id, "/accept")


def decline(giveup_id: str) -> Call[gt.GiveUp]:
    """Leave the lots where they are."""
    return _say("POST", giveup_id, "/decline")


def withdraw(giveup_id: str) -> Call[gt.GiveUp]:
    """Withdraw an offer that nobody has answered."""
    return _say("DELETE", giveup_id, "")


def _say(method: str, giveup_id: str, what: str) -> Call[gt.GiveUp]:
    path = target(f"/giveups/{quote(giveup_id, safe='')}{what}")
    return Call(method, path, member("giveup", gt.GiveUp), repeatable=True)
