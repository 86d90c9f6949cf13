"""Every limit of the core, each with the proof that no int64 can overflow.

An int64 that overflows wraps without a word, so the bounds are proved once,
here, by assertions that run at import.
"""

INT64_SAFE = 1 << 62  # every sum below stays under this; int64 ends at 2^63

# Prices: one tick is $0.001 per GPU-hour. The bitmap of a ladder has three
# levels of 64 bits, so 2^18 ticks is the widest domain a book can have.
PRICE_BITS_MIN = 12  # 64 words are one group of the bitmap
PRICE_BITS_DEFAULT = 16  # $0.001 .. $65.535 a GPU-hour
PRICE_BITS_MAX = 18
PRICE_TICKS_MAX = 1 << PRICE_BITS_MAX

BPS = 10_000  # basis points of a whole

# Quantities.
QTY_LOTS_MAX = 1 << 21  # one order
POSITION_LOTS_MAX = 1 << 30  # one account in one contract: position plus resting orders
assert POSITION_LOTS_MAX + QTY_LOTS_MAX < 1 << 31  # events carry 32-bit lots
TICK_VALUE_USD_MICROS_MAX = 1 << 24  # 8,784 GPU-hours x $0.001 fits

# What one account may hold over all contracts: lots (position plus resting
# orders) times tick value. 2^44 is a million lots of the largest contract; a
# wider price domain lowers it, so that a swing of everything an account holds
# over the whole domain stays within 2^60.
GROSS_TICK_VALUE_MAX = 1 << 44
SWING_USD_MICROS_MAX = 1 << 60


def gross_tick_value_max(price_bits: int) -> int:
    """Return what one account may hold in a state of this price domain."""
    return GROSS_TICK_VALUE_MAX >> max(0, price_bits - PRICE_BITS_DEFAULT)


for _bits in range(PRICE_BITS_MIN, PRICE_BITS_MAX + 1):
    assert gross_tick_value_max(_bits) << _bits <= SWING_USD_MICROS_MAX
# Before the gross limit is judged, one order's lots x tick value is formed.
assert QTY_LOTS_MAX * TICK_VALUE_USD_MICROS_MAX + GROSS_TICK_VALUE_MAX <= INT64_SAFE

# A shock moves a price by at most 2^16 ticks: |R[s, k]| <= tick value x 2^16, so
# |W[s]| <= gross tick value x 2^16 = 2^60 for any set of positions and orders.
SHOCK_TICKS_MAX = 1 << 16
WORST_LOSS_USD_MICROS_MAX = GROSS_TICK_VALUE_MAX * SHOCK_TICKS_MAX
assert WORST_LOSS_USD_MICROS_MAX <= 1 << 60

# Money of one account: cash and unsettled variation margin are each kept
# within this bound before any command may add risk or money. After the last
# order that passed, what is held can swing once over the whole domain, its
# resting orders can fill at any price of the domain, and marks of a position
# that no longer grows telescope. So cash + unsettled leaves
# [-2 x MONEY, 2 x MONEY] by at most two swings.
MONEY_USD_MICROS_MAX = 1 << 60  # a trillion dollars
TRANSFER_USD_MICROS_MAX = 1 << 53  # nine billion dollars in one command
EQUITY_USD_MICROS_MAX = 2 * MONEY_USD_MICROS_MAX + 2 * SWING_USD_MICROS_MAX
assert EQUITY_USD_MICROS_MAX <= INT64_SAFE
assert MONEY_USD_MICROS_MAX + TRANSFER_USD_MICROS_MAX <= INT64_SAFE

# Collateral that is counted for an account; one asset's units, in its smallest ones.
COLLATERAL_USD_MICROS_MAX = 1 << 56  # seventy billion dollars
ASSETS_MAX = 16  # asset 0 is none
ASSET_UNITS_MAX = 1 << 53
ASSET_PRICE_USD_MICROS_MAX = 1 << 50  # a billion dollars
assert ASSET_UNITS_MAX * 2 <= INT64_SAFE  # held, then more

# Scenarios of the margin matrix.
SCENARIOS_MAX = 128
SCENARIOS_DEFAULT = 128
WORST_COUNT_MAX = 4  # the requirement is the mean of the n worst, n <= 4
WORST_COUNT_DEFAULT = 2
SHOCKS_PER_COMMAND = 8
assert WORST_LOSS_USD_MICROS_MAX * WORST_COUNT_MAX <= INT64_SAFE
# What the margin check forms: equity, less the requirement, less the price loss
# of everything that rests (one swing) and of the new order (at most another).
assert (
    EQUITY_USD_MICROS_MAX
    + COLLATERAL_USD_MICROS_MAX
    + WORST_LOSS_USD_MICROS_MAX
    + 2 * SWING_USD_MICROS_MAX
    < 1 << 63
)
# The cached bound never exceeds the room it was accepted against, nor, where an
# order only reduced, the exact requirement; one order's own part is added.
assert EQUITY_USD_MICROS_MAX + COLLATERAL_USD_MICROS_MAX + WORST_LOSS_USD_MICROS_MAX < 1 << 63

# Margin beyond the scenarios. Both add-ons of a lot are together at most what the widest shock
# takes of it, as its expected shortfall is, so each sum over an account is within WORST_LOSS. A
# root is in parts of 2^ROOT_BITS, and the amount it is multiplied with is cut into two words.
ROOT_BITS = 20
ROOT_LOTS_MAX = 1 << 22  # from here on the add-on of a lot is what the widest shock takes
assert ROOT_LOTS_MAX << (2 * ROOT_BITS) <= INT64_SAFE
ROOT_MAX = (1 << 31) + 1  # of all those lots to one
CROWD_NUMERATOR, CROWD_DENOMINATOR = 3, 2
PER_LOT_USD_MICROS_MAX = TICK_VALUE_USD_MICROS_MAX * SHOCK_TICKS_MAX
assert ((PER_LOT_USD_MICROS_MAX * CROWD_NUMERATOR >> ROOT_BITS) + 1) * ROOT_MAX < INT64_SAFE
FEE_TICKS_MAX = 1 << 10  # of one lot, one side
ADDON_LOTS_MAX = 1 << 31
ADDONS_BY_HAND = 1  # state of a STAGE_ADDONS that an operator sent
FEE_RATE_BITS = 20  # of one rate of fees, in micro-dollars per GPU-hour
FEE_RATE_MAX = (1 << FEE_RATE_BITS) - 1
assert 3 * FEE_RATE_BITS < 63  # maker, taker and clearing share a word
LEVEL_BPS_MIN, LEVEL_BPS_MAX = 10_000, 15_000  # of the member's requirement
BLEND_PARTS = 4  # of now three, of stress one
assert WORST_LOSS_USD_MICROS_MAX * BLEND_PARTS <= INT64_SAFE
# The largest requirement: both parts at the highest level, and fees. The bound of one order on top
# of a requirement, or a requirement on top of any equity, are the largest sums of it.
# Wrong-way risk multiplies it once more; the joint fall is a part of one swing of what is held.
WRONG_WAY_BPS = 12_500  # of the requirement of a NeoCloud that is net long compute
COVERED_BPS = 2_000  # of the expected shortfall of lots that pledged capacity covers
JOINT_FALL_BPS = 3_000  # of compute, while bitcoin halves
REQUIREMENT_USD_MICROS_MAX = (
    2 * WORST_LOSS_USD_MICROS_MAX * LEVEL_BPS_MAX // BPS * WRONG_WAY_BPS // BPS
    + GROSS_TICK_VALUE_MAX * FEE_TICKS_MAX
)
assert SWING_USD_MICROS_MAX <= WORST_LOSS_USD_MICROS_MAX and JOINT_FALL_BPS < BPS
assert 2 * REQUIREMENT_USD_MICROS_MAX < 1 << 63
assert REQUIREMENT_USD_MICROS_MAX + EQUITY_USD_MICROS_MAX + COLLATERAL_USD_MICROS_MAX < 1 << 63
# A cached bound that is not known: above any room, so the exact requirement is asked for; one
# order's own part on top of it still fits.
BOUND_UNKNOWN_USD_MICROS = EQUITY_USD_MICROS_MAX + COLLATERAL_USD_MICROS_MAX + 1
assert BOUND_UNKNOWN_USD_MICROS + REQUIREMENT_USD_MICROS_MAX < 1 << 63

# Combinations: spreads of two legs, strips of up to a year's months. A lot of one trades a lot
# of each leg. In the gross limit a spread counts twice its tick value, which is the larger of its
# legs', a strip the sum of them: never less than its legs do once it is filled. A strip's price
# loss is at most its swing; a spread's differential is within half a domain of zero and that of
# its marks within a whole one, so its loss is at most one and a half swings of one leg, which is
# less than what two count for.
LEGS_MAX = 12
COMBINATIONS_PER_LEG_MAX = 32
COMBINATION_LOTS_MAX = 1 << 24  # of one account, resting in one combination
# A leg's position and its own resting lots are within POSITION_LOTS_MAX whenever an order of it or
# of a combination is accepted; what rests in its combinations then can come on top.
_LEG_LOTS_MAX = POSITION_LOTS_MAX + COMBINATIONS_PER_LEG_MAX * COMBINATION_LOTS_MAX
assert _LEG_LOTS_MAX < 1 << 31
assert 2 * QTY_LOTS_MAX * TICK_VALUE_USD_MICROS_MAX + GROSS_TICK_VALUE_MAX <= INT64_SAFE

# A cascade: positions of one contract go into contracts that together have its hours, lot by lot.
# All lots of the contract and of one that follows are within CASCADE_LOTS_MAX, so that what an
# account has then, with all that rests, still fits into an event. Gross stays: tick values add up.
CHILDREN_MAX = 32
CASCADE_LOTS_MAX = 1 << 28
assert CASCADE_LOTS_MAX + _LEG_LOTS_MAX < 1 << 31

# In delivery a lot is worth its mark and a part of a tick: less than one more tick, so each swing
# that was proved for prices of the domain covers it.
DELIVERY_DAYS_MAX = 366

# Sizes of the default state (slots; slot 0 of a pool means none).
ORDERS_MAX = 1 << 20  # 64 B each; the slot is part of the order id
ACCOUNTS_MAX = 1 << 17
CONTRACTS_MAX = 1 << 14  # ever listed: more than ten years of the catalogue and its combinations
POSITIONS_MAX = 1 << 20
CLIENT_IDS_MAX = 1 << 20
ORIGINS_MAX = 1 << 10

# order_id = seq * ORDERS_MAX + slot: never reused, found without a table.
SEQ_MAX = 1 << 42
assert SEQ_MAX * ORDERS_MAX <= INT64_SAFE

# Deals: block proposals and requests for quotes that are open, in one list by when they end.
# A new one is put in from the list's end: at most DEALS_MAX steps.
DEALS_MAX = 1 << 12
DEALS_PER_ACCOUNT_MAX = 16
DEAL_TTL_NS_MAX = 24 * 3600 * 1_000_000_000
assert DEALS_MAX <= ORDERS_MAX  # a deal's id is made as an order's is
REQUESTS_PER_WINDOW_MAX = 10  # requests for quotes of one account
REQUEST_WINDOW_NS = 60 * 1_000_000_000
BLOCK_RANGE_BPS_MAX = 10_000
assert PRICE_TICKS_MAX * (10_000 + BLOCK_RANGE_BPS_MAX) <= INT64_SAFE
# A block moves two accounts once over at most the whole domain, as an order's fill does.
assert QTY_LOTS_MAX * PRICE_TICKS_MAX <= INT64_SAFE

# A client order id is at most this many ASCII bytes, kept verbatim.
CLIENT_ORDER_ID_BYTES = 32
CLIENT_ORDER_ID_TTL_NS = 24 * 3600 * 1_000_000_000

# Protections.
NS_PER_SECOND = 1_000_000_000
TIMERS_PER_ACCOUNT = 2
CANCEL_AFTER_NS_MAX = 24 * 3600 * NS_PER_SECOND
SWEEP_ORDERS_MAX = 4096  # of one SWEEP
LAYERS_MAX = 9  # of the default waterfall: what a TRANSFER_CASH may name
QUOTE_GROUPS = 4  # of an account
MMP_WINDOW_NS_MAX = 3600 * NS_PER_SECOND
MMP_LIMIT_MAX = (1 << 31) - 1
LIMIT_MAX = 1 << 60  # any number above means nothing: no order or position reaches it
# A window counts only what has a limit, and no more than one order beyond it.
assert MMP_LIMIT_MAX + QTY_LOTS_MAX <= INT64_SAFE

# Pegged orders of one contract: all of them may have to move behind one command.
PEGS_MAX = 64

BATCH_COMMANDS_MAX = 4096

# Work of one command, so that none holds the core longer than about a millisecond: how many resting
# orders a taker meets, how many orders of an account a command looks at to cancel them, and behind
# how many events it begins no further piece of work, which the next command or TICK then does.
TAKER_MAKERS_MAX = 4096
ACCOUNT_CANCELS_MAX = 4096
COMMAND_EVENTS_MAX = 2048
COMMAND_EVENTS_MIN = 2  # its own reply, and one more: so every command gets something done
IDLE_POPS_MAX = 4096  # entries of the heap that mean nothing any more, looked at by one TICK
# A taker of a combination pays for both sides of each leg: so many makers' worth in all.
SIDES_OF_LEG = 2
# A look ahead sees a quarter of the makers there may be: one that met a display, a part of a round
# and a whole round is met three times, and at most this many are.
LOOK_AHEAD_SHARE = 4

# What follows from a command (matching/aftermath.py) is done in steps of one order each, or of one
# contract's pegs; what is
# left after so many goes on behind the next command.
AFTERMATH_STEPS_MAX = 256
GUARDS, STOPS, PEGS, ENDS = 1, 2, 4, 16  # bits of META.aftermath: what there is to do
IMPLIED, LIVES = 32, 64

# Implied trades of one order, and of one combination behind a command. What is left of the order
# then is cancelled, as behind TAKER_MAKERS_MAX; what is left of the combination goes on as a step
# of its own.
IMPLIED_FILLS_MAX = 64

# Call auctions and guards.
CALL_WINDOW_NS_MAX = 600 * 1_000_000_000  # the random part of a call's length
CALL_NS_MAX = 24 * 3600 * 1_000_000_000  # a volatility call, and the window of the velocity guard
INDICATIVE_EVERY_NS = 1_000_000_000
DRAW_PRIME = (1 << 31) - 1  # the draw of a call's end is taken modulo this
assert DRAW_PRIME * (CALL_WINDOW_NS_MAX // 1_000) <= INT64_SAFE  # the window in microseconds
assert ORDERS_MAX * QTY_LOTS_MAX <= INT64_SAFE  # lots of one side of a call
# Stops that wait are found by price, so their number costs nothing; it is limited per account so
# that nobody takes all slots, and per contract since one price may trigger all of them. Trailing
# stops move with each new extreme, so a contract's number of them bounds the work of one price.
ACCOUNT_STOPS_MAX = 256
ACCOUNT_STOPS_TOP = (1 << 15) - 1  # what an account's counter holds
CONTRACT_STOPS_MAX = 1 << 13
CONTRACT_TRAILS_MAX = 256
TRAIL_BPS_MAX = 9_999
assert PRICE_TICKS_MAX * 20_000 < INT64_SAFE
