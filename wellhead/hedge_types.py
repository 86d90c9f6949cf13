"""What the hedge desk answers."""

from decimal import Decimal

from msgspec import field

from wellhead.types import Answer


class HedgeLeg(Answer, frozen=True, kw_only=True):
    """Lots of one contract for one series of the plan; a proxy is another hub's contract."""

    symbol: str
    series: str
    proxy: bool
    ratio: Decimal
    quantity: Decimal
    gpu_hours: Decimal
    price: Decimal
    value: Decimal


class HedgeMonth(Answer, frozen=True, kw_only=True):
    """One series in one month."""

    series: str
    month: str
    gpu_hours: Decimal
    hedged_gpu_hours: Decimal
    hedged_value: Decimal
    open_value: Decimal | None = None
    cost: Decimal
    power_cost: Decimal
    power_margin: Decimal | None = None  # of a GPU-hour: its price minus its power


class HedgeOrder(Answer, frozen=True, kw_only=True):
    """A limit order that builds a part of the strip."""

    symbol: str
    side: str
    quantity: Decimal
    price: Decimal
    type: str = "limit"
    tif: str = "GTC"


class Regression(Answer, frozen=True, kw_only=True):
    """A regression of changes over four weeks; None where too few windows say anything."""

    windows: int
    beta: Decimal | None = None
    r_squared: Decimal | None = None


class BasisPoint(Answer, frozen=True, kw_only=True):
    """The hub's level over the worldwide one at the end of a month."""

    month: str
    ratio: Decimal


class HedgeBasis(Answer, frozen=True, kw_only=True):
    """How sites move with their hub, and the hub with the world."""

    series: str
    provider: str = ""
    region: str = ""
    as_of: str = ""
    site_to_hub: Regression
    hub_to_world: Regression
    history: list[BasisPoint] = field(default_factory=list)


class HedgeTotals(Answer, frozen=True, kw_only=True):
    """What it comes to."""

    gpu_hours: Decimal
    hedged_gpu_hours: Decimal
    hedged_share: Decimal
    hedged_value: Decimal
    cost: Decimal
    power_cost: Decimal
    locked_margin: Decimal
    fees_at_most: Decimal
    initial_margin_alone: Decimal
    initial_margin_more: Decimal
    free_after: Decimal


class Hedge(Answer, frozen=True, kw_only=True):
    """A plan's exposure, the strip that hedges it, and the orders ready to send."""

    side: str
    cover: str
    day: str
    totals: HedgeTotals
    strip: list[HedgeLeg]
    months: list[HedgeMonth]
    orders: list[HedgeOrder]
    basis: list[HedgeBasis]
    unhedged: list[str] = field(default_factory=list)
    attribution: list[str] = field(default_factory=list)


class Hedged(Answer, frozen=True, kw_only=True):
    """A hedge, and its report when it was asked for."""

    hedge: Hedge
    report: str | None = None
