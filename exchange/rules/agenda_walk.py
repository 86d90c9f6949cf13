"""Walking the contracts that there are: living, over, expired."""

from collections.abc import Iterator

from exchange.rules.agenda_life import Pair, is_over
from exchange.rules.agenda_prices import due_ns
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.mirror_state import MirrorState
from exchange.rules.tape import Tape
from matching.codes import TradingState


class Walk:
    """The contracts of the mirror, each beside what its symbol says."""

    def __init__(self, mirror: MirrorState, tape: Tape) -> None:
        self._mirror = mirror
        self._tape = tape
        self._closed: set[int] = set()  # expired contracts that nobody holds
        self._parsed: list[Pair | None] = []
        self._alive: list[Pair] = []
        self._ended: list[Pair] = []

    def _contracts(self) -> Iterator[Pair]:
        """Walk the contracts of the catalogue's grammar; others are none of our business."""
        self._catch_up()
        return (pair for pair in self._parsed if pair is not None)

    def _living(self) -> Iterator[Pair]:
        """Walk those that have not expired."""
        self._catch_up()
        return iter(self._alive)

    def _expired(self) -> Iterator[Pair]:
        """Walk those that have expired and may be held still."""
        self._catch_up()
        return iter(self._ended)

    def _catch_up(self) -> None:
        """Take in new contracts and expiries, and forget those that nobody holds any more."""
        for listed in self._mirror.contracts[len(self._parsed) :]:
            try:
                self._parsed.append((listed, parse_symbol(listed.symbol)))
                self._alive.append((listed, parse_symbol(listed.symbol)))
            except SymbolError:
                self._parsed.append(None)
        if any(listed.state == TradingState.EXPIRED for listed, _ in self._alive):
            self._ended += [pair for pair in self._alive if pair[0].state == TradingState.EXPIRED]
            self._alive = [pair for pair in self._alive if pair[0].state != TradingState.EXPIRED]
        if any(listed.contract_idx in self._closed for listed, _ in self._ended):
            self._ended = [one for one in self._ended if one[0].contract_idx not in self._closed]

    def is_settled_since(self, ts_ns: int) -> bool:
        """Return whether every living contract was settled at or after a moment."""
        settled_ns = self._tape.settled_ns
        return all(
            settled_ns(listed.contract_idx) >= ts_ns
            for listed, _ in self._living()
            if listed.delivery.phase == 0
        )

    def _settled(self, now_ns: int) -> Iterator[Pair]:
        """Walk the living contracts whose trading is over and which are settled for it."""
        for listed, contract in self._living():
            if is_over(listed, now_ns) and (
                listed.delivery.phase
                or self._tape.settled_ns(listed.contract_idx) >= due_ns(listed, now_ns)
            ):
                yield listed, contract
