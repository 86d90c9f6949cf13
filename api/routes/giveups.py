"""Give-ups: who traded offers a fill to another account, which accepts it or does not."""

import re
import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import answers, codec
from api.account_ids import account_by
from api.auth import Principal
from api.deps import Asker, JsonBody, Page, QueryOf, Reader, Services, ServicesDep, whole
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas_giveups import GiveUpNew
from exchange.io.giveups import (
    FillNotThere,
    FillTooOld,
    FillTooSmall,
    GiveUp,
    GiveUps,
    GiveUpStatus,
    Offer,
)
from exchange.io.registry import Scope
from matching.codes import Code

router = APIRouter(tags=["account"])

NS_PER_MS: Final = 1_000_000
EXPIRES_MS: Final = 3_600_000  # unless it is said
EXPIRES_MS_MAX: Final = 86_400_000
NEWEST: Final = (1 << 63) - 1
KEY_LENGTH_MAX: Final = 64
_TRADE_ID = re.compile(r"([1-9][0-9]{0,17})-(0|[1-9][0-9]{0,6})", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
Owner = Annotated[Principal, Depends(Asker(Scope.TRADE))]


def giveups_of(services: Services) -> GiveUps:
    """Return the door to the tables of give-ups."""
    if services.giveups is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.giveups


async def giveup_out(services: Services, one: GiveUp, account_idx: int) -> dict[str, Any]:
    """Return a give-up as one of its sides sees it."""
    contract = services.gateway.mirror.contracts[one.contract_idx]
    giver = await services.accounts.by_idx(one.giver_idx)
    taker = await services.accounts.by_idx(one.taker_idx)
    assert giver is not None and taker is not None, "accounts are never removed"
    return {
        "giveup_id": str(one.giveup_id),
        "role": "giver" if account_idx == one.giver_idx else "taker",
        "from_account_id": giver.account_id,
        "to_account_id": taker.account_id,
        "trade_id": f"{one.seq}-{one.leg}",
        "symbol": contract.symbol,
        "side": codec.SIDE_NAMES[one.side],
        "price": codec.price_out(contract.shown(one.price_ticks)),
        "quantity": str(one.qty_lots),
        "status": one.status,
        "code": None if one.code is None else Code(one.code).name.lower(),
        "move_seq": one.move_seq,
        "created_ts": answers.millis(one.created_ns),
        "expires_ts": answers.millis(one.expires_ns),
        "updated_ts": answers.millis(one.updated_ns),
    }


async def answered(
    services: Services, giveup_id: int, who: Principal, *, created: bool = False
) -> Response:
    """Return a give-up with its trail."""
    rows = giveups_of(services)
    one = await rows.get(giveup_id, who.account_idx)
    if one is None:
        raise Problem("giveup_unknown", "there is no such give-up of this account")
    trail = [
        {"status": status, "by": by, "ts": answers.millis(ts_ns)}
        for status, by, ts_ns in await rows.events(giveup_id)
    ]
    content = {"giveup": await giveup_out(services, one, who.account_idx), "trail": trail}
    return json_response(stamped(services, content), 201 if created else 200)


def offer_of(body: GiveUpNew, who: Principal, taker_idx: int, now_ns: int) -> Offer:
    """Return what a body asks for.

    Errors:
        Problem: it makes no sense.
    """
    found = _TRADE_ID.fullmatch(body.trade_id)
    if found is None:
        raise Problem("field_invalid", "as fills name it: 1234-0", field="trade_id")
    key = uuid.uuid4().hex if body.giveup_id is UNSET else body.giveup_id
    if not _KEY.fullmatch(key):
        raise Problem("field_invalid", "1 to 64 of A-Z a-z 0-9 . _ : -", field="giveup_id")
    lots = None if body.quantity is UNSET else codec.at_least_one(body.quantity, "quantity")
    side = None
    if body.side is not UNSET:
        side = codec.choice(codec.SIDES, body.side, 0, "side")
    expires_ms = EXPIRES_MS if body.expires_ms is UNSET else body.expires_ms
    if not 1 <= expires_ms <= EXPIRES_MS_MAX:
        raise Problem("field_invalid", "1 ms to a day", field="expires_ms")
    return Offer(
        who.account_idx, taker_idx, key, int(found[1]), int(found[2]), side, lots,
        now_ns + expires_ms * NS_PER_MS,
    )  # fmt: skip


@router.post("/giveups", status_code=201, summary="Give a fill up to another account")
async def offer_giveup(
    services: ServicesDep, who: Owner, body: Annotated[GiveUpNew, Depends(JsonBody(GiveUpNew))]
) -> Response:
    """Offer a fill, whole or in part; it moves at the price of the trade once it is accepted."""
    taker = await account_by(services, body.to)
    if taker.account_idx == who.account_idx:
        raise Problem("field_invalid", "an account does not give up to itself", field="to")
    now_ns = services.gateway.mirror.ts_ns
    offer = offer_of(body, who, taker.account_idx, now_ns)
    try:
        one, duplicate = await giveups_of(services).offer(offer, who.key_id, now_ns)
    except FillNotThere as error:
        raise Problem("fill_unknown", str(error), field="trade_id") from error
    except FillTooOld as error:
        raise Problem("fill_too_old", str(error), field="trade_id") from error
    except FillTooSmall as error:
        raise Problem("fill_too_small", str(error), field="quantity") from error
    return await answered(services, one.giveup_id, who, created=not duplicate)


@router.get("/giveups", summary="Give-ups")
async def list_giveups(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return what the account gives up, or is offered, newest first."""
    size = query.size()
    rows = await giveups_of(services).of_account(
        who.account_idx, before_id=query.place(), limit=size + 1
    )
    shown = rows[:size]
    content = {
        "giveups": [await giveup_out(services, one, who.account_idx) for one in shown],
        "next_cursor": str(shown[-1].giveup_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@router.get("/giveups/{giveup_id}", summary="One give-up")
async def get_giveup(services: ServicesDep, who: Reader, giveup_id: str) -> Response:
    """Return a give-up, and who said what when."""
    return await answered(services, whole(giveup_id, "giveup_id", 0, 1, NEWEST), who)


async def say(services: Services, who: Principal, giveup_id: str, status: GiveUpStatus) -> Response:
    """Answer an offer; said again it changes nothing.

    Errors:
        Problem: it is not offered to, or by, the account any more.
    """
    number, rows = whole(giveup_id, "giveup_id", 0, 1, NEWEST), giveups_of(services)
    now_ns = services.gateway.mirror.ts_ns
    if not await rows.answer(number, status, who.account_idx, who.key_id, now_ns):
        one = await rows.get(number, who.account_idx)
        if one is None:
            raise Problem("giveup_unknown", "there is no such give-up of this account")
        said = {name for name, _, _ in await rows.events(number)}
        if status.value not in said:
            raise Problem("giveup_ended", f"it is {one.status}: only what is offered is answered")
    return await answered(services, number, who)


@router.post("/giveups/{giveup_id}/accept", summary="Accept a give-up")
async def accept_giveup(services: ServicesDep, who: Owner, giveup_id: str) -> Response:
    """Take the lots at the price of the trade, if the margin allows it when they move."""
    return await say(services, who, giveup_id, GiveUpStatus.ACCEPTED)


@router.post("/giveups/{giveup_id}/decline", summary="Decline a give-up")
async def decline_giveup(services: ServicesDep, who: Owner, giveup_id: str) -> Response:
    """Leave the lots where they are."""
    return await say(services, who, giveup_id, GiveUpStatus.DECLINED)


@router.delete("/giveups/{giveup_id}", summary="Withdraw a give-up")
async def withdraw_giveup(services: ServicesDep, who: Owner, giveup_id: str) -> Response:
    """Withdraw what the account has offered, while nobody has answered."""
    return await say(services, who, giveup_id, GiveUpStatus.WITHDRAWN)
