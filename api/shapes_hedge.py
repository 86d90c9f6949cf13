"""What the hedge desk answers, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class HedgeLeg(Part):
    """Lots of one contract for one series; a proxy is another hub's contract."""

    symbol: str
    series: str
    proxy: bool
    ratio: str
    quantity: str
    gpu_hours: str
    price: str
    value: str


class HedgeMonth(Part):
    """One series in one month. `power_margin` is price minus power, of one GPU-hour."""

    series: str
    month: str
    gpu_hours: str
    hedged_gpu_hours: str
    hedged_value: str
    open_value: str | None
    cost: str
    power_cost: str
    power_margin: str | None


class HedgeOrder(Part):
    """A limit order that builds a part of the strip: a body for `POST /orders`."""

    symbol: str
    side: str
    quantity: str
    price: str
    type: str
    tif: str


class Regression(Part):
    """A regression over windows of four weeks; nulls where too few of them say anything."""

    windows: int
    beta: str | None
    r_squared: str | None


class BasisPoint(Part):
    """The hub's level over the worldwide one at the end of a month."""

    month: str
    ratio: str


class HedgeBasis(Part):
    """How sites move with their hub, and the hub with the world."""

    series: str
    provider: str
    region: str
    as_of: str
    site_to_hub: Regression
    hub_to_world: Regression
    history: list[BasisPoint]


class HedgeTotals(Part):
    """What it comes to; margin is that of the strip alone, and what it adds to the account."""

    gpu_hours: str
    hedged_gpu_hours: str
    hedged_share: str
    hedged_value: str
    cost: str
    power_cost: str
    locked_margin: str
    fees_at_most: str
    initial_margin_alone: str
    initial_margin_more: str
    free_after: str


class Hedge(Part):
    """A plan's exposure, the strip that hedges it, and the orders ready to send."""

    side: str
    cover: str
    day: str
    totals: HedgeTotals
    strip: list[HedgeLeg]
    months: list[HedgeMonth]
    orders: list[HedgeOrder]
    basis: list[HedgeBasis]
    unhedged: list[str]
    attribution: list[str]


class HedgeAnswer(Answer):
    """Nothing was placed; `report` is a page of HTML when it was asked for."""

    hedge: Hedge
    report: str | None
