"""Margin scenarios: published for everybody, built and chosen by the operator."""

import asyncio
import re
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import answers_scenarios as answers
from api.deps import Admin, JsonBody, Page, Query, QueryOf, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas_scenarios import ScenariosNew
from exchange.io.scenario_child import build_in_child
from exchange.io.scenario_publish import addons_of, publish
from exchange.io.scenario_store import ID_MAX, SetDocument
from exchange.io.tasks import in_turns
from exchange.rules.mirror_state import MirrorState
from exchange.rules.scenario_addons import AddonSet, planned_addon
from exchange.rules.scenario_dry_run import DryRun, effects, planned, summed
from exchange.rules.scenario_prices import settled_prices
from exchange.rules.scenario_set import ScenarioSet, set_of
from exchange.rules.tenors import date_of

public = APIRouter(
    prefix="/margin/scenarios", tags=["margin"], dependencies=[Depends(count_public)]
)
private = APIRouter(prefix="/admin/margin/scenarios", tags=["admin"])

LIVE: Final = "live"
LIVE_WAIT_S: Final = 10.0
_ID: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_building = asyncio.Lock()


class MatrixQuery(Query):
    """`format`: json, as when not given, or csv."""

    format: str | None = None


async def set_by(services: Services, set_id: str) -> SetDocument:
    """Return a published set by its id."""
    found = await services.scenarios.get(int(set_id)) if _ID.fullmatch(set_id) else None
    if found is None:
        raise Problem("scenario_set_unknown", "there is no such set of scenarios")
    return found


@public.get("", summary="Published sets of margin scenarios")
async def list_scenarios(
    services: ServicesDep, query: Annotated[Page, Depends(QueryOf(Page))]
) -> Response:
    """Return sets, newest first, and which is used."""
    before, size = query.place(), query.size()
    found = await services.scenarios.list(
        before_id=ID_MAX if before is None else before, limit=size + 1
    )
    cursor = str(found[size - 1].set_id) if len(found) > size else None
    chosen_id = await services.scenarios.chosen_id()
    await services.gateway.barrier()
    content = {
        "scenario_sets": [answers.set_row(one) for one in found[:size]],
        "live": answers.live(services.gateway.mirror, chosen_id),
        "next_cursor": cursor,
    }
    return json_response(stamped(services, content))


@public.get("/{set_id}", summary="One set of margin scenarios")
async def get_scenarios(services: ServicesDep, set_id: str) -> Response:
    """Return every row with its story, source and moves, and all that it takes to verify them."""
    return json_response(stamped(services, {"scenario_set": await set_out(services, set_id)}))


async def set_out(services: Services, set_id: str) -> dict[str, Any]:
    """Return a published set with its add-ons, as it is shown."""
    found = await set_by(services, set_id)
    return answers.set_document(found, await services.scenarios.addons(found.set_id))


@public.get("/{set_id}/matrix", summary="The profit of one long lot in each scenario")
async def get_matrix(
    services: ServicesDep,
    set_id: str,
    query: Annotated[MatrixQuery, Depends(QueryOf(MatrixQuery))],
) -> Response:
    """Return the matrix as it was published; of `live` the one that orders are margined with."""
    if query.format not in (None, "json", "csv"):
        raise Problem("query_invalid", "json or csv", field="format")
    symbols, rows = await _matrix(services, set_id)
    if query.format == "csv":
        return Response(answers.matrix_csv(symbols, rows), media_type="text/csv")
    return json_response(stamped(services, {"matrix": answers.matrix(symbols, rows)}))


async def _matrix(services: Services, set_id: str) -> tuple[list[str], list[list[int]]]:
    if set_id == LIVE:
        await services.gateway.barrier()
        found = answers.live_matrix(services.gateway.mirror)
        return list(found), [list(row) for row in found.values()]
    stored = await services.scenarios.matrix(int(set_id)) if _ID.fullmatch(set_id) else None
    if stored is None:
        raise Problem("scenario_set_unknown", "there is no such set of scenarios")
    return stored[0], answers.lists_of(stored[1])


# The operator's


async def dry_run_of(services: Services, found: ScenarioSet, addons: AddonSet | None) -> DryRun:
    """Return what a swap would do, computed while others have their turn."""
    mirror = services.gateway.mirror
    plan = await in_turns(planned(mirror, found, addons))
    every = await in_turns(effects(mirror, found, plan))
    return await asyncio.to_thread(summed, mirror.seq, every)


async def dry_run_out(services: Services, found: DryRun) -> dict[str, Any]:
    """Return a dry run with the public ids of the accounts."""
    names: dict[int, str] = {}
    for one in found.short[: answers.ACCOUNTS_SHOWN]:
        account = await services.accounts.by_idx(one.account_idx)
        if account is not None:
            names[one.account_idx] = account.account_id
    return answers.dry_run(found, names)


def day_of(services: Services, body: ScenariosNew) -> date:
    """Return the day to build for, today when none is given."""
    today = date_of(services.now_ns())
    if body.day is UNSET:
        return today
    with suppress(ValueError):
        if _DAY.fullmatch(body.day) and (day := date.fromisoformat(body.day)) <= today:
            return day
    raise Problem("field_invalid", "a day as 2026-11-22, not one to come", field="day")


@private.post("", status_code=201, summary="Build and publish a set of margin scenarios")
async def build_scenarios(
    services: ServicesDep,
    who: Admin,
    body: Annotated[ScenariosNew, Depends(JsonBody(ScenariosNew))],
) -> Response:
    """Build at the last settlement prices; nothing is swapped. The same inputs are the same set."""
    day = day_of(services, body)
    await services.gateway.barrier()
    prices = settled_prices(services.gateway.mirror)
    if not prices:
        raise Problem("scenarios_refused", "no contract that the price data know is listed")
    if _building.locked():
        raise Problem("scenarios_building", "a set is being built: ask again in some seconds")
    async with _building:
        document = await build_in_child(day, prices)
    set_id, found, addons = await publish(services.scenarios, services.gateway.mirror, document)
    shown = await dry_run_out(services, await dry_run_of(services, found, addons))
    content = {"scenario_set": await set_out(services, str(set_id)), "dry_run": shown}
    return json_response(stamped(services, content), 201)


@private.get("/{set_id}/dry-run", summary="Who would fall short after a swap")
async def dry_run_scenarios(services: ServicesDep, who: Admin, set_id: str) -> Response:
    """Return what a set would require of every account, computed from scratch."""
    found = set_of((await set_by(services, set_id)).document)
    addons = await addons_of(services.scenarios, int(set_id), found)
    await services.gateway.barrier()
    shown = await dry_run_out(services, await dry_run_of(services, found, addons))
    return json_response(stamped(services, {"dry_run": shown}))


@private.post("/{set_id}/swap", status_code=202, summary="Swap a set of margin scenarios in")
async def swap_scenarios(services: ServicesDep, who: Admin, set_id: str) -> Response:
    """Make a set the one that is used: live for all accounts in one command, moments later."""
    stored = await set_by(services, set_id)
    services.gateway.check_open(reduces=True)
    found = set_of(stored.document)
    addons = await addons_of(services.scenarios, stored.set_id, found)
    effect = await dry_run_of(services, found, addons)
    await services.scenarios.choose(stored.set_id, who.account_id, effect)
    content = {
        "set_id": str(stored.set_id),
        "is_live": await _is_live_soon(services, found, addons),
        "dry_run": await dry_run_out(services, effect),
    }
    return json_response(stamped(services, content), 202)


async def _is_live_soon(services: Services, found: ScenarioSet, addons: AddonSet | None) -> bool:
    """Wait until the exchange margins with a set, but not for ever."""
    deadline = asyncio.get_running_loop().time() + LIVE_WAIT_S
    while True:
        await services.gateway.barrier()
        if is_live(services, found, addons):
            return True
        if asyncio.get_running_loop().time() > deadline:
            return False
        await asyncio.sleep(0.1)


def is_live(services: Services, found: ScenarioSet, addons: AddonSet | None = None) -> bool:
    """Return whether shocks and add-ons of every contract are those of a set, as of now."""
    state = services.gateway.mirror
    if (state.scenario_count, state.worst_count) != (found.count, found.worst_count):
        return False
    wanted = found.live_shocks(settled_prices(state))
    return all(
        state.shocks[state.symbols[symbol]] == shocks
        and _addon_is_live(state, state.symbols[symbol], addons)
        for symbol, shocks in wanted.items()
    )


def _addon_is_live(state: MirrorState, contract_idx: int, addons: AddonSet | None) -> bool:
    wanted = planned_addon(state, state.contracts[contract_idx], addons)
    return state.addons[contract_idx] == wanted
