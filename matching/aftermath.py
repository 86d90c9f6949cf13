"""What follows from a command's own work, in one order, until all is quiet.

Whatever trades or moves a price leaves a bit in META.aftermath; most commands leave none, and one
comparison says so. The order of work: quotes whose protection was hit, guards of the auctions,
then orders that end with a call or a day, then pegs that have to move, so that none trades at a
price that is over, then combinations that may meet their legs, then stops that were triggered,
then orders of contracts that have ended; after each step from the top again, since a stop may trade
and a trade may call the guards.

A step is one order at most, or one combination, or the pegs of one contract, or what a command may
cancel of one contract; a command does AFTERMATH_STEPS_MAX of them, and begins none
once it has caused META.command_events events in all, or has looked at META.cancels_max orders of
accounts whose losses were unknown (losses.py). Quotes that hit their protection go at once,
whatever the count, and so do calls that guards ask for: until they have begun the book may be
crossed. What is left stays in the state and goes on behind the next command's own work, whatever
that command is: its reply comes first, as always, and nothing is lost.
"""

from matching._jit import cold_kernel
from matching.auction import guard_step
from matching.contracts import end_step
from matching.emit import has_worked
from matching.enter_stops import stop_step
from matching.implied import implied_step
from matching.life_ends import life_step
from matching.limits import AFTERMATH_STEPS_MAX, GUARDS, IMPLIED, LIVES, PEGS, STOPS
from matching.mmp import end_hit_groups
from matching.pegs import move_next_pegs
from matching.quote_fills import HITS


@cold_kernel
def peg_step(s):
    """Let the pegs of the next contract go where they should."""
    move_next_pegs(s)


@cold_kernel
def aftermath(s, first_event):
    """Do what follows, a step at a time, the most urgent first."""
    meta = s.meta[0]
    meta["orders_valued"] = 0
    steps = 0
    while meta["aftermath"] != 0:
        if (meta["aftermath"] & HITS) != 0:
            meta["aftermath"] &= ~HITS
            end_hit_groups(s)
            continue
        if (meta["aftermath"] & GUARDS) != 0:
            guard_step(s)
            continue
        if steps == AFTERMATH_STEPS_MAX or has_worked(s, first_event):
            return
        if meta["orders_valued"] >= meta["cancels_max"]:
            return
        steps += 1
        if (meta["aftermath"] & LIVES) != 0:
            life_step(s, first_event)
        elif (meta["aftermath"] & PEGS) != 0:
            peg_step(s)
        elif (meta["aftermath"] & IMPLIED) != 0:
            implied_step(s)
        elif (meta["aftermath"] & STOPS) != 0:
            stop_step(s)
        else:
            end_step(s, first_event)
