"""What follows from a command's own work, in one order, until all is quiet.

Whatever trades or moves a price leaves a bit in META.aftermath; most commands leave none, and one
comparison says so. The order of work: quotes whose protection was hit, guards of the auctions,
then stops that were triggered, then pegs that have to move; after each step from the top again,
since a stop may trade and a trade may call the guards.

A step is one order at most, or the pegs of one contract, and a command does AFTERMATH_STEPS_MAX of
them; quotes that hit their protection go at once, whatever the count: they end and cause nothing
but moves of pegs. What is left stays in the state and goes on behind the next command's own work,
whatever that command is: its reply comes first, as always, and nothing is lost.
"""

from matching._jit import cold_kernel
from matching.auction import guard_step
from matching.enter_stops import stop_step
from matching.limits import AFTERMATH_STEPS_MAX, GUARDS, STOPS
from matching.mmp import end_hit_groups
from matching.pegs import move_next_pegs
from matching.quote_fills import HITS


@cold_kernel
def peg_step(s):
    """Let the pegs of the next contract go where they should."""
    move_next_pegs(s)


@cold_kernel
def aftermath(s):
    """Do what follows, a step at a time, the most urgent first."""
    meta = s.meta[0]
    steps = 0
    while meta["aftermath"] != 0:
        if (meta["aftermath"] & HITS) != 0:
            meta["aftermath"] &= ~HITS
            end_hit_groups(s)
            continue
        if steps == AFTERMATH_STEPS_MAX:
            return
        steps += 1
        if (meta["aftermath"] & GUARDS) != 0:
            guard_step(s)
        elif (meta["aftermath"] & STOPS) != 0:
            stop_step(s)
        else:
            peg_step(s)
