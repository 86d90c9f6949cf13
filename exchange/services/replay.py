"""Order feeds: files of neutral 16-byte commands, run through the real kernels.

The market of a replay is an ordinary one: accounts, contracts and margin scenarios, all made by
commands before. An order of the feed belongs to the account of its id modulo their number.
"""

import lzma
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import numpy as np

from exchange.rules.operations import stage_commands, swap_command
from matching._memory import handle_of
from matching.codes import EventKind, Kind, TradingState
from matching.engine import Engine, warm_up
from matching.feed import (
    FEED_COMMAND,
    HASH_START,
    Replay,
    chunk_handle,
    mix_trades,
    new_replay,
    note_rows,
    run_rows,
    stage_rows,
)
from matching.limits import (
    ACCOUNTS_MAX,
    CONTRACTS_MAX,
    POSITIONS_MAX,
    PRICE_BITS_DEFAULT,
    PRICE_BITS_MAX,
    QTY_LOTS_MAX,
    TRANSFER_USD_MICROS_MAX,
    WORST_COUNT_DEFAULT,
)
from matching.state import Sizes
from matching.wire import new_commands

HEADER: Final = struct.Struct("<4sIQIIii")
MAGIC: Final = b"HMF1"
FEED_ID_MAX: Final = 1 << 28
CHUNK_COMMANDS: Final = 1 << 16
CSV_HEADER: Final = "cmd,taker,maker,px,qty\n"
SCENARIOS: Final = 64  # of a margined replay, so that figures compare over the years
SHOCK_STEP_BPS: Final = 137  # 32 steps each way: the price moves by up to 43.84 %
RESIDENT_BYTES: Final = (32 << 20, 1 << 29)  # half a million orders, books of 500 contracts
KEYS: Final = ("commands", "refused", "trades", "qty", "trade_hash", "ns_per_command", "state_hash")

Tell = Callable[[str, int, int], None]


class FeedError(Exception):
    """The file is no feed, or one that does not fit the market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the first 32 bytes of a feed say."""

    commands: int
    instruments: int
    feed_id_max: int
    price_ticks_min: int
    price_ticks_max: int

    @property
    def price_bits(self) -> int:
        """Return the smallest usual price domain that holds the feed's prices."""
        return max(PRICE_BITS_DEFAULT, (self.price_ticks_max + 1).bit_length())

    @property
    def mark_ticks(self) -> int:
        """Return a price in the middle, where the contracts are marked."""
        return max(1, (self.price_ticks_min + self.price_ticks_max) // 2)


@dataclass(slots=True)
class Outcome:
    """What a replay has added up so far."""

    commands: int = 0
    trades: int = 0
    qty_lots: int = 0
    mixed: int = HASH_START
    kernel_ns: int = 0


def read_header(file: BinaryIO) -> Header:
    """Return the header of a feed.

    Errors:
        FeedError: it is no feed, or larger than a market may be.
    """
    raw = file.read(HEADER.size)
    if len(raw) < HEADER.size or not raw.startswith(MAGIC):
        raise FeedError(f"not a feed: it must begin with {MAGIC.decode()} and {HEADER.size} bytes")
    _, version, commands, instruments, feed_id_max, low, high = HEADER.unpack(raw)
    if version != 1:
        raise FeedError(f"version 1 is known, this is {version}")
    if not 1 <= instruments <= CONTRACTS_MAX or not 0 < feed_id_max <= FEED_ID_MAX:
        raise FeedError(f"{instruments} instruments and ids to {feed_id_max} do not fit")
    if not 0 <= low <= high < 1 << PRICE_BITS_MAX:
        raise FeedError(f"prices {low}..{high} do not fit {PRICE_BITS_MAX} bits")
    return Header(
        commands=commands,
        instruments=instruments,
        feed_id_max=feed_id_max,
        price_ticks_min=low,
        price_ticks_max=high,
    )


def read_chunks(file: BinaryIO, header: Header) -> Iterator[np.ndarray]:
    """Yield the feed's commands in pieces, each held against the header.

    Errors:
        FeedError: fewer commands than promised, or one that names what is not there.
    """
    left = header.commands
    while left:
        count = min(left, CHUNK_COMMANDS)
        raw = file.read(count * FEED_COMMAND.itemsize)
        if len(raw) != count * FEED_COMMAND.itemsize:
            raise FeedError(f"it ends {left - len(raw) // FEED_COMMAND.itemsize} commands early")
        chunk = np.frombuffer(raw, FEED_COMMAND).copy()
        _hold(chunk, header)
        yield chunk
        left -= count


def _hold(chunk: np.ndarray, header: Header) -> None:
    """Refuse what the kernels would take for an index."""
    bounds = {"op": 4, "side": 1, "instrument": header.instruments - 1}
    for name, most in (bounds | {"feed_id": header.feed_id_max}).items():
        if int(chunk[name].max()) > most:
            raise FeedError(f"a command with {name} {int(chunk[name].max())}, the most is {most}")


def open_feed(path: Path) -> BinaryIO:
    """Open a feed; `.xz` is unpacked on the way."""
    opened = lzma.open if path.suffix == ".xz" else Path.open
    return cast(BinaryIO, opened(path, "rb"))


def open_market(header: Header, accounts: int, *, margin: bool, count: int = SCENARIOS) -> Engine:
    """Return an engine with the feed's market: funded accounts, contracts, scenarios.

    Errors:
        FeedError: it does not fit the limits of an engine.
    """
    positions = accounts * header.instruments + 1
    if accounts > ACCOUNTS_MAX or positions > POSITIONS_MAX:
        raise FeedError(f"{accounts} accounts in {header.instruments} contracts do not fit")
    sizes = Sizes(
        price_bits=header.price_bits,
        accounts=accounts,
        contracts=header.instruments,
        positions=positions,
    )
    engine = Engine(sizes)
    parts = [_fund(accounts), _list(header)]
    if margin:
        parts.append(_scenarios(header, count))
    rows = np.concatenate(parts)
    rows["seq"] = np.arange(1, len(rows) + 1)
    rows["ts_ns"] = 1
    events = engine.apply(rows)
    assert not (events["kind"] == EventKind.REFUSED).any(), "the market of a replay is lawful"
    return engine


def _fund(accounts: int) -> np.ndarray:
    """Return commands that open accounts, each with more money than any feed can lose."""
    rows = new_commands(2 * accounts)
    rows["account_idx"] = np.arange(accounts).repeat(2)
    rows["kind"][::2] = Kind.OPEN_ACCOUNT
    rows["kind"][1::2] = Kind.DEPOSIT
    rows["amount_usd_micros"][1::2] = TRANSFER_USD_MICROS_MAX
    return rows


def _list(header: Header) -> np.ndarray:
    """Return commands that list the contracts, without a price band."""
    rows = new_commands(header.instruments)
    rows["kind"] = Kind.LIST
    rows["contract_idx"] = np.arange(header.instruments)
    rows["price_ticks"] = header.mark_ticks
    rows["amount_usd_micros"] = 1
    rows["qty_lots"] = QTY_LOTS_MAX
    rows["state"] = TradingState.CONTINUOUS
    return rows


def _scenarios(header: Header, count: int) -> np.ndarray:
    """Return commands that make every order pass the margin check, over all scenarios."""
    steps_bps = range(SHOCK_STEP_BPS, (count // 2 + 1) * SHOCK_STEP_BPS, SHOCK_STEP_BPS)
    shocks = [header.mark_ticks * sign * bps // 10_000 for bps in steps_bps for sign in (-1, 1)]
    staged = (stage_commands(idx, shocks) for idx in range(header.instruments))
    return np.concatenate([*staged, swap_command(count, WORST_COUNT_DEFAULT)])


class Runner:
    """One feed's way through one engine."""

    scenarios = SCENARIOS

    def __init__(self, header: Header, accounts: int, *, margin: bool) -> None:
        """Open the market; kernels are loaded before anything is timed."""
        self.engine = open_market(header, accounts, margin=margin, count=self.scenarios)
        self.replay: Replay = new_replay(
            header.feed_id_max, self.engine.sizes, accounts, self.engine.now_ns
        )
        self.outcome = Outcome()
        self.engine.make_resident(*RESIDENT_BYTES)
        self._kept = handle_of(self.engine.state), handle_of(self.replay)
        # What kernels know the state and the replay by.
        self.handles: tuple[Any, Any] = (self._kept[0].value, self._kept[1].value)
        self._compile()

    def _compile(self) -> None:
        """Load the kernels before anything is timed."""
        stage_rows(self.handles[1], chunk_handle(np.zeros(0, FEED_COMMAND)).value, 0, 0)
        self.apply_rows(0)
        note_rows(*self.handles, 0)
        mix_trades(self.replay.trades, 0, HASH_START)

    def apply_rows(self, first: int) -> int:
        """Apply the rows that are staged, from `first` on; return the first not applied."""
        applied: int = run_rows(*self.handles, first)
        return applied

    def run(self, chunk: np.ndarray) -> Iterator[np.ndarray]:
        """Run commands, and yield their trades, which are good until the next step."""
        place, handle = 0, chunk_handle(chunk)
        while place < len(chunk):
            place = stage_rows(self.handles[1], handle.value, place, len(chunk))
            yield from self._run_rows()
        self.replay.tally["done"] += len(chunk)
        self.outcome.commands += len(chunk)

    def _run_rows(self) -> Iterator[np.ndarray]:
        """Run the rows of a batch; only their application is timed."""
        row, outcome, tally = 0, self.outcome, self.replay.tally[0]
        while row < tally["rows"]:
            first = row
            begun_ns = time.perf_counter_ns()
            row = self.apply_rows(first)
            outcome.kernel_ns += time.perf_counter_ns() - begun_ns
            note_rows(*self.handles, first)
            trades = self.replay.trades[: tally["trades"]]
            outcome.trades += len(trades)
            outcome.qty_lots += int(trades["qty_lots"].sum())
            outcome.mixed = int(mix_trades(self.replay.trades, len(trades), outcome.mixed))
            yield trades

    def result(self, all_ns: int) -> dict[str, Any]:
        """Return what is known at the end."""
        outcome = self.outcome
        count = max(1, outcome.commands)
        return {
            "commands": outcome.commands,
            "refused": int(self.replay.tally[0]["refused"]),
            "trades": outcome.trades,
            "qty": outcome.qty_lots,
            "trade_hash": f"{outcome.mixed & (2**64 - 1):016x}",
            "ns_per_command": round(outcome.kernel_ns / count, 2),
            "ns_per_command_in_all": round(all_ns / count, 2),
            "state_hash": self.engine.state_hash().hex(),
        }


def replay_feed(
    path: Path,
    *,
    accounts: int = 1000,
    margin: bool = False,
    trades_path: Path | None = None,
    progress: Tell = lambda stage, done, total: None,
) -> dict[str, Any]:
    """Run a feed file through the kernels; return the figures named in `KEYS`, and one more.

    Errors:
        FeedError: the file is no feed, is damaged, or does not fit.
        OSError: it cannot be read, or the trades cannot be written.
    """
    try:
        with open_feed(path) as file:
            return _replay(file, accounts, margin, trades_path, progress)
    except (lzma.LZMAError, EOFError) as error:
        raise FeedError(f"it cannot be unpacked: {error}") from error


def _replay(
    file: BinaryIO, accounts: int, margin: bool, trades_path: Path | None, progress: Tell
) -> dict[str, Any]:
    header = read_header(file)
    warm_up(lambda _, done, total: progress("kernels", done, total))
    progress("feed kernels", 0, 0)
    runner = Runner(header, accounts, margin=margin)
    progress("feed kernels", 1, 1)
    begun_ns = time.perf_counter_ns()
    csv = trades_path.open("w") if trades_path is not None else None
    try:
        if csv is not None:
            csv.write(CSV_HEADER)
        for chunk in read_chunks(file, header):
            for trades in runner.run(chunk):
                if csv is not None:
                    csv.writelines(",".join(map(str, row)) + "\n" for row in trades.tolist())
            progress("commands", runner.outcome.commands, header.commands)
    finally:
        if csv is not None:
            csv.close()
    return runner.result(time.perf_counter_ns() - begun_ns)
