"""Observations and keys of providers in memory."""

from api.auth import Authenticator
from api.limits import Buckets
from api.observing import Observing
from exchange.io.observation_keys import ProviderKey, key_id_of
from exchange.io.observations import Quarantined, RowAnswer
from exchange.rules.observations import EMPTY, Draft, Head, chained


class MemoryObservations:
    """A chain in memory; nothing in it is recognised."""

    def __init__(self):
        self.offers = []
        self.bads = []

    async def record(self, rows, batch):
        answers = []
        for row in rows:
            if isinstance(row, Draft):
                self.offers += chained([row], await self.head())
                answers.append(RowAnswer("accepted", len(self.offers)))
            else:
                place = (len(self.bads) + 1, row.source, row.reason, row.detail, row.raw)
                self.bads.append(Quarantined(*place, batch.via, batch.name, 10**18))
                answers.append(RowAnswer("quarantined", None, row.reason, row.detail))
        return answers

    async def head(self):
        return Head(len(self.offers), self.offers[-1].digest) if self.offers else EMPTY

    async def newest(self, *, before, limit, **_):
        return [row for row in reversed(self.offers) if row.number < before][:limit]

    async def quarantine(self, *, before, limit, **_):
        return [row for row in reversed(self.bads) if row.quarantine_id < before][:limit]


class MemoryProviderKeys:
    """Keys in memory: any key that signs is one of a provider."""

    def __init__(self):
        self.made = {}

    async def add(self, provider, public_key, licence, by):
        key_id = key_id_of(public_key)
        self.made[key_id] = _key(key_id, provider, public_key, licence)
        return self.made[key_id]

    async def end(self, key_id, by):
        return _key(key_id)

    async def key(self, key_id):
        return self.made.get(key_id) or _key(key_id)

    async def keys(self):
        return list(self.made.values())

    async def rows_of_day(self, provider):
        return 0


def _key(key_id, provider="x", public_key=bytes(32), licence="own"):
    return ProviderKey(key_id=key_id, provider=provider, public_key=public_key, licence=licence,
                       added_by="operator", added_at_ns=10**18, ended_at_ns=None)  # fmt: skip


def memory_observing(auth: Authenticator) -> Observing:
    """Return observations in memory; whoever `auth` knows is a provider."""
    return Observing(
        store=MemoryObservations(),  # type: ignore[arg-type]
        keys=MemoryProviderKeys(),  # type: ignore[arg-type]
        auth=auth,
        submissions=Buckets("submissions", 10**6),
    )
