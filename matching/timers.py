"""Timers that cancel everything of an account: armed by command, fired by TICK.

A timer's entry in the heap of expiries is moved lazily: putting a timer off writes one word, and
the entry, when it surfaces, goes back to where the timer now stands. An entry's id is negative,
so that at one moment timers fire before orders end.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.clear import ALL_CONTRACTS, BOTH_SIDES, cancel_orders, say_cancelled
from matching.codes import Code, EventKind
from matching.emit import emit
from matching.limits import ACCOUNTS_MAX, TIMERS_PER_ACCOUNT

FIRST_ID = -TIMERS_PER_ACCOUNT * ACCOUNTS_MAX


@kernel
def timer_place(account_idx, which):
    """Return where an account's timer is."""
    return TIMERS_PER_ACCOUNT * np.int64(account_idx) + which


@kernel
def entry_id(place):
    """Return the id of a timer's entry in the heap."""
    return FIRST_ID + place


@kernel
def timer_of(s, order_id):
    """Return the timer of an entry."""
    return s.timers[order_id - FIRST_ID]


@cold_kernel
def disarm(s, account_idx):
    """Disarm all timers of an account; their entries go when they surface."""
    for which in range(TIMERS_PER_ACCOUNT):
        s.timers[timer_place(account_idx, which)]["due_ns"] = 0


@cold_kernel
def fire(s, order_id):
    """Cancel everything of the account whose timer is due; return whether more is left to cancel.

    The timer stays due then, and goes on.
    """
    place = order_id - FIRST_ID
    account_idx = place // TIMERS_PER_ACCOUNT
    reply = emit(s, EventKind.TIMER_FIRED, account_idx, ALL_CONTRACTS)
    s.events[reply]["side"] = place % TIMERS_PER_ACCOUNT
    count, more, behind_id = cancel_orders(
        s, account_idx, ALL_CONTRACTS, BOTH_SIDES, np.int64(0), Code.CANCELLED_BY_TIMER
    )
    say_cancelled(s, reply, account_idx, count, more, behind_id)
    if not more:
        s.timers[place]["due_ns"] = 0
    return more
