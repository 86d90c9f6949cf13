"""Requests about the index: prints, how they came about, errata, committee values.

Run one with `client.run(index_calls.indices())`.
"""

from urllib.parse import quote

from wellhead import index_types as it
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole

_PUBLIC = "/indices"


def indices() -> Call[wt.Page[it.IndexPrint]]:
    """The newest print of every index."""
    return get_call(_PUBLIC, page("indices", it.IndexPrint), private=False)


def prints(
    name: str,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Call[wt.Page[it.IndexPrint]]:
    """The newest revision of each day, newest first; `since` and `until` are days, included."""
    path = f"{_PUBLIC}/{quote(name, safe='')}/prints"
    parse = page("prints", it.IndexPrint)
    return get_call(
        path, parse, private=False, since=since, until=until, limit=limit, cursor=cursor
    )


def chain(after: int = 0, limit: int | None = None) -> Call[list[Json]]:
    """Prints of all names behind a position, oldest first, as they are hashed."""
    return get_call(
        f"{_PUBLIC}/chain", lambda answer: list(answer["chain"]), private=False,
        cursor=str(after) if after else None, limit=limit,
    )  # fmt: skip


def explain(name: str, day: str | None = None) -> Call[it.IndexExplained]:
    """How a print came about: every constituent with its weight; of the newest day when None."""
    path = f"{_PUBLIC}/{quote(name, safe='')}/explain"
    return get_call(path, member("explained", it.IndexExplained), private=False, day=day)


def errata(limit: int | None = None, cursor: str | None = None) -> Call[wt.Page[it.IndexErratum]]:
    """Final prints that would be others with what is known now, newest first."""
    parse = page("errata", it.IndexErratum)
    return get_call(f"{_PUBLIC}/errata", parse, private=False, limit=limit, cursor=cursor)


def say(name: str, day: str, price: str, reason: str) -> Call[it.IndexSaid]:
    """Say what a print is, where there is no quorum; two operators must say the same."""
    path = target(f"/admin/indices/{quote(name, safe='')}/committee")
    body = {"day": day, "price": price, "reason": reason}
    return Call("POST", path, whole(it.IndexSaid), body=body, repeatable=True)
