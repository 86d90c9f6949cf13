"""Reasons the core gives, and the small enumerations of the wire.

A number is never reused and never changes its meaning: it is in the journal.
"""

from enum import IntEnum

from matching.reasons import Code as Code
from matching.states import AccountState as AccountState
from matching.states import AssetMove as AssetMove
from matching.states import CallPhase as CallPhase
from matching.states import Charge as Charge
from matching.states import CountMode as CountMode
from matching.states import Cycle as Cycle
from matching.states import DealKind as DealKind
from matching.states import LiquidationStep as LiquidationStep
from matching.states import MoveReason as MoveReason
from matching.states import Peg as Peg
from matching.states import PriceSource as PriceSource
from matching.states import Profile as Profile
from matching.states import TradingState as TradingState


class Side(IntEnum):
    """Which way an order goes. Books mirror bids, so kernels do not branch on it."""

    BUY = 0
    SELL = 1


class Kind(IntEnum):
    """What a command asks for (COMMAND.kind)."""

    TICK = 1
    OPEN_ACCOUNT = 2
    SET_ACCOUNT = 3
    DEPOSIT = 4
    WITHDRAW = 5
    LIST = 6
    SET_STATE = 7
    SET_BAND = 8
    STAGE_SHOCKS = 9
    SWAP_SCENARIOS = 10
    MARK = 11
    SETTLE = 12
    PLACE = 20
    CANCEL = 21
    AMEND = 22
    MASS_CANCEL = 23
    START_CALL = 40
    END_CALL = 41
    SET_GUARD = 42
    SET_LAST_TRADE = 43
    CLOSE_OUT = 44  # the positions of an expired contract
    COLLECT = 45  # variation margin of a contract, at its mark; state is its Cycle
    # What follows the end of trading.
    CASCADE = 105  # positions of an expired contract go into those that follow it
    ACCRUE = 106  # a contract in delivery is settled, in parts of a tick
    # Deals: block trades agreed between two, and requests for quotes.
    PROPOSE = 60
    ACCEPT = 61
    DECLINE = 62
    SET_BLOCKS = 63
    REQUEST_QUOTES = 64
    LIST_COMBINATION = 70
    # The clearing house: what it moves between two accounts.
    TRANSFER_POSITION = 95
    TRANSFER_CASH = 96
    TAKE_ASSET = 97  # units of a defaulter, for cash
    SET_IMPLIED = 75
    SET_LIMITS = 50
    CANCEL_ALL_AFTER = 51
    KILL_ACCOUNT = 52
    HALT_EXCHANGE = 53
    SWEEP = 54
    QUOTE = 55
    SET_MMP = 56
    RESET_MMP = 57
    SET_INDEX = 30
    # Margin beyond the scenarios.
    STAGE_ADDONS = 85
    SET_LEVEL = 86
    SET_PROFILE = 87
    SET_COVER = 88
    # Collateral and charges: what their words mean is in wire_collateral.py.
    SET_COLLATERAL = 90
    CHARGE = 91
    SEND_CASH = 92
    MOVE_ASSET = 93
    PRICE_ASSET = 94
    # What accounts pay: see wire_collateral.py.
    SET_FEES = 100


class EventKind(IntEnum):
    """What happened (EVENT.kind). The first event of a command is its reply."""

    TICKED = 1
    ACCOUNT_OPENED = 2
    ACCOUNT_SET = 3
    CASH_MOVED = 4
    LISTED = 6
    STATE_SET = 7
    BAND_SET = 8
    SHOCKS_STAGED = 9
    SCENARIOS_SWAPPED = 10
    MARKED = 11
    SETTLED = 12
    ACCEPTED = 20
    CANCELLED = 21
    AMENDED = 22
    MASS_CANCELLED = 23
    TRADE = 24
    VARIATION = 25
    REFUSED = 30
    CALL_STARTED = 50
    CALL_ENDED = 51
    INDICATIVE = 52
    GUARD_SET = 53
    POSITIONS_CLOSED = 54
    CASCADED = 91
    CASCADE_MOVED = 92  # lots of two accounts, out of the parent or into a child
    ACCRUED = 93
    LAST_TRADE_SET = 46
    TRADING_ENDED = 47  # said by a TICK: the last moment of trading has come
    PROPOSED = 65
    DEAL_ENDED = 66
    BLOCK_TRADE = 67
    EFP_TRADE = 68
    BLOCKS_SET = 69
    QUOTES_REQUESTED = 70
    REPRICED = 45  # a pegged order moved
    COMBINATION_LISTED = 75
    LEG_TRADE = 76  # one leg of the TRADE of a combination before it
    IMPLIED_TRADE = 80  # a combination's order trades with one order of each leg
    IMPLIED_LEG = 81  # one leg of the IMPLIED_TRADE before it
    IMPLIED_SET = 82
    LIMITS_SET = 55
    TIMER_SET = 56
    TIMER_FIRED = 57
    ACCOUNT_KILLED = 58
    HALT_SET = 59
    SWEPT = 60
    QUOTED = 61
    QUOTE_REFUSED = 62  # one side of a quote
    MMP_SET = 63
    MMP_HIT = 64
    STOP_ACCEPTED = 40  # it waits; leaves_lots is 0 while a bracket's child sleeps
    TRIGGERED = 41  # a stop enters as an order: what ACCEPTED is to an order
    STOP_MOVED = 42  # a trailing stop has another trigger price
    STOP_GREW = 43  # a bracket's child follows its parent's fill
    INDEX_SET = 44
    POSITION_MOVED = 110
    COLLECTED = 112  # the payments follow; order_id is the Cycle
    CASH_TRANSFERRED = 111
    ASSET_TAKEN = 120
    STOP_AMENDED = 90  # one that waits; qty_lots is its new size
    ADDONS_STAGED = 100
    LEVEL_SET = 101
    PROFILE_SET = 102
    COVER_SET = 103
    COLLATERAL_SET = 105
    CHARGED = 106
    CASH_SENT = 107  # from account_idx to maker_account_idx
    ASSET_MOVED = 108
    ASSET_PRICED = 109
    FEES_SET = 115


class OrderType(IntEnum):
    """How an order is priced."""

    LIMIT = 0
    MARKET = 1
    STOP = 2  # a market order once the price is at the trigger or worse
    STOP_LIMIT = 3  # a limit order then
    TAKE_PROFIT = 4  # the same at the trigger or better
    TAKE_PROFIT_LIMIT = 5
    MARKET_TO_LIMIT = 6  # trades at the best opposite price; the rest is a limit order there
    PEGGED = 7  # follows a best price, at an offset; COMMAND.state is its Peg


class Tif(IntEnum):
    """Time in force."""

    GTC = 0
    IOC = 1
    FOK = 2
    GTD = 3
    GFA = 4  # good for auction: refused in continuous trading
    GFN = 5  # good for continuous trading: refused in an auction
    DAY = 6  # until the next daily settlement of its contract


class Stp(IntEnum):
    """Self-trade prevention: what happens when both sides are one account."""

    NONE = 0
    CANCEL_NEWEST = 1
    CANCEL_OLDEST = 2
    CANCEL_BOTH = 3
    DECREMENT = 4


class Flag(IntEnum):
    """Bits of COMMAND.flags."""

    POST_ONLY = 1
    REDUCE_ONLY = 2
    QTY_IS_OPEN = 4  # AMEND: qty_lots is the new open size, not the new total
    NEW_DISPLAY = 8  # AMEND: what shows at a time is changed too
    NEW_TIF = 16  # AMEND: tif and expires_ns are changed too
    NEW_OFFSET = 32  # AMEND: a peg's offset is changed too
    NEW_FLAGS = 64  # AMEND: POST_ONLY and REDUCE_ONLY are changed too
    QUOTE = 128  # in ORDER.flags alone: a side of a quote
    MAY_WAIT = 512  # AMEND: of a stop, too; then trigger_ticks and offset_ticks are new, 0 stays
    PRICE_IS_SHOWN = 256  # AMEND: price_ticks counts from the contract's zero, and 0 is a price
    LINKED = 2048  # COMMAND.order_id names an order: when one of the two fills, the other ends
    BRACKET = 4096  # a take-profit and a stop follow what fills


PLACE_FLAGS = int(Flag.POST_ONLY | Flag.REDUCE_ONLY)
TIE_FLAGS = int(Flag.LINKED | Flag.BRACKET)
AMEND_FLAGS = int(
    Flag.QTY_IS_OPEN | Flag.NEW_DISPLAY | Flag.NEW_TIF | Flag.NEW_OFFSET | Flag.NEW_FLAGS
) | int(Flag.PRICE_IS_SHOWN | Flag.MAY_WAIT)
FLAGS_ALL = PLACE_FLAGS | TIE_FLAGS | AMEND_FLAGS | int(Flag.QUOTE)
COMBINED = 1 << 8  # in ORDER.flags, by the core alone: the order is of a combination
QUOTE_GROUP_SHIFT = 9  # in ORDER.flags of a quote: two bits of its group
MARKET_ORDER = 1 << 13  # in ORDER.flags, by the core alone: it waits in a call without a limit
UNTRIGGERED = -(1 << 15)  # in ORDER.flags, by the core alone: it waits, and is in no book
DETAILED = 1 << 14  # in ORDER.flags, by the core alone: the order's DETAIL is in use
OF_THE_CORE = UNTRIGGERED | DETAILED | MARKET_ORDER  # nobody else sees them
# Of a maker that does not just trade what it has.
UNUSUAL = int(Flag.REDUCE_ONLY | Flag.QUOTE) | DETAILED


class TriggerBy(IntEnum):
    """Which price triggers a stop: the low two bits of a PLACE's COMMAND.state."""

    LAST = 0
    MARK = 1
    INDEX = 2


CALL_IF_DUE = 1  # COMMAND.flags of a START_CALL: only from the state that its phase follows
TRAIL_IS_BPS = 8  # a bit of a PLACE's COMMAND.state: offset_ticks are basis points
BY_LEGS = 1  # COMMAND.state of a PLACE in a combination: it may reduce the positions of its legs
RISES = 4  # in a DETAIL, by the core alone: triggered by a rise


class Timer(IntEnum):
    """Who armed a timer that cancels everything: an account has one of each."""

    MEMBER = 0
    GATEWAY = 1  # for a connection that promised to cancel when it breaks
