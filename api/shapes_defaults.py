"""What answers say of margin calls, liquidations, their proofs, and drills."""

from api.shapes import Answer, Part


class Liquidation(Part):
    """A liquidation; `ended_ts` is None while it goes on."""

    liquidation_id: str
    account_id: str
    begun_ts: int
    ended_ts: int | None
    equity: str
    initial_margin: str
    maintenance_margin: str
    end_equity: str | None


class Move(Part):
    """Lots that went from one account to another."""

    seq: int
    ts: int
    reason: str
    symbol: str
    from_account_id: str
    to_account_id: str
    side: str
    price: str
    quantity: str


class LayerUse(Part):
    """Money that a layer of the waterfall gave."""

    seq: int
    ts: int
    layer: str | None
    from_account_id: str
    to_account_id: str
    amount: str


class Closing(Part):
    """What had to be closed; whole ticks and lots, as the core counts."""

    liquidation_id: int
    round_no: int
    symbol: str
    qty_lots: int
    price_ticks: int
    mark_ticks: int
    tick_value_usd_micros: int
    state_seq: int


class ProofRow(Part):
    """One candidate of a deleveraging."""

    tag: str
    score: int
    held_lots: int
    room_lots: int
    share_lots: int


class Proof(Part):
    """Who closed how much, and why."""

    digest: str
    closing: Closing
    rows: list[ProofRow]
    left_lots: int


class MarginCall(Part):
    """A margin call."""

    call_id: str
    account_id: str
    amount: str
    met: str
    state: str
    issued_ts: int
    due_ts: int
    reminders: int


class DrillLayer(Part):
    """What a layer would give."""

    layer: str
    party: str
    available: str
    used: str


class DrillLot(Part):
    """What members would take of a lot, if all bid alike, and what its distance costs."""

    lot: str
    offered: str
    taken: str
    reserve: str
    cost: str


class Drill(Part):
    """What would happen if the account defaulted now and its positions closed at stress prices."""

    account_id: str
    equity: str
    initial_margin: str
    maintenance_margin: str
    scenario: str
    stress_loss: str
    loss: str
    layers: list[DrillLayer]
    uncovered: str
    auction: list[DrillLot] | None


class LiquidationsAnswer(Answer):
    """Liquidations, newest first."""

    liquidations: list[Liquidation]
    next_cursor: str | None


class LiquidationAnswer(Answer):
    """One liquidation with all that it moved."""

    liquidation: Liquidation
    moves: list[Move]
    layers: list[LayerUse]
    proofs: list[Proof]


class CallsAnswer(Answer):
    """Margin calls, newest first."""

    margin_calls: list[MarginCall]
    next_cursor: str | None


class ProofsAnswer(Answer):
    """The proofs of a liquidation."""

    proofs: list[Proof]


class DrillAnswer(Answer):
    """A drill; nothing was changed."""

    drill: Drill
