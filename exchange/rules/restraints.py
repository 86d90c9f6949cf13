"""When an account may only reduce, by itself: what is said, and what is done about it (RSTR_001-4).

The last word about an account says for which reasons it is restrained, and whether it was the
exchange that made it reduce-only. Word and state of the core together say what is next, so a
service that is killed between any two steps goes on where it was.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

from matching.codes import AccountState


class Reason(StrEnum):
    """Why an account may only reduce."""

    POSITION_LIMIT = "position_limit"  # POSL_005
    MARGIN_LIMIT = "margin_limit"  # CRED_004
    TURNOVER_LIMIT = "turnover_limit"  # CRED_005
    FUND_CALL = "fund_call"  # DEF-16
    CLIENTS_LIMIT = "clients_limit"  # CRED_007
    MEMBER_FAILED = "member_failed"  # PORT_009


class NoticeKind(StrEnum):
    """What an account is told."""

    ACCOUNTABILITY = "accountability"
    RESTRAINED = "restrained"
    RELEASED = "released"
    FUND_CALL = "fund_call"
    FUND_REMINDER = "fund_reminder"
    MEMBER_FAILED = "member_failed"
    PORT_OFFER = "port_offer"  # to the member that is asked
    PORT_PROPOSED = "port_proposed"  # to the client
    PORTED = "ported"
    CLOSING_OUT = "closing_out"


class Word(NamedTuple):
    """What was said last of an account: its reasons, none when it is free."""

    reasons: tuple[str, ...] = ()
    imposed: bool = False  # by the exchange: else somebody else had made it reduce-only before
    notice_id: int = 0  # the next word names it, so it is said once


class Act(NamedTuple):
    """What is due: a word to write first, and a state to tell the core then."""

    word: Word | None = None
    state: AccountState | None = None


class Credit(NamedTuple):
    """What an account may use of its member's trust; 0 is no limit."""

    margin_max_usd_micros: int = 0
    turnover_max_gpu_hours: int = 0
    clients_margin_max_usd_micros: int = 0  # of a member: of all its clients together (CRED_007)


def stricter_credit(one: Credit, other: Credit) -> Credit:
    """Return the smaller of two limits, number by number (CRED_001); 0 is none."""
    return Credit(*(min(a or b, b or a) for a, b in zip(one, other, strict=True)))


def credit_reasons(credit: Credit, margin_usd_micros: int, gpu_hours: int) -> list[Reason]:
    """Return why an account is beyond what it is trusted with (CRED_004, CRED_005).

    Args:
        margin_usd_micros: its initial margin.
        gpu_hours: traded today.
    """
    found = []
    if 0 < credit.margin_max_usd_micros < margin_usd_micros:
        found.append(Reason.MARGIN_LIMIT)
    if 0 < credit.turnover_max_gpu_hours < gpu_hours:
        found.append(Reason.TURNOVER_LIMIT)
    return found


def next_act(last: Word, reasons: tuple[str, ...], state: int, *, liquidated: bool) -> Act:
    """Return what is due for an account.

    Args:
        last: what was said of it last.
        reasons: why it should be restrained now, none when it should not.
        state: `AccountState` in the core.
        liquidated: somebody else sees to it; its state is given back when that ends.
    """
    if reasons:
        acts = state == AccountState.ACTIVE and not liquidated
        imposed = acts or (last.imposed and bool(last.reasons))
        said = (last.reasons, last.imposed) == (reasons, imposed)
        word = None if said else Word(reasons, imposed)
        return Act(word, AccountState.REDUCE_ONLY if acts else None)
    if not last.reasons or liquidated:
        return _NOTHING
    if last.imposed and state == AccountState.REDUCE_ONLY:
        return Act(state=AccountState.ACTIVE)  # the word follows when the core says so
    return Act(Word())


_NOTHING: Final = Act()


def said_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a notice says, in the words of the API."""
    if kind == NoticeKind.ACCOUNTABILITY:
        return {"holding": dict(body)}
    if kind in (NoticeKind.RESTRAINED, NoticeKind.RELEASED):
        return {"reasons": body["reasons"], "seen": body["seen"]}
    return dict(body)


def word_of(kind: str, body: Mapping[str, Any], notice_id: int) -> Word:
    """Return the word that a notice is."""
    if kind == NoticeKind.RELEASED:
        return Word(notice_id=notice_id)
    return Word(tuple(body["reasons"]), bool(body["imposed"]), notice_id)
