"""Margin calls to members: issued, acknowledged, met in parts, breached, cured or escalated.

Prefunded accounts are never called: they are liquidated. Time is the core's. A call
reaches one end, `met`, `cured` or `escalated`, and stays there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MINUTE_NS: Final = 60_000_000_000
CALL_NS: Final = 60 * MINUTE_NS  # from its issue to its deadline
GRACE_NS: Final = 30 * MINUTE_NS  # from a breach to the default procedure
REMINDERS_NS: Final = (30 * MINUTE_NS, 10 * MINUTE_NS)  # so long before the deadline


class CallState(StrEnum):
    """Where a call is."""

    ISSUED = "issued"
    ACKNOWLEDGED = "acknowledged"
    PART_MET = "part_met"
    MET = "met"
    BREACHED = "breached"
    CURED = "cured"
    ESCALATED = "escalated"


FOLLOWING: Final[Mapping[CallState, frozenset[CallState]]] = {
    CallState.ISSUED: frozenset(
        {CallState.ACKNOWLEDGED, CallState.PART_MET, CallState.MET, CallState.BREACHED}
    ),
    CallState.ACKNOWLEDGED: frozenset({CallState.PART_MET, CallState.MET, CallState.BREACHED}),
    CallState.PART_MET: frozenset({CallState.MET, CallState.BREACHED}),
    CallState.MET: frozenset(),
    CallState.BREACHED: frozenset({CallState.CURED, CallState.ESCALATED}),
    CallState.CURED: frozenset(),
    CallState.ESCALATED: frozenset(),
}
ENDS: Final = frozenset(state for state, following in FOLLOWING.items() if not following)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginCall:
    """One call."""

    call_id: int
    account_idx: int
    amount_usd_micros: int
    issued_ns: int
    due_ns: int
    state: CallState = CallState.ISSUED
    met_usd_micros: int = 0
    reminders: int = 0  # how many were sent

    @property
    def is_open(self) -> bool:
        """Return whether it has not reached its end."""
        return self.state not in ENDS

    @property
    def missing_usd_micros(self) -> int:
        """Return what is still to come."""
        return max(0, self.amount_usd_micros - self.met_usd_micros)


def amount_to_call_usd_micros(equity: int, initial: int, maintenance: int) -> int:
    """Return what to call for: back to initial when below maintenance, else nothing."""
    return initial - equity if equity < maintenance else 0


def issue(
    call_id: int, account_idx: int, amount_usd_micros: int, now_ns: int, span_ns: int = CALL_NS
) -> MarginCall:
    """Return a new call."""
    assert amount_usd_micros > 0
    return MarginCall(
        call_id=call_id, account_idx=account_idx, amount_usd_micros=amount_usd_micros,
        issued_ns=now_ns, due_ns=now_ns + span_ns,
    )  # fmt: skip


def acknowledge(call: MarginCall) -> MarginCall:
    """Note that the member has seen it; said again, or later, it changes nothing."""
    return _to(call, CallState.ACKNOWLEDGED) if call.state == CallState.ISSUED else call


def pay(call: MarginCall, amount_usd_micros: int) -> MarginCall:
    """Count what came in towards a call."""
    assert amount_usd_micros > 0
    if not call.is_open:
        return call
    paid = replace(call, met_usd_micros=call.met_usd_micros + amount_usd_micros)
    if paid.missing_usd_micros == 0:
        breached = call.state == CallState.BREACHED
        return _to(paid, CallState.CURED if breached else CallState.MET)
    return (
        paid
        if paid.state in (CallState.PART_MET, CallState.BREACHED)
        else _to(paid, CallState.PART_MET)
    )


def relieve(call: MarginCall) -> MarginCall:
    """End a call whose account has its initial margin again, whatever paid for it."""
    return pay(call, call.missing_usd_micros) if call.is_open else call


def pass_time(call: MarginCall, now_ns: int) -> MarginCall:
    """Let deadlines pass: breached when due, escalated when the grace is over."""
    if call.is_open and call.state != CallState.BREACHED and now_ns >= call.due_ns:
        call = _to(call, CallState.BREACHED)
    if call.state == CallState.BREACHED and now_ns >= call.due_ns + GRACE_NS:
        call = _to(call, CallState.ESCALATED)
    return call


def reminders_due(call: MarginCall, now_ns: int) -> int:
    """Return how many reminders should have been sent by now."""
    if not call.is_open:
        return call.reminders
    passed = sum(now_ns >= call.due_ns - before_ns for before_ns in REMINDERS_NS)
    return max(call.reminders, passed)


def _to(call: MarginCall, state: CallState) -> MarginCall:
    assert state in FOLLOWING[call.state], f"{call.state} -> {state}"
    return replace(call, state=state)
