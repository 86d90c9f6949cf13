"""Asking a source over HTTPS: what it may be led to, and what it may answer."""

import asyncio
import json
import threading
import time
from contextlib import asynccontextmanager

import pytest

from exchange.io import fetching
from exchange.io.fetching import FetchRefused, fetch, is_public, resolve_name, tell
from exchange.io.observation_fetch import fetch_and_record, load_sources
from exchange.io.observations import Outcome, RowAnswer
from exchange.rules.addresses import AddressInvalid, https_address
from exchange.rules.observation_sources import SourceInvalid, parse_source
from exchange.services.observer import Observer

PUBLIC = "93.184.216.34"
ROWS = [{"place": "us-east1", "price": 19.6, "name": "a"}, {"place": "eu", "price": "x"}]
SOURCE = {
    "name": "cloud", "url": "https://prices.example.com/list?all=1", "licence": "open",
    "rows": "data.items", "divide_by": 8, "nightly": True,
    "fields": {"provider": "=cloud", "sku": "=H100-SXM", "kind": "=on-demand", "region": "place",
               "usd_per_gpu_hour": "price", "instance": "name", "gpus_per_instance": "=8"},
}  # fmt: skip
SPEC = parse_source(SOURCE, ["prices.example.com"])


def http(body, status="200 OK", media="application/json", more=""):
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    ).encode() + body


GOOD = http(json.dumps({"data": {"items": ROWS}}).encode())


class Net:
    """A network with one server on it, and a resolver that can be lied to."""

    def __init__(self, answer, addresses=(PUBLIC,), stays_open=False):
        self.answer = answer
        self.addresses = list(addresses)
        self.stays_open = stays_open
        self.connected = []
        self.heard = b""

    async def resolve(self, host):
        return self.addresses

    async def connect(self, address, host):
        self.connected.append((address, host))
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def _serve(self, reader, writer):
        self.heard = await reader.readuntil(b"\r\n\r\n")
        writer.write(self.answer)
        if self.stays_open:
            await asyncio.sleep(5)
        writer.close()

    @asynccontextmanager
    async def on(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()

    async def fetch(self, timeout_s=60.0):
        async with self.on():
            return await fetch(SPEC, self.resolve, self.connect, timeout_s)


async def test_the_connection_is_made_to_the_address_that_was_looked_at():
    net = Net(GOOD)
    assert json.loads(await net.fetch()) == {"data": {"items": ROWS}}
    assert net.connected == [(PUBLIC, "prices.example.com")]
    assert net.heard.startswith(b"GET /list?all=1 HTTP/1.1\r\nHost: prices.example.com\r\n")
    assert b"cookie" not in net.heard.lower() and b"authorization" not in net.heard.lower()


async def test_an_answer_in_chunks_is_put_together():
    net = Net(b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
              b"Transfer-Encoding: chunked\r\n\r\n"
              b"2\r\n[1\r\n2\r\n,2\r\n1\r\n]\r\n0\r\n\r\n")  # fmt: skip
    assert await net.fetch() == b"[1,2]"


@pytest.mark.parametrize(
    "addresses",
    [[], ["127.0.0.1"], ["10.0.0.8"], ["169.254.169.254"], ["192.168.1.1"], ["100.64.0.1"],
     ["0.0.0.0"], ["224.0.0.1"], ["::1"], ["fe80::1"], ["fd00::1"], ["::ffff:10.0.0.1"],
     ["::ffff:93.184.216.34"], ["64:ff9b::a00:1"], ["2002:a00:1::"], ["fe80::1%eth0"],
     [PUBLIC, "10.0.0.1"], ["nonsense"]],
)  # fmt: skip
async def test_a_name_that_leads_inside_is_not_asked(addresses):
    net = Net(GOOD, addresses)
    with pytest.raises(FetchRefused, match="not a public address"):
        await net.fetch()
    assert net.connected == []


def test_public_addresses_are_public():
    assert is_public(PUBLIC) and is_public("2606:2800:220:1:248:1893:25c8:1946")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"", "302 Found", more="Location: http://169.254.169.254/\r\n"), "redirects"),
        (http(b"[]", "500 No"), "answered 500"),
        (http(b"[]", media="text/html"), "no application/json"),
        (http(b"[]", more="Content-Encoding: gzip\r\n"), "packed"),
        (GOOD[:-5], "broke off"),
        (b"", "broke off"),
        (b"SSH-2.0-x\r\n", "prices.example.com"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 20_000, "too many headers"),
    ],
)
async def test_an_answer_that_is_not_what_was_asked_for_is_not_taken(answer, why):
    with pytest.raises(FetchRefused, match=why):
        await Net(answer).fetch()


async def test_an_answer_ends_at_its_size_and_at_its_time(monkeypatch):
    monkeypatch.setattr(fetching, "BODY_BYTES_MAX", 10)
    with pytest.raises(FetchRefused, match="more than 10 bytes"):
        await Net(GOOD).fetch()
    with pytest.raises(FetchRefused, match="did not answer whole"):
        await Net(GOOD[:60], stays_open=True).fetch(timeout_s=0.2)


HOOK = https_address("https://hooks.example.com/in?x=1")


async def told(net, address=HOOK, timeout_s=60.0):
    async with net.on():
        headers = {"WH-SIGN": "abc"}
        return await tell(address, headers, b'{"a":1}', net.resolve, net.connect, timeout_s)


async def test_a_receiver_is_told_once_and_asked_for_nothing_but_its_status():
    for status in (204, 302, 500):
        net = Net(
            f"HTTP/1.1 {status} X\r\nContent-Length: 999999\r\n\r\n".encode(), stays_open=True
        )
        assert await told(net) == status
        head = net.heard.decode()
        assert head.startswith("POST /in?x=1 HTTP/1.1\r\nHost: hooks.example.com\r\n")
        assert "Content-Length: 7\r\n" in head and "WH-SIGN: abc\r\n" in head
        assert net.connected == [(PUBLIC, "hooks.example.com")]


async def test_what_a_receiver_says_before_its_answer_is_not_its_answer():
    first = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    more = b"HTTP/1.1 100 Continue\r\n\r\n" * 200
    final = b"HTTP/1.1 204 No Content\r\n\r\n"
    for said in (first + final, more + final):
        assert await told(Net(said, stays_open=True)) == 204
    with pytest.raises(FetchRefused, match="too many headers"):
        await told(Net(more * 20, stays_open=True))
    with pytest.raises(FetchRefused, match="broke off"):
        await told(Net(first))
    upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    with pytest.raises(FetchRefused, match="answered 101"):
        await told(Net(upgrade, stays_open=True))


async def test_a_receiver_that_leads_inside_is_not_told_unless_the_operator_allows_it():
    net = Net(http(b""), ["10.0.0.8"])
    with pytest.raises(FetchRefused, match="not a public address"):
        await told(net)
    assert net.connected == []
    inside = https_address("https://receiver:8443/in", {"receiver:8443"})
    assert await told(net, inside) == 200
    assert b"Host: receiver:8443\r\n" in net.heard


async def test_a_receiver_that_says_nothing_or_nonsense_is_given_up():
    for answer, why in (
        (b"", "broke off"),
        (b"SSH-2.0-x\r\n", "hooks"),
        (b"HTTP/1.1 200", "whole"),
    ):
        with pytest.raises(FetchRefused, match=why):
            stays_open = why == "whole"
            await told(Net(answer, stays_open=stays_open), timeout_s=0.2 if stays_open else 60.0)


class Kept:
    """A store that keeps what it is given."""

    def __init__(self):
        self.rows = []

    async def record(self, rows, batch):
        self.rows += rows
        return [RowAnswer("accepted", 1) for _ in rows]


async def test_what_a_source_says_becomes_observations_of_the_hour():
    store, now_ns = Kept(), time.time_ns()
    async with Net(GOOD).on() as net:
        await fetch_and_record(store, SPEC, now_ns, net.resolve, net.connect)
    good, bad = store.rows
    assert (good.price_usd_micros, good.size_gpus, good.hub, good.instance) == (
        2_450_000, 8, "USE", "a",
    )  # fmt: skip
    assert (good.source, good.licence) == ("cloud", "open")
    assert good.ts_ns == now_ns - now_ns % 3_600_000_000_000
    assert bad.reason == "price_invalid"


@pytest.mark.parametrize("body", [b"nope", b"[1]", b'{"data": {"items": {}}}', b"\xff", b"[NaN]",
                                  b"[" * 100_000])  # fmt: skip
async def test_an_answer_without_the_list_is_refused(body):
    async with Net(http(body)).on() as net:
        with pytest.raises(FetchRefused, match=r"no JSON|no list"):
            await fetch_and_record(Kept(), SPEC, time.time_ns(), net.resolve, net.connect)


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://prices.example.com/"},
        {"url": "https://prices.example.com:8443/"},
        {"url": "https://me:secret@prices.example.com/"},
        {"url": "https://evil.example.com/"},
        {"url": "https://prices.example.com.evil.net/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://[::1]/"},
        {"url": "https://prices.example.com/a b"},
        {"url": "https://prices.example.com/\r\nX: y"},
        {"url": "https://prices.example.com/#x"},
        {"url": "file:///etc/passwd"},
        {"url": 7},
        {"licence": ""},
        {"divide_by": 0},
        {"divide_by": True},
        {"nightly": "yes"},
        {"fields": {}},
        {"fields": SOURCE["fields"] | {"source": "=other"}},
        {"fields": SOURCE["fields"] | {"nothing": "x"}},
        {"extra": 1},
        {"name": "../x"},
    ],
)
def test_a_row_that_may_not_be_asked_is_no_source(change):
    with pytest.raises(SourceInvalid):
        parse_source(SOURCE | change, ["prices.example.com"])


def test_sources_come_from_a_file_and_only_of_allowed_hosts(tmp_path):
    path = tmp_path / "sources.json"
    assert load_sources(path, []) == {}
    path.write_text(json.dumps({"sources": [SOURCE]}))
    assert load_sources(path, ["prices.example.com"]) == {"cloud": SPEC}
    twice = json.dumps({"sources": [SOURCE] * 2})
    for text, hosts in (
        (path.read_text(), []), ("[]", []), ("{", []), (twice, ["prices.example.com"]),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(SourceInvalid):
            load_sources(path, hosts)


async def test_nightly_sources_are_asked_once_a_night_before_the_index_and_again_after_a_failure():
    asked = []

    class At:
        def now_ns(self):
            return self.ns

    async def ask(store, spec, now_ns):
        asked.append(now_ns)
        if len(asked) == 1:
            raise FetchRefused("not now")
        return Outcome()

    clock, minute = At(), 60 * 10**9
    observer = Observer(Kept(), clock, lambda: {"cloud": SPEC}, fetch=ask)
    for at in (5, 10, 11, 12, 29, 31, 24 * 60 + 10):
        clock.ns = at * minute
        await observer.fetch_due()
    assert [ns // minute for ns in asked] == [10, 11, 24 * 60 + 10]


@pytest.mark.parametrize(
    "address",
    ["::127.0.0.1", "::808:808", "fec0::1", "5f00::1", "3fff::1", "2001::1", "2606:4700::1%1",
     "168.63.129.16", "192.0.0.8", "192.88.99.1", "64:ff9b:1::a"],
)  # fmt: skip
def test_an_address_that_no_public_host_has_is_not_public(address: str):
    assert not is_public(address)


async def test_a_name_server_that_hangs_keeps_no_other_name_waiting():
    hangs, looked = threading.Event(), []

    def look_up(host, port, **_):
        looked.append(host)
        if host.startswith("hangs"):
            hangs.wait()
        return [(0, 0, 0, "", (PUBLIC, port))]

    waiting = [asyncio.create_task(resolve_name(f"hangs{n}.test", look_up)) for n in range(40)]
    assert await resolve_name("quick.test", look_up) == [PUBLIC]
    for task in waiting[:20]:
        task.cancel()  # given up
    hangs.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found[20:] == [[PUBLIC]] * 20 and len(looked) == 41


async def test_a_name_that_is_none_is_refused_and_ends_nothing():
    with pytest.raises(AddressInvalid):
        https_address("https://x." + "a" * 64 + "/")
    longest = https_address("https://x." + "a" * 63 + "/")
    assert longest.host.endswith("a" * 63)

    async def resolve(host):
        raise UnicodeError("label too long")

    with pytest.raises(FetchRefused, match="label too long"):
        await tell(HOOK, {}, b"{}", resolve, None, 2.0)
    with pytest.raises(UnicodeError):
        await resolve_name("x." + "a" * 64)
