"""Contracts in delivery: how far each is settled, as a list and as a channel."""

from typing import TYPE_CHECKING, Any, Final

from api import codec
from api.answers import millis
from exchange.rules.changes import Changes
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.public_data import message
from exchange.rules.records import Contract

if TYPE_CHECKING:
    from api.deps import Services
    from api.ws.session import Session

ACCRUALS: Final = "accruals"
STATES: Final = ("delivery", "provisional", "final")
FINAL: Final = 2  # phase of a delivery that was settled for the last time


def days_of(one: Contract) -> int:
    """Return the days of a contract's period, 0 for one that was listed by hand."""
    try:
        return parse_symbol(one.symbol).period.days
    except SymbolError:
        return 0


def accrual_out(one: Contract, change_usd_micros: int | None = None) -> dict[str, Any]:
    """Return how far a contract in delivery is settled; `worth` and `change` are of one lot.

    Args:
        change_usd_micros: by the settlement that is told.
    """
    days, record = days_of(one), one.delivery
    hours = one.tick_value_usd_micros // codec.USD_MICROS_PER_TICK
    over = bool(days) and record.days_fixed == days
    state = STATES[2] if record.phase == FINAL else STATES[over]
    return {
        "symbol": one.symbol,
        "state": state,
        "ordinal": record.accruals,
        "days_fixed": record.days_fixed,
        "days": days or None,
        "worth": usd_text(one.worth_usd_micros),
        "price": usd_text(one.worth_usd_micros // max(1, hours)),
        "change": None if change_usd_micros is None else usd_text(change_usd_micros),
        "open_interest": str(one.open_interest_lots),
        "accrued_ts": millis(record.accrued_ns),
    }


def in_delivery(state: MirrorState, wanted: str | None = None) -> list[dict[str, Any]]:
    """Return the contracts that are or were in delivery, the newest first."""
    rows = [accrual_out(one) for one in reversed(state.contracts) if one.delivery.phase]
    return [row for row in rows if wanted is None or row["state"] == wanted]


class AccrualChannel:
    """Settlements in delivery as they are made; the snapshot has all that are not over yet."""

    def __init__(self, services: "Services") -> None:
        self.subscribers: dict[Session, None] = {}
        self._mirror = services.gateway.mirror
        self._seq = self._mirror.seq

    def snapshot(self) -> bytes:
        """Return each contract in delivery that is not settled finally."""
        found = [row for row in in_delivery(self._mirror) if row["state"] != STATES[2]]
        return message(ACCRUALS, "snapshot", self._seq, None, self._mirror.ts_ns, found)

    def apply(self, changes: Changes) -> None:
        """Tell everyone what a batch settled."""
        contracts = self._mirror.contracts
        found = [accrual_out(contracts[idx], change) for idx, change in changes.accruals.items()]
        args = (changes.last_seq, self._seq, changes.ts_ns)
        self._seq = changes.last_seq
        if self.subscribers:
            payload = message(ACCRUALS, "update", *args, found)
            for session in tuple(self.subscribers):
                session.deliver(ACCRUALS, payload)
