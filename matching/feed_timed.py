"""A feed run as `matching/feed.py` runs it, each command between two readings of a cycle counter.

The counter is the processor's own. Nothing of it enters the state: the readings go to an array
beside it. Only benches call this.
"""

from typing import Any

from numba import config, types
from numba.extending import intrinsic

from matching._jit import entry_kernel
from matching.feed import BATCH, TRADES_HEADROOM, look_ahead, run_command, view_chunk, view_replay
from matching.state import view_state

if config.DISABLE_JIT:

    def cycles() -> int:
        """Return nothing worth knowing: without the JIT nothing is measured."""
        return 0

else:
    from llvmlite import ir

    @intrinsic
    def cycles(typing_context: Any) -> Any:
        """Return the processor's cycle counter."""

        def generate(context, builder, signature, arguments):
            counter_type = ir.FunctionType(ir.IntType(64), [])
            name = "llvm.readcyclecounter"
            counter = builder.module.declare_intrinsic(name, (), counter_type)
            return builder.call(counter, [])

        return types.int64(), generate


@entry_kernel
def cycles_now():
    """Return the counter: twice, with a known time between, tells how fast it counts."""
    return cycles()


@entry_kernel
def time_nothing(spent):
    """Write what two readings with nothing between them differ by."""
    for place in range(len(spent)):
        begun = cycles()
        spent[place] = cycles() - begun


@entry_kernel
def time_feed(state, replay_handle, chunk, first, end, spent):
    """Run commands as `run_feed` does; write the cycles of each to `spent`, by its place.

    Returns: the place of the first command not run
    """
    s, replay, commands = view_state(state), view_replay(replay_handle), view_chunk(chunk).commands
    meta, tally = s.meta[0], replay.tally[0]
    tally["trades"] = 0
    meta["events_count"] = 0
    place = first
    while place < end and tally["trades"] <= TRADES_HEADROOM:
        if place % BATCH == 0 or meta["events_count"] > meta["events_room"]:
            meta["events_count"] = 0
        begun = cycles()
        look_ahead(s, replay, commands, place, end)
        if run_command(s, replay, commands[place]):
            tally["refused"] += 1
        spent[place] = cycles() - begun
        tally["done"] += 1
        place += 1
    return place
