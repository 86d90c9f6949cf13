"""The desk of those who own GPUs or need them: what a plan is exposed to, and what hedges it."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import Annotated, Final, ParamSpec, TypeVar

import msgspec
from fastapi import APIRouter, Depends, Response
from msgspec import UNSET

from api import answers_hedge as answers
from api import codec, orders
from api.deps import JsonBody, Reader, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped
from api.schemas_hedge import HedgeNew, PlanRow
from exchange.rules.contracts import parse_symbol
from exchange.rules.fees import fee_row, reserve_usd_micros_per_gpu_hour
from exchange.rules.hedge import Hedge, TooManyOrders, hedge_of, sites_of
from exchange.rules.hedge_page import page
from exchange.rules.hedge_plan import Plan, PlanError, plan_of
from exchange.rules.hedge_strip import Cover, Offered
from exchange.rules.mirror_state import MirrorState
from exchange.rules.tenors import date_of
from exchange.rules.what_if import Outcome, SupposedPosition, Supposition, what_if
from matching.codes import Side, TradingState

router = APIRouter(prefix="/hedge", tags=["account"])

TRADABLE: Final = (TradingState.CONTINUOUS, TradingState.AUCTION)
COVERS: Final = {cover.value: cover for cover in Cover}
# One for all: the loop that takes orders shares the interpreter with one plan, never with many.
_THREAD: Final = ThreadPoolExecutor(1, "hedge")
Given = ParamSpec("Given")
Result = TypeVar("Result")
_NAMES: Final = [(one.name, one.encode_name) for one in msgspec.structs.fields(PlanRow)]


@router.post("", summary="The strip that hedges a plan")
async def post_hedge(
    services: ServicesDep,
    who: Reader,
    body: Annotated[HedgeNew, Depends(JsonBody(HedgeNew))],
) -> Response:
    """Return exposure, strip, margin, basis and orders of a plan; nothing is placed."""
    cover = _cover(body)
    today = date_of(services.now_ns())
    plan = _plan(body, today)
    bases = await services.bases.of(sites_of(plan))
    await services.gateway.barrier()
    state = services.gateway.mirror
    orders.account_of(state, who.account_idx)
    offered = list(_offered(services, state))
    try:
        found = await _beside(hedge_of, plan, offered, cover, bases)
    except TooManyOrders as error:
        raise Problem("plan_invalid", str(error), field="plan") from None
    alone, added = _margins(state, who.account_idx, found)
    fees = _fees(found, today)
    priced = answers.Priced(
        hedge=found, cover=cover, day=today, fees_usd_micros=fees, alone=alone, added=added
    )
    content = await _beside(answers.hedge, priced)
    report = await _beside(page, content) if body.report is True else None
    return json_response(stamped(services, {"hedge": content, "report": report}))


async def _beside(work: Callable[Given, Result], *args: Given.args, **more: Given.kwargs) -> Result:
    """Return what a function says, computed beside the loop: the largest plan takes 0.3 s."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_THREAD, partial(work, *args, **more))


def _cover(body: HedgeNew) -> Cover:
    if body.cover is UNSET:
        return Cover.NEVER_MORE
    if body.cover not in COVERS:
        raise Problem("field_invalid", f"one of {', '.join(COVERS)}", field="cover")
    return COVERS[body.cover]


def _plan(body: HedgeNew, today: date) -> Plan:
    side = Side(codec.choice(codec.SIDES, body.side, 0, "side"))
    rows = [
        {said: text for name, said in _NAMES if (text := getattr(row, name)) is not UNSET}
        for row in body.plan
    ]
    try:
        return plan_of(rows, side, today)
    except PlanError as error:
        field = f"plan[{error.row - 1}].{error.column}"
        raise Problem("plan_invalid", str(error), field=field) from None


def _offered(services: Services, state: MirrorState) -> Iterator[Offered]:
    """Yield the single contracts that trade now and have a mark."""
    now_ns = services.now_ns()
    for one in state.contracts:
        if one.legs or one.state not in TRADABLE or not one.mark_ticks:
            continue
        if not one.last_trade_ns or one.last_trade_ns > now_ns:
            contract = parse_symbol(one.symbol)
            yield Offered(contract, one.contract_idx, one.mark_ticks, one.qty_max_lots)


def _margins(state: MirrorState, account_idx: int, found: Hedge) -> tuple[Outcome, Outcome]:
    """Return the margin of the strip alone, and in the account of who asks."""
    sign = 1 if found.plan.side == Side.BUY else -1
    held = tuple(
        SupposedPosition(
            leg.offered.contract_idx,
            sign * leg.lots,
            leg.offered.price_ticks,
        )
        for leg in found.strip.legs
    )
    alone = Supposition(positions=held, alone=True)
    return what_if(state, account_idx, alone), what_if(
        state, account_idx, Supposition(positions=held)
    )


def _fees(found: Hedge, today: date) -> int:
    """Return the fees of the whole strip at the dearest rate."""
    rate = reserve_usd_micros_per_gpu_hour(fee_row("standard", today))
    return rate * sum(leg.gpu_hours for leg in found.strip.legs)
