"""What the calendar has to do now, read off the state of the exchange.

Nothing here remembers what was done: each function compares what should be with
what the mirror and the tape say is, so a restart, a lost command or a pause of
days changes nothing. Commands that arrive twice do no harm.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import numpy as np

from exchange.rules import sessions
from exchange.rules.agenda_prices import due_ns, last_settlement_ns, market_ticks, run_due
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.contracts import (
    BAND_BACK_BPS,
    BAND_FRONT_BPS,
    Contract,
    SymbolError,
    band_bps,
    parse_symbol,
)
from exchange.rules.cycles import cycles
from exchange.rules.legs import Listed
from exchange.rules.listings import unlisted_combinations
from exchange.rules.mirror_state import MirrorState
from exchange.rules.operations import (
    addons_command,
    band_command,
    list_command,
    mark_command,
    settle_command,
    stage_commands,
    state_command,
    swap_command,
)
from exchange.rules.quotes import PriceData
from exchange.rules.records import Contract as ListedContract
from exchange.rules.reference import References, references
from exchange.rules.requirement import KEPT_BPS
from exchange.rules.scenario_addons import AddonSet, planned_addon
from exchange.rules.scenarios import MarginModel, ShockModel
from exchange.rules.sessions import CALLS, CallTimes
from exchange.rules.settlement import is_worth_marking, step_ticks
from exchange.rules.settlement_run import SettlementRun
from exchange.rules.tape import Tape
from exchange.rules.tenors import NS_PER_DAY, NS_PER_HOUR, NS_PER_SECOND, date_of
from matching.codes import TradingState
from matching.limits import CONTRACTS_MAX
from matching.wire import new_commands

REST_NS: Final = 10 * NS_PER_SECOND
_TRADING: Final = (TradingState.AUCTION, TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)


def next_settlement_ns(now_ns: int) -> int:
    """Return the moment of the next daily settlement."""
    return last_settlement_ns(now_ns) + NS_PER_DAY


def rest_until_ns(now_ns: int, times: CallTimes) -> int:
    """Return when to look again after there was nothing to do.

    Soon, or at the next hour, or when closing calls begin.
    """
    next_hour_ns = (now_ns // NS_PER_HOUR + 1) * NS_PER_HOUR
    begins_ns = times.closing_begins_ns(next_settlement_ns(now_ns))
    until_ns = min(now_ns + REST_NS, next_hour_ns)
    return begins_ns if now_ns < begins_ns < until_ns else until_ns


class Agenda:
    """Plans commands from the mirror, the tape and the price data. Keeps only caches."""

    def __init__(
        self,
        mirror: MirrorState,
        tape: Tape,
        data: PriceData,
        contracts_max: int = CONTRACTS_MAX,
        combinations: Listed = Listed.NONE,
        times: CallTimes = CALLS,
    ) -> None:
        """Plan for the exchange that `mirror` and `tape` follow."""
        self._listed = combinations
        self.times = times
        self._closed: set[int] = set()  # expired contracts that nobody holds
        self._mirror = mirror
        self._tape = tape
        self._data = data
        self.contracts_max = contracts_max
        self._model: ShockModel = MarginModel(data.steps)  # until a whole set is adopted
        self._addons: AddonSet | None = None
        self._parsed: list[Contract | None] = []
        self._references: References | None = None
        self._shocks: dict[int, tuple[int, date, Sequence[int]]] = {}
        self.run: SettlementRun | None = None  # what the last settlement planned comes from,
        self._settles = new_commands(0)  # and its commands

    def adopt(self, model: ShockModel, addons: AddonSet | None = None) -> None:
        """Let other scenarios, and the add-ons that belong to them, be what should be live."""
        self._model = model
        self._addons = addons
        self._shocks.clear()

    def references(self, on: date) -> References:
        """Return the reference prices of a day for every series that is listed."""
        if self._references is None or self._references.on != on:
            self._references = references(self._data, LISTED_SERIES, on)
        return self._references

    # What is there

    def _contracts(self) -> Iterator[tuple[ListedContract, Contract]]:
        """Walk the contracts of the catalogue's grammar; others are none of our business."""
        for listed in self._mirror.contracts[len(self._parsed) :]:
            try:
                self._parsed.append(parse_symbol(listed.symbol))
            except SymbolError:
                self._parsed.append(None)
        for listed, contract in zip(self._mirror.contracts, self._parsed, strict=True):
            if contract is not None:
                yield listed, contract

    def _living(self) -> Iterator[tuple[ListedContract, Contract]]:
        return (pair for pair in self._contracts() if pair[0].state != TradingState.EXPIRED)

    def is_settled_since(self, ts_ns: int) -> bool:
        """Return whether every living contract was settled at or after a moment."""
        settled_ns = self._tape.settled_ns
        trading = (listed for listed, _ in self._living() if not listed.delivery.phase)
        return all(settled_ns(listed.contract_idx) >= ts_ns for listed in trading)

    # What is to be done, most urgent first

    def plan(self, now_ns: int) -> np.ndarray:
        """Return the commands of the first thing that is not as it should be, maybe none.

        One thing at a time: what follows depends on what the exchange made of it.
        """
        for step in (
            self.settlements,
            self.expiries,
            self.cycles,
            self.closings,
            self.listings,
            self.terms,
            self.margin,
            self.openings,
            self.close_outs,
            self.combinations,
            self.bands,
        ):
            rows = step(now_ns)
            if len(rows):
                return rows
        return new_commands(0)

    def settlements(self, now_ns: int) -> np.ndarray:
        """Settle every living contract that was not settled since it was due, all together."""
        run = run_due(self._living(), self._tape, self.times, self._mirror.ts_ns, now_ns)
        if run is None:
            return new_commands(0)
        if run != self.run:
            self.run, run_id = run, run.run_id
            self._settles = _joined(settle_command(one, run.due_ns, run_id) for one in run.prices())
        return self._settles

    def cycles(self, now_ns: int) -> np.ndarray:
        """Pay variation margin at midday, and of what has moved far."""
        living = (listed for listed, _ in self._living())
        return _joined(cycles(living, self._mirror, self._tape, now_ns))

    def is_paid_since(self, ts_ns: int) -> bool:
        """Return whether every living contract was paid at or after a moment."""
        paid = (self._tape.paid(listed.contract_idx) for listed, _ in self._living())
        return all(one is not None and one.ts_ns >= ts_ns for one in paid)

    def expiries(self, now_ns: int) -> np.ndarray:
        """End every contract whose trading is over and which is settled."""
        return _joined(
            state_command(listed.contract_idx, TradingState.EXPIRED)
            for listed, _ in self._living()
            if 0 < listed.last_trade_ns <= now_ns
            and self._tape.settled_ns(listed.contract_idx) >= due_ns(listed, now_ns)
        )

    def listings(self, now_ns: int) -> np.ndarray:
        """List what the catalogue of today has and the exchange has not.

        A new contract is not open yet: it has no margin. Contracts without a reference
        price, and those beyond the core's room, are left out.
        """
        on = date_of(now_ns)
        count = len(self._mirror.contracts)
        rows: list[np.ndarray] = []
        for contract in self.unlisted(now_ns):
            reference = self.references(on).of(contract)
            if reference is None or count + len(rows) >= self.contracts_max:
                continue
            rows.append(
                list_command(
                    count + len(rows), contract, reference.price_ticks, on, TradingState.PRE_OPEN
                )
            )
        return _joined(rows)

    def unlisted(self, now_ns: int) -> list[Contract]:
        """Return the contracts of today's catalogue that are still to be listed."""
        return [
            contract
            for contract in listed_contracts(date_of(now_ns))
            if contract.symbol not in self._mirror.symbols and contract.last_trade_ns > now_ns
        ]

    def margin(self, now_ns: int) -> np.ndarray:
        """Stage every vector of shocks and every add-on that is not as it should be, and swap.

        An add-on that somebody set by hand is left alone; it is made live as any other.
        """
        mirror = self._mirror
        rows: list[np.ndarray] = []
        count, worst_count = self._model.count, self._model.worst_count
        is_live = (mirror.scenario_count, mirror.worst_count) == (count, worst_count)
        for listed, contract in self._contracts():
            contract_idx = listed.contract_idx
            wanted = self._wanted_shocks(listed, contract, now_ns)
            addon = planned_addon(mirror, listed, self._addons)
            is_live = is_live and _same(mirror.shocks[contract_idx], wanted)
            is_live = is_live and mirror.addons[contract_idx] == addon
            if not _same(mirror.shocks_staged[contract_idx][:count], wanted):
                rows.append(stage_commands(contract_idx, wanted))
            if mirror.addons_staged[contract_idx] != addon:
                rows.append(addons_command(contract_idx, addon))
        if is_live:
            return new_commands(0)
        return _joined([*rows, swap_command(count, worst_count, KEPT_BPS)])

    def terms(self, now_ns: int) -> np.ndarray:
        """Say how contracts are guarded and when they end, where nobody has."""
        return _joined(sessions.terms(self._living()))

    def openings(self, now_ns: int) -> np.ndarray:
        """Open the contracts that are listed and margined."""
        return _joined(sessions.openings(self._living(), self.times, now_ns))

    def closings(self, now_ns: int) -> np.ndarray:
        """Begin the closing calls before the next settlement."""
        due_ns = next_settlement_ns(now_ns)
        return _joined(sessions.closings(self._living(), self._tape, self.times, due_ns, now_ns))

    def close_outs(self, now_ns: int) -> np.ndarray:
        """Close what is left of expired contracts."""
        expired = (pair for pair in self._contracts() if not _is_living(pair[0]))
        return _joined(sessions.close_outs(expired, self._closed))

    def combinations(self, now_ns: int) -> np.ndarray:
        """List the spreads and strips whose legs are listed; they follow their legs in all else."""
        return _joined(
            unlisted_combinations(self._mirror, self._listed, self.contracts_max, now_ns)
        )

    def bands(self, now_ns: int) -> np.ndarray:
        """Narrow the bands of contracts that have moved from the back to the front.

        A band that somebody set by hand is left alone.
        """
        on = date_of(now_ns)
        return _joined(
            band_command(listed.contract_idx, BAND_FRONT_BPS)
            for listed, contract in self._living()
            if listed.band_bps == BAND_BACK_BPS and band_bps(contract.period, on) == BAND_FRONT_BPS
        )

    def marks(self, now_ns: int, *, whole_minute: bool) -> np.ndarray:
        """Mark every trading contract whose price has moved enough, one step each."""
        rows: list[np.ndarray] = []
        for listed, contract in self._living():
            if listed.state not in _TRADING:
                continue
            mark_ticks = listed.mark_ticks
            ticks = market_ticks(listed, contract, self._tape, now_ns)
            if is_worth_marking(mark_ticks, ticks, whole_minute=whole_minute):
                rows.append(mark_command(listed.contract_idx, step_ticks(mark_ticks, ticks)))
        return _joined(rows)

    def _wanted_shocks(
        self, listed: ListedContract, contract: Contract, now_ns: int
    ) -> Sequence[int]:
        if listed.state == TradingState.EXPIRED:
            return (0,) * self._model.count
        on = date_of(last_settlement_ns(now_ns))
        known = self._shocks.get(listed.contract_idx)
        if known is None or known[:2] != (listed.settle_ticks, on):
            shocks = self._model.shocks(contract, listed.settle_ticks, on)
            known = (listed.settle_ticks, on, shocks)
            self._shocks[listed.contract_idx] = known
        return known[2]


def _is_living(contract: ListedContract) -> bool:
    return contract.state != TradingState.EXPIRED


def _same(held: Sequence[int], wanted: Sequence[int]) -> bool:
    return list(held) == list(wanted)


def _joined(parts: Iterator[np.ndarray] | Sequence[np.ndarray]) -> np.ndarray:
    rows = list(parts)
    return np.concatenate(rows) if rows else new_commands(0)
