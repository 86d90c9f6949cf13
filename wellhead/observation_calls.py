"""Requests about observations: what is recorded, and what a provider or an operator says."""

from typing import Any

from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target

_PATH = "/observations"
_ADMIN = "/admin/observations"


class Observation(wt.Answer, frozen=True, kw_only=True):
    """A price as it is recorded, for ever."""

    number: str
    provider: str
    region: str
    sku: str
    hub: str
    grade: str
    size_gpus: int
    price: str
    kind: str
    observed_ts: int
    source: str
    licence: str
    digest: str
    term_months: int = 0
    instance: str = ""


class RowResult(wt.Answer, frozen=True, kw_only=True):
    """What became of a row: accepted, duplicate or quarantined, then with a reason."""

    status: str
    number: str | None = None
    reason: str | None = None
    detail: str = ""


class ProviderKey(wt.Answer, frozen=True, kw_only=True):
    """A provider's key."""

    key: str
    provider: str
    public_key: str
    licence: str
    added_ts: int = 0
    ended_ts: int | None = None


def recorded(
    limit: int | None = None, cursor: str | None = None, **wanted: str | None
) -> Call[wt.Page[Observation]]:
    """Observations, newest first; `sku`, `hub`, `provider` and `source` choose."""
    parse = page("observations", Observation)
    return get_call(_PATH, parse, private=False, limit=limit, cursor=cursor, **wanted)


def submit(rows: list[dict[str, str]]) -> Call[list[RowResult]]:
    """Own prices of a provider; rows that are there already are recognised."""
    body: Json = {"rows": rows}
    return Call("POST", target(_PATH), _results, body=body, repeatable=True)


def _results(answer: Json) -> list[RowResult]:
    found: Any = page("results", RowResult)(answer)
    return list(found)


def add_provider_key(provider: str, public_key: str, licence: str) -> Call[ProviderKey]:
    """Register a provider's public key."""
    body = {"provider": provider, "public_key": public_key, "licence": licence}
    parse = member("provider_key", ProviderKey)
    return Call("POST", target(f"{_ADMIN}/providers"), parse, body=body, repeatable=True)
