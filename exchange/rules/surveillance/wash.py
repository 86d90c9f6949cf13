"""SURV_001: trades between accounts of one owner. Nothing changes hands, and the tape shows it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from exchange.rules.surveillance.alerts import QUIET_NS, Alert, Pattern, evidence
from exchange.rules.surveillance.happenings import Traded

Key = tuple[str, int]  # owner, contract_idx
NEVER_NS: Final = 1 << 63  # behind any timestamp


class Wash:
    """Trades of an owner with itself, gathered so that many of them are one alert a minute.

    What was gathered counts as told the minute it is due, whenever somebody asks: so the alerts of
    a journal are the same however it was cut into batches.
    """

    def __init__(self) -> None:
        self._trades: dict[Key, list[Traded]] = defaultdict(list)
        self._last_ns: dict[Key, int] = {}
        self.due_ns = NEVER_NS  # when something of what was gathered is to be told next

    def traded(self, trade: Traded, taker: str, maker: str) -> Sequence[Alert]:
        """Take in a trade; the first of a while is told at once."""
        if taker != maker:
            return ()
        key = taker, trade.contract_idx
        last_ns = self._last_ns.get(key)
        if last_ns is None or trade.ts_ns - last_ns >= QUIET_NS:
            self._last_ns[key] = trade.ts_ns
            return (_alert(key, [trade]),)
        self._trades[key].append(trade)
        self.due_ns = min(self.due_ns, last_ns + QUIET_NS)
        return ()

    def passed(self, ts_ns: int) -> Iterator[Alert]:
        """Tell what has been gathered, where a minute has passed."""
        if ts_ns < self.due_ns:
            return
        due = sorted((self._last_ns[key] + QUIET_NS, key) for key in self._trades)
        for due_ns, key in due:
            if due_ns <= ts_ns:
                self._last_ns[key] = due_ns
                yield _alert(key, self._trades.pop(key))
        self.due_ns = min((self._last_ns[key] + QUIET_NS for key in self._trades), default=NEVER_NS)

    def forget(self, ts_ns: int) -> None:
        """Drop who may be told of at once again; call `passed` before."""
        self._last_ns = {k: at for k, at in self._last_ns.items() if ts_ns - at < QUIET_NS}


def _alert(key: Key, trades: list[Traded]) -> Alert:
    return Alert(
        pattern=Pattern.WASH_TRADE,
        subject=key[0],
        contract_idx=key[1],
        seqs=evidence(trade.seq for trade in trades),
        first_ns=trades[0].ts_ns,
        last_ns=trades[-1].ts_ns,
        figures={"trades": len(trades), "lots": sum(trade.qty_lots for trade in trades)},
    )
