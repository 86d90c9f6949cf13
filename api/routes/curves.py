"""The forward curve of each series: from books, settlements and committed prices."""

from fastapi import APIRouter, Depends, Response

from api import answers_curves as answers
from api.curves import Curves, curves_of
from api.deps import Services, ServicesDep, count_public
from api.edge import json_response
from api.errors import Problem
from api.routes.public import stamped

public = APIRouter(prefix="/curves", tags=["market data"], dependencies=[Depends(count_public)])


async def _now(services: Services) -> Curves:
    """Return the curves when all that was acknowledged is in them."""
    curves = curves_of(services)
    await curves.ready()
    await services.gateway.barrier()
    return curves


@public.get("", summary="All forward curves at a glance")
async def list_curves(services: ServicesDep) -> Response:
    """Return the first and last month of each series' curve, in order of listing."""
    curves = await _now(services)
    found = [curves.of(name) for name in curves.names()]
    rows = [answers.summary_out(curve) for curve in found if curve is not None]
    return json_response(stamped(services, {"curves": rows}))


@public.get("/{series:path}", summary="The forward curve of a series")
async def get_curve(services: ServicesDep, series: str) -> Response:
    """Return the price of every month, quarter and year, and where it comes from."""
    found = (await _now(services)).of(series)
    if found is None:
        raise Problem("curve_unknown", "a SKU and a hub that are listed, as H100-USE: GET /curves")
    return json_response(stamped(services, {"curve": answers.curve_out(found)}))
