"""Variation margin, computed a second time before it is posted.

The core keeps each position's unsettled gain up to date fill by fill and mark
by mark. Clearing knows nothing of marks: from the trades alone it keeps, per
position, the value its lots were last paid up to,

    carry = tick value x (lots x last settlement price, then + lots x price of each fill since)

and a settlement owes `tick value x lots x price - carry`. Both must agree to the
micro-dollar for every account, or nothing is posted.
"""

from collections.abc import Mapping
from typing import NamedTuple


class ClearingMismatch(ValueError):
    """Clearing and the core disagree: nothing may be posted before a person has looked."""


class Holding(NamedTuple):
    """What a settlement needs to know of one position."""

    qty_lots: int
    carry_usd_micros: int


def variation_usd_micros(
    holding: Holding, tick_value_usd_micros: int, price_ticks: int, fine_usd_micros: int = 0
) -> int:
    """Return what a position gains (or, negative, owes) when it is settled at a price.

    Args:
        fine_usd_micros: what a lot in delivery is worth beyond the price.
    """
    lot_usd_micros = tick_value_usd_micros * price_ticks + fine_usd_micros
    return lot_usd_micros * holding.qty_lots - holding.carry_usd_micros


class SettlementCheck:
    """Holds one settlement of the core against clearing's own figures."""

    def __init__(
        self,
        seq: int,
        price_ticks: int,
        paid_usd_micros: int,
        tick_value_usd_micros: int,
        holdings: Mapping[int, Holding],
        fine_usd_micros: int = 0,
    ) -> None:
        """Begin with the core's reply; `holdings` are all positions by account_idx."""
        self.seq = seq
        self.price_ticks = price_ticks
        self._paid_usd_micros = paid_usd_micros
        self._holdings = holdings
        self._due = {
            account_idx: amount
            for account_idx, holding in holdings.items()
            if (
                amount := variation_usd_micros(
                    holding, tick_value_usd_micros, price_ticks, fine_usd_micros
                )
            )
        }
        self._fail_unless("sum over accounts", 0, sum(self._due.values()))
        gains = sum(amount for amount in self._due.values() if amount > 0)
        self._fail_unless("sum paid", gains, paid_usd_micros)

    @property
    def paid_usd_micros(self) -> int:
        """Return the sum of what the gaining accounts receive."""
        return self._paid_usd_micros

    def take(self, account_idx: int, qty_lots: int, price_ticks: int, amount: int) -> None:
        """Check one VARIATION event of the core.

        Errors:
            ClearingMismatch: the account owes another amount, nothing, or was settled already.
        """
        who = f"account {account_idx}"
        self._fail_unless(f"amount of {who}", self._due.pop(account_idx, 0), amount)
        held_lots = self._holdings.get(account_idx, Holding(0, 0)).qty_lots
        self._fail_unless(f"lots of {who}", held_lots, qty_lots)
        self._fail_unless(f"price of {who}", self.price_ticks, price_ticks)

    def finish(self) -> None:
        """Check that nobody was left out.

        Errors:
            ClearingMismatch: an account that owes or gains had no event.
        """
        for account_idx, amount in self._due.items():
            self._fail_unless(f"amount of account {account_idx}", amount, 0)

    def _fail_unless(self, what: str, expected: int, found: int) -> None:
        if expected != found:
            raise ClearingMismatch(
                f"settlement at seq {self.seq}: {what}: "
                f"clearing computed {expected}, the core said {found}"
            )
