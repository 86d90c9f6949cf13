"""Requests about fees."""

from wellhead import fee_types as ft
from wellhead import types as wt
from wellhead.calls import Call, get_call, page, whole


def fees() -> Call[wt.Page[ft.FeeRow]]:
    """Return the schedule; anybody may ask."""
    return get_call("/fees", page("fees", ft.FeeRow), private=False)


def own_fees() -> Call[ft.OwnFees]:
    """Return what the account pays, and why."""
    return get_call("/fees/own", whole(ft.OwnFees))
