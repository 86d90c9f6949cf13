"""Margin calls, liquidations and drills, as the exchange says them."""

from decimal import Decimal

from wellhead.types import Answer


class Liquidation(Answer, frozen=True, kw_only=True):
    """A liquidation; `ended_ts` is None while it goes on."""

    liquidation_id: str
    account_id: str
    begun_ts: int
    ended_ts: int | None = None
    equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    end_equity: Decimal | None = None


class MarginCall(Answer, frozen=True, kw_only=True):
    """A margin call; states: issued, acknowledged, part_met, met, breached, cured, escalated."""

    call_id: str
    account_id: str
    amount: Decimal
    met: Decimal
    state: str
    issued_ts: int
    due_ts: int
    reminders: int = 0


class DrillLayer(Answer, frozen=True, kw_only=True):
    """What a layer of the waterfall would give."""

    layer: str
    party: str
    available: Decimal
    used: Decimal


class DrillLot(Answer, frozen=True, kw_only=True):
    """What members would take of a lot, if all bid alike, and what its distance costs."""

    lot: str
    offered: int
    taken: int
    reserve: Decimal
    cost: Decimal


class Drill(Answer, frozen=True, kw_only=True):
    """What the default of an account would cost now."""

    account_id: str
    equity: Decimal
    initial_margin: Decimal
    maintenance_margin: Decimal
    scenario: str
    stress_loss: Decimal
    loss: Decimal
    layers: list[DrillLayer]
    uncovered: Decimal
    auction: list[DrillLot] | None = None  # None: too large to be played
