"""Observations: public to read, submitted by providers with their own keys."""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from msgspec import UNSET, structs

from api import observing
from api.auth import Claim, Principal
from api.deps import (
    Admin,
    JsonBody,
    Page,
    QueryOf,
    Services,
    ServicesDep,
    address_of,
    claim_of,
    count_public,
)
from api.edge import json_response
from api.errors import Problem
from api.observing import Observing
from api.routes.public import stamped
from api.schemas_observations import ProviderKeyNew, SubmissionNew
from exchange.io.observations import ID_MAX, Batch, Signed, SubmissionRepeated
from exchange.rules.observation_rows import Given, read_row

public = APIRouter(
    prefix="/observations", tags=["market data"], dependencies=[Depends(count_public)]
)
admin = APIRouter(prefix="/admin/observations", tags=["admin"])

_PUBLIC_KEY: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class ObservationsQuery(Page):
    """A page, perhaps of one model, hub, provider or source only."""

    sku: str | None = None
    hub: str | None = None
    provider: str | None = None
    source: str | None = None


class QuarantineQuery(Page):
    """A page, perhaps of one reason only."""

    reason: str | None = None


def observing_of(services: Services) -> Observing:
    """Return the door to observations."""
    if services.observing is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.observing


@public.get("", summary="Prices that the index is computed from")
async def list_observations(
    services: ServicesDep, query: Annotated[ObservationsQuery, Depends(QueryOf(ObservationsQuery))]
) -> Response:
    """Return observations, newest first, and the end of their chain."""
    store, before, size = observing_of(services).store, query.place(), query.size()
    rows = await store.newest(
        before=ID_MAX if before is None else before, sku=query.sku, hub=query.hub,
        provider=query.provider, source=query.source, limit=size + 1,
    )  # fmt: skip
    content = {
        "observations": [observing.observation(row) for row in rows[:size]],
        "head": observing.head_out(await store.head()),
        "next_cursor": str(rows[size - 1].number) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@public.post("", summary="Submit own prices, signed with a provider's key")
async def submit_observations(
    request: Request,
    services: ServicesDep,
    body: Annotated[SubmissionNew, Depends(JsonBody(SubmissionNew))],
) -> Response:
    """Record what is new; say of each row whether it was accepted, or why it was not."""
    door = observing_of(services)
    claim = await claim_of(request)
    who = await door.auth.check(claim, address_of(request.scope, services.edge))
    door.submissions.take(who.account_id)
    await _check_day(door, who, len(body.rows))
    key = await door.keys.key(who.key_id)
    if key is None:
        raise Problem("auth_failed", "no such key")
    given = Given(
        now_ns=services.now_ns(),
        source=f"own:{who.account_id}"[:64],
        licence=key.licence,
        provider=who.account_id,
        age_ns_max=observing.AGE_NS_MAX,
    )
    said = (structs.asdict(row).items() for row in body.rows)
    rows = [read_row({k: v for k, v in row if v is not UNSET}, given) for row in said]
    batch = Batch(via="submission", name=who.account_id, signed=_signed(claim))
    try:
        results = await door.store.record(rows, batch)
    except SubmissionRepeated as error:
        raise Problem("signature_replayed", "a signature is accepted once: sign anew") from error
    content = {
        "results": [observing.result(one) for one in results],
        "head": observing.head_out(await door.store.head()),
    }
    return json_response(stamped(services, content))


async def _check_day(door: Observing, who: Principal, count: int) -> None:
    """See that a provider has not said enough for today."""
    most = observing.ROWS_PER_DAY
    if await door.keys.rows_of_day(who.account_id) + count > most:
        raise Problem("rate_limited", f"at most {most} rows in 24 hours", retry_after_s=3600)


def _signed(claim: Claim) -> Signed:
    return Signed(claim.key_id, claim.message(), bytes.fromhex(claim.signature))


@admin.get("/quarantine", summary="Rows that were not recorded, with the reason")
async def list_quarantine(
    services: ServicesDep,
    who: Admin,
    query: Annotated[QuarantineQuery, Depends(QueryOf(QuarantineQuery))],
) -> Response:
    """Return rows as they came, newest first."""
    before, size = query.place(), query.size()
    rows = await observing_of(services).store.quarantine(
        before=ID_MAX if before is None else before, reason=query.reason, limit=size + 1
    )
    content = {
        "quarantine": [observing.quarantined(row) for row in rows[:size]],
        "next_cursor": str(rows[size - 1].quarantine_id) if len(rows) > size else None,
    }
    return json_response(stamped(services, content))


@admin.get("/providers", summary="Keys of providers")
async def list_provider_keys(services: ServicesDep, who: Admin) -> Response:
    """Return all keys, the newest first, ended ones too."""
    found = [observing.provider_key(key) for key in await observing_of(services).keys.keys()]
    return json_response(stamped(services, {"provider_keys": found}))


@admin.post("/providers", status_code=201, summary="Register a provider's public key")
async def add_provider_key(
    services: ServicesDep,
    who: Admin,
    body: Annotated[ProviderKeyNew, Depends(JsonBody(ProviderKeyNew))],
) -> Response:
    """Let a key sign prices of one provider; the same again is the same key."""
    if not _PUBLIC_KEY.fullmatch(body.public_key):
        raise Problem("field_invalid", "64 hex digits, small letters", field="public_key")
    raw = bytes.fromhex(body.public_key)
    keys = observing_of(services).keys
    key = await keys.add(body.provider, raw, body.licence, who.account_id)
    return json_response(stamped(services, {"provider_key": observing.provider_key(key)}), 201)


@admin.delete("/providers/{key_id}", summary="End a provider's key")
async def end_provider_key(services: ServicesDep, who: Admin, key_id: str) -> Response:
    """End a key for ever; what it signed before stays."""
    key = await observing_of(services).keys.end(key_id, who.account_id)
    return json_response(stamped(services, {"provider_key": observing.provider_key(key)}))
