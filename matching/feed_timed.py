"""A feed run as `matching/feed.py` runs it, each command between two readings of a cycle counter.

The counter is the processor's own. Nothing of it enters the state: the readings go to an array
beside it. Only benches call this.
"""

from typing import Any

from numba import config, types
from numba.extending import intrinsic

from matching._jit import entry_kernel
from matching.feed import run_row, view_replay
from matching.foresight import look_ahead, outgrows_cache
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
def time_rows(state, replay_handle, first, spent):
    """Apply rows as `run_rows` does; write the cycles of each to `spent`, by its feed's place.

    Returns: the place of the first row not applied
    """
    s, replay = view_state(state), view_replay(replay_handle)
    meta, end = s.meta[0], replay.tally[0]["rows"]
    meta["events_count"] = 0
    place, outgrown = first, outgrows_cache(s)
    while place < end and meta["events_count"] <= meta["events_room"]:
        source = replay.sources[place]
        begun = cycles()
        look_ahead(s, replay.rows, place, end, outgrown)
        run_row(s, replay, replay.rows[place], source)
        spent[source["place"]] += cycles() - begun
        place += 1
    return place
