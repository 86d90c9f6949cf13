"""The door of the core: commands in, events out, and the state saved, restored and asked.

One engine is one market. It has no clock, no randomness and no files: whatever changes it is a
command that was stamped with a sequence number and a time before.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numba import config
from numba.core import event as numba_event

from matching import saved
from matching._jit import COUNT
from matching._memory import handle_of
from matching._pointer import Pointer, bytes_of, words_of
from matching.apply import Batch, apply_batch
from matching.checks import check_state
from matching.lazy import HUGE_PAGE
from matching.limits import ASSETS_MAX, LEGS_MAX, ORDERS_MAX, QUOTE_GROUPS, TIMERS_PER_ACCOUNT
from matching.rebuild import rebuild
from matching.resident import make_resident
from matching.risk import requirement
from matching.state import LIFE_LISTS, META, META_SAVED, STOP_BOOKS, Sizes, State, new_state
from matching.wire import COMMAND, EVENT
from matching.worst import freshen_all

Progress = Callable[[str, int, int], None]

EVENTS_A_PAGE = 4096 // EVENT.itemsize
FEW_COMMANDS = 64  # so many are copied rather than pointed at
assert META.names is not None
EVENTS_COUNT_WORD = META.names.index("events_count")
SEQ_WORD, NOW_WORD = META.names.index("seq"), META.names.index("now_ns")
AFTERMATH_WORD, DEALS_WORD = META.names.index("aftermath"), META.names.index("deals_first")
DUE_WORDS = tuple(map(META.names.index, ("next_expiry_ns", "next_call_ns", "next_end_ns")))


class Engine:
    """The deterministic core behind one door."""

    def __init__(self, sizes: Sizes | None = None) -> None:
        """Make an empty market."""
        self.sizes = sizes or Sizes()
        self.state: State = new_state(self.sizes)
        # A settlement pays every holder in one command: no page is new to it.
        self.state.events["seq"][: self.sizes.accounts : EVENTS_A_PAGE] = 0
        self._handle = handle_of(self.state)
        self._batch = Pointer(Batch, np.zeros(FEW_COMMANDS, COMMAND))
        self._meta = self.state.meta[0]
        self._event_bytes = bytes_of(self.state.events)
        self._meta_words = words_of(self.state.meta)

    def make_resident(self, front_bytes: int = HUGE_PAGE, books_bytes: int = 0) -> None:
        """Have the front of every pool in memory before an order needs it: 32,768 orders, say."""
        make_resident(self.state, front_bytes, books_bytes)

    @property
    def last_seq(self) -> int:
        """The number of the last command applied."""
        return self._meta_words[SEQ_WORD]  # type: ignore[no-any-return]

    @property
    def now_ns(self) -> int:
        """The time of the last command applied."""
        return self._meta_words[NOW_WORD]  # type: ignore[no-any-return]

    @property
    def next_expiry_ns(self) -> int:
        """When the next TICK is due; 0 for never. It may come early, never late.

        At once, when something is left to be done behind the next command.
        """
        words = self._meta_words
        if words[AFTERMATH_WORD] != 0:
            return max(1, self.now_ns)
        due = [due_ns for word in DUE_WORDS if (due_ns := words[word])]
        deal_idx = words[DEALS_WORD]
        if deal_idx != 0:
            due.append(int(self.state.deals[deal_idx]["expires_ns"]))
        return min(due, default=0)

    def apply(self, commands: np.ndarray) -> np.ndarray:
        """Apply stamped COMMAND rows, all of them, and return their EVENT rows.

        A row out of sequence, or back in time, or of an unknown kind is our own bug: it ends in
        an AssertionError, and the state is not to be used again.
        """
        assert commands.dtype == COMMAND, commands.dtype
        batch = self._batch.at(commands)
        pieces: list[np.ndarray] = []
        place, end = 0, len(commands)
        while place < end or not pieces:
            place = apply_batch(self._handle.value, batch, place, end)
            size = EVENT.itemsize * self._meta_words[EVENTS_COUNT_WORD]
            pieces.append(np.frombuffer(bytearray(self._event_bytes[:size]), EVENT))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def state_hash(self) -> bytes:
        """Return 16 bytes that differ whenever any saved byte differs."""
        return saved.hash_of(self._saved_meta(), self._saved_arrays())

    def save(self) -> bytes:
        """Return the whole state; `restore` makes an engine with the same hash and future."""
        return saved.pack(self._saved_meta(), self._saved_arrays())

    @classmethod
    def restore(cls, blob: bytes, sizes: Sizes | None = None) -> "Engine":
        """Return the engine that was saved.

        Errors:
            saved.Damaged: these are not the bytes of a saved state.
            ValueError: the sizes are too small for it, or of another price domain.
        """
        engine = cls(sizes)
        found = saved.unpack(blob)
        engine._read(found["meta"], found)
        rebuild(engine._handle.value)
        return engine

    def check(self) -> None:
        """Hold the state against its invariants.

        Errors:
            AssertionError: one does not hold: a bug of ours.
        """
        freshen_all(self._handle.value)
        check_state(self.state)
        for account_idx in range(int(self._meta["accounts_count"])):
            bound = int(self.state.accounts[account_idx]["im_bound_usd_micros"])
            assert bound >= self.requirement(account_idx), f"bound of account {account_idx}"

    def depth(self, contract_idx: int, side: int, levels: int) -> list[tuple[int, int, int]]:
        """Return the best levels of a side: price ticks, lots in sight, count of orders."""
        state, book_idx = self.state, 2 * contract_idx + side
        found: list[tuple[int, int, int]] = []
        for key in self._keys(book_idx):
            if len(found) == levels:
                break
            level = state.levels[self.sizes.book_stride * book_idx + key]
            price_ticks = key if side else int(self._meta["price_top"]) - key
            found.append((price_ticks, *self._sum(int(level["head"]))))
        return found

    def account_row(self, account_idx: int) -> np.void:
        """Return a copy of an account's record."""
        return self._copy("accounts", account_idx)

    def contract_row(self, contract_idx: int) -> np.void:
        """Return a copy of a contract's record."""
        return self._copy("contracts", contract_idx)

    def order_row(self, order_id: int) -> np.void | None:
        """Return a copy of an open order's record."""
        row: np.void = self.state.orders[order_id & (ORDERS_MAX - 1)].copy()
        return row if order_id and row["order_id"] == order_id else None

    def position(self, account_idx: int, contract_idx: int) -> tuple[int, int, int, int]:
        """Return lots held (signed), resting buys, resting sells, unsettled usd micros."""
        position_idx = int(self._copy("accounts", account_idx)["position_head"])
        while position_idx:
            row = self.state.positions[position_idx]
            if row["contract_idx"] == contract_idx:
                names = ("qty_lots", "buy_lots", "sell_lots", "unsettled_usd_micros")
                qty, buy, sell, unsettled = (int(row[name]) for name in names)
                return qty, buy, sell, unsettled
            position_idx = int(row["next_of_account"])
        return 0, 0, 0, 0

    def requirement(self, account_idx: int) -> int:
        """Return an account's exact requirement, usd micros."""
        self._copy("accounts", account_idx)
        return int(requirement(self._handle.value, account_idx))

    def _copy(self, array: str, idx: int) -> np.void:
        """Return a copy of a row in use."""
        if not 0 <= idx < self._meta[f"{array}_count"]:
            raise IndexError(f"{array}: {idx} of {self._meta[f'{array}_count']}")
        row: np.void = getattr(self.state, array)[idx].copy()
        return row

    def _keys(self, book_idx: int) -> Iterator[int]:
        """Return the keys of a book's levels, best first."""
        first = self.sizes.book_stride * book_idx >> 6
        words = self.state.words[first : first + (1 << self.sizes.price_bits - 6)]
        for word in np.flatnonzero(words).tolist():
            bits = int(words[word])
            yield from (64 * word + bit for bit in range(64) if (bits >> bit) & 1)

    def _sum(self, order_idx: int) -> tuple[int, int]:
        """Return visible lots and count of a level's orders, from the first."""
        lots = count = 0
        while order_idx:
            order = self.state.orders[order_idx]
            lots, count = lots + self._visible(order_idx), count + 1
            order_idx = int(order["next"])
        return lots, count

    def _visible(self, order_idx: int) -> int:
        """Return what an order shows."""
        detail = self.state.details[order_idx]
        part = detail["display_lots"] != 0
        return int(detail["shown_lots"] if part else self.state.orders[order_idx]["leaves_lots"])

    def _saved_meta(self) -> dict[str, int]:
        """Return the counters that matter, and the price domain."""
        return {name: int(self._meta[name]) for name in (*META_SAVED, "price_bits")}

    def _saved_arrays(self) -> dict[str, np.ndarray]:
        """Return what is in use of each array."""
        freshen_all(self._handle.value)
        s, meta = self.state, self._meta
        accounts, contracts = int(meta["accounts_count"]), int(meta["contracts_count"])
        stride, live = int(meta["scenarios_max"]), int(meta["scenarios_count"])
        client_ids = s.client_ids[: meta["client_ids_used"] + 1].copy()
        client_ids["chain"] = 0
        return {
            "accounts": s.accounts[:accounts],
            "contracts": s.contracts[:contracts],
            "positions": s.positions[: meta["positions_count"] + 1],
            "orders": s.orders[: meta["orders_used"] + 1],
            "details": s.details[: meta["orders_used"] + 1],
            "legs": s.legs[: contracts * LEGS_MAX],
            "calls": s.calls[:contracts],
            "watches": s.watches[:contracts],
            "trails": s.trails[: STOP_BOOKS * contracts],
            "client_ids": client_ids,
            "origins": s.origins,
            "limits": s.limits[:accounts],
            "timers": s.timers[: TIMERS_PER_ACCOUNT * accounts],
            "expiries": s.expiries[: meta["expiries_count"]],
            "lives": s.lives[: meta["orders_used"] + 1],
            "life_lists": s.life_lists[: LIFE_LISTS * contracts],
            "mmps": s.mmps[: QUOTE_GROUPS * accounts],
            "deals": s.deals[: meta["deals_used"] + 1],
            "dealers": s.dealers[:accounts],
            "days": s.days[:contracts],
            "collaterals": s.collaterals[:accounts],
            "holdings": s.holdings[: ASSETS_MAX * accounts],
            "assets": s.assets,
            "worst": s.worst[: accounts * stride].reshape(accounts, stride)[:, :live],
            "shocks": s.shocks[: contracts * stride].reshape(contracts, stride)[:, :live],
            "staged": s.staged[: contracts * stride].reshape(contracts, stride),
            "addons": s.addons[:contracts],
            "addons_staged": s.addons_staged[:contracts],
            "covers": s.covers[: meta["positions_count"] + 1],
            "profiles": s.profiles[:accounts],
            "joints": s.joints[:contracts],
        }

    def _read(self, meta: dict[str, int], arrays: dict[str, Any]) -> None:
        """Copy saved counters and arrays into an empty state."""
        if meta["price_bits"] != self._meta["price_bits"]:
            raise ValueError(f"the saved prices have {meta['price_bits']} bits")
        for name in META_SAVED:
            self._meta[name] = meta[name]
        for name in saved.ARRAYS:
            rows, room = arrays[name], getattr(self.state, name)
            if rows.ndim == 2:
                stride = int(self._meta["scenarios_max"])
                room = room.reshape(-1, stride)[: len(rows), : rows.shape[1]]
            else:
                room = room[: len(rows)]
            if room.shape != rows.shape:
                raise ValueError(f"{name}: {rows.shape} does not fit into {room.shape}")
            room[...] = rows


class _Compiled(numba_event.Listener):
    """Counts kernels as they are compiled."""

    def __init__(self, progress: Progress) -> None:
        self.progress, self.done = progress, 0

    def on_start(self, event: numba_event.Event) -> None:
        """Wait for the end."""

    def on_end(self, event: numba_event.Event) -> None:
        """Count one."""
        self.done = min(self.done + 1, COUNT["kernels"])
        self.progress("compile", self.done, COUNT["kernels"])


def warm_up(progress: Progress | None = None) -> None:
    """Compile every kernel of the door, or load it from the cache.

    Args:
        progress: told ("compile", done, all) as kernels are compiled; all == done at the end.

    Errors:
        OSError: what was compiled cannot be kept, with the folder it was for.
    """
    listener = _Compiled(progress or (lambda name, done, whole: None))
    sizes = Sizes(accounts=1, contracts=1, positions=2, orders=2, client_ids=2, scenarios=8)
    try:
        with numba_event.install_listener("numba:compile", listener):
            engine = Engine(sizes)
            engine.apply(np.zeros(0, COMMAND))
            rebuild(engine._handle.value)
            requirement(engine._handle.value, 0)
            freshen_all(engine._handle.value)
    except OSError as error:  # a full disk does not say which file
        raise OSError(
            error.errno, error.strerror, error.filename or getattr(config, "CACHE_DIR", None)
        ) from error
    if progress:
        progress("compile", COUNT["kernels"], COUNT["kernels"])
