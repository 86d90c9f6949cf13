"""Shapes of requests about settlements; see `schemas.py`."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from api.schemas import Body, MaybeBool, MaybeText, Text

Reason = Annotated[str, Meta(min_length=8, max_length=500)]
MaybePrice = Text | None | UnsetType


class CorrectionChange(Body):
    """What was wrong about a contract: its price, or what was seen of it; null: there was none."""

    symbol: Text
    price: MaybeText = UNSET
    mark_price: MaybeText = UNSET
    bid_price: MaybePrice = UNSET
    ask_price: MaybePrice = UNSET
    closing_price: MaybePrice = UNSET
    window_volume: MaybeText = UNSET
    window_vwap: MaybePrice = UNSET


class CorrectionNew(Body):
    """A correction of a day's settlement; `correction_id` makes a repetition the same."""

    date: Text
    reason: Reason
    changes: Annotated[list[CorrectionChange], Meta(min_length=1, max_length=50)]
    correction_id: MaybeText = UNSET
    dry_run: MaybeBool = UNSET
    override: MaybeBool = UNSET


class CorrectionDecision(Body):
    """What another operator says of it: approve; or anybody, before that: withdraw."""

    action: Text
    override: MaybeBool = UNSET
