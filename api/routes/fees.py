"""Fees: the schedule for anybody, and what the own account pays."""

from fastapi import APIRouter, Depends, Response

from api import answers_fees
from api.deps import Reader, Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.orders import account_of
from api.routes.public import stamped
from exchange.io.billing import Billing
from exchange.rules.billing import STANDARD, day_of
from exchange.rules.fees import FEE_ROWS, VOLUME_DAYS, Rates

public = APIRouter(tags=["market data"], dependencies=[Depends(count_public)])
private = APIRouter(tags=["account"])


def billing_of(services: Services) -> Billing:
    """Return the door to the tables of billing."""
    if services.billing is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.billing


@public.get("/fees", summary="The fee schedule")
async def list_fees(services: ServicesDep) -> Response:
    """Return every tier with the day it is in force from, and what a market maker promises."""
    content = {
        "fees": [answers_fees.fee_row(row) for row in FEE_ROWS],
        "market_maker": answers_fees.obligation(),
    }
    return json_response(stamped(services, content))


@private.get("/fees/own", summary="What the account pays")
async def get_own_fees(services: ServicesDep, who: Reader) -> Response:
    """Return the account's rates, the 30 days they rest on, what was charged, and rebates."""
    await services.gateway.barrier()
    rows, state = billing_of(services), services.gateway.mirror
    account = account_of(state, who.account_idx)
    today = day_of(services.now_ns())
    volume, _ = await rows.volume_of(who.account_idx, today - VOLUME_DAYS, today)
    days = await rows.rebates_of(who.account_idx, today - VOLUME_DAYS)
    present = await rows.presence_of(who.account_idx, today)
    content = {
        "tier": await rows.tier_of(who.account_idx) or STANDARD,
        "rates": answers_fees.rates(Rates.of_word(account.fee_rates)),
        "volume_gpu_hours": str(volume),
        "charged": answers_fees.charged(await rows.charged_of(who.account_idx)),
        "maker_today": [answers_fees.presence(one) for one in present],
        "maker_days": [answers_fees.maker_day(one) for one in days],
    }
    return json_response(stamped(services, content))
