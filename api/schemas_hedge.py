"""Bodies of the hedge desk: a plan of capacity to sell, or of GPU-hours to buy."""

from typing import Annotated

from msgspec import UNSET, Meta, field

from api.schemas import Body, MaybeBool, MaybeText, Text
from exchange.rules.hedge_plan import ROWS_MAX


class PlanRow(Body):
    """So many GPUs from a day to another, both included: see docs/hedging.md."""

    sku: Text
    hub: Text
    gpus: Text
    start: Text = field(name="from")
    to: Text
    cost: MaybeText = UNSET
    load_factor: MaybeText = UNSET
    pue: MaybeText = UNSET
    power_price: MaybeText = UNSET
    kw: MaybeText = UNSET
    provider: MaybeText = UNSET


class HedgeNew(Body):
    """What is to be hedged; `side` is sell for who owns GPUs, buy for who needs them."""

    plan: Annotated[list[PlanRow], Meta(max_length=ROWS_MAX)]
    side: Text = "sell"
    cover: MaybeText = UNSET
    report: MaybeBool = UNSET  # with a page of HTML
