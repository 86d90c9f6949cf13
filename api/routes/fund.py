"""The default fund: its size for anybody, shares for members, layers and returns for admins."""

import asyncio
import secrets
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers_fund, codec, custody
from api.deps import (
    Admin,
    JsonBody,
    Page,
    Query,
    QueryOf,
    Reader,
    Services,
    ServicesDep,
    Transferrer,
    count_public,
)
from api.edge import json_response
from api.errors import Problem, core_problem
from api.routes.admin import TRANSFER_STATUS, account_by, transfer_out
from api.routes.defaults import NEWEST, defaults_of, id_of
from api.routes.public import stamped
from api.schemas import MaybeText, TransferNew
from api.schemas_fund import FundMove
from exchange.io.funds import SizingSeen
from exchange.io.registry import Account, TransferStatus
from exchange.rules.adl import tag_of
from exchange.rules.fund_calls import asked_by, due_by_ns
from exchange.rules.fund_sizing import (
    books_of,
    cover_of,
    day_of,
    held_of,
    joined,
    loss_of,
    sizing_of,
)
from exchange.rules.layers import (
    FIRST_ID,
    FUND_KIND,
    SHARE_ID,
    SHARE_NAME,
    Funds,
    funds_of,
    has_usd_micros,
    owes_usd_micros,
)
from matching.codes import Code
from matching.limits import TRANSFER_USD_MICROS_MAX

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])
admin = APIRouter(prefix="/admin/risk/fund", tags=["admin"])

MEMBER: Final = "member"
SIZES: Final = 64  # that a call is looked for in
UNDECIDED: Final = (TransferStatus.PENDING, TransferStatus.SENT)
_returning = asyncio.Lock()  # one at a time: each is judged by what the one before it left
DepositBody = Annotated[TransferNew, Depends(JsonBody(TransferNew))]
MoveBody = Annotated[FundMove, Depends(JsonBody(FundMove))]


class FundQuery(Query):
    """By the positions of now instead of the last size that was stored."""

    now: str | None = None


WholeQuery = Annotated[FundQuery, Depends(QueryOf(FundQuery))]
PageQuery = Annotated[Page, Depends(QueryOf(Page))]


async def newest(services: Services) -> SizingSeen | None:
    """Return the newest size of the fund, None before the first."""
    found = await defaults_of(services).sizings()
    return found[0] if found else None


async def funds_now(services: Services) -> Funds:
    """Return the accounts of the layers, as far as the core has them."""
    names = await defaults_of(services).fund_accounts()
    first = next((idx for idx, name, _ in names if name == FIRST_ID), -1)
    return funds_of(first, names, len(services.gateway.mirror.accounts))


def held_by(services: Services, funds: Funds, account_idx: int) -> int:
    """Return what a member has in the fund."""
    share = funds.shares.get(account_idx)
    return 0 if share is None else has_usd_micros(services.gateway.mirror, share)


def required_of(sizing: SizingSeen | None, account_id: str) -> int:
    """Return what a member has to have in the fund, by the newest size."""
    members = sizing.body["members"] if sizing is not None else {}
    return int(members.get(account_id, {}).get("required_usd_micros", 0))


async def sized_now(services: Services, funds: Funds) -> SizingSeen:
    """Return the size by the positions of now; orders are served between any two accounts."""
    names = await defaults_of(services).account_names()
    mirror = services.gateway.mirror
    books, held = books_of(mirror, funds.accounts), held_of(mirror, names, funds)
    ids = {idx: name for idx, name, _ in names}
    parts = []
    for book in books.books:
        parts.append((ids.get(book.account_idx, str(book.account_idx)), loss_of(book, books)))
        await asyncio.sleep(0)
    groups = joined(parts)
    covers = [cover_of(groups, scenario) for scenario in range(books.scenario_count)]
    sizing = sizing_of(books, groups, covers, held)
    return SizingSeen(
        day_of(books.ts_ns), books.seq, books.ts_ns, sizing.size_usd_micros,
        sizing.held_usd_micros, sizing.body,
    )  # fmt: skip


# Anybody


@public.get("/fund", summary="The default fund")
async def get_fund(services: ServicesDep) -> Response:
    """Return what the fund had to be today, what it was, and what raised an alarm."""
    sizing = await newest(services)
    fund = answers_fund.fund(sizing) if sizing is not None else None
    return json_response(stamped(services, {"fund": fund}))


@public.get("/liquidations/{liquidation_id}/losses", summary="Who bore a default, with proofs")
async def list_losses(services: ServicesDep, liquidation_id: str) -> Response:
    """Return every party's part and share by tag, and the money that was moved."""
    rows, number = defaults_of(services), id_of(liquidation_id, "liquidation_id")
    uses = [answers_fund.public_use(row, number) for row in await rows.parties(number)]
    content = {"proofs": await rows.losses(number), "uses": uses}
    return json_response(stamped(services, content))


# Members


@private.get("/fund/share", summary="Own share of the default fund")
async def get_share(services: ServicesDep, who: Reader) -> Response:
    """Return what the account has in the fund, and what it has to have."""
    funds, sizes = await funds_now(services), await defaults_of(services).sizings(SIZES)
    held = held_by(services, funds, who.account_idx)
    required = required_of(sizes[0] if sizes else None, who.account_id)
    asked = [asked_by(one.ts_ns, one.body) for one in sizes]
    due_by = due_by_ns(asked, who.account_id, held)
    share = answers_fund.share(who.account_id, held, required, due_by)
    return json_response(stamped(services, {"share": share}))


@private.get("/losses", summary="What others' defaults cost the account")
async def list_own_losses(services: ServicesDep, who: Reader, query: PageQuery) -> Response:
    """Return what layers took of the account, newest first, with its tag in each proof."""
    rows = await defaults_of(services).own_losses(
        who.account_idx, before_seq=query.place() or NEWEST, limit=query.size() + 1
    )
    shown = rows[: query.size()]
    cursor = str(shown[-1].seq) if len(rows) > query.size() else None
    found = [
        answers_fund.own_loss(row, tag_of(who.account_idx, row.liquidation_id)) for row in shown
    ]
    return json_response(stamped(services, {"losses": found, "next_cursor": cursor}))


@private.post("/fund/deposits", status_code=201, summary="Pay into the default fund")
async def pay_in(services: ServicesDep, who: Transferrer, body: DepositBody) -> Response:
    """Move free cash into the account's share; the same `transfer_id` again moves nothing."""
    member = await account_by(services, who.account_id)
    return await send(services, member, body.amount, body.transfer_id, pays_in=True)


# The operator


@admin.get("", summary="The default fund, whole")
async def get_whole_fund(services: ServicesDep, who: Admin, query: WholeQuery) -> Response:
    """Return the size with its inputs, every member's share, and the house's layers."""
    if query.now not in (None, "true", "false"):
        raise Problem("query_invalid", "true or false", field="now")
    await services.gateway.barrier()
    funds = await funds_now(services)
    sizing = await sized_now(services, funds) if query.now == "true" else await newest(services)
    names = {idx: name for idx, name, _ in await defaults_of(services).account_names()}
    held = {names[idx]: held_by(services, funds, idx) for idx in funds.shares if idx in names}
    mirror = services.gateway.mirror
    house = {
        layer: (has_usd_micros(mirror, idx), owes_usd_micros(mirror, idx))
        if idx is not None and idx >= 0
        else (0, 0)
        for layer, idx in (("house_first", funds.first_idx), ("house_second", funds.second_idx))
    }
    members = sizing.body["members"] if sizing is not None else {}
    asked = [asked_by(one.ts_ns, one.body) for one in await defaults_of(services).sizings(SIZES)]
    content = {
        "fund": answers_fund.fund(sizing) if sizing is not None else None,
        "members": [
            answers_fund.share(
                name,
                held.get(name, 0),
                required_of(sizing, name),
                due_by_ns(asked, name, held.get(name, 0)),
            )
            for name in sorted({*members, *held})
        ],
        "house": answers_fund.house(house),
        "covers": answers_fund.covers(sizing) if sizing is not None else [],
    }
    return json_response(stamped(services, content))


@admin.post("/deposits", status_code=201, summary="Move a member's cash into the fund")
async def collect(services: ServicesDep, who: Admin, body: MoveBody) -> Response:
    """Move free cash of a member into its share of the fund."""
    member = await account_by(services, body.account_id)
    return await send(services, member, body.amount, body.transfer_id, pays_in=True)


@admin.post("/returns", status_code=201, summary="Give back of a member's share")
async def give_back(services: ServicesDep, who: Admin, body: MoveBody) -> Response:
    """Move cash of a share back to its member: no more than is above what is required."""
    member = await account_by(services, body.account_id)
    async with _returning:
        return await send(services, member, body.amount, body.transfer_id, pays_in=False)


async def send(
    services: Services, member: Account, text: str, key_given: MaybeText, *, pays_in: bool
) -> Response:
    """Move cash between a member and its share, and answer when the core has decided."""
    if member.kind != MEMBER:
        raise Problem("member_only", "only clearing members have a share of the default fund")
    amount = codec.usd_micros(text)
    if not 0 < amount <= TRANSFER_USD_MICROS_MAX:
        raise Problem("amount_too_large" if amount else "amount_not_positive",
                      "not an amount that can be moved", status=422, field="amount")  # fmt: skip
    key = custody.key_of(key_given, "transfer_id", f"wh-{secrets.token_hex(12)}")
    services.gateway.check_open()
    share = await services.accounts.create(
        account_id=SHARE_ID.format(member.account_idx),
        name=SHARE_NAME.format(member.account_idx), kind=FUND_KIND,
    )  # fmt: skip
    await services.accounts.wait_open(share.account_idx)
    if not pays_in:
        await check_return(services, member, share.account_idx, amount, key)
    giver, taker = (member, share) if pays_in else (share, member)
    transfer = await services.transfers.request(
        account_idx=giver.account_idx, amount_usd_micros=-amount, client_key=key,
        to_account_idx=taker.account_idx,
    )  # fmt: skip
    transfer = await services.transfers.wait_decided(transfer.transfer_id)
    await services.gateway.reached(transfer.seq or 0)
    if transfer.code == Code.ACCOUNT_FROZEN and not pays_in:
        raise Problem("fund_in_use", "nothing is given back while an account is liquidated")
    if transfer.status == TransferStatus.REFUSED:
        raise core_problem(transfer.code or int(Code.WITHDRAWAL_EXCEEDS_FREE))
    content: dict[str, Any] = {"transfer": transfer_out(transfer, member.account_id)}
    return json_response(stamped(services, content), TRANSFER_STATUS.get(transfer.status, 202))


async def check_return(
    services: Services, member: Account, share_idx: int, amount: int, key: str
) -> None:
    """Refuse to give back what the fund needs, or anything while a default goes on."""
    known = await services.transfers.list(share_idx, limit=1000)
    if any(one.client_key == key for one in known):
        return  # asked before: it is answered as then
    await services.gateway.barrier()
    if services.gateway.mirror.liquidations:
        raise Problem("fund_in_use", "nothing is given back while an account is liquidated")
    funds, sizing = await funds_now(services), await newest(services)
    going = sum(one.amount_usd_micros for one in known if one.status in UNDECIDED)  # below zero
    held = held_by(services, funds, member.account_idx) + going
    room = held - required_of(sizing, member.account_id)
    if amount > max(0, room):
        raise Problem("fund_needed", "the fund needs what would be left", field="amount")
