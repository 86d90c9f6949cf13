"""The parts of a node that need no database: port, mode, key file, crew, metrics, notes."""

import asyncio
import contextlib
import errno
import os
import signal
import socket
import subprocess
import time
import urllib.request
from contextlib import AsyncExitStack
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from structlog.testing import capture_logs

from exchange.config import Role, Settings
from exchange.io.batch import Batch
from exchange.io.db import Database
from exchange.io.errors import PortTaken, StartRefused
from exchange.io.folder import DataFolder
from exchange.io.status import Mode, Status
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_notes import notes_of
from exchange.services import outbox
from exchange.services.node import engine, follower_child, ground
from exchange.services.node.buses import check_apart
from exchange.services.node.crew import Crew
from exchange.services.node.follower_child import FollowerChild
from exchange.services.node.front import Front, bind, url_of
from exchange.services.node.metrics import Numbers, serve_metrics
from exchange.services.node.reading import Noter
from exchange.services.node.watching import choose_mode
from matching.codes import Kind
from tests.support.api_world import running
from tests.support.market import opening, orders, small_engine
from tests.support.rows import command, stamped
from tests.support.waiting import until

NOWHERE = Database("", "postgresql://nobody@127.0.0.1:1/x", None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# The port


def test_a_taken_port_is_refused_with_the_name_of_the_setting():
    with bind(Settings(port=0)) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"{port}.*WELLHEAD_PORT"):
            bind(Settings(port=port))


@pytest.mark.parametrize(
    ("host", "url"), [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")]
)
def test_the_address_is_one_that_can_be_opened(host, url):
    with bind(Settings(host=host, port=0)) as taken:
        assert url_of(taken) == f"{url}{taken.getsockname()[1]}"


# Roles


def test_roles_apart_need_a_database_in_common():
    with pytest.raises(StartRefused, match="WELLHEAD_DATABASE_URL"):
        check_apart(Settings(roles=(Role.GATEWAY,)))
    check_apart(Settings())


def test_processes_that_share_keys_need_a_secret_in_common(tmp_path):
    folder = DataFolder(tmp_path)
    apart = Settings(roles=(Role.GATEWAY,), redis_url="redis://x", database_url="postgresql://x")
    with pytest.raises(StartRefused, match="WELLHEAD_SECRET_KEY"):
        ground.key_text(apart, folder)
    given = apart.model_copy(update={"secret_key": None, "roles": (Role.CLEARING,)})
    assert ground.key_text(given, folder) == ground.key_text(Settings(), folder)


# The mode


@pytest.mark.parametrize(
    ("mode", "lag", "is_corrupt", "then"),
    [
        (Mode.NORMAL, 0, False, Mode.NORMAL),
        (Mode.NORMAL, 101, False, Mode.CANCEL_ONLY),
        (Mode.NORMAL, 0, True, Mode.CANCEL_ONLY),
        (Mode.CANCEL_ONLY, 60, False, Mode.CANCEL_ONLY),
        (Mode.CANCEL_ONLY, 49, False, Mode.NORMAL),
        (Mode.CANCEL_ONLY, 0, True, Mode.CANCEL_ONLY),
        (Mode.HALTED, 1000, True, Mode.HALTED),
        (Mode.RECOVERING, 1000, False, Mode.RECOVERING),
    ],
)
def test_only_what_lowers_risk_is_taken_while_clearing_is_behind(mode, lag, is_corrupt, then):
    status = Status(mode=mode, journal_seq=1000, clearing_seq=1000 - lag)
    choose_mode(status, 100, is_corrupt)
    assert status.mode == then
    assert bool(status.reason) == (then == Mode.CANCEL_ONLY and mode == Mode.NORMAL)


# The crew


async def test_the_failure_of_one_task_stops_the_node_and_is_kept():
    async def fail() -> None:
        raise ValueError("planted")

    crew = Crew(asyncio.Event())
    crew.start("good", asyncio.sleep(60))
    crew.start("bad", fail())
    await asyncio.wait_for(crew.stop.wait(), 60)
    await crew.end()
    assert isinstance(crew.error, ValueError)


async def test_two_tasks_of_one_name_are_refused_since_one_would_never_be_ended():
    crew = Crew(asyncio.Event())
    crew.start("one", asyncio.sleep(60))
    second = asyncio.sleep(60)
    with pytest.raises(AssertionError, match="two tasks are one"):
        crew.start("one", second)
    second.close()
    await crew.end()


async def test_tasks_are_ended_by_name_and_all_together():
    crew = Crew(asyncio.Event())
    one, other = crew.start("one", asyncio.sleep(60)), crew.start("other", asyncio.sleep(60))
    await crew.end("one", "unknown")
    assert one.cancelled() and not other.done()
    assert not await crew.wait("other", 0.01)
    await crew.end()
    assert other.cancelled() and crew.error is None and not crew.stop.is_set()


# The child


async def test_a_child_that_ends_is_started_again_and_one_that_found_damage_is_not(monkeypatch):
    monkeypatch.setattr(follower_child, "LOOK_S", 0.01)
    monkeypatch.setattr(follower_child, "RETRY_FIRST_S", 0.01)
    child = FollowerChild(NOWHERE, "clearing")
    child.start()
    watching = asyncio.create_task(child.watch())
    first = child.pid
    assert first is not None
    child.wake()
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.pid != first)
    child.wake()
    child._process.kill()  # type: ignore[union-attr]
    child._process.wait()  # type: ignore[union-attr]
    child._process.returncode = follower_child.EXIT_CORRUPT  # type: ignore[union-attr]
    await asyncio.wait_for(watching, 60)
    assert child.is_corrupt
    await child.end()
    assert child.pid is None


async def test_a_child_that_the_system_has_no_room_for_is_tried_again(monkeypatch):
    monkeypatch.setattr(follower_child, "LOOK_S", 0.01)
    monkeypatch.setattr(follower_child, "RETRY_FIRST_S", 0.01)
    child = FollowerChild(NOWHERE, "clearing")
    child.start()
    watching = asyncio.create_task(child.watch())
    first, tries = child.pid, []
    popen = subprocess.Popen

    def sometimes(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return popen(*arguments, **options)

    monkeypatch.setattr(follower_child.subprocess, "Popen", sometimes)
    assert first is not None
    with capture_logs() as said:
        os.kill(first, signal.SIGKILL)
        await until(lambda: child.pid != first)
    assert len(tries) == 3 and not watching.done()
    assert [each["event"] for each in said].count("follower_died") == 1
    watching.cancel()
    await child.end()


async def test_waking_a_child_whose_pipe_was_closed_does_nothing():
    child = FollowerChild(NOWHERE, "clearing")
    child.start()
    child._close_pipe()
    child._say()  # nobody is told, and nothing is raised
    await child.end()
    child._say()
    assert child.pid is None


async def test_a_child_woken_often_is_told_at_once_and_then_once_in_a_while(monkeypatch):
    told: list[int] = []
    child = FollowerChild(NOWHERE, "clearing")
    monkeypatch.setattr(child, "_say", lambda: told.append(len(told)))
    monkeypatch.setattr(follower_child, "WAKE_EVERY_S", 0.02)
    child.wake()
    assert len(told) == 1
    for _ in range(5):
        child.wake()
    assert len(told) == 1
    await until(lambda: child._woken is None)
    assert len(told) == 2, "what came meanwhile is told, once"
    child.wake()
    assert len(told) == 3


# Metrics


async def test_metrics_are_read_when_asked_for():
    status = Status(mode=Mode.HALTED, journal_seq=7)
    numbers = Numbers(status)
    numbers.gauge("things", "Things.", lambda: 3)
    port = free_port()
    async with AsyncExitStack() as stack:
        url = serve_metrics(Settings(metrics_port=port), numbers, stack)
        assert url == f"http://127.0.0.1:{port}/metrics"
        text = await asyncio.to_thread(_get, url)
        assert 'wellhead_mode{mode="halted"} 1.0' in text
        assert "wellhead_things 3.0" in text and "wellhead_commands_total 7.0" in text
        with pytest.raises(PortTaken, match="WELLHEAD_METRICS_PORT"):
            serve_metrics(Settings(metrics_port=port), numbers, stack)
    with contextlib.closing(bind(Settings(port=port))):
        pass  # it is free again


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=60) as answer:
        return str(answer.read().decode())


async def test_a_gateway_counts_the_slots_for_contracts():
    async with running() as world:
        front = Front(gateway=world.gateway, feed=world.feed, hub=world.hub, keys=Mock(),
                      limits=world.limits, server=Mock(), begins_ns=0)  # fmt: skip
        numbers = Numbers(world.status)
        front.count(numbers)
        values = {one.name: one.samples[0].value for one in numbers.collect() if one.samples}
        assert (values["wellhead_contracts"], values["wellhead_contracts_max"]) == (2, 16_384)
        said = (await world.call("", "GET", "/status")).json()
        assert (said["contracts"], said["contracts_max"]) == (2, 16_384)


@pytest.mark.parametrize(("ahead_s", "waits_s"), [(-3, 0), (0.5, 0.5), (3600, 5)])
async def test_the_api_opens_when_a_signature_of_now_is_good(monkeypatch, ahead_s, waits_s):
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    now_ns = time.time_ns()
    monkeypatch.setattr("exchange.services.node.front.asyncio.sleep", sleep)
    monkeypatch.setattr("exchange.services.node.front.time.time_ns", lambda: now_ns)
    begins_ns = now_ns + int(ahead_s * 1_000_000_000)
    parts = dict.fromkeys(("gateway", "hub", "keys", "limits", "server"), Mock())
    feed, status = AsyncMock(), Status(clearing_seq=5)
    feed.begin.side_effect = (7, 0)  # 0: the database does not answer
    for _ in range(2):
        await Front(**parts, feed=feed, begins_ns=begins_ns).due(status)
        assert status.clearing_seq == 7  # the first answer says how far clearing is
    assert slept == [waits_s] * 2


@pytest.mark.parametrize(
    ("begins_s", "forgotten_s", "until_s"),
    [(1, 0, 0), (0, 6, 0), (2, 0, 2), (0, 7, 7), (3600, 7200, 7200)],
)
def test_a_clock_that_went_back_far_enough_is_noticed(monkeypatch, begins_s, forgotten_s, until_s):
    now_ns = 1_000_000 * 10**9
    monkeypatch.setattr("exchange.services.node.front.time.time_ns", lambda: now_ns)
    parts = dict.fromkeys(("gateway", "feed", "hub", "keys", "limits", "server"), Mock())
    begins_ns, forgotten_ns = now_ns + begins_s * 10**9, now_ns + forgotten_s * 10**9
    front = Front(**parts, begins_ns=begins_ns, forgotten_ns=lambda: forgotten_ns)
    assert front.behind_until_ns() == (now_ns + until_s * 10**9 if until_s else 0)


async def test_no_metrics_without_a_port():
    async with AsyncExitStack() as stack:
        assert serve_metrics(Settings(), Numbers(Status()), stack) is None


# Notes


def traded() -> Mirror:
    engine, mirror = small_engine(), Mirror()
    stream = orders(4)
    batch = stamped([opening(), *(next(stream) for _ in range(200))])
    mirror.apply(batch, engine.apply(batch))
    return mirror


async def test_notes_are_taken_at_the_very_command():
    mirror = traded()
    noter = Noter(mirror)
    assert await noter.at(mirror.seq) == notes_of(mirror)
    later = noter.at(mirror.seq + 1)
    batch = stamped([command(Kind.TICK)], mirror.seq + 1, mirror.ts_ns + 1)
    mirror.seq += 1  # as if it had applied it
    noter.observe(Batch(mirror.seq, batch, batch))
    assert later.done() and later.result() == notes_of(mirror)


def test_no_command_that_a_service_sends_is_everyday():
    answered = {*outbox._KINDS, Kind.MOVE_ASSET, Kind.CHARGE, Kind.TRANSFER_POSITION}
    assert Kind.PLACE in engine._EVERYDAY
    assert answered.isdisjoint(engine._EVERYDAY)
