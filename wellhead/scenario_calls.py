"""Requests about margin scenarios: what is published, and what an operator does with it.

Run one with `client.run(scenario_calls.published())`.
"""

from urllib.parse import quote

from wellhead import scenario_types as st
from wellhead import types as wt
from wellhead.calls import Call, get_call, member, page, target, whole

LIVE = "live"
_PUBLIC = "/margin/scenarios"
_ADMIN = "/admin/margin/scenarios"


def published(
    limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[st.ScenarioSetRow]]:
    """Published sets, newest first."""
    parse = page("scenario_sets", st.ScenarioSetRow)
    return get_call(_PUBLIC, parse, private=False, limit=limit, cursor=cursor)


def one(set_id: str) -> Call[st.ScenarioSet]:
    """One set with every row and story."""
    path = f"{_PUBLIC}/{quote(set_id, safe='')}"
    return get_call(path, member("scenario_set", st.ScenarioSet), private=False)


def matrix(set_id: str = LIVE) -> Call[st.Matrix]:
    """The matrix of a set as it was published, or the live one."""
    path = f"{_PUBLIC}/{quote(set_id, safe='')}/matrix"
    return get_call(path, member("matrix", st.Matrix), private=False)


def build(day: str | None = None) -> Call[st.ScenarioSet]:
    """Build and publish the set of a day (today when None); takes seconds, swaps nothing."""
    body = {} if day is None else {"day": day}
    parse = member("scenario_set", st.ScenarioSet)
    return Call("POST", target(_ADMIN), parse, body=body, repeatable=True)


def dry_run(set_id: str) -> Call[st.DryRun]:
    """Who would fall short after a swap."""
    path = f"{_ADMIN}/{quote(set_id, safe='')}/dry-run"
    return get_call(path, member("dry_run", st.DryRun))


def swap(set_id: str) -> Call[st.Swap]:
    """Make a set the one that is used."""
    path = target(f"{_ADMIN}/{quote(set_id, safe='')}/swap")
    return Call("POST", path, whole(st.Swap), repeatable=True)
