"""What is required of an account and why, what would be, and what the operator adds to it."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, Response

from api import answers_margin as answers
from api import codec, orders, what_if
from api.deps import Admin, JsonBody, Reader, Services, ServicesDep
from api.edge import json_response
from api.errors import core_problem
from api.replies import Reply
from api.routes.admin import account_by
from api.routes.public import stamped
from api.schemas_margin import AddonNew, CoverNew, LevelNew, ProfileNew, WhatIfNew
from api.stories import stories_of
from exchange.io.registry import Account
from exchange.rules.addons import Liquidity, addon_of
from exchange.rules.margin import margin_of
from exchange.rules.money import usd_text
from exchange.rules.operations import (
    addons_command,
    cover_command,
    level_command,
    profile_command,
)
from exchange.rules.records import Contract
from exchange.rules.what_if import what_if as suppose
from matching.codes import Code, Profile

private = APIRouter(prefix="/margin", tags=["account"])
admin = APIRouter(prefix="/admin", tags=["admin"])


@private.get("", summary="The margin requirement and its parts")
async def get_margin(services: ServicesDep, who: Reader) -> Response:
    """Return the requirement, recomputed from scratch, with everything that makes it."""
    await services.gateway.barrier()
    state = services.gateway.mirror
    stories = await stories_of(services, state)
    orders.account_of(state, who.account_idx)
    margin = answers.margin(state, margin_of(state, who.account_idx), stories)
    return json_response(stamped(services, {"margin": margin}))


@private.post("/what-if", summary="What the margin would be")
async def post_what_if(
    services: ServicesDep,
    who: Reader,
    body: Annotated[WhatIfNew, Depends(JsonBody(WhatIfNew))],
) -> Response:
    """Return the margin with orders, positions, money and prices that are not there.

    Nothing is placed, held or changed.
    """
    await services.gateway.barrier()
    state = services.gateway.mirror
    stories = await stories_of(services, state)
    orders.account_of(state, who.account_idx)
    supposed = what_if.supposition_of(state, who.account_idx, body)
    outcome = suppose(state, who.account_idx, supposed)
    content = {"what_if": answers.what_if(state, outcome, stories)}
    return json_response(stamped(services, content))


async def done(services: Services, command: np.ndarray) -> Reply:
    """Send what the operator sets."""
    services.gateway.check_open(reduces=True)
    reply = await services.gateway.send(command.tobytes()[: codec.ROW.size])
    reply.raise_refused()
    return reply


@admin.put("/contracts/{symbol}/addons", summary="Say what closing a contract costs")
async def set_addons(
    services: ServicesDep,
    who: Admin,
    symbol: str,
    body: Annotated[AddonNew, Depends(JsonBody(AddonNew))],
) -> Response:
    """Stage liquidity and concentration add-ons, made of what is known of the market.

    They are live within moments, for all at once, and the nightly run leaves them alone.
    """
    contract = single_contract(services, symbol)
    addon = addon_of(
        Liquidity(
            tick_value_usd_micros=contract.tick_value_usd_micros,
            price_ticks=contract.settle_ticks,
            half_spread_ticks=codec.price_ticks(body.half_spread, "half_spread"),
            sigma_day_bps=body.daily_move_bps,
            adv_lots=codec.qty_lots(body.daily_volume, "daily_volume"),
            open_interest_lots=codec.qty_lots(body.open_interest, "open_interest"),
            fee_usd_micros=codec.usd_micros(body.fee, "fee"),
        )
    )
    await done(services, addons_command(contract.contract_idx, addon, by_hand=True))
    return json_response(stamped(services, {"addon": answers.addon(symbol, addon)}))


@admin.delete("/contracts/{symbol}/addons", summary="Give a contract's add-ons back to the run")
async def release_addons(services: ServicesDep, who: Admin, symbol: str) -> Response:
    """Let the nightly run say what closing a contract costs; returns what is staged until then."""
    contract = single_contract(services, symbol)
    addon = services.gateway.mirror.addons_staged[contract.contract_idx]
    await done(services, addons_command(contract.contract_idx, addon))
    return json_response(stamped(services, {"addon": answers.addon(symbol, addon)}))


def single_contract(services: Services, symbol: str) -> Contract:
    """Return a contract that has add-ons of its own: no combination."""
    contract = orders.contract_of(services.gateway.mirror, symbol)
    if contract.legs:
        raise core_problem(Code.COMBINATION_FOLLOWS_LEGS)
    return contract


@admin.put("/accounts/{account_id}/level", summary="Set an account's level of margin")
async def set_level(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[LevelNew, Depends(JsonBody(LevelNew))],
) -> Response:
    """Hold an account at a level of the member's requirement: 10000 for members, 11000 clients."""
    account = await account_by(services, account_id)
    await done(services, level_command(account.account_idx, body.level_bps))
    return required_now(services, account, {"level_bps": body.level_bps})


@admin.put("/accounts/{account_id}/profile", summary="Set an account's wrong-way rule")
async def set_profile(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[ProfileNew, Depends(JsonBody(ProfileNew))],
) -> Response:
    """Say of what an account is a member: a neocloud, a miner, or neither."""
    account = await account_by(services, account_id)
    profile = Profile[body.profile.upper()]
    await done(services, profile_command(account.account_idx, profile))
    return required_now(services, account, {"profile": body.profile})


@admin.put("/accounts/{account_id}/cover", summary="Set what pledged capacity covers")
async def set_cover(
    services: ServicesDep,
    who: Admin,
    account_id: str,
    body: Annotated[CoverNew, Depends(JsonBody(CoverNew))],
) -> Response:
    """Say how many lots of a contract an account's pledged capacity covers, if it is short."""
    account = await account_by(services, account_id)
    contract = single_contract(services, body.symbol)
    lots = 0 if body.quantity == "0" else codec.qty_lots(body.quantity, "quantity")
    await done(services, cover_command(account.account_idx, contract.contract_idx, lots))
    return required_now(services, account, {"symbol": body.symbol, "quantity": str(lots)})


def required_now(services: Services, account: Account, changed: dict[str, Any]) -> Response:
    """Answer a change of an account: what is changed, and what is required of it now."""
    margin = margin_of(services.gateway.mirror, account.account_idx)
    required = usd_text(margin.requirement.required_usd_micros)
    content = {"account_id": account.account_id, **changed, "required": required}
    return json_response(stamped(services, content))
