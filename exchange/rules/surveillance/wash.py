"""SURV_001: trades between accounts of one owner. Nothing changes hands, and the tape shows it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from exchange.rules.surveillance.alerts import QUIET_NS, Alert, Pattern, evidence
from exchange.rules.surveillance.happenings import Traded

Key = tuple[str, int]  # owner, contract_idx


class Wash:
    """Trades of an owner with itself, gathered so that many of them are one alert a minute."""

    def __init__(self) -> None:
        self._trades: dict[Key, list[Traded]] = defaultdict(list)
        self._last_ns: dict[Key, int] = {}

    def traded(self, trade: Traded, taker: str, maker: str) -> Sequence[Alert]:
        """Take in a trade; the first of a while is told at once."""
        if taker != maker:
            return ()
        key = taker, trade.contract_idx
        self._trades[key].append(trade)
        return [*self._tell(key, trade.ts_ns)]

    def passed(self, ts_ns: int) -> Iterator[Alert]:
        """Tell what has been gathered, where a minute has passed."""
        for key in list(self._trades):
            yield from self._tell(key, ts_ns)

    def forget(self, ts_ns: int) -> None:
        """Drop who may be told of at once again."""
        self._last_ns = {k: at for k, at in self._last_ns.items() if ts_ns - at < QUIET_NS}

    def _tell(self, key: Key, ts_ns: int) -> Iterator[Alert]:
        if ts_ns - self._last_ns.get(key, -QUIET_NS) < QUIET_NS:
            return
        trades = self._trades.pop(key)
        self._last_ns[key] = ts_ns
        yield Alert(
            pattern=Pattern.WASH_TRADE,
            subject=key[0],
            contract_idx=key[1],
            seqs=evidence(trade.seq for trade in trades),
            first_ns=trades[0].ts_ns,
            last_ns=trades[-1].ts_ns,
            figures={"trades": len(trades), "lots": sum(trade.qty_lots for trade in trades)},
        )
