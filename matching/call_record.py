"""Call auctions: their phases, their events, and their record in a saved state."""

from typing import Final

import numpy as np

# What the fields of an EVENT say there:
# CALL_STARTED: order_id is the CallPhase, code the guard that called, price_ticks the reference,
#               amount_usd_micros the earliest end in ns, 0 if a command ends it.
# INDICATIVE and CALL_ENDED: price_ticks and qty_lots are what would trade, or did; leaves_lots is
#               the imbalance at that price and side its side. Lots end at 2^31 - 1 there.
#               CALL_ENDED has the CallPhase in order_id, the TradingState that follows in
#               amount_usd_micros.
# TRADE of a call (code AUCTION_TRADE): the buyer stands in the taker's fields, and what is left
#               of its order in amount_usd_micros.


# The call auction and the guards of the contract with the same index.
CALL: Final = np.dtype(
    [
        ("ends_ns", "<i8"),  # drawn: the first TICK at or after it ends the call; 0: a command does
        ("ends_after_ns", "<i8"),  # the earliest end, which everybody knows
        ("indicative_due_ns", "<i8"),  # when the next indicative price may be said
        ("indicative_lots", "<i8"),  # what was said last: executable volume,
        ("imbalance_lots", "<i8"),  # buys less sells at that price
        ("velocity_ns", "<i8"),  # of the guard: the length of its window,
        ("guard_since_ns", "<i8"),  # when the window began,
        ("call_ns", "<i8"),  # how long the call lasts that it starts,
        ("window_ns", "<i8"),  # and how much longer at most
        ("indicative_ticks", "<i4"),
        ("edge_low_ticks", "<i4"),  # the band when the call began: the limits of market orders
        ("edge_high_ticks", "<i4"),
        ("guard_ticks", "<i4"),  # the price that the velocity guard measures from
        ("velocity_bps", "<i4"),  # 0: no guard
        ("daily_bps", "<i4"),  # from the last settlement; 0: no limit
        ("daily_next_bps", "<i4"),  # after the first breach of a day; then there is none
        ("breach", "<i4"),  # Code of the call to start behind the running command
        ("phase", "i1"),  # CallPhase
        ("after", "i1"),  # TradingState behind a call: the last one in which orders met
        ("daily_stage", "i1"),  # breaches of the daily limit since the last settlement: 0, 1, 2
        ("guard_set", "i1"),  # 1: somebody said how it is guarded, or that it is not
        ("reserved_a", "i1", (4,)),
        ("ends_before_ns", "<i8"),  # the latest end, which everybody knows
        ("reserved_b", "<i8"),
    ]
)
assert CALL.itemsize == 128

# What the position in the same slot has for its orders while a call counts; never saved.
TALLY: Final = np.dtype(
    [
        ("count", "<i8"),  # for which count; of slot 0, which no position has: the running one
        ("walk", "<i8"),  # for which walk in turn; of slot 0: the last one
        ("held_lots", "<i8"),  # when the count began
        ("taken_lots", "<i8"),  # what the orders of the walk may take on the side that reduces
    ]
)
assert TALLY.itemsize == 32
