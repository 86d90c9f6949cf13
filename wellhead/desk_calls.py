"""Requests of the risk desk; those of an operator, but for the nightly results."""

from urllib.parse import quote

from wellhead import desk_types as kt
from wellhead import types as wt
from wellhead.calls import Call, get_call, member, page, whole


def _account(account_id: str) -> str:
    return f"/admin/risk/accounts/{quote(account_id, safe='')}"


def risk(limit: int | None = None, state: str | None = None) -> Call[kt.Risk]:
    """Every account's risk, the nearest to its end first."""
    return get_call("/admin/risk/accounts", whole(kt.Risk), limit=limit, state=state)


def account(account_id: str) -> Call[kt.RiskAccount]:
    """One account's risk, down to its postings."""
    return get_call(_account(account_id), whole(kt.RiskAccount))


def postings(
    account_id: str, limit: int | None = None, cursor: str | None = None
) -> Call[wt.Page[kt.Posting]]:
    """The postings behind an account's cash, newest first."""
    path = f"{_account(account_id)}/postings"
    return get_call(path, page("postings", kt.Posting), limit=limit, cursor=cursor)


def transfer(transfer_id: str) -> Call[kt.LedgerTransfer]:
    """One transfer with all its postings."""
    path = f"/admin/ledger/transfers/{quote(transfer_id, safe='')}"
    return get_call(path, member("transfer", kt.LedgerTransfer))


def stress(*, complete: bool = True) -> Call[wt.Page[kt.StressOutcome]]:
    """What every story would do to all accounts."""
    parse = page("stories", kt.StressOutcome)
    return get_call("/admin/risk/stress", parse, whole=_word(complete))


def story(
    name: str, account_id: str | None = None, limit: int | None = None, *, complete: bool = True
) -> Call[kt.Story]:
    """What one story would do, account by account."""
    return get_call(
        f"/admin/risk/stress/{quote(name, safe='')}", whole(kt.Story),
        account_id=account_id, limit=limit, whole=_word(complete),
    )  # fmt: skip


def account_stress(account_id: str, *, complete: bool = True) -> Call[wt.Page[kt.StressAccount]]:
    """What every story would do to one account."""
    parse = page("stories", kt.StressAccount)
    return get_call(f"{_account(account_id)}/stress", parse, whole=_word(complete))


def nightly(day: str | None = None) -> Call[wt.Page[kt.StressNight]]:
    """The house's result in every story, as it was played after a settlement; for anybody."""
    return get_call("/stress", page("results", kt.StressNight), private=False, day=day)


def _word(complete: bool) -> str | None:
    return None if complete else "false"
