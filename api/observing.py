"""What the routes of observations are given, and how their rows are shown."""

from dataclasses import dataclass, field
from typing import Any, Final

from api.answers import millis
from api.auth import Authenticator
from api.limits import Buckets
from exchange.io.observation_keys import ProviderKey, ProviderKeys
from exchange.io.observations import Observations, Quarantined, RowAnswer
from exchange.rules.money import usd_text
from exchange.rules.observations import Head, Offer

SUBMISSIONS_PER_S: Final = 2  # of one provider, over one gateway
ROWS_PER_DAY: Final = 20_000  # of one provider
AGE_NS_MAX: Final = 48 * 3_600_000_000_000  # what is older comes too late for any index


@dataclass(slots=True, kw_only=True)
class Observing:
    """The chain, the keys of providers, and how much one of them may say."""

    store: Observations
    keys: ProviderKeys
    auth: Authenticator
    submissions: Buckets[str] = field(
        default_factory=lambda: Buckets("submissions", SUBMISSIONS_PER_S)
    )


def observation(row: Offer) -> dict[str, Any]:
    """Return an observation as it is shown."""
    return {
        "number": str(row.number),
        "provider": row.provider,
        "region": row.region,
        "sku": row.sku,
        "hub": row.hub,
        "grade": row.grade,
        "size_gpus": row.size_gpus,
        "price": usd_text(row.price_usd_micros),
        "kind": row.kind,
        "observed_ts": millis(row.ts_ns),
        "observed_ts_ns": str(row.ts_ns),
        "source": row.source,
        "licence": row.licence,
        "term_months": row.term_months,
        "instance": row.instance,
        "digest": row.digest.hex(),
    }


def head_out(head: Head) -> dict[str, str]:
    """Return the end of the chain as it is shown."""
    return {"number": str(head.number), "digest": head.digest.hex()}


def result(row: RowAnswer) -> dict[str, Any]:
    """Return what became of a row."""
    number = None if row.number is None else str(row.number)
    return {"status": row.status, "number": number, "reason": row.reason, "detail": row.detail}


def quarantined(row: Quarantined) -> dict[str, Any]:
    """Return a row that was not recorded."""
    return {
        "quarantine_id": str(row.quarantine_id),
        "source": row.source,
        "reason": row.reason,
        "detail": row.detail,
        "row": row.raw,
        "via": row.via,
        "name": row.name,
        "recorded_ts": millis(row.recorded_at_ns),
    }


def provider_key(key: ProviderKey) -> dict[str, Any]:
    """Return a provider's key as it is shown."""
    return {
        "key": key.key_id,
        "provider": key.provider,
        "public_key": key.public_key.hex(),
        "licence": key.licence,
        "added_by": key.added_by,
        "added_ts": millis(key.added_at_ns),
        "ended_ts": None if key.ended_at_ns is None else millis(key.ended_at_ns),
    }
