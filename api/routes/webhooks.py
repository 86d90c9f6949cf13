"""Webhooks: an account has what happens to it told to addresses of its own."""

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Response

from api import answers
from api.auth import Principal
from api.deps import Asker, JsonBody, Page, QueryOf, Reader, Services, ServicesDep
from api.edge import json_response
from api.errors import Problem
from api.routes.admin import printable
from api.routes.public import stamped
from api.schemas_webhooks import WebhookNew
from exchange.io.errors import NotFound
from exchange.io.registry import Scope
from exchange.io.webhooks import DeliverySeen, HookSeen, NewHook, TooManyHooks, Webhooks
from exchange.rules.addresses import AddressInvalid, NotPublic, https_address
from exchange.rules.webhooks import OPERATORS, HookEvent

router = APIRouter(prefix="/webhooks", tags=["account"])

_ID = re.compile(r"wh_[a-z2-7]{16}", re.ASCII)
EVENTS: Final = frozenset(event.value for event in HookEvent)
Owner = Annotated[Principal, Depends(Asker(Scope.TRADE))]


def hooks_of(services: Services) -> Webhooks:
    """Return the door to webhooks."""
    if services.webhooks is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.webhooks


async def hook_of(services: Services, who: Principal, webhook_id: str) -> HookSeen:
    """Return a hook of the account that asks.

    Errors:
        Problem: it has no such hook.
    """
    hooks = hooks_of(services)
    if not _ID.fullmatch(webhook_id):
        raise _unknown()
    try:
        return await hooks.get(who.account_idx, webhook_id)
    except NotFound as error:
        raise _unknown() from error


def _unknown() -> Problem:
    return Problem("webhook_unknown", "there is no such webhook of this account")


def hook_out(one: HookSeen) -> dict[str, Any]:
    """Return a hook."""
    return {
        "webhook_id": one.webhook_id,
        "url": one.url,
        "events": one.events,
        "label": one.label,
        "status": one.status,
        "why": one.why or None,
        "failures": one.failures,
        "retry_ts": answers.millis(one.retry_ns) if one.failures else None,
        "waiting": one.waiting_count,
        "dropped": one.dropped,
        "created_by": one.created_by,
        "created_ts": answers.millis(one.created_ns),
        "rotated_ts": None if one.rotated_ns is None else answers.millis(one.rotated_ns),
    }


def delivery_out(one: DeliverySeen) -> dict[str, Any]:
    """Return a delivery."""
    return {
        "delivery_id": str(one.delivery_id),
        "event": one.event,
        "status": one.status,
        "attempts": one.attempts,
        "http_status": one.http_status,
        "latency_ms": one.latency_ms,
        "error": one.error or None,
        "created_ts": answers.millis(one.created_ns),
        "tried_ts": None if one.tried_ns is None else answers.millis(one.tried_ns),
    }


def asked(body: WebhookNew, who: Principal, inside: frozenset[str]) -> NewHook:
    """Return what a body asks for.

    Errors:
        Problem: it makes no sense, or the key may not.
    """
    try:
        https_address(body.url, inside)
    except NotPublic as error:
        more = "a host inside is for the operator to allow: WELLHEAD_WEBHOOK_HOSTS=localhost:8443"
        raise Problem("field_invalid", f"{error}; {more}", field="url") from error
    except AddressInvalid as error:
        raise Problem("field_invalid", str(error), field="url") from error
    events = set(body.events)
    if events - EVENTS or len(events) < len(body.events):
        detail = f"each once, of: {', '.join(sorted(EVENTS))}"
        raise Problem("field_invalid", detail, field="events")
    if events & OPERATORS:
        who.need(Scope.ADMIN)
    return NewHook(
        account_idx=who.account_idx, url=body.url, events=events,
        label=printable(body.label, "label"), created_by=who.key_id,
    )  # fmt: skip


async def answered(services: Services, who: Principal, webhook_id: str, **more: Any) -> Response:
    """Answer with a hook as it is now."""
    one = hook_out(await hook_of(services, who, webhook_id))
    return json_response(stamped(services, {"webhook": one, **more}))


@router.post("", status_code=201, summary="Make a webhook")
async def create_webhook(
    services: ServicesDep, who: Owner, body: Annotated[WebhookNew, Depends(JsonBody(WebhookNew))]
) -> Response:
    """Have events of the account told to a URL; the secret that signs is shown this once."""
    hook = asked(body, who, services.edge.webhook_hosts)
    try:
        webhook_id, secret = await hooks_of(services).create(hook, services.now_ns())
    except TooManyHooks as error:
        raise Problem("too_many_webhooks", str(error)) from error
    one = hook_out(await hook_of(services, who, webhook_id))
    return json_response(stamped(services, {"webhook": one, "secret": secret}), 201)


@router.get("", summary="Webhooks")
async def list_webhooks(services: ServicesDep, who: Reader) -> Response:
    """Return the account's webhooks, the oldest first."""
    found = await hooks_of(services).of_account(who.account_idx)
    content = {"webhooks": [hook_out(one) for one in found], "next_cursor": None}
    return json_response(stamped(services, content))


@router.get("/{webhook_id}", summary="One webhook")
async def get_webhook(services: ServicesDep, who: Reader, webhook_id: str) -> Response:
    """Return a webhook."""
    return await answered(services, who, webhook_id)


@router.delete("/{webhook_id}", summary="Remove a webhook")
async def remove_webhook(services: ServicesDep, who: Owner, webhook_id: str) -> Response:
    """Remove a webhook, and what waits for it."""
    one = await hook_of(services, who, webhook_id)
    await hooks_of(services).remove(who.account_idx, one.webhook_id)
    return json_response(stamped(services, {"webhook_id": one.webhook_id}))


@router.post("/{webhook_id}/rotate", summary="Give a webhook another secret")
async def rotate_webhook(services: ServicesDep, who: Owner, webhook_id: str) -> Response:
    """Return the new secret, this once; for a day deliveries bear both signatures."""
    one = await hook_of(services, who, webhook_id)
    secret = await hooks_of(services).rotate(who.account_idx, one.webhook_id, services.now_ns())
    return await answered(services, who, one.webhook_id, secret=secret)


@router.post("/{webhook_id}/resume", summary="Deliver again")
async def resume_webhook(services: ServicesDep, who: Owner, webhook_id: str) -> Response:
    """Deliver again at once, beginning with what waits."""
    one = await hook_of(services, who, webhook_id)
    await hooks_of(services).resume(who.account_idx, one.webhook_id)
    return await answered(services, who, one.webhook_id)


@router.post("/{webhook_id}/ping", summary="Send a test")
async def ping_webhook(services: ServicesDep, who: Owner, webhook_id: str) -> Response:
    """Write a delivery that says nothing; it goes when what waits before it has gone."""
    one = await hook_of(services, who, webhook_id)
    if one.waiting_count:
        raise Problem("webhook_busy", f"{one.waiting_count} deliveries wait: they show if it works")
    number = await hooks_of(services).ping(who.account_idx, one.webhook_id, services.now_ns())
    return json_response(stamped(services, {"delivery_id": str(number)}))


@router.get("/{webhook_id}/deliveries", summary="Deliveries of a webhook")
async def list_deliveries(
    services: ServicesDep,
    who: Reader,
    webhook_id: str,
    query: Annotated[Page, Depends(QueryOf(Page))],
) -> Response:
    """Return deliveries, newest first; what was taken stays in the list for a week."""
    size, place = query.size(), query.place()
    one = await hook_of(services, who, webhook_id)
    rows = await hooks_of(services).deliveries(
        who.account_idx, one.webhook_id, before_id=place, limit=size + 1
    )
    shown = rows[:size]
    content = {
        "deliveries": [delivery_out(row) for row in shown],
        "next_cursor": str(shown[-1].delivery_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))
