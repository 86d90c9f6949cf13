"""The few routes that carry orders, without the framework's way of finding and feeding them.

They call the same endpoints with the same dependencies as the routes of the same address, which
stay where they are: for the document, and for every other method.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.deps import Asker, JsonBody, services_of
from api.routes import orders
from api.schemas import OrderAmend, OrderBatch, OrderNew
from exchange.io.registry import Scope as KeyScope

ORDERS: Final = "/api/v1/orders"
BATCH: Final = f"{ORDERS}/batch"
_READER: Final = Asker(KeyScope.READ)
_TRADER: Final = Asker(KeyScope.TRADE, counted=False)
_NEW: Final = JsonBody(OrderNew)
_AMEND: Final = JsonBody(OrderAmend)
_BATCH: Final = JsonBody(OrderBatch)

Answer = Callable[[Request], Awaitable[Response]]
AnswerOne = Callable[[Request, str], Awaitable[Response]]


async def _place(request: Request) -> Response:
    who = await _TRADER(request)
    return await orders.place_order(request, services_of(request), who, await _NEW(request))


async def _batch(request: Request) -> Response:
    who = await _TRADER(request)
    return await orders.batch(request, services_of(request), who, await _BATCH(request))


async def _get(request: Request, order_id: str) -> Response:
    return await orders.get_order(services_of(request), await _READER(request), order_id)


async def _amend(request: Request, order_id: str) -> Response:
    who, services = await _TRADER(request), services_of(request)
    return await orders.amend_order(request, services, who, order_id, await _AMEND(request))


async def _cancel(request: Request, order_id: str) -> Response:
    return await orders.cancel_order(services_of(request), await _TRADER(request), order_id)


_WHOLE: Final[dict[tuple[str, str], Answer]] = {("POST", ORDERS): _place, ("POST", BATCH): _batch}
_ONE: Final[dict[str, AnswerOne]] = {"GET": _get, "PATCH": _amend, "DELETE": _cancel}


class HotRoutes:
    """Answers order requests; everything else goes on to the app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            path, method = scope["path"], scope["method"]
            head, _, tail = path.rpartition("/")
            answer = _WHOLE.get((method, path))
            if answer is not None:
                response = await answer(Request(scope, receive))
                return await response(scope, receive, send)
            if head == ORDERS and tail and (answer_one := _ONE.get(method)) is not None:
                response = await answer_one(Request(scope, receive), tail)
                return await response(scope, receive, send)
        return await self._app(scope, receive, send)
