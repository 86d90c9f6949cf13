"""Order feeds: neutral 16-byte commands, run through the core as ordinary commands.

A batch at a time, in three steps. `stage_rows` turns commands into COMMAND rows, one or two each
(a replacement is a cancellation and a new order): what a gateway would have sent, with the
exchange's own order ids. `run_rows` applies the rows as a batch is applied; it alone is what a
replay times. `note_rows` reads the events, and notes the trades by the feed's own ids.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from matching._jit import entry_kernel, kernel
from matching._memory import Handle, handle_of, viewer
from matching.apply import apply_command
from matching.codes import EventKind, Flag, Kind, Tif
from matching.foresight import look_ahead, outgrows_cache
from matching.lazy import lazy_zeros
from matching.limits import QTY_LOTS_MAX
from matching.pool import SLOT_MASK
from matching.sizes import Sizes
from matching.state import LONG, SLOT, view_state
from matching.wire import COMMAND, new_commands

FEED_COMMAND: Final = np.dtype(
    [
        ("op", "u1"),
        ("side", "u1"),
        ("instrument", "<u2"),
        ("feed_id", "<u4"),
        ("price_ticks", "<i4"),
        ("qty_lots", "<i4"),
    ]
)
assert FEED_COMMAND.itemsize == 16

FEED_TRADE: Final = np.dtype(
    [
        ("place", "<i8"),  # of the command in the feed
        ("taker", "<i8"),
        ("maker", "<i8"),
        ("price_ticks", "<i4"),
        ("qty_lots", "<i4"),
    ]
)
assert FEED_TRADE.itemsize == 32

ADD, CANCEL, REPLACE, REDUCE, IMMEDIATE = range(5)
BATCH = 1024  # commands whose events are kept together, as a batch of a busy sequencer
ROWS_MAX: Final = 2 * BATCH

TALLY: Final = np.dtype(
    [
        ("done", "<i8"),  # commands of the chunks before
        ("refused", "<i8"),
        ("trades", "<i8"),
        ("accounts", "<i8"),
        ("ts_ns", "<i8"),
        ("rows", "<i8"),
    ]
)
ORIGIN: Final = np.dtype(
    [
        ("place", "<i8"),  # of the row's command in the chunk
        ("order_id", "<i8"),  # of a row that places: what the exchange called the order
        ("feed_id", "<i4"),
        ("follows", "<i4"),  # 1: the second row of a replacement
        ("placed_by", "<i4"),  # the row of this batch that places the order named here, + 1; or 0
        ("spare", "<i4"),
    ]
)
assert ORIGIN.itemsize == 32


class Replay(NamedTuple):
    """What a replay keeps beside the state."""

    order_ids: np.ndarray  # by feed id; while its batch runs: -1 - the row that places it
    feed_ids: np.ndarray  # by order slot
    sides: np.ndarray  # by feed id: a replacement of the feed may not say it
    rows: np.ndarray  # COMMAND of the batch
    sources: np.ndarray  # ORIGIN by row
    trades: np.ndarray  # FEED_TRADE of the rows applied last
    tally: np.ndarray  # (1,) TALLY


def new_replay(feed_id_max: int, sizes: Sizes, accounts: int, ts_ns: int) -> Replay:
    """Return an empty replay, for a chunk of any size."""
    tally = np.zeros(1, TALLY)
    tally["accounts"], tally["ts_ns"] = accounts, ts_ns
    return Replay(
        order_ids=lazy_zeros(feed_id_max + 1, "<i8"),
        feed_ids=lazy_zeros(sizes.orders, "<i4"),
        sides=lazy_zeros(feed_id_max + 1, "<i4"),
        rows=new_commands(ROWS_MAX),
        sources=np.zeros(ROWS_MAX, ORIGIN),
        trades=lazy_zeros(sizes.events, FEED_TRADE),
        tally=tally,
    )


REPLAY_FIELDS: Final[dict[str, np.dtype[Any]]] = {
    "order_ids": LONG,
    "feed_ids": SLOT,
    "sides": SLOT,
    "rows": COMMAND,
    "sources": ORIGIN,
    "trades": FEED_TRADE,
    "tally": TALLY,
}
assert tuple(REPLAY_FIELDS) == Replay._fields

view_replay = viewer("Replay", REPLAY_FIELDS)


class Chunk(NamedTuple):
    """Commands of a feed, as kernels see them."""

    commands: np.ndarray  # FEED_COMMAND


CHUNK_FIELDS: Final[dict[str, np.dtype[Any]]] = {"commands": FEED_COMMAND}
view_chunk = viewer("Chunk", CHUNK_FIELDS)


def chunk_handle(commands: np.ndarray) -> Handle:
    """Return a handle to feed commands."""
    return handle_of(Chunk(np.ascontiguousarray(commands)))


@kernel
def add_row(replay, place, command, kind, follows):
    """Append a row that names its account, contract, side and order; return it."""
    tally = replay.tally[0]
    feed_id = np.int64(command["feed_id"])
    source = replay.sources[tally["rows"]]
    source["place"] = place
    source["feed_id"] = feed_id
    source["follows"] = follows
    source["order_id"] = 0
    row = replay.rows[tally["rows"]]
    tally["rows"] += 1
    row["ts_ns"] = tally["ts_ns"]
    row["kind"] = kind
    row["side"] = replay.sides[feed_id]
    row["tif"] = Tif.IOC if command["op"] == IMMEDIATE else Tif.GTC
    row["flags"] = Flag.QTY_IS_OPEN if kind == Kind.AMEND else 0
    row["account_idx"] = feed_id % tally["accounts"]
    row["contract_idx"] = command["instrument"]
    row["price_ticks"] = command["price_ticks"]
    row["qty_lots"] = command["qty_lots"]
    known = replay.order_ids[feed_id]
    placing = kind == Kind.PLACE
    row["order_id"] = 0 if placing or known < 0 else known
    source["placed_by"] = -known if not placing and known < 0 else 0
    if placing:
        replay.order_ids[feed_id] = -tally["rows"]
    return row


@kernel
def note_orders(replay):
    """Keep by the ids of the feed what the exchange called the orders of the last batch."""
    for place in range(replay.tally[0]["rows"]):
        if replay.rows[place]["kind"] == Kind.PLACE:
            source = replay.sources[place]
            replay.order_ids[np.int64(source["feed_id"])] = source["order_id"]


@kernel
def stage_command(replay, place, command):
    """Append the rows of one feed command."""
    op = command["op"]
    if op in (ADD, IMMEDIATE):
        replay.sides[np.int64(command["feed_id"])] = command["side"]
        add_row(replay, place, command, Kind.PLACE, 0)
    elif op == REDUCE:
        add_row(replay, place, command, Kind.AMEND, 0)["price_ticks"] = 0
    else:
        add_row(replay, place, command, Kind.CANCEL, 0)
        if op == REPLACE:
            add_row(replay, place, command, Kind.PLACE, 1)


@entry_kernel
def stage_rows(replay_handle, chunk, first, end):
    """Make the rows of the next commands, from `first` on.

    Returns: the place of the first command that has no row yet
    """
    replay, commands = view_replay(replay_handle), view_chunk(chunk).commands
    note_orders(replay)
    replay.tally[0]["rows"] = 0
    place = first
    while place < end and place < first + BATCH:
        stage_command(replay, place, commands[place])
        place += 1
    return place


@kernel
def was_refused(s):
    """Return whether the command before was, if it was of this batch: that is its only event."""
    count = s.meta[0]["events_count"]
    return count != 0 and s.events[count - 1]["kind"] == EventKind.REFUSED


@kernel
def run_row(s, replay, row, source):
    """Apply one row, unless it was to replace an order that is gone."""
    if source["follows"] != 0 and was_refused(s):
        return
    row["seq"] = s.meta[0]["seq"] + 1
    if source["placed_by"] != 0:
        row["order_id"] = replay.sources[source["placed_by"] - 1]["order_id"]
    first = s.meta[0]["events_count"]
    apply_command(s, row)
    source["order_id"] = s.events[first]["order_id"]


@entry_kernel
def run_rows(state, replay_handle, first):
    """Apply the rows from `first` on, as long as the next one's events surely fit.

    Returns: the place of the first row not applied
    """
    s, replay = view_state(state), view_replay(replay_handle)
    meta, end = s.meta[0], replay.tally[0]["rows"]
    meta["events_count"] = 0
    place, outgrown = first, outgrows_cache(s)
    while place < end and meta["events_count"] <= meta["events_room"]:
        look_ahead(s, replay.rows, place, end, outgrown)
        run_row(s, replay, replay.rows[place], replay.sources[place])
        place += 1
    return place


@kernel
def note_trade(replay, event, source):
    """Keep a trade by the ids of the feed."""
    tally = replay.tally[0]
    trade = replay.trades[tally["trades"]]
    trade["place"] = tally["done"] + source["place"]
    trade["taker"] = source["feed_id"]
    trade["maker"] = replay.feed_ids[event["maker_order_id"] & SLOT_MASK]
    trade["price_ticks"] = event["price_ticks"]
    trade["qty_lots"] = event["qty_lots"]
    tally["trades"] += 1


@entry_kernel
def note_rows(state, replay_handle, first):
    """Read the events of the rows from `first` on: the trades of these, and all refusals."""
    s, replay = view_state(state), view_replay(replay_handle)
    replay.tally[0]["trades"] = 0
    place = first
    for number in range(s.meta[0]["events_count"]):
        event = s.events[number]
        while replay.rows[place]["seq"] != event["seq"]:
            place += 1  # a row that was not applied still has an older number
        source = replay.sources[place]
        if event["kind"] == EventKind.ACCEPTED:
            replay.feed_ids[event["order_id"] & SLOT_MASK] = source["feed_id"]
        elif event["kind"] == EventKind.TRADE:
            note_trade(replay, event, source)
        elif event["kind"] == EventKind.REFUSED:
            replay.tally[0]["refused"] += 1


@entry_kernel
def mix_trades(trades, count, mixed):
    """Mix trades into the feed's hash, which wraps: `mixed` and the result are its 64 bits."""
    for place in range(count):
        trade = trades[place]
        mixed = mix(mixed, (trade["taker"] << 32) | trade["maker"])
        mixed = mix(mixed, (np.int64(trade["price_ticks"]) << 32) | trade["qty_lots"])
    return mixed


@kernel
def mix(mixed, word):
    """Return the hash with one word more; `>>` is made the shift of an unsigned word."""
    mixed = (mixed ^ word) * GOLDEN
    return mixed ^ ((mixed >> 29) & ((1 << 35) - 1))


GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
HASH_START: Final = 1469598103934665603
assert QTY_LOTS_MAX < 1 << 31
