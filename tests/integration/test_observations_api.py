"""Observations over the API: public to read, submitted with a provider's own key."""

import json
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api import observing
from api.auth import Authenticator
from api.observing import Observing
from exchange.io.observation_check import check_store
from exchange.io.observation_keys import ProviderKeys
from exchange.io.observations import PostgresObservations
from tests.support.api_world import running

PATH = "/observations"
ADMIN = "/admin/observations"
ROW = {"sku": "H100-SXM", "usd_per_gpu_hour": "2.35", "kind": "offer", "region": "us-east1",
       "gpus_per_instance": "64"}  # fmt: skip


class Provider:
    """A provider with a key of its own."""

    def __init__(self, world, name="northgrid"):
        self.world = world
        self.name = name
        self.key = Ed25519PrivateKey.generate()
        self.key_id = ""
        self._last_ms = 0

    async def register(self):
        body = {"provider": self.name, "licence": "own prices",
                "public_key": self.key.public_key().public_bytes_raw().hex()}  # fmt: skip
        answer = await self.world.call("operator", "POST", f"{ADMIN}/providers", body)
        assert answer.status_code == 201
        self.key_id = answer.json()["provider_key"]["key"]

    def signed(self, rows):
        body = json.dumps({"rows": rows}).encode()
        self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
        head = f"{self._last_ms}{self.key_id}5000POST/api/v1{PATH}".encode()
        headers = {"WH-KEY": self.key_id, "WH-TIMESTAMP": str(self._last_ms),
                   "WH-SIGN": self.key.sign(head + body).hex(),
                   "content-type": "application/json"}  # fmt: skip
        return body, headers

    async def submit(self, rows, body=None, headers=None):
        signed, said = self.signed(rows)
        return await self.world.http.request(
            "POST", f"/api/v1{PATH}", content=body or signed, headers=headers or said
        )


def row(**change):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    return ROW | {"ts": now} | change


@pytest.fixture
async def world(pool):
    async with running() as world:
        keys = ProviderKeys(pool)
        world.services.observing = Observing(
            store=PostgresObservations(pool),
            keys=keys,
            auth=Authenticator(keys, world.signatures, world.limits, time.time_ns),
        )
        yield world


@pytest.fixture
async def provider(world):
    provider = Provider(world)
    await provider.register()
    return provider


async def test_each_row_of_a_submission_is_answered_and_can_be_read_by_anybody(
    world, provider, pool
):
    rows = [row(), row(), row(usd_per_gpu_hour="0"), row(provider="aws"), row(sku="L4"),
            row(ts="2026-01-01T00:00:00Z")]  # fmt: skip
    answer = (await provider.submit(rows)).json()
    assert [(one["status"], one["reason"]) for one in answer["results"]] == [
        ("accepted", None), ("duplicate", None), ("quarantined", "price_not_positive"),
        ("quarantined", "provider_not_yours"), ("quarantined", "sku_unknown"),
        ("quarantined", "time_too_old"),
    ]  # fmt: skip
    found = (await world.call("", "GET", f"{PATH}?provider=northgrid")).json()
    (one,) = found["observations"]
    assert (one["number"], one["price"], one["hub"], one["size_gpus"]) == ("1", "2.35", "USE", 64)
    assert (one["source"], one["licence"]) == ("own:northgrid", "own prices")
    assert found["head"] == answer["head"] == {"number": "1", "digest": one["digest"]}
    assert (await world.call("", "GET", f"{PATH}?sku=B200")).json()["observations"] == []
    bad = (await world.call("operator", "GET", f"{ADMIN}/quarantine?limit=2")).json()
    assert len(bad["quarantine"]) == 2 and bad["next_cursor"]
    async with pool.acquire() as connection:
        assert (await check_store(connection, None)).findings == []


async def test_a_submission_is_taken_once(provider):
    body, headers = provider.signed([row()])
    assert (await provider.submit([], body, headers)).status_code == 200
    again = await provider.submit([], body, headers)
    assert (again.status_code, again.json()["code"]) == (401, "signature_replayed")


async def test_a_replay_is_refused_even_when_the_gateway_forgot(world, provider):
    body, headers = provider.signed([row()])
    await provider.submit([], body, headers)
    fresh = type(world.signatures)()
    world.services.observing.auth = Authenticator(
        world.services.observing.keys, fresh, world.limits, time.time_ns
    )
    again = await provider.submit([], body, headers)
    assert (again.status_code, again.json()["code"]) == (401, "signature_replayed")


async def test_what_was_not_signed_by_a_live_key_is_refused(world, provider):
    body, headers = provider.signed([row()])
    other = body.replace(b"2.35", b"9.35")
    stranger = Provider(world)
    stranger.key_id = provider.key_id
    for answer in (
        await provider.submit([], other, headers),
        await provider.submit([], body, headers | {"WH-SIGN": "0" * 64}),
        await provider.submit([], body, headers | {"WH-KEY": "wp_" + "a" * 16}),
        await provider.submit([], body, headers | {"WH-KEY": "nobody"}),
        await stranger.submit([row()]),
        await world.call("alice", "POST", PATH, {"rows": [row()]}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (401, "auth_failed")
    ended = await world.call("operator", "DELETE", f"{ADMIN}/providers/{provider.key_id}")
    assert ended.json()["provider_key"]["ended_ts"]
    assert (await provider.submit([row()])).json()["code"] == "auth_failed"


async def test_a_provider_has_a_rate_and_a_day(world, provider, monkeypatch):
    codes = [(await provider.submit([row()])).status_code for _ in range(4)]
    assert 429 in codes and codes[0] == 200
    world.services.observing.submissions = observing.Buckets("submissions", 1000)
    monkeypatch.setattr(observing, "ROWS_PER_DAY", 5)
    answer = await provider.submit([row()] * 5)
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert answer.json()["retry_after"] == 3600


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b'{"rows": []}', b'{"rows": [1]}', b'{"rows": [{"price": "1"}]}',
     b'{"rows": [{"sku": 1}]}', b'{"rows": [' + b",".join([b"{}"] * 101) + b"]}",
     b"\xff", b'{"rows": [{"sku": "\\ud800"}]}', b'{"rows": "' + b"x" * 20_000 + b'"}'],
)  # fmt: skip
async def test_a_body_that_is_no_submission_is_refused(provider, body):
    _, headers = provider.signed([])
    answer = await provider.submit([], body or b" ", headers)
    assert 400 <= answer.status_code < 500 and answer.json()["code"]


async def test_only_an_operator_registers_keys_and_each_key_once(world, provider):
    body = {"provider": "northgrid", "licence": "own prices",
            "public_key": provider.key.public_key().public_bytes_raw().hex()}  # fmt: skip
    path = f"{ADMIN}/providers"
    again = await world.call("operator", "POST", path, body)
    assert again.json()["provider_key"]["key"] == provider.key_id
    taken = await world.call("operator", "POST", path, body | {"provider": "aws"})
    assert (taken.status_code, taken.json()["code"]) == (409, "idempotency_conflict")
    for change in ({"public_key": "00"}, {"provider": ""}, {"licence": "\n"}):
        wrong = await world.call("operator", "POST", path, body | change)
        assert wrong.json()["code"] == "field_invalid"
    for method, target in (("POST", path), ("GET", path), ("GET", f"{ADMIN}/quarantine")):
        refused = await world.call("alice", method, target, body if method == "POST" else None)
        assert refused.json()["code"] == "scope_missing"
    gone = await world.call("operator", "DELETE", f"{path}/wp_none")
    assert gone.json()["code"] == "not_found"
    keys = (await world.call("operator", "GET", path)).json()["provider_keys"]
    assert [one["key"] for one in keys] == [provider.key_id]
