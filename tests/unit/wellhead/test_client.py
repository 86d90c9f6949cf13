"""The REST client: what it sends, what it makes of answers, when it asks again."""

import subprocess
import sys
import time
from decimal import Decimal

import pytest

from tests.unit.wellhead.fakes import KEY, SECRET, FakeRest, order_of
from wellhead import (
    ApiError,
    AsyncClient,
    AuthFailed,
    BadRequest,
    Client,
    ConnectionFailed,
    NotFound,
    ProtocolError,
    RateLimited,
    Refused,
    Unavailable,
)

ORDER = order_of({"symbol": "X", "side": "buy", "quantity": "3", "price": "2.150"})
MARGIN = dict.fromkeys(
    ("cash", "unsettled_pnl", "equity", "initial_margin", "price_loss", "free"), "1.000000"
)
PLACED = {"order": ORDER, "trades": [], "duplicate": False, "seq": 11}


def client_of(fake, **kw):
    return Client(fake.url, KEY, SECRET, **kw)


def test_a_placed_order_is_signed_and_comes_back_typed():
    with FakeRest((201, PLACED)) as fake, client_of(fake) as client:
        placed = client.place("X", "buy", 3, Decimal("2.150"), tif="GTC", client_order_id="a-1")
        assert placed.order.price == Decimal("2.150") and placed.seq == 11
        method, target, body, headers = fake.seen[0]
        assert (method, target) == ("POST", "/api/v1/orders")
        assert b'"price":"2.150"' in body and b'"quantity":"3"' in body and b'"a-1"' in body
        assert headers["Content-Type"] == "application/json" and fake.signed()


@pytest.mark.parametrize("price", [2.15, True, None.__class__])
def test_a_price_that_is_no_exact_number_is_a_type_error(price):
    with Client("http://127.0.0.1:9", KEY, SECRET) as client, pytest.raises(TypeError):
        client.place("X", "buy", 3, price)


def test_a_lost_answer_to_an_order_is_asked_for_again_with_the_same_id():
    with FakeRest(None, (200, PLACED | {"duplicate": True})) as fake, client_of(fake) as client:
        assert client.place("X", "buy", 3, "2.150").duplicate
        first, second = fake.seen
        assert first[2] == second[2] and b"client_order_id" in first[2]
        assert first[3]["WH-SIGN"] != second[3]["WH-SIGN"]


def test_a_lost_answer_to_an_amendment_is_not():
    with FakeRest(None) as fake, client_of(fake) as client:
        with pytest.raises(ConnectionFailed, match="no answer"):
            client.amend("7", quantity=2)
        assert len(fake.seen) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequest),
        (401, AuthFailed),
        (403, AuthFailed),
        (404, NotFound),
        (409, Refused),
        (413, BadRequest),
        (422, Refused),
        (418, ApiError),
    ],
)
def test_a_problem_becomes_its_exception_with_code_and_field(status, kind):
    problem = {"status": status, "code": "some_code", "detail": "why", "field": "price"}
    answer = FakeRest((status, problem | {"request_id": "r1"}))
    with answer as fake, client_of(fake) as client, pytest.raises(kind) as caught:
        client.cancel("7")
    error = caught.value
    assert type(error) is kind
    assert (error.code, error.field, error.request_id, error.status) == (
        "some_code",
        "price",
        "r1",
        status,
    )
    assert str(error) == "some_code: why (field price)"


def test_a_page_that_is_not_the_exchanges_is_an_api_error_and_no_crash():
    answer = FakeRest((502, b"<html>bad gateway"))
    with answer as fake, client_of(fake) as client, pytest.raises(ApiError, match="http_502"):
        client.cancel("7")


@pytest.mark.parametrize("content", [b"[]", b"{", b'{"order": 5}', b'{"order": {"order_id": 1}}'])
def test_an_answer_of_another_shape_is_a_protocol_error(content):
    answer = FakeRest((200, content))
    with answer as fake, client_of(fake) as client, pytest.raises(ProtocolError):
        client.order("7")


def test_not_now_is_asked_again_after_the_pause_that_was_asked_for():
    busy = (503, {"status": 503, "code": "halted"}, {"Retry-After": "0.05"})
    with FakeRest(busy, (200, {"ts": 5, "seq": 1})) as fake, client_of(fake) as client:
        began = time.monotonic()
        assert client.time().ts == 5
        assert time.monotonic() - began >= 0.05


def test_a_pause_too_long_is_told_at_once():
    busy = (429, {"status": 429, "code": "rate_limited"}, {"Retry-After": "60"})
    with FakeRest(busy) as fake, client_of(fake) as client:
        with pytest.raises(RateLimited) as caught:
            client.status()
        assert caught.value.retry_after_s == 60


def test_asking_again_ends():
    busy = (503, {"status": 503, "code": "halted"}, {"Retry-After": "0"})
    with FakeRest(busy, busy, busy) as fake, client_of(fake, retries=2) as client:
        with pytest.raises(Unavailable):
            client.status()
        assert len(fake.seen) == 3


def test_a_clock_that_is_off_is_set_once_and_the_request_signed_anew():
    late = (401, {"status": 401, "code": "timestamp_invalid"})
    now = int(time.time() * 1000) + 3_600_000
    script = late, (200, {"ts": now, "seq": 1}), (200, {"margin": MARGIN})
    with FakeRest(*script) as fake, client_of(fake) as client:
        client.margin()
        assert [s[1] for s in fake.seen] == ["/api/v1/margin", "/api/v1/time", "/api/v1/margin"]
        assert abs(int(fake.seen[-1][3]["WH-TIMESTAMP"]) - now) < 5_000


def test_a_wrong_key_is_not_tried_twice():
    with FakeRest((401, {"status": 401, "code": "auth_failed"})) as fake, client_of(fake) as client:
        with pytest.raises(AuthFailed):
            client.balances()
        assert len(fake.seen) == 1


def test_without_a_key_public_data_is_read_and_private_is_refused_here():
    with FakeRest((200, {"ts": 5})) as fake, Client(fake.url) as client:
        assert client.time().ts == 5
        assert "WH-KEY" not in fake.seen[0][3]
        with pytest.raises(AuthFailed, match="auth_missing"):
            client.orders()


def test_a_key_without_its_secret_is_a_type_error():
    with pytest.raises(TypeError, match="together"):
        Client("http://127.0.0.1:9", KEY)


def fill(number):
    return {
        "trade_id": str(number),
        "order_id": "1",
        "symbol": "X",
        "side": "buy",
        "price": "2",
        "quantity": "1",
        "role": "maker",
        "seq": number,
    }


def test_iterate_follows_the_cursor_to_the_end():
    pages = [
        (200, {"fills": [fill(1), fill(2)], "next_cursor": "c2", "seq": 9}),
        (200, {"fills": [fill(3)], "next_cursor": None, "seq": 9}),
    ]
    with FakeRest(*pages) as fake, client_of(fake) as client:
        assert [f.seq for f in client.iterate(client.fills, symbol="X")] == [1, 2, 3]
        assert fake.seen[1][1] == "/api/v1/fills?symbol=X&cursor=c2" and fake.signed(1)


def test_a_strange_symbol_cannot_change_the_path():
    with FakeRest((404, {"status": 404, "code": "not_found"})) as fake, client_of(fake) as client:
        with pytest.raises(NotFound):
            client.instrument("../admin?x=1#é")
        assert fake.seen[0][1] == "/api/v1/instruments/..%2Fadmin%3Fx%3D1%23%C3%A9"


@pytest.mark.parametrize("ids", [{}, {"order_id": "1", "client_order_id": "a"}])
def test_an_order_is_named_by_one_of_its_ids(ids):
    with Client("http://127.0.0.1:9", KEY, SECRET) as client, pytest.raises(TypeError, match="or"):
        client.cancel(**ids)


async def test_the_client_for_asyncio_does_the_same():
    pages = [
        (201, PLACED),
        (200, {"fills": [fill(1)], "next_cursor": "n", "seq": 9}),
        (200, {"fills": [fill(2)], "next_cursor": None, "seq": 9}),
    ]
    with FakeRest(*pages) as fake:
        async with AsyncClient(fake.url, KEY, SECRET) as client:
            assert (await client.place("X", "buy", 3, "2.150")).order.status == "open"
            assert [f.seq async for f in client.iterate(client.fills)] == [1, 2]
            assert fake.signed(0) and fake.signed(2)


def test_the_client_without_asyncio_is_made_from_the_one_with_it():
    command = [sys.executable, "-m", "tools.sync_client", "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_importing_the_package_loads_nothing_heavy_and_no_exchange():
    code = (
        "import sys, wellhead; heavy = {'httpx', 'asyncio', 'msgspec', 'rich', 'exchange', 'api'};"
        "print(heavy & set(sys.modules)); from wellhead import Client, AsyncClient;"
        "print({'exchange', 'api', 'matching', 'numba', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["set()", "set()"], done.stdout + done.stderr
