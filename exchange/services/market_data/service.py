"""Market data: follows the mirror batch by batch and feeds the public channels."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from exchange.io.batch import Batch
from exchange.io.errors import Unavailable
from exchange.io.views import Span
from exchange.io.views_tape import TapeViews
from exchange.rules import public_data as shapes
from exchange.rules.candles import NS_PER_DAY, NS_PER_MINUTE, Candle, Candles, candle_of
from exchange.rules.changes import Changes
from exchange.rules.clearing_rows import KlineRow, TradeRow
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract, Trade
from exchange.services.market_data.channels import (
    AuctionChannel,
    BestChannel,
    BookChannel,
    Channel,
    ImpliedChannel,
    KlineChannel,
    SlowBookChannel,
    Subscriber,
    TickerChannel,
    TradesChannel,
    touched_sides,
)

_log = structlog.get_logger(__name__)

MINUTE_S: Final = 60
DAY_MINUTES: Final = 24 * 60
BLOCK_DELAY_NS: Final = 15 * 60 * 1_000_000_000
OLDER_EVERY_S: Final = 1.0
TURN_S: Final = 0.1  # of `.100ms` books, tickers and klines

_Load = Callable[[TapeViews], Awaitable[bool]]
_Kinds = dict[str, type[Channel]]
CHANNEL_KINDS: Final[_Kinds] = {
    "book.*.raw": BookChannel,
    "book.*.100ms": SlowBookChannel,
    "bbo.*": BestChannel,
    "implied.*": ImpliedChannel,
    "trades.*": TradesChannel,
    "ticker.*": TickerChannel,
    "kline.*.1m": KlineChannel,
    "auction.*": AuctionChannel,
}


class MarketData:
    """The public side of one process. Everything happens between two turns of the loop."""

    def __init__(
        self,
        mirror: MirrorState,
        history: TapeViews | None = None,
        *,
        block_delay_ns: int = BLOCK_DELAY_NS,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._mirror = mirror
        self._block_delay_ns, self._now_ns = block_delay_ns, now_ns
        self._blocks: deque[Trade] = deque()  # traded, not published yet
        self._history = history
        self._older: list[_Load] = [self.load, self.load_blocks] if history is not None else []
        self._older_due_s = 0.0  # when to ask for what is older
        self._candles = Candles()
        self._book_seqs: dict[int, int] = {}  # when a contract's book changed last
        self._phases = [_phase(contract) for contract in mirror.contracts]
        self._first_seq = mirror.seq
        self._began_ns = mirror.ts_ns
        self._channels: dict[str, Channel] = {}
        self._by_contract: dict[int, list[Channel]] = {}

    # Reads

    def book_seq(self, contract_idx: int) -> int:
        """Return the seq since which a contract's book has not changed."""
        return self._book_seqs.get(contract_idx, self._first_seq)

    def book(self, contract: Contract, levels: int) -> dict[str, Any]:
        """Return the book of a contract and the seq of its last change; and what is implied."""
        return {
            "seq": self.book_seq(contract.contract_idx),
            **shapes.book(contract, levels),
            "implied": shapes.implied(contract),
        }

    def ticker(self, contract: Contract) -> dict[str, Any]:
        """Return the ticker of a contract."""
        day = self._candles.of(contract.contract_idx)
        day.expire(self._mirror.ts_ns)
        return shapes.ticker(contract, day)

    def published(self, trade: Trade) -> bool:
        """Say whether a trade is on the public tape: a block is a while later."""
        return not trade.block or trade.ts_ns <= self.blocks_until_ns()

    def blocks_until_ns(self) -> int:
        """Return the moment up to which blocks are on the public tape."""
        return self._now_ns() - self._block_delay_ns

    def klines(self, contract: Contract) -> list[Candle]:
        """Return the candles of one minute that are in memory, oldest first."""
        return list(self._candles.of(contract.contract_idx).candles)

    async def load(self, history: TapeViews) -> bool:
        """Begin with the candles of the last day that were made before this process started.

        Of the minute of the start the views may have more by now: what was traded before is
        counted from its trades.

        Returns:
            False while clearing has not seen all that was traded before this process started.
        """
        until_ns = self._began_ns - self._began_ns % NS_PER_MINUTE
        last = await history.candles_since(until_ns, self._first_seq)
        if last.seq < self._first_seq:
            return False
        lasts = {row.contract_idx: [row] for row in last.rows}
        span = Span(from_ns=until_ns - NS_PER_DAY, until_ns=until_ns, limit=DAY_MINUTES)
        found: dict[int, list[KlineRow]] = {}
        for contract_idx in range(len(self._mirror.contracts)):
            page = await history.klines(contract_idx, MINUTE_S, span)
            found[contract_idx] = page.rows[::-1] + lasts.get(contract_idx, [])
        for contract_idx, rows in found.items():
            self._candles.of(contract_idx).put(map(candle_of, rows))
        return True

    async def load_blocks(self, history: TapeViews) -> bool:
        """Take over the blocks that an earlier process would have published by and by.

        Returns:
            False while clearing has not seen all that was traded before this process started.
        """
        page = await history.blocks_since(self.blocks_until_ns(), self._first_seq)
        if page.seq < self._first_seq:
            return False
        self._blocks.extendleft(trade_of(row) for row in reversed(page.rows))
        return True

    # Subscriptions

    def subscribe(self, name: str, subscriber: Subscriber) -> bytes | None:
        """Subscribe and return the snapshot to begin with; None when there is no such channel."""
        channel = self._channels.get(name) or self._open(name)
        if channel is None:
            return None
        # Whoever is there already gets what was collected, so that all go on from the same seq.
        channel.flush(self._mirror.ts_ns)
        channel.subscribers[subscriber] = None
        return channel.snapshot(self._mirror.ts_ns)

    def snapshot(self, name: str) -> bytes | None:
        """Return a fresh snapshot of an open channel."""
        channel = self._channels.get(name)
        if channel is None:
            return None
        channel.flush(self._mirror.ts_ns)
        return channel.snapshot(self._mirror.ts_ns)

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        """Unsubscribe; a channel without subscribers costs nothing."""
        channel = self._channels.get(name)
        if channel is None:
            return
        channel.subscribers.pop(subscriber, None)
        if not channel.subscribers:
            del self._channels[name]
            siblings = self._by_contract[channel.contract.contract_idx]
            siblings.remove(channel)
            if not siblings:
                del self._by_contract[channel.contract.contract_idx]

    def _open(self, name: str) -> Channel | None:
        kind, symbol = kind_of(name)
        contract = self._mirror.contract(symbol)
        if contract is None or kind not in CHANNEL_KINDS:
            return None
        idx = contract.contract_idx
        seq = self.book_seq(idx) if kind.startswith("book") else self._mirror.seq
        channel = CHANNEL_KINDS[kind](name, contract, self._candles.of(idx), seq)
        channel.published = self.published
        if isinstance(channel, ImpliedChannel):
            channel.seq_now = lambda: self._mirror.seq
        self._channels[name] = channel
        self._by_contract.setdefault(idx, []).append(channel)
        return channel

    # Batches

    def apply(self, batch: Batch, changes: Changes) -> None:
        """Tell subscribers what a batch changed; the mirror has it already."""
        seq, ts_ns, channels = changes.last_seq, changes.ts_ns, self._by_contract
        touched = touched_sides(changes.levels)
        for contract_idx in self._new_phases(changes):
            touched.setdefault(contract_idx, [])
        for contract_idx in touched:
            self._book_seqs[contract_idx] = seq
        traded: dict[int, list[Trade]] = {}
        for trade in changes.trades:
            self._candles.add(trade)
            traded.setdefault(trade.contract_idx, []).append(trade)
        self._blocks.extend(changes.blocks)
        if not channels:
            return
        for contract_idx in touched.keys() & channels.keys():
            for channel in list(channels[contract_idx]):
                channel.on_book(touched[contract_idx], seq, ts_ns)
        for contract_idx in traded.keys() & channels.keys():
            for channel in list(channels[contract_idx]):
                channel.on_trades(traded[contract_idx], seq, ts_ns)
        for contract_idx in (changes.contracts | touched.keys()) & channels.keys():
            for channel in list(channels[contract_idx]):
                channel.on_contract(seq)
                channel.on_batch(seq, ts_ns)

    def _new_phases(self, changes: Changes) -> list[int]:
        """Return the contracts that went to another state or phase, or are new."""
        found: list[int] = []
        contracts, phases = self._mirror.contracts, self._phases
        while len(phases) < len(contracts):
            found.append(len(phases))
            phases.append(_phase(contracts[len(phases)]))
        for contract_idx in changes.contracts:
            now = _phase(contracts[contract_idx])
            if now != phases[contract_idx]:
                phases[contract_idx] = now
                found.append(contract_idx)
        return found

    def turn(self) -> None:
        """Send what the slow channels collected, and the blocks whose time has come."""
        while self._blocks and self.published(self._blocks[0]):
            block = self._blocks.popleft()
            for channel in list(self._by_contract.get(block.contract_idx, ())):
                channel.on_blocks([block], self._mirror.seq, self._mirror.ts_ns)
        for channel in list(self._channels.values()):
            channel.day.expire(self._mirror.ts_ns)
            channel.flush(self._mirror.ts_ns)

    async def run(self, after_turn: Callable[[], None]) -> None:
        """Take turns for ever; `after_turn` sends what subscribers have queued."""
        while True:
            await asyncio.sleep(TURN_S)
            await self.ask_for_older(time.monotonic())
            self.turn()
            after_turn()

    async def begin(self, wait_s: float) -> int:
        """Wait a moment for clearing, so that the first tickers have the day already.

        Returns:
            what clearing has seen, 0 when it cannot be known.
        """
        seq = 0
        if self._history is not None:
            try:
                seq = await self._history.reach(self._first_seq, wait_s)
            except Unavailable as error:
                _log.warning("clearing_unknown", error=str(error))
            await self.ask_for_older(time.monotonic())
        return seq

    async def ask_for_older(self, now_s: float) -> None:
        """Ask for what an earlier process knew, once a second until it is here."""
        if self._history is None or not self._older or now_s < self._older_due_s:
            return
        self._older_due_s = now_s + OLDER_EVERY_S
        try:
            while self._older and await self._older[0](self._history):
                del self._older[0]
        except Unavailable as error:  # tickers begin with what comes from now on
            _log.warning("older_trades_not_loaded", error=str(error))


def trade_of(row: TradeRow) -> Trade:
    """Return a stored block as the tape shows it."""
    return Trade(
        row.seq, row.leg, row.ts_ns, row.contract_idx, row.price_ticks, row.qty_lots,
        row.taker_side, row.taker_account_idx, row.taker_order_id, row.maker_account_idx,
        row.maker_order_id, 0, block=row.block,
    )  # fmt: skip


def _phase(contract: Contract) -> tuple[int, int]:
    return contract.state, contract.call.phase


def kind_of(name: str) -> tuple[str, str]:
    """Return a channel's kind and symbol: `book.H100-USE-2027.raw` is (`book.*.raw`, ...).

    A symbol may hold dots itself (`H100.T-USE-2027`).
    """
    head, _, rest = name.partition(".")
    symbol, _, tail = rest.rpartition(".")
    if f"{head}.*.{tail}" in CHANNEL_KINDS:
        return f"{head}.*.{tail}", symbol
    return f"{head}.*", rest
