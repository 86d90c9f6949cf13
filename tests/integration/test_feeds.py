"""Order feeds give exactly the trades that independent engines agree on."""

import json
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.services.replay import FeedError, replay_feed

OWN = Path(__file__).parent / "feeds"
SHARED = Path(__file__).parents[3] / "shared" / "feeds"
KNOWN = {  # trades, lots, hash: where they are published with the feed
    "single_5m": (613_016, 4_981_796, "a53d138d1a5c2eb3"),
    "multi200_5m": (606_200, 4_889_769, "50210dfed2544442"),
    "lobster_aapl_1h": (4_135, 351_218, "01c4bef3bf4a245a"),
    "flash1_normal": (62_474, None, "ebb89a0acaaa1850"),
    "flash1_flash-crash": (70_178, None, "b768ded6086e87b0"),
}
NAMES = [
    *KNOWN,
    "single_small_1m",
    "full_reduce_1m",
    "lobster_aapl_1k",
    "quantcup_score",
    "bitstamp_20150501",
]


def feed(name: str) -> Path:
    """Return a feed's path, or skip where it is not to be had."""
    folder = OWN if name.startswith("synthetic") else SHARED
    path = folder / f"{name}.bin.xz"
    if not path.exists():
        pytest.skip(f"the feed {name} is not here")
    return path


def expected(path: Path) -> list[str]:
    """Return the expected trades, without the place of the command."""
    with lzma.open(str(path).replace(".bin.xz", ".trades.csv.xz"), "rt") as file:
        rows = file.read().splitlines()
    return [row.split(",", 1)[1] for row in rows] if rows[0].startswith("cmd,") else rows


def trades_of(csv: Path) -> list[str]:
    """Return the trades of a replay, without the place of the command."""
    return [row.split(",", 1)[1] for row in csv.read_text().splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_feed_gives_exactly_the_agreed_trades(name: str, tmp_path: Path) -> None:
    path, csv = feed(name), tmp_path / "trades.csv"

    found = replay_feed(path, trades_path=csv)

    assert trades_of(csv) == expected(path)
    if name in KNOWN:
        trades, lots, mixed = KNOWN[name]
        assert (found["trades"], found["trade_hash"]) == (trades, mixed)
        assert lots is None or found["qty"] == lots


@pytest.mark.parametrize("margin", [False, True])
def test_small_feed_gives_the_agreed_trades_with_their_places(margin: bool, tmp_path: Path) -> None:
    path, csv = feed("synthetic_20k"), tmp_path / "trades.csv"

    replay_feed(path, trades_path=csv, margin=margin)

    with lzma.open(OWN / "synthetic_20k.trades.csv.xz", "rt") as file:
        assert csv.read_text() == file.read()


def test_two_replays_end_in_one_state_and_the_accounts_matter() -> None:
    path = feed("synthetic_20k")

    once, again = replay_feed(path), replay_feed(path)
    fewer = replay_feed(path, accounts=10)

    assert once["state_hash"] == again["state_hash"] != fewer["state_hash"]
    assert once["trade_hash"] == fewer["trade_hash"]


RUN = """
import json, sys
from pathlib import Path
from exchange.services.replay import replay_feed
print(json.dumps(replay_feed(Path(sys.argv[1]), accounts=50, margin=True)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("flag", ["NUMBA_DISABLE_JIT", "NUMBA_BOUNDSCHECK"])
def test_jit_off_and_bounds_checked_end_in_the_same_state(flag: str) -> None:
    path = feed("synthetic_20k")
    same = ("commands", "refused", "trades", "qty", "trade_hash", "state_hash")

    ran = subprocess.run(
        [sys.executable, "-c", RUN, str(path)],
        env=os.environ | {flag: "1"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )

    other, here = json.loads(ran.stdout), replay_feed(path, accounts=50, margin=True)
    assert [other[key] for key in same] == [here[key] for key in same]


def damaged(tmp_path: Path, change: slice, by: bytes) -> Path:
    """Return a feed with some bytes replaced."""
    with lzma.open(OWN / "synthetic_20k.bin.xz") as file:
        raw = bytearray(file.read())
    raw[change] = by
    path = tmp_path / "damaged.bin"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    ("change", "by"),
    [
        (slice(0, 4), b"HMF2"),  # not a feed
        (slice(4, 8), b"\2\0\0\0"),  # another version
        (slice(16, 20), b"\xff\xff\xff\xff"),  # too many instruments
        (slice(32, 33), b"\x09"),  # an unknown operation
        (slice(34, 36), b"\x01\x00"),  # an instrument that is not there
        (slice(36, 40), b"\xff\xff\xff\xff"),  # an id beyond the largest
        (slice(1000, None), b""),  # cut
    ],
)
def test_damaged_feed_is_refused(change: slice, by: bytes, tmp_path: Path) -> None:
    with pytest.raises(FeedError):
        replay_feed(damaged(tmp_path, change, by))


def test_file_that_does_not_unpack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.bin.xz"
    path.write_bytes(b"HMF1 but not packed")

    with pytest.raises(FeedError, match="unpacked"):
        replay_feed(path)


def test_whoever_waits_hears_of_kernels_before_commands() -> None:
    told: list[tuple[str, int, int]] = []
    found = replay_feed(
        feed("synthetic_20k"), progress=lambda stage, done, total: told.append((stage, done, total))
    )
    stages = list(dict.fromkeys(stage for stage, _, _ in told))
    assert stages == ["kernels", "feed kernels", "commands"]
    for stage in stages:
        *_, last = (counts for name, *counts in told if name == stage)
        assert last[0] == last[1] > 0
    assert told[-1] == ("commands", found["commands"], found["commands"])
