"""What the calendar has to do now, read off the state of the exchange.

Nothing here remembers what was done: each function compares what should be with
what the mirror and the tape say is, so a restart, a lost command or a pause of
days changes nothing. Commands that arrive twice do no harm.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

import numpy as np

from exchange.rules import agenda_life, sessions
from exchange.rules.agenda_margin import WantedShocks
from exchange.rules.agenda_prices import last_settlement_ns, market_ticks, run_due
from exchange.rules.agenda_walk import Walk
from exchange.rules.catalogue import LISTED_SERIES, listed_contracts
from exchange.rules.contracts import (
    BAND_BACK_BPS,
    BAND_FRONT_BPS,
    Contract,
    band_bps,
)
from exchange.rules.cycles import cycles
from exchange.rules.final_settlement import FixedDays
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
    swap_command,
)
from exchange.rules.quotes import PriceData
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


class Agenda(Walk):
    """Plans commands from the mirror, the tape and the price data. Keeps only caches."""

    def __init__(
        self,
        mirror: MirrorState,
        tape: Tape,
        data: PriceData,
        contracts_max: int = CONTRACTS_MAX,
        combinations: Listed = Listed.NONE,
        times: CallTimes = CALLS,
        days: FixedDays | None = None,
    ) -> None:
        """Plan for the exchange that `mirror` and `tape` follow; `days` are the final prints."""
        self.days = days or FixedDays()
        self._listed = combinations
        self.times = times
        super().__init__(mirror, tape)
        self._data = data
        self.contracts_max = contracts_max
        self._shocks = WantedShocks(MarginModel(data.steps))  # until a whole set is adopted
        self._addons: AddonSet | None = None
        self._references: References | None = None
        self.run: SettlementRun | None = None  # what the last settlement planned comes from,
        self._settles = new_commands(0)  # and its commands

    def adopt(self, model: ShockModel, addons: AddonSet | None = None) -> None:
        """Let other scenarios, and the add-ons that belong to them, be what should be live."""
        self._shocks = WantedShocks(model)
        self._addons = addons

    def references(self, on: date) -> References:
        """Return the reference prices of a day for every series that is listed."""
        if self._references is None or self._references.on != on:
            self._references = references(self._data, LISTED_SERIES, on)
        return self._references

    # What is to be done, most urgent first

    def plan(self, now_ns: int) -> np.ndarray:
        """Return the commands of the first thing that is not as it should be, maybe none.

        One thing at a time: what follows depends on what the exchange made of it.
        """
        for step in (
            self.settlements,
            self.settlements_again,
            self.expiries,
            self.cycles,
            self.cascades,
            self.deliveries,
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
        trading = (pair for pair in self._living() if pair[0].delivery.phase == 0)
        run = run_due(trading, self._tape, self.times, self._mirror.ts_ns, now_ns)
        if run is None:
            return new_commands(0)
        if run != self.run:
            self.run, run_id = run, run.run_id
            self._settles = _joined(settle_command(one, run.due_ns, run_id) for one in run.prices())
        return self._settles

    def cycles(self, now_ns: int) -> np.ndarray:
        """Pay variation margin at midday, and of what has moved far."""
        trading = (listed for listed, _ in self._living() if listed.delivery.phase == 0)
        return _joined(cycles(trading, self._mirror, self._tape, now_ns))

    def is_paid_since(self, ts_ns: int) -> bool:
        """Return whether every living contract was paid at or after a moment."""
        trading = (listed for listed, _ in self._living() if listed.delivery.phase == 0)
        paid = (self._tape.paid(listed.contract_idx) for listed in trading)
        return all(one is not None and one.ts_ns >= ts_ns for one in paid)

    def settlements_again(self, now_ns: int) -> np.ndarray:
        """Settle again what positions came into after its last settlement."""
        return _joined(agenda_life.settlements_again(self._settled(now_ns)))

    def expiries(self, now_ns: int) -> np.ndarray:
        """End every contract that others follow now, or that was settled for the last time."""
        settled = self._settled(now_ns)
        return _joined(agenda_life.expiries(self._mirror, settled, self.contracts_max))

    def cascades(self, now_ns: int) -> np.ndarray:
        """Move what is left of expired contracts into those that follow them."""
        return _joined(agenda_life.cascades(self._mirror, self._expired()))

    def deliveries(self, now_ns: int) -> np.ndarray:
        """Begin deliveries, and settle what is in delivery."""
        settled = self._settled(now_ns)
        return _joined(
            agenda_life.deliveries(self._mirror, settled, self.days, self.contracts_max, now_ns)
        )

    def listings(self, now_ns: int) -> np.ndarray:
        """List what the catalogue of today has and the exchange has not.

        A new contract is not open yet: it has no margin. Contracts without a reference
        price, and those beyond the core's room, are left out.
        """
        on = date_of(now_ns)
        count = len(self._mirror.contracts)
        rows: list[np.ndarray] = []
        inherited = {one.symbol: ticks for one, ticks in agenda_life.heirs(self._living(), on)}
        for contract in self.unlisted(now_ns):
            reference = self.references(on).of(contract)
            ticks = reference.price_ticks if reference else inherited.get(contract.symbol)
            if ticks is None or count + len(rows) >= self.contracts_max:
                continue
            rows.append(list_command(count + len(rows), contract, ticks, on, TradingState.PRE_OPEN))
        return _joined(rows)

    def unlisted(self, now_ns: int) -> list[Contract]:
        """Return the contracts still to be listed: today's, and those that follow one by now."""
        on = date_of(now_ns)
        new = [one for one in listed_contracts(on) if one.last_trade_ns > now_ns]
        new += [child for child, _ in agenda_life.heirs(self._living(), on)]
        symbols = self._mirror.symbols
        return list(dict.fromkeys(one for one in new if one.symbol not in symbols))

    def margin(self, now_ns: int) -> np.ndarray:
        """Stage every vector of shocks and every add-on that is not as it should be, and swap.

        An add-on that somebody set by hand is left alone; it is made live as any other.
        """
        mirror = self._mirror
        rows: list[np.ndarray] = []
        model, on = self._shocks.model, date_of(last_settlement_ns(now_ns))
        count, worst_count = model.count, model.worst_count
        is_live = (mirror.scenario_count, mirror.worst_count) == (count, worst_count)
        for listed, contract in self._contracts():
            contract_idx = listed.contract_idx
            wanted = self._shocks.of(listed, contract, on)
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
        expired = (
            pair for pair in self._expired() if not agenda_life.is_cascading(self._mirror, *pair)
        )
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


def _same(held: Sequence[int], wanted: Sequence[int]) -> bool:
    return list(held) == list(wanted)


def _joined(parts: Iterator[np.ndarray] | Sequence[np.ndarray]) -> np.ndarray:
    rows = list(parts)
    return np.concatenate(rows) if rows else new_commands(0)
