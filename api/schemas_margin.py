"""Bodies about margin: what to suppose, and what the operator sets; `schemas.py` has all others."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType, field

from api.schemas import Body, MaybeBool, MaybeText, Text

SUPPOSED_MAX = 20  # of each list
LevelBps = Annotated[int, Meta(ge=10_000, le=15_000)]
Few = Meta(max_length=SUPPOSED_MAX)


class SupposedOrder(Body):
    """A limit order that is not there."""

    symbol: Text
    side: Text
    price: Text
    quantity: Text


class SupposedPosition(Body):
    """Lots that are not there: short is negative; traded at the mark unless a price is given."""

    symbol: Text
    quantity: Text
    price: MaybeText = UNSET


class SupposedPrice(Body):
    """Another mark price."""

    symbol: Text
    price: Text


class WhatIfNew(Body):
    """What to suppose, on top of the account or, with `alone`, of an empty one."""

    orders: Annotated[list[SupposedOrder], Meta(max_length=SUPPOSED_MAX)] = field(
        default_factory=list
    )
    positions: Annotated[list[SupposedPosition], Meta(max_length=SUPPOSED_MAX)] = field(
        default_factory=list
    )
    prices: Annotated[list[SupposedPrice], Meta(max_length=SUPPOSED_MAX)] = field(
        default_factory=list
    )
    cash: MaybeText = UNSET  # more than there is, or with a minus less
    collateral: MaybeText = UNSET  # what is counted of it, more or less
    level_bps: LevelBps | UnsetType = UNSET
    alone: MaybeBool = UNSET


class AddonNew(Body):
    """What a contract's market is like: what its add-ons are made of, from the next matrix on."""

    half_spread: Text  # USD per GPU-hour
    daily_move_bps: Annotated[int, Meta(ge=0, le=100_000)]
    daily_volume: Text  # lots
    open_interest: Text  # lots
    fee: Text = "0"  # USD a lot, one side: what an order may have to pay


class LevelNew(Body):
    """At which level of the member's requirement an account is held; clients 11000."""

    level_bps: LevelBps


class ProfileNew(Body):
    """Which wrong-way rule an account has: what its business loses when compute falls."""

    profile: Literal["none", "neocloud", "miner"]


class CoverNew(Body):
    """How many lots of a contract an account's pledged capacity covers, "0" for none."""

    symbol: Text
    quantity: Text
