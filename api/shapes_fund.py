"""What answers say of the default fund, and of losses that layers bore."""

from api.shapes import Answer, Part


class FundAlarm(Part):
    """A stress loss that is near the fund: so many basis points of it, from a limit on."""

    kind: str
    scenario: str
    used_bps: int
    limit_bps: int


class Fund(Part):
    """What the fund had to be at a command, and what it was."""

    seq: int
    ts: int
    size: str
    held: str
    cover_2: str
    scenario: str | None
    scenarios: int
    matrix: str
    alarms: list[FundAlarm]


class Share(Part):
    """A member's share of the fund."""

    account_id: str
    held: str
    required: str
    due: str
    due_by: int | None


class HouseLayer(Part):
    """The house's own money in a layer, and by how much it is below zero."""

    layer: str
    held: str
    owes: str


class Cover(Part):
    """The two accounts that lose most beyond margin in a scenario."""

    scenario: str
    account_ids: list[str]
    losses: list[str]


class LossRound(Part):
    """What had to be borne, by the state after command `round_no`."""

    liquidation_id: int
    round_no: int
    loss_usd_micros: int


class LossRow(Part):
    """One party of one layer."""

    place: int
    tag: str
    available_usd_micros: int
    used_usd_micros: int
    junior: bool = False


class LossProof(Part):
    """Who bore how much, and why."""

    digest: str
    round: LossRound
    rows: list[LossRow]
    left_usd_micros: int


class PublicUse(Part):
    """Money that a layer gave, as the journal has it."""

    seq: int
    place: int
    tag: str
    amount_usd_micros: int


class OwnLoss(Part):
    """What another's default cost the account; `tag` is its name in the proofs."""

    liquidation_id: str
    seq: int
    ts: int
    layer: str
    tag: str
    amount: str


class FundAnswer(Answer):
    """The default fund; None before it was sized first."""

    fund: Fund | None


class WholeFundAnswer(Answer):
    """The default fund with everybody's share."""

    fund: Fund | None
    members: list[Share]
    house: list[HouseLayer]
    covers: list[Cover]


class ShareAnswer(Answer):
    """The account's share of the fund."""

    share: Share


class LossesAnswer(Answer):
    """The proofs of who bore a default, and what was moved."""

    proofs: list[LossProof]
    uses: list[PublicUse]


class OwnLossesAnswer(Answer):
    """What others' defaults cost the account, newest first."""

    losses: list[OwnLoss]
    next_cursor: str | None
