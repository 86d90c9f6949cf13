"""Public channels that no contract has for itself: status, requests for quotes, settlements."""

from typing import TYPE_CHECKING, Any, Final, Protocol

from api import answers_settlements, deals
from exchange.rules.changes import Changes
from exchange.rules.public_data import message, price
from matching.codes import TradingState

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.session import Session

STATUS: Final = "status"
RFQ: Final = "rfq"
SETTLEMENTS: Final = "settlements"


class SharedChannel(Protocol):
    """A channel with a snapshot of its own."""

    subscribers: "dict[Session, None]"

    def snapshot(self) -> bytes:
        """Return the whole of it, true now."""
        ...


class StatusChannel:
    """The mode of the exchange, told when it changes."""

    def __init__(self, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._services = services
        self._last = self._now()
        self._seq = 0

    def _now(self) -> dict[str, Any]:
        status = self._services.gateway.status
        return {"mode": status.mode.value, "reason": status.reason}

    def snapshot(self) -> bytes:
        """Return the mode of now."""
        return message(STATUS, "snapshot", self._seq, None, self._services.now_ns(), self._now())

    def turn(self) -> None:
        """Tell everyone if the mode has changed."""
        now = self._now()
        if now == self._last:
            return
        self._last = now
        seq = self._services.gateway.mirror.seq
        payload = message(STATUS, "update", seq, self._seq, self._services.now_ns(), now)
        self._seq = seq
        for session in tuple(self.subscribers):
            session.deliver(STATUS, payload)


class RfqChannel:
    """Requests for quotes, as they open and end; nobody is told who asks."""

    def __init__(self, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._mirror = services.gateway.mirror
        self._seq = self._mirror.seq

    def snapshot(self) -> bytes:
        """Return the open requests."""
        found = [deals.rfq_out(self._mirror, deal) for deal in self._mirror.deals.requests()]
        return message(RFQ, "snapshot", self._seq, None, self._mirror.ts_ns, found)

    def apply(self, changes: Changes) -> None:
        """Tell everyone what a batch opened and ended."""
        found = [
            deals.rfq_out(self._mirror, deal) for deal in changes.deals.values() if deal.is_request
        ]
        if not found:
            return
        payload = message(RFQ, "update", changes.last_seq, self._seq, changes.ts_ns, found)
        self._seq = changes.last_seq
        for session in tuple(self.subscribers):
            session.deliver(RFQ, payload)


class SettlementChannel:
    """Settlement prices as they are made; the snapshot has the last one of each contract."""

    def __init__(self, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._mirror = services.gateway.mirror
        self._seq = self._mirror.seq

    def snapshot(self) -> bytes:
        """Return the last settlement price of each contract that has not expired."""
        found = [
            {"symbol": one.symbol, "price": price(one.settle_ticks)}
            for one in self._mirror.contracts
            if not one.legs and one.state != TradingState.EXPIRED
        ]
        return message(SETTLEMENTS, "snapshot", self._seq, None, self._mirror.ts_ns, found)

    def apply(self, changes: Changes) -> None:
        """Tell everyone what a batch settled."""
        contracts = self._mirror.contracts
        found = [answers_settlements.said(contracts, one) for one in changes.settlements]
        args = (changes.last_seq, self._seq, changes.ts_ns)
        self._seq = changes.last_seq
        if self.subscribers:
            payload = message(SETTLEMENTS, "update", *args, found)
            for session in tuple(self.subscribers):
                session.deliver(SETTLEMENTS, payload)
