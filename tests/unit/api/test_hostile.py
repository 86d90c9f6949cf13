"""The hostile corpus against every endpoint and every websocket op: always an answer, never a 500.

Endpoints come from the app's own routes and ops from the message shapes, so that a new one is
attacked without anyone remembering it.
"""

import asyncio
import json
import re
from typing import Any, get_args

import httpx
import msgspec
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from api import schemas_deals
from api.openapi import operations
from api.server import PICOWS
from tests.support.api_world import SYMBOL, World, running
from tests.support.hostile import (
    DOCUMENTS,
    HEADERS,
    TEXTS,
    VALUES,
    with_duplicate,
    with_value,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPS = {op.__struct_config__.tag: op for op in get_args(schemas_deals.WsAnyMessage)}
GOOD: dict[str, Any] = {
    "symbol": SYMBOL,
    "date": "2200-01-01",
    "changes": [{"symbol": SYMBOL, "price": "1.500"}],
    "correction_id": "c-1",
    "dry_run": True,
    "override": True,
    "clients_margin": "5000",
    "plan": [{"sku": "H100", "hub": "USE", "gpus": "1", "from": "2027-03-01", "to": "2027-03-31"}],
    "cover": "nearest",
    "report": True,
    "implied": True,
    "last_trade": 1_900_000_000_000,
    "note": "why",
    "profile": "miner",
    "reason": "it is known why",
    "trade_id": "1-0",
    "giveup_id": "g-1",
    "webhook_id": "wh_aaaaaaaaaaaaaaaa",
    "url": "https://hooks.example.com/wellhead",
    "events": ["fill", "margin_call"],
    "lot": 1,
    "premium": "0.010",
    "differential": "-0.010",
    "entry_id": "e-1",
    "opens_ts": 1_900_000_000_000,
    "call_ts": 1_900_000_060_000,
    "share": "0.5",
    "bid_id": "b-1",
    "admitted": True,
    "port_id": "p-1",
    "expires_ms": 60_000,
    "status": "dismissed",
    "block_id": "1048577",
    "action": "approve",
    "orders": [{"symbol": SYMBOL, "side": "buy", "price": "1.500", "quantity": "1"}],
    "positions": [{"symbol": SYMBOL, "quantity": "1"}],
    "prices": [{"symbol": SYMBOL, "price": "1.500"}],
    "cash": "1.00",
    "collateral": "1.00",
    "level_bps": 10_000,
    "alone": False,
    "half_spread": "0.010",
    "daily_move_bps": 100,
    "daily_volume": "100",
    "open_interest": "100",
    "fee": "0.010",
    "asset": "USDC",
    "address": "0x" + "a" * 40,
    "source": "good",
    "to": "bob",
    "withdrawal_id": "good-1",
    "side": "buy",
    "price": "1.500",
    "quantity": "1",
    "open_quantity": "1",
    "type": "limit",
    "tif": "GTC",
    "stp": "none",
    "client_order_id": "good-1",
    "order_id": "1048577",
    "rfq_id": "1048577",
    "counterparty": "alice",
    "client_id": "good-1",
    "min_quantity": "50",
    "range_bps": 200,
    "expires_at": 1,
    "post_only": False,
    "reduce_only": False,
    "display_quantity": "1",
    "peg": "bid",
    "peg_offset": "0.001",
    "phase": "manual",
    "ends_after_ms": 1000,
    "velocity_bps": 100,
    "velocity_ms": 1000,
    "daily_bps": 1000,
    "daily_next_bps": 2000,
    "auction_ms": 1000,
    "trigger_price": "1.500",
    "trigger_by": "mark",
    "trail_offset": "0.010",
    "trail_bps": 100,
    "oco_with": "1048577",
    "take_profit": "1.600",
    "stop_loss": "1.400",
    "requests": [{"op": "cancel", "order_id": "1048577"}],
    "name": "Good",
    "account_id": "good",
    "kind": "customer",
    "state": "active",
    "amount": "1.00",
    "transfer_id": "good-1",
    "scopes": ["read"],
    "label": "good",
    "ip_allow": ["10.0.0.0/8"],
    "public_key": "A" * 43 + "=",
    "band_bps": 100,
    "protection_bps": 100,
    "key": "key-1",
    "timestamp": 1,
    "signature": "0" * 64,
    "recv_window": 5000,
    "cancel_on_disconnect": False,
    "channels": [f"bbo.{SYMBOL}"],
    "channel": f"bbo.{SYMBOL}",
    "id": 1,
    "quotes": [{"symbol": SYMBOL, "bid_price": "1.500", "bid_quantity": "1"}],
    "bid_price": "1.500",
    "bid_quantity": "1",
    "ask_price": "1.600",
    "ask_quantity": "1",
    "group": 0,
    "timeout_ms": 1000,
    "window_ms": 1000,
    "delta": "1",
    "fills": 1,
    "order_quantity": "1",
    "order_notional": "1.00",
    "position": "1",
    "orders_per_second": 1,
    "open_orders": 1,
    "gpus": 1,
    "turnover_gpu_hours": 1,
    "initial_margin": "1.00",
    "owner": "good",
    "member": "Good",
    "day": "2020-01-01",
    "exchange": False,
    "rows": [{"sku": "H100-SXM", "usd_per_gpu_hour": "2.35", "kind": "offer", "region": "DE"}],
    "provider": "good",
    "licence": "good",
    "sku": "H100",
    "hub": "USE",
    "grade": "N",
    "nodes": ["n1"],
    "gpus_per_node": 8,
    "start_ts": 900_000 * 3_600_000,
    "end_ts": 900_048 * 3_600_000,
    "sla_bps": 9_900,
    "load_factor_bps": 0,
    "kwh_per_gpu_hour_milli": 0,
    "bond": "100000000",
    "shares": [{"account_id": "alice", "bps": 500}],
    "receipt_key": "good",
    "at_ts": 500_001 * 3_600_000,
    "readings": [
        {
            "node": "n1",
            "hour_ts": 900_000 * 3_600_000,
            "counter": 1,
            "uptime_s": 1,
            "load_factor_bps": 1,
            "gpu_hours_milli": 1,
            "kwh_milli": 1,
            "signature": "00" * 64,
        }
    ],
    "audit": "good",
    "acceptance": "good",
    "acceptance_hours": 48,
    "reference": "good",
}
# A field may take these without being wrong; everywhere else the corpus must be refused.
MEDIA = (
    "",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/jsonx",
    "\xff",
    "a" * 999,
)
STATUSES = set(range(400, 500)) | {503}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world():
    async with running() as one:
        yield one


def endpoints(world: World) -> list[Any]:
    """Return (method, path, body shape, query shape) of every HTTP route of the app."""
    return [(one.method, one.path, one.body, one.query) for one in operations(world.app)]


def document(shape: type) -> dict[str, Any]:
    """Return a good document of a shape, every field given."""
    return {field.encode_name: GOOD[field.encode_name] for field in msgspec.structs.fields(shape)}


def filled(path: str, value: str = "") -> str:
    """Return a path with its parameters filled in."""
    return re.sub(r"\{(\w+)(?::path)?\}", lambda m: value or str(GOOD.get(m[1], "x")), path)


async def request(world: World, method: str, target: str, body: bytes = b"", **headers: str) -> Any:
    """Send a request, signed by the operator, and see that the answer has the one shape."""
    signed = world.headers("operator", method, target, body)
    if body:
        signed["content-type"] = "application/json"
    signed.update({name.replace("_", "-"): value for name, value in headers.items()})
    response = await world.http.request(
        method,
        httpx.URL("http://exchange", raw_path=target.encode()),
        content=body,
        headers={k: v.encode("latin-1") for k, v in signed.items()},
    )
    check(response, f"{method} {target[:80]} {body[:80]!r}")
    return response


def check(response: httpx.Response, what: str) -> None:
    """See that an answer is a success or a problem in the one shape."""
    assert response.status_code != 500, what
    if response.status_code < 400:
        return
    assert response.status_code in STATUSES, f"{what}: {response.status_code}"
    assert response.headers["content-type"] == "application/problem+json", what
    check_problem(response.json(), what)
    assert response.json()["status"] == response.status_code


def check_problem(problem: dict[str, Any], what: str) -> None:
    assert re.fullmatch(r"[a-z0-9_]+", problem["code"]), what
    assert problem["request_id"], what
    assert problem["title"], what
    assert problem.get("detail") != "this is our mistake; the request id is in our log", what


async def test_every_endpoint_refuses_every_hostile_document(world: World):
    bodies = [e for e in endpoints(world) if e[2] is not None]
    assert len(bodies) > 8
    for method, path, _, _ in bodies:
        for name, raw in DOCUMENTS.items():
            response = await request(world, method, filled(path), raw)
            if name == "empty object" and (response.status_code == 404 or says_enough(path)):
                continue  # nothing to change, of nothing there; or all of it has a default
            assert response.status_code >= 400, (path, name, response.text)
            assert response.json()["code"] not in ("unavailable", "not_found"), (path, name)


def says_enough(path: str) -> bool:
    """Return whether a request without a word in it has a meaning."""
    return path.endswith(("/auction", "/guards", "/scenarios", "/what-if"))


async def test_every_field_refuses_every_hostile_value(world: World):
    for method, path, shape, _ in endpoints(world):
        if shape is None:
            continue
        good = document(shape)
        for field in good:
            for name, value in VALUES.items():
                raw = with_value(good, field, value)
                response = await request(world, method, filled(path), raw)
                if response.status_code < 400:
                    assert harmless(field, name), (path, field, name, response.text)


def harmless(field: str, name: str) -> bool:
    """Say whether a value of the corpus is a right one for a field."""
    words = {"name", "label", "note", "reason"}
    if field in words:
        return name.startswith(("text", "number")) or name in {
            "sql", "template", "path", "html", "backtick message", "emoji", "comma", "underscore",
            "no whole", "no fraction", "many decimals", "many digits", "arabic digits",
            "full width digits", "superscript",
        }  # fmt: skip
    if name == "number" and field in {
        "group", "timeout_ms", "window_ms", "fills", "orders_per_second", "open_orders",
        "ends_after_ms", "velocity_bps", "velocity_ms", "daily_bps", "daily_next_bps",
        "auction_ms", "protection_bps", "trail_bps", "daily_move_bps", "last_trade",
        "gpus", "turnover_gpu_hours",
    }:  # fmt: skip
        return True
    return (field, name) in {
        ("post_only", "true"), ("post_only", "false"), ("reduce_only", "true"),
        ("reduce_only", "false"), ("expires_at", "number"), ("band_bps", "number"),
        ("range_bps", "number"),
        ("ip_allow", "array"), ("cancel_on_disconnect", "true"), ("cancel_on_disconnect", "false"),
        ("id", "number"), ("recv_window", "number"), ("timestamp", "number"),
        ("client_order_id", "text nan"), ("client_order_id", "text infinity"),
        ("dry_run", "true"), ("dry_run", "false"), ("override", "true"), ("override", "false"),
        ("orders", "array"), ("positions", "array"), ("prices", "array"), ("alone", "true"),
        ("alone", "false"), ("report", "true"), ("report", "false"),
        ("cash", "text minus"), ("cash", "text minus zero"),
        ("collateral", "text minus"), ("collateral", "text minus zero"),
    } or field in {
        "client_order_id", "transfer_id", "account_id", "kind", "address", "reference", "audit",
        "acceptance", "correction_id",
    }  # fmt: skip


async def test_every_field_refuses_to_be_given_twice(world: World):
    for method, path, shape, _ in endpoints(world):
        for field in document(shape) if shape else ():
            response = await request(
                world, method, filled(path), with_duplicate(document(shape), field)
            )
            assert response.json()["code"] == "json_duplicate_key", (path, field, response.text)
            assert response.json()["field"] == field


async def test_every_path_parameter_survives_every_hostile_text(world: World):
    for method, path, shape, _ in endpoints(world):
        if "{" not in path:
            continue
        body = json.dumps(document(shape)).encode() if shape else b""
        for text in TEXTS.values():
            await request(world, method, filled(path, text or "%20"), body)


async def test_every_query_parameter_refuses_every_hostile_text(world: World):
    for method, path, _, query in endpoints(world):
        names = [f.name for f in msgspec.structs.fields(query)] if query else []
        for name in [*names, "no_such_parameter"]:
            for text in TEXTS.values():
                await request(world, method, f"{filled(path)}?{name}={text}")
            twice = await request(world, method, f"{filled(path)}?{name}=1&{name}=1")
            if query is not None:
                assert twice.status_code in (404, 422), (path, name)
        for raw in ("&&&", "=", "%00=%00", "a", "a=1&b", "%ff=%ff", "x" * 5000, "limit=1;cursor=2"):
            await request(world, method, f"{filled(path)}?{raw}")


async def test_limits_and_cursors_out_of_range_are_refused(world: World):
    for method, path, _, query in endpoints(world):
        if query is None or "limit" not in {f.name for f in msgspec.structs.fields(query)}:
            continue
        for bad in ("limit=0", "limit=-1", "limit=1001", "limit=1.0", "cursor=-1", "cursor=x"):
            response = await request(world, method, f"{filled(path)}?{bad}")
            assert response.status_code == 422, (path, bad, response.text)


async def test_hostile_headers_are_refused(world: World):
    for method, path, shape, _ in endpoints(world):
        body = json.dumps(document(shape)).encode() if shape else b""
        private = path.startswith("/api/v1/") and (
            await world.http.request(method, filled(path), content=body)
        ).status_code in (401, 415)
        for header in ("WH-KEY", "WH-TIMESTAMP", "WH-RECV-WINDOW", "WH-SIGN"):
            for name, value in HEADERS.items():
                response = await request(world, method, filled(path), body, **{header: value})
                if private:
                    assert response.status_code in (400, 401), (path, header, name)


async def test_other_content_types_are_refused(world: World):
    for method, path, shape, _ in endpoints(world):
        if shape is None:
            continue
        body = json.dumps(document(shape)).encode()
        for media in MEDIA:
            response = await request(world, method, filled(path), body, content_type=media)
            assert response.status_code == 415, (path, media)


def covers(template: str, path: str) -> bool:
    """Say whether a route's path matches another's: `/orders/{id}` matches `/orders/batch`."""
    pattern = re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+:path\}", ".+", template))
    return re.fullmatch(pattern, filled(path)) is not None


async def test_other_methods_are_refused_in_the_one_shape(world: World):
    paths = {path for _, path, _, _ in endpoints(world)}
    for path in sorted(paths):
        known = {m for m, p, _, _ in endpoints(world) if covers(p, path)}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FOO"}:
            if method in known:
                continue
            response = await world.http.request(method, filled(path))
            assert response.status_code == 405, (method, path)
            if method != "HEAD":
                assert response.json()["code"] == "method_not_allowed"
                assert set(response.headers["allow"].split(", ")) <= known


async def test_addresses_that_are_not_there_are_not_found(world: World):
    for path in ("/api", "/api/v1/orders/", "/api/v2/time", "//",
                 "/%2e%2e/", "/api/v1/time/", "/API/V1/TIME"):  # fmt: skip
        response = await request(world, "GET", path)
        assert response.status_code == 404, path


async def test_a_body_above_the_cap_is_refused_before_it_is_read(world: World):
    async def endless():
        while True:
            yield b"a" * 1024

    headers = world.headers("alice", "POST", "/api/v1/orders")
    headers["content-type"] = "application/json"
    response = await world.http.post("/api/v1/orders", content=endless(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


# Websocket


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(world: World):
    async with world.serving(PICOWS) as url:
        yield url


FRAME_BYTES = 1 << 15


def in_frames(data: bytes) -> bytes | list[bytes]:
    frames = [data[at : at + FRAME_BYTES] for at in range(0, len(data), FRAME_BYTES)]
    return frames if len(frames) > 1 else data


async def answered(socket: Any, raw: bytes | str, what: object) -> dict[str, Any]:
    """Send a message; see that a reply comes and that the connection lives on.

    A long one goes in frames of 32 KiB: a frame above 128 KiB ends the connection.
    """
    data = raw if isinstance(raw, bytes) else raw.encode()
    await socket.send(in_frames(data), text=True)
    while True:
        reply = json.loads(await asyncio.wait_for(socket.recv(), 60))
        if "ok" in reply:
            break
    assert set(reply) >= {"id", "ok", "seq", "ts_ns"}, what
    if not reply["ok"]:
        check_problem(reply["error"], str(what))
    return reply


@pytest.mark.parametrize("logged_in", [False, True])
async def test_every_op_answers_every_hostile_value(world: World, address: str, logged_in: bool):
    async with connect(address, max_size=None, compression=None) as socket:
        if logged_in:
            login = json.dumps({"op": "auth", "id": 1, **world.auth("alice")})
            assert (await answered(socket, login, "auth"))["ok"]
        for tag, op in OPS.items():
            good = {"op": tag, **document(op)}
            for field in good:
                for name, value in VALUES.items():
                    raw = with_value(good, field, value)
                    reply = await answered(socket, raw, (tag, field, name))
                    if field in ("id", "op") and name not in ("number",):
                        allowed = field == "id" and (
                            tag in ("ping", "unsubscribe", "subscribe") or logged_in
                        )
                        assert not reply["ok"] or allowed, (tag, field, name)
        assert (await answered(socket, '{"op":"ping","id":"end"}', "end"))["id"] == "end"


async def test_every_op_refuses_a_field_given_twice(world: World, address: str):
    async with connect(address, max_size=None, compression=None) as socket:
        for tag, op in OPS.items():
            good = {"op": tag, **document(op)}
            for field in good:
                reply = await answered(socket, with_duplicate(good, field), (tag, field))
                assert reply["error"]["code"] == "json_duplicate_key", (tag, field)


async def test_hostile_documents_are_answered(world: World, address: str):
    async with connect(address, max_size=None, compression=None) as socket:
        for name, raw in DOCUMENTS.items():
            reply = await answered(socket, raw, name)
            assert not reply["ok"], name
            assert reply["error"]["code"] != "unavailable", name
        for name, raw in DOCUMENTS.items():
            await socket.send(in_frames(raw), text=False)
            reply = json.loads(await asyncio.wait_for(socket.recv(), 60))
            assert reply["error"]["code"] == "frame_not_text", name


async def test_a_message_far_above_the_limit_is_answered(world: World, address: str):
    async with connect(address, max_size=None, compression=None) as socket:
        reply = await answered(socket, '{"op":"' + "a" * 120_000 + '"}', "large")
        assert reply["error"]["code"] == "body_too_large"
        assert (await answered(socket, '{"op":"ping"}', "after"))["ok"]
