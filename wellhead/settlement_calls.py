"""Requests about settlement prices."""

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote

from wellhead import settlement_types as st
from wellhead import types as wt
from wellhead.calls import Call, Json, get_call, member, page, target, whole

_CORRECTIONS: Final = "/admin/settlements/corrections"


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


def correct(
    date: str,
    reason: str,
    changes: Sequence[Mapping[str, str | None]],
    *,
    correction_id: str | None = None,
    dry_run: bool = False,
    override: bool = False,
) -> Call[st.CorrectionAsked]:
    """Propose to correct a day's settlement, or see what it would change; by an operator.

    Args:
        override: also by more than a contract's limit of a day; who approves says so too.
    """
    body: Json = {"date": date, "reason": reason, "changes": list(changes)}
    if correction_id is not None:
        body["correction_id"] = correction_id
    if dry_run:
        body["dry_run"] = True
    if override:
        body["override"] = True
    once = dry_run or correction_id is not None
    path = target(_CORRECTIONS)
    return Call("POST", path, whole(st.CorrectionAsked), body=body, repeatable=once)


def decide_correction(
    correction_id: str, action: str, *, override: bool = False
) -> Call[st.CorrectionAsked]:
    """Approve a correction that another operator proposed, or withdraw it."""
    path = target(f"{_CORRECTIONS}/{quote(correction_id, safe='')}")
    body: Json = {"action": action}
    if override:
        body["override"] = True
    return Call("POST", path, whole(st.CorrectionAsked), body=body, repeatable=True)


def corrections(
    limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[st.Correction]]:
    """Corrections of settlements, newest first; for an operator."""
    return get_call(_CORRECTIONS, page("corrections", st.Correction), limit=limit, cursor=cursor)


def accruals(
    state: str | None = None, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[st.InDelivery]]:
    """Contracts in delivery or settled finally, the newest listed first."""
    parse = page("accruals", st.InDelivery)
    path = "/settlements/final"
    return get_call(path, parse, private=False, state=state, limit=limit, cursor=cursor)


def proof(symbol: str) -> Call[Json]:
    """A final settlement as it is hashed, with the way to the signed root of its day."""
    path = f"/proofs/settlements/{quote(symbol, safe='')}"
    return get_call(path, lambda answer: dict(answer["proof"]), private=False)


def roots(limit: int | None = None, cursor: str | None = None) -> Call[list[Json]]:
    """Signed roots over final settlements, newest first."""
    path, parse = "/proofs/settlements", lambda answer: list(answer["roots"])
    return get_call(path, parse, private=False, limit=limit, cursor=cursor)
