"""Margin calls, liquidations, proofs and drills: for the operator, the owner, and anybody."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers_defaults, codec
from api.auth import Principal
from api.deps import Admin, Asker, Page, QueryOf, Reader, Services, ServicesDep, count_public, whole
from api.edge import json_response
from api.errors import Problem
from api.routes.admin import account_by
from api.routes.public import stamped
from api.stories import stories_of
from exchange.io.defaults import Defaults
from exchange.io.registry import Scope
from exchange.rules.drill import drill
from exchange.rules.layers import FIRST_ID, funds_of

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])
admin = APIRouter(prefix="/admin/risk", tags=["admin"])

MULTIPLE_MAX: Final = 100
PREMIUM_TICKS: Final = 20  # of the bids of a drill, unless it is said
NEWEST: Final = (1 << 63) - 1
Owner = Annotated[Principal, Depends(Asker(Scope.TRADE))]


class AccountPage(Page):
    """A page, perhaps of one account only."""

    account_id: str | None = None


class DrillQuery(Page):
    """Whose default, and how many times its worst scenario."""

    account_id: str | None = None
    multiple: str | None = None
    premium: str | None = None


def defaults_of(services: Services) -> Defaults:
    """Return the door to the tables of defaults."""
    if services.defaults is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.defaults


def id_of(text: str, field: str) -> int:
    """Return an id of a path."""
    return whole(text, field, 0, 1, NEWEST)


async def idx_of(services: Services, account_id: str | None) -> int | None:
    """Return the slot of an account, None for all."""
    if account_id is None:
        return None
    return (await account_by(services, account_id)).account_idx


async def liquidations_page(services: Services, page: Page, account_idx: int | None) -> Response:
    """Return liquidations, newest first."""
    rows = await defaults_of(services).liquidations(
        account_idx=account_idx, before_id=page.place() or NEWEST, limit=page.size() + 1
    )
    shown = rows[: page.size()]
    cursor = str(shown[-1].liquidation_id) if len(rows) > page.size() else None
    found = [answers_defaults.liquidation(row) for row in shown]
    return json_response(stamped(services, {"liquidations": found, "next_cursor": cursor}))


async def calls_page(services: Services, page: Page, account_idx: int | None) -> Response:
    """Return margin calls, newest first."""
    rows = await defaults_of(services).calls(
        account_idx=account_idx, before_id=page.place() or NEWEST, limit=page.size() + 1
    )
    shown = rows[: page.size()]
    cursor = str(shown[-1].call_id) if len(rows) > page.size() else None
    found = [answers_defaults.call(row) for row in shown]
    return json_response(stamped(services, {"margin_calls": found, "next_cursor": cursor}))


# Anybody


@public.get("/liquidations/{liquidation_id}/proofs", summary="Proofs of deleveraging")
async def list_proofs(services: ServicesDep, liquidation_id: str) -> Response:
    """Return every candidate's rank and share; anybody can recompute them."""
    found = await defaults_of(services).proofs(id_of(liquidation_id, "liquidation_id"))
    return json_response(stamped(services, {"proofs": found}))


# The owner of an account


@private.get("/liquidations", summary="Own liquidations")
async def list_own_liquidations(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return the account's liquidations, newest first."""
    return await liquidations_page(services, query, who.account_idx)


@private.get("/margin-calls", summary="Own margin calls")
async def list_own_calls(
    services: ServicesDep, who: Reader, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return the account's margin calls, newest first."""
    return await calls_page(services, query, who.account_idx)


@private.post("/margin-calls/{call_id}/acknowledge", summary="Acknowledge a margin call")
async def acknowledge_call(services: ServicesDep, who: Owner, call_id: str) -> Response:
    """Say that a call was seen; said again it changes nothing."""
    rows, number = defaults_of(services), id_of(call_id, "call_id")
    await rows.acknowledge(number, who.account_idx, services.gateway.mirror.ts_ns)
    return await calls_page(services, Page(), who.account_idx)


# The operator


@admin.get("/liquidations", summary="Liquidations")
async def list_liquidations(
    services: ServicesDep, who: Admin, query: Annotated[AccountPage, Depends(QueryOf(AccountPage))]
) -> Response:
    """Return liquidations of all accounts or of one, newest first."""
    return await liquidations_page(services, query, await idx_of(services, query.account_id))


@admin.get("/liquidations/{liquidation_id}", summary="One liquidation")
async def get_liquidation(services: ServicesDep, who: Admin, liquidation_id: str) -> Response:
    """Return a liquidation with all lots and money that it moved, and its proofs."""
    rows, number = defaults_of(services), id_of(liquidation_id, "liquidation_id")
    found = await rows.liquidations(before_id=min(number + 1, NEWEST), limit=1)
    if not found or found[0].liquidation_id != number:
        raise Problem("liquidation_unknown", "there is no such liquidation", status=404)
    content: dict[str, Any] = {
        "liquidation": answers_defaults.liquidation(found[0]),
        "moves": [answers_defaults.move(row) for row in await rows.moves(number)],
        "layers": [answers_defaults.layer_use(row) for row in await rows.uses(number)],
        "proofs": await rows.proofs(number),
    }
    return json_response(stamped(services, content))


@admin.get("/calls", summary="Margin calls")
async def list_calls(
    services: ServicesDep, who: Admin, query: Annotated[AccountPage, Depends(QueryOf(AccountPage))]
) -> Response:
    """Return margin calls of all accounts or of one, newest first."""
    return await calls_page(services, query, await idx_of(services, query.account_id))


@admin.get("/drill", summary="A default drill")
async def get_drill(
    services: ServicesDep, who: Admin, query: Annotated[DrillQuery, Depends(QueryOf(DrillQuery))]
) -> Response:
    """Say what an auction would take and each layer pay if an account defaulted now."""
    if query.account_id is None:
        raise Problem("field_missing", "whose default", field="account_id")
    multiple = whole(query.multiple, "multiple", 1, 1, MULTIPLE_MAX)
    premium = codec.price_ticks(query.premium, "premium") if query.premium else PREMIUM_TICKS
    account = await account_by(services, query.account_id)
    bidders = await services.auctions.bidders() if services.auctions is not None else frozenset()
    await services.gateway.barrier()
    state = services.gateway.mirror
    known = len(state.accounts)
    if account.account_idx >= known:
        raise Problem("account_unknown", "the account is not open yet", status=404)
    names = await defaults_of(services).account_names()
    first = next((idx for idx, name, _ in names if name == FIRST_ID and idx < known), None)
    funds = funds_of(first, names, known) if first is not None else None
    if funds is not None:
        answers = await defaults_of(services).guarantors([account.account_idx])
        funds = replace(funds, guarantors=answers)
    result = drill(state, account.account_idx, funds, multiple, bidders, premium)
    stories = await stories_of(services, state)
    name, _ = stories.get(result.scenario, ("", "")) if result.scenario is not None else ("", "")
    parties = {str(idx): account_id for idx, account_id, _ in names}
    content = {"drill": answers_defaults.drill(account.account_id, result, name, parties)}
    return json_response(stamped(services, content))
