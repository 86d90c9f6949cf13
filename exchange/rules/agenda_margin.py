"""Which shocks of a contract should be live."""

from collections.abc import Sequence
from datetime import date

from exchange.rules.contracts import Contract
from exchange.rules.records import Contract as ListedContract
from exchange.rules.scenarios import ShockModel
from matching.codes import TradingState


class WantedShocks:
    """The shocks of a model, of each contract as it stands; only a cache."""

    def __init__(self, model: ShockModel) -> None:
        self.model = model
        self._known: dict[int, tuple[int, date, Sequence[int]]] = {}

    def of(self, listed: ListedContract, contract: Contract, on: date) -> Sequence[int]:
        """Return the profit of one long lot in each scenario, as of the last settlement's day.

        None of an expired contract.
        """
        if listed.state == TradingState.EXPIRED:
            return (0,) * self.model.count
        known = self._known.get(listed.contract_idx)
        if known is None or known[:2] != (listed.settle_ticks, on):
            shocks = self.model.shocks(contract, listed.settle_ticks, on)
            known = (listed.settle_ticks, on, shocks)
            self._known[listed.contract_idx] = known
        return known[2]
