"""Requests about settlement prices."""

from urllib.parse import quote

from wellhead import settlement_types as st
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page


def settlements(
    symbol: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
    date: str | None = None,
) -> Call[wt.Page[st.Settlement]]:
    """Settlements, newest first; those of one contract, of one day."""
    parse = page("settlements", st.Settlement)
    return get_call(
        "/settlements", parse, private=False, symbol=symbol, date=date, limit=limit, cursor=cursor
    )


def run(run_id: str) -> Call[st.SettlementRun]:
    """Everything that the prices of a moment come from."""
    path = f"/settlements/runs/{quote(run_id, safe='')}"
    return get_call(path, member("run", st.SettlementRun), private=False)


def final(symbol: str) -> Call[Json]:
    """Every settlement of a contract in delivery, oldest first."""
    path = f"/settlements/final/{quote(symbol, safe='')}"
    return get_call(path, lambda answer: dict(answer["settlement"]), private=False)
