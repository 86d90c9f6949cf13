"""Requests about forward curves. Run one with `client.run(curve_calls.curve("H100-USE"))`."""

from urllib.parse import quote

from wellhead import curve_types as ct
from wellhead import types as wt
from wellhead.calls import Call, get_call, member, page


def curves() -> Call[wt.Page[ct.CurveSummary]]:
    """All forward curves at a glance."""
    return get_call("/curves", page("curves", ct.CurveSummary), private=False)


def curve(series: str) -> Call[ct.ForwardCurve]:
    """The forward curve of a series: every month, quarter and year, and why it is so."""
    path = f"/curves/{quote(series, safe='')}"
    return get_call(path, member("curve", ct.ForwardCurve), private=False)
