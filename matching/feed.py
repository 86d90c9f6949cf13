"""Order feeds: neutral 16-byte commands, run through the core as ordinary commands.

The kernel turns each into one or two COMMAND rows (a replacement is a cancellation and a new
order), applies them exactly as a batch is applied, and notes the trades by the feed's own ids.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from matching._jit import entry_kernel, kernel
from matching._memory import Handle, handle_of, prefetch, viewer
from matching.apply import apply_command
from matching.codes import EventKind, Flag, Kind, Tif
from matching.foresight import FAR, NEAR, NEXT, look_far, look_near, look_next, outgrows_cache
from matching.lazy import lazy_zeros
from matching.limits import QTY_LOTS_MAX
from matching.pool import SLOT_MASK
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
TRADES_HEADROOM: Final = 1 << 16
BATCH = 256  # commands whose events are kept together, as a batch of a busy sequencer

FURTHER = 2 * FAR  # commands ahead: the replay's own table of ids, which the other looks read
TALLY: Final = np.dtype(
    [("done", "<i8"), ("refused", "<i8"), ("trades", "<i8"), ("accounts", "<i8"), ("ts_ns", "<i8")]
)


class Replay(NamedTuple):
    """What a replay keeps beside the state."""

    order_ids: np.ndarray  # by feed id
    feed_ids: np.ndarray  # by order slot
    row: np.ndarray  # (1,) COMMAND: the one being applied
    trades: np.ndarray  # FEED_TRADE of the chunk
    tally: np.ndarray  # (1,) TALLY


def new_replay(feed_id_max: int, orders: int, accounts: int, ts_ns: int) -> Replay:
    """Return an empty replay, for a chunk of any size."""
    tally = np.zeros(1, TALLY)
    tally["accounts"], tally["ts_ns"] = accounts, ts_ns
    return Replay(
        order_ids=lazy_zeros(feed_id_max + 1, "<i8"),
        feed_ids=lazy_zeros(orders, "<i4"),
        row=new_commands(1),
        trades=lazy_zeros(orders + TRADES_HEADROOM, FEED_TRADE),
        tally=tally,
    )


REPLAY_FIELDS: Final[dict[str, np.dtype[Any]]] = {
    "order_ids": LONG,
    "feed_ids": SLOT,
    "row": COMMAND,
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
def apply_row(s, replay):
    """Stamp and apply the row; return where its events start."""
    row = replay.row[0]
    row["seq"] = s.meta[0]["seq"] + 1
    row["ts_ns"] = replay.tally[0]["ts_ns"]
    first = s.meta[0]["events_count"]
    apply_command(s, row)
    return first


@kernel
def note_trades(s, replay, first, feed_id):
    """Keep the trades of a placing whose events start at `first`."""
    tally = replay.tally[0]
    for place in range(first, s.meta[0]["events_count"]):
        event = s.events[place]
        if event["kind"] == EventKind.TRADE:
            trade = replay.trades[tally["trades"]]
            trade["place"] = tally["done"]
            trade["taker"] = feed_id
            trade["maker"] = replay.feed_ids[event["maker_order_id"] & SLOT_MASK]
            trade["price_ticks"] = event["price_ticks"]
            trade["qty_lots"] = event["qty_lots"]
            tally["trades"] += 1


@kernel
def place_row(s, replay, command, feed_id, contract_idx, side):
    """Place a feed's order; return whether it was refused."""
    row = replay.row[0]
    row["kind"] = Kind.PLACE
    row["side"] = side
    row["tif"] = Tif.IOC if command["op"] == IMMEDIATE else Tif.GTC
    row["flags"] = 0
    row["contract_idx"] = contract_idx
    row["order_id"] = 0
    row["price_ticks"] = command["price_ticks"]
    row["qty_lots"] = command["qty_lots"]
    first = apply_row(s, replay)
    event = s.events[first]
    if event["kind"] == EventKind.REFUSED:
        return True
    order_id = event["order_id"]
    # Trades first: the slot of a taker that does not rest is free again already.
    note_trades(s, replay, first + 1, feed_id)
    replay.order_ids[feed_id] = order_id
    replay.feed_ids[order_id & SLOT_MASK] = feed_id
    return False


@kernel
def change_row(s, replay, kind, order_id, qty_lots):
    """Cancel or reduce an order; return whether it was refused."""
    row = replay.row[0]
    row["kind"] = kind
    row["flags"] = Flag.QTY_IS_OPEN if kind == Kind.AMEND else 0
    row["order_id"] = order_id
    row["price_ticks"] = 0
    row["qty_lots"] = qty_lots
    first = apply_row(s, replay)
    return s.events[first]["kind"] == EventKind.REFUSED


@kernel
def run_command(s, replay, command):
    """Run one feed command; return whether it was refused."""
    feed_id = np.int64(command["feed_id"])
    contract_idx = np.int64(command["instrument"])
    side = np.int64(command["side"])
    order_id = np.int64(0)
    kind = Kind.CANCEL
    replay.row[0]["account_idx"] = account_of(replay, command)
    if command["op"] != ADD and command["op"] != IMMEDIATE:
        order_id = replay.order_ids[feed_id]
        if command["op"] == REPLACE:
            # The side of the order itself: the feed's may say nothing.
            side = np.int64(s.orders[order_id & SLOT_MASK]["book_idx"]) & 1
        elif command["op"] == REDUCE:
            kind = Kind.AMEND
        refused = change_row(s, replay, kind, order_id, np.int64(command["qty_lots"]))
        if refused or command["op"] != REPLACE:
            return refused
    return place_row(s, replay, command, feed_id, contract_idx, side)


@kernel
def look_ahead(s, replay, commands, place, end):
    """Ask for the memory of commands to come, as `apply_batch` would."""
    if place + FURTHER < end:
        prefetch(replay.order_ids, commands[place + FURTHER]["feed_id"])
        if outgrows_cache(s):
            far, near = commands[place + FAR], commands[place + NEAR]
            look_far(
                s, account_of(replay, far), np.int64(far["instrument"]), np.int64(far["side"]),
                np.int64(far["price_ticks"]), replay.order_ids[far["feed_id"]],
            )  # fmt: skip
            look_near(
                s, account_of(replay, near), np.int64(near["instrument"]), np.int64(near["side"]),
                np.int64(near["price_ticks"]), replay.order_ids[near["feed_id"]],
            )  # fmt: skip
            following = commands[place + NEXT]
            look_next(s, account_of(replay, following), np.int64(following["instrument"]))


@kernel
def account_of(replay, command):
    """Return the account that a feed's order belongs to."""
    return np.int64(command["feed_id"]) % replay.tally[0]["accounts"]


@entry_kernel
def run_feed(state, replay_handle, chunk, first, end):
    """Run the commands `first` to `end` of a chunk, while there is surely room for their trades.

    Returns: the place of the first command not run
    """
    s, replay, commands = view_state(state), view_replay(replay_handle), view_chunk(chunk).commands
    meta, tally = s.meta[0], replay.tally[0]
    tally["trades"] = 0
    meta["events_count"] = 0
    place = first
    while place < end and tally["trades"] <= TRADES_HEADROOM:
        if place % BATCH == 0 or meta["events_count"] > meta["events_room"]:
            meta["events_count"] = 0
        look_ahead(s, replay, commands, place, end)
        if run_command(s, replay, commands[place]):
            tally["refused"] += 1
        tally["done"] += 1
        place += 1
    return place


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
