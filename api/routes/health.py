"""Health: is the process alive, and does the exchange take orders."""

from fastapi import APIRouter, Response

from api.deps import ServicesDep
from api.edge import json_response
from api.routes.public import stamped, status_out
from exchange.io.status import Mode

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live", summary="The process answers")
async def live(services: ServicesDep) -> Response:
    """Return at once."""
    return json_response(stamped(services, {"live": True}))


@router.get("/ready", summary="The exchange takes commands")
async def ready(services: ServicesDep) -> Response:
    """Return 200 when commands are taken, 503 otherwise; `mode` says which kind."""
    mode = services.gateway.mode
    taking = mode in (Mode.NORMAL, Mode.CANCEL_ONLY)
    content = {"ready": taking, **status_out(services)}
    headers = None if taking else {"retry-after": "1"}
    return json_response(stamped(services, content), 200 if taking else 503, headers)
