"""The edge of the app: a request id for everyone, and one shape for every refusal."""

import itertools
import logging
import secrets
from typing import Any, Final

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import MEDIA_TYPE, Problem
from exchange.io.errors import Conflict, Invalid, NotFound, Unavailable

log = logging.getLogger("wellhead.api")

SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
REFUSALS: Final = (
    Problem, HTTPException, RequestValidationError, Unavailable, Conflict, NotFound, Invalid,
)  # fmt: skip
_PREFIX = secrets.token_hex(4)
_counter = itertools.count(1)


def new_request_id() -> str:
    """Return an id nobody had before: it is in the answer and in the log."""
    return f"{_PREFIX}-{next(_counter):x}"


def json_response(
    content: Any, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Return an answer."""
    return Response(orjson.dumps(content), status, headers, "application/json")


def problem_of(error: Exception) -> Problem:
    """Return the problem that an exception amounts to."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Unavailable):
        return Problem("unavailable", "something the exchange needs does not answer")
    if isinstance(error, NotFound):
        return Problem("not_found", str(error))
    if isinstance(error, Conflict):
        return Problem("idempotency_conflict", str(error))
    if isinstance(error, Invalid):
        return Problem("field_invalid", str(error))
    if isinstance(error, HTTPException):
        if error.status_code == 405:
            return Problem("method_not_allowed", "not this method", extra=_allow(error))
        return Problem("not_found", "there is nothing at this address")
    if isinstance(error, RequestValidationError):
        return Problem("field_invalid", "a field is not what it must be")
    log.exception("a request met our own mistake", exc_info=error)
    return our_mistake()


def our_mistake() -> Problem:
    """Return the problem of an exception that nobody expected; the log says more."""
    return Problem("unavailable", "this is our mistake; the request id is in our log")


def _allow(error: HTTPException) -> dict[str, Any]:
    allow = (error.headers or {}).get("Allow", "")
    return {"allow": allow.split(", ")} if allow else {}


def problem_response(problem: Problem, request_id: str) -> Response:
    """Return problem+json."""
    headers = {}
    if problem.retry_after_s is not None:
        headers["retry-after"] = str(problem.retry_after_s)
    if allow := problem.extra.get("allow"):
        headers["allow"] = ", ".join(allow)
    if problem.status == 401:
        headers["www-authenticate"] = "WH-SIGN"
    body = orjson.dumps(problem.to_dict(request_id))
    return Response(body, problem.status, headers, MEDIA_TYPE)


async def handle(request: Request, error: Exception) -> Response:
    """Answer an exception of a route."""
    return problem_response(problem_of(error), request.scope["state"]["request_id"])


def install(app: FastAPI) -> None:
    """Give an app the one shape of refusals."""
    for kind in REFUSALS:
        app.add_exception_handler(kind, handle)
    app.add_middleware(Edge)


class Edge:
    """Gives each request its id, adds headers, and lets no exception out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        request_id = state["request_id"] = new_request_id()
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                headers.append((b"wh-request-id", request_id.encode()))
                headers.extend(SECURITY_HEADERS)
                if limit := state.get("limit"):
                    buckets, bucket = limit
                    headers.extend(buckets.headers(bucket))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # whatever it was, the client gets an answer
            if started:
                log.exception("an answer broke off", exc_info=error)
                raise
            response = problem_response(problem_of(error), request_id)
            await response(scope, receive, send_with_headers)
