"""Signatures: what is accepted, and that it is accepted once."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.auth import Authenticator
from exchange.io.registry import Scope
from exchange.io.signatures_memory import MemorySignatures
from tests.support.api_world import SYMBOL, World, running

BUY = {"symbol": SYMBOL, "side": "buy", "price": "1.990", "quantity": "3"}


@pytest.fixture
async def world():
    async with running() as one:
        yield one


async def get(world: World, headers: dict[str, Any], path: str = "/api/v1/balances") -> Any:
    return await world.http.get(path, headers=headers)


async def test_a_good_signature_is_accepted_once(world: World):
    headers = world.headers("alice", "GET", "/api/v1/balances")
    assert (await get(world, headers)).status_code == 200
    again = await get(world, headers)
    assert (again.status_code, again.json()["code"]) == (401, "signature_replayed")


async def test_a_signature_is_accepted_once_over_two_gateways(world: World):
    async with running() as other:
        other.keys.rows = world.keys.rows
        other.signatures.seen = world.signatures.seen
        headers = world.headers("alice", "GET", "/api/v1/balances")
        assert (await get(other, headers)).status_code == 200
        assert (await get(world, headers)).json()["code"] == "signature_replayed"


@pytest.mark.parametrize(("began_ms", "status"), [(0, 401), (-60_000, 200)])
async def test_what_was_signed_before_the_gateway_began_counts_as_used(
    world: World, began_ms: int, status: int
):
    headers = world.headers("alice", "GET", "/api/v1/balances")
    await asyncio.sleep(0.01)
    begins_ns = time.time_ns() + began_ms * 1_000_000
    _only_gateway(world, world.signatures, begins_ns)
    answer = await get(world, headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["code"] == "signature_replayed"


def _only_gateway(world: World, signatures: Any, begins_ns: int) -> None:
    world.services.auth = Authenticator(
        world.keys, signatures, world.limits, time.time_ns, not_before_ns=begins_ns
    )


@pytest.mark.parametrize("since", ["the start", "later"])
async def test_who_signs_while_the_clock_is_behind_is_told_until_when(world: World, since: str):
    ahead_ns = [3600 * 1_000_000_000]
    until_ns = time.time_ns() + ahead_ns[0]
    signatures = MemorySignatures(lambda: time.time_ns() + ahead_ns[0])
    _only_gateway(world, signatures, until_ns if since == "the start" else 0)
    if since == "later":
        await signatures.claim("other", b"1", until_ns + 10_000_000_000)
        ahead_ns[0] = 0
    headers = world.headers("alice", "GET", "/api/v1/balances")
    for _ in range(2):
        answer = await get(world, headers)
        said = answer.json()
        assert (answer.status_code, said["code"]) == (503, "clock_behind")
        assert 3590 <= int(answer.headers["retry-after"]) <= 3601
        until = datetime.fromtimestamp(until_ns / 1e9, UTC)
        assert f"until {until:%Y-%m-%d}" in said["detail"] and "UTC" in said["detail"]


@pytest.mark.parametrize(
    "change", ["body", "method", "path", "query", "timestamp", "window", "key"]
)
async def test_a_signature_is_of_this_request_only(world: World, change: str):
    body = json.dumps(BUY).encode()
    headers = world.headers("alice", "POST", "/api/v1/orders", body)
    headers["content-type"] = "application/json"
    method, path = "POST", "/api/v1/orders"
    match change:
        case "body":
            body = body.replace(b'"3"', b'"4"')
        case "method":
            method = "DELETE"
        case "path":
            path = "/api/v1/orders/batch"
        case "query":
            path += "?symbol=A"
        case "timestamp":
            headers["WH-TIMESTAMP"] = str(int(headers["WH-TIMESTAMP"]) + 1)
        case "window":
            headers["WH-RECV-WINDOW"] = "59999"
        case "key":
            headers["WH-KEY"] = world.secrets["bob"].key.key_id
    response = await world.http.request(method, path, content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "auth_failed")
    assert "www-authenticate" in response.headers


async def test_a_signature_cannot_move_between_headers(world: World):
    """Timestamp, key and window are signed without separators: their forms keep them apart."""
    headers = world.headers("alice", "GET", "/api/v1/balances")
    window = headers["WH-RECV-WINDOW"]
    headers["WH-KEY"] += window[0]
    headers["WH-RECV-WINDOW"] = window[1:]
    assert (await get(world, headers)).status_code == 401


@pytest.mark.parametrize("missing", ["WH-KEY", "WH-TIMESTAMP", "WH-SIGN"])
async def test_every_header_is_due(world: World, missing: str):
    headers = world.headers("alice", "GET", "/api/v1/balances")
    del headers[missing]
    response = await get(world, headers)
    assert (response.status_code, response.json()["code"]) == (401, "auth_missing")
    assert response.json()["field"] == missing


async def test_without_a_window_the_default_one_is_signed(world: World):
    headers = world.headers("alice", "GET", "/api/v1/balances")
    key, secret = headers["WH-KEY"], world.secrets["alice"].secret_text or ""
    timestamp = time.time_ns() // 1_000_000
    from wellhead.signing import sign

    signature = sign(secret, timestamp_ms=timestamp, key=key, recv_window_ms=5000, method="GET",
                     target="/api/v1/balances")  # fmt: skip
    given = {"WH-KEY": key, "WH-TIMESTAMP": str(timestamp), "WH-SIGN": signature}
    assert (await get(world, given)).status_code == 200


@pytest.mark.parametrize("offset_ms", [-70_000, -40_000, 20_000, 10**9])
async def test_old_and_future_timestamps_are_refused(world: World, offset_ms: int):
    real = world.now_ns
    world.now_ns = lambda: real() + offset_ms * 1_000_000
    headers = world.headers("alice", "GET", "/api/v1/balances")
    world.now_ns = real
    response = await get(world, headers)
    assert (response.status_code, response.json()["code"]) == (401, "timestamp_invalid")


async def test_revoked_expired_and_unknown_keys_are_refused(world: World):
    made = world.secrets["alice"].key
    for change in ({"revoked_at_ns": 1}, {"expires_at_ns": 1}):
        world.keys.rows[made.key_id] = replace(made, **change)
        headers = world.headers("alice", "GET", "/api/v1/balances")
        assert (await get(world, headers)).json()["code"] == "auth_failed"
    del world.keys.rows[made.key_id]
    headers = world.headers("alice", "GET", "/api/v1/balances")
    assert (await get(world, headers)).json()["code"] == "auth_failed"


@pytest.mark.parametrize(
    ("networks", "status"),
    [(("127.0.0.0/8",), 200), (("10.0.0.0/8",), 403), (("10.0.0.0/8", "127.0.0.1/32"), 200)],
)
async def test_a_key_works_from_its_addresses_only(world: World, networks: Any, status: int):
    made = world.secrets["alice"].key
    world.keys.rows[made.key_id] = replace(made, ip_allow=networks)
    headers = world.headers("alice", "GET", "/api/v1/balances")
    headers["x-forwarded-for"] = "10.0.0.1"
    response = await get(world, headers)
    assert response.status_code == status
    if status == 403:
        assert response.json()["code"] == "address_not_allowed"


async def test_each_scope_opens_its_own_doors(world: World):
    made = world.secrets["alice"].key
    for scopes, method, path, status in (
        ({Scope.READ}, "GET", "/balances", 200),
        ({Scope.READ}, "DELETE", "/orders", 403),
        ({Scope.TRADE}, "DELETE", "/orders", 200),
        ({Scope.TRADE}, "GET", "/balances", 403),
        ({Scope.READ, Scope.TRADE}, "GET", "/admin/accounts", 403),
        ({Scope.ADMIN}, "GET", "/admin/accounts", 200),
    ):
        world.keys.rows[made.key_id] = replace(made, scopes=frozenset(scopes))
        response = await world.call("alice", method, path)
        assert response.status_code == status, (scopes, path)
        if status == 403:
            assert response.json()["code"] == "scope_missing"


async def test_an_ed25519_key_signs_the_same_text(world: World):
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    made = await world.keys.create(account_idx=0, public_key=public)
    assert made.secret_text is None
    headers = world.headers("alice", "GET", "/api/v1/balances")
    headers["WH-KEY"] = made.key.key_id
    text = (
        headers["WH-TIMESTAMP"] + headers["WH-KEY"] + headers["WH-RECV-WINDOW"]
        + "GET/api/v1/balances"
    )  # fmt: skip
    headers["WH-SIGN"] = private.sign(text.encode()).hex()
    assert (await get(world, headers)).status_code == 200
    headers["WH-SIGN"] = "00" * 64
    assert (await get(world, headers)).json()["code"] == "auth_failed"
    headers["WH-SIGN"] = "00" * 32
    assert (await get(world, headers)).json()["code"] == "auth_failed"


async def test_nothing_that_is_logged_or_answered_holds_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
):
    secret = world.secrets["alice"].secret_text or ""
    headers = world.headers("alice", "GET", "/api/v1/keys")
    answer = await get(world, headers, "/api/v1/keys")
    bad = await get(world, {**headers, "WH-SIGN": "0" * 64}, "/api/v1/keys")
    for text in (answer.text, bad.text, caplog.text, repr(world.services)):
        assert secret not in text
        assert headers["WH-SIGN"] not in text
