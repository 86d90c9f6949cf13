"""Reasons the core gives, and the small enumerations of the wire.

A number is never reused and never changes its meaning: it is in the journal.
"""

from enum import IntEnum

from matching.states import AccountState as AccountState
from matching.states import CallPhase as CallPhase
from matching.states import DealKind as DealKind
from matching.states import Peg as Peg
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
    # Deals: block trades agreed between two, and requests for quotes.
    PROPOSE = 60
    ACCEPT = 61
    DECLINE = 62
    SET_BLOCKS = 63
    REQUEST_QUOTES = 64
    LIST_COMBINATION = 70
    SET_LIMITS = 50
    CANCEL_ALL_AFTER = 51
    KILL_ACCOUNT = 52
    HALT_EXCHANGE = 53
    SWEEP = 54
    QUOTE = 55
    SET_MMP = 56
    RESET_MMP = 57


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
    PROPOSED = 65
    DEAL_ENDED = 66
    BLOCK_TRADE = 67
    EFP_TRADE = 68
    BLOCKS_SET = 69
    QUOTES_REQUESTED = 70
    REPRICED = 45  # a pegged order moved
    COMBINATION_LISTED = 75
    LEG_TRADE = 76  # one leg of the TRADE of a combination before it
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


class OrderType(IntEnum):
    """How an order is priced."""

    LIMIT = 0
    MARKET = 1
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
    PRICE_IS_SHOWN = 256  # AMEND: price_ticks counts from the contract's zero, and 0 is a price


PLACE_FLAGS = int(Flag.POST_ONLY | Flag.REDUCE_ONLY)
AMEND_FLAGS = int(
    Flag.QTY_IS_OPEN | Flag.NEW_DISPLAY | Flag.NEW_TIF | Flag.NEW_OFFSET | Flag.NEW_FLAGS
) | int(Flag.PRICE_IS_SHOWN)
FLAGS_ALL = PLACE_FLAGS | AMEND_FLAGS | int(Flag.QUOTE)
COMBINED = 1 << 8  # in ORDER.flags, by the core alone: the order is of a combination
QUOTE_GROUP_SHIFT = 9  # in ORDER.flags of a quote: two bits of its group
MARKET_ORDER = 1 << 13  # in ORDER.flags, by the core alone: it waits in a call without a limit
DETAILED = 1 << 14  # in ORDER.flags, by the core alone: the order's DETAIL is in use
UNUSUAL = (
    int(Flag.REDUCE_ONLY | Flag.QUOTE) | DETAILED
)  # a maker that does not just trade what it has


class Timer(IntEnum):
    """Who armed a timer that cancels everything: an account has one of each."""

    MEMBER = 0
    GATEWAY = 1  # for a connection that promised to cancel when it breaks


class Code(IntEnum):
    """Why a command was refused, or why an order was cancelled."""

    OK = 0
    # The command's envelope.
    REQUEST_REPEATED = 1
    REQUEST_GAP = 2
    ORIGIN_STALE = 3
    ORIGIN_INVALID = 4
    # Accounts and money.
    ACCOUNT_UNKNOWN = 10
    ACCOUNT_EXISTS = 11
    ACCOUNTS_FULL = 12
    ACCOUNT_FROZEN = 13
    ACCOUNT_REDUCE_ONLY = 14
    ACCOUNT_STATE_INVALID = 15
    AMOUNT_NOT_POSITIVE = 16
    AMOUNT_TOO_LARGE = 17
    TRANSFER_REPEATED = 18
    WITHDRAWAL_EXCEEDS_FREE = 19
    ACCOUNT_MONEY_LIMIT = 20
    # Contracts and parameters.
    CONTRACT_UNKNOWN = 30
    CONTRACT_EXISTS = 31
    CONTRACTS_FULL = 32
    TICK_VALUE_INVALID = 33
    STATE_INVALID = 34
    BAND_INVALID = 35
    SCENARIO_INVALID = 36
    SHOCK_TOO_LARGE = 37
    CONTRACT_EXPIRED = 38
    # The order itself.
    CLIENT_ORDER_ID_REPEATED = 50
    CLIENT_ORDER_ID_CONFLICT = 51
    SIDE_INVALID = 52
    ORDER_TYPE_INVALID = 53
    TIF_INVALID = 54
    STP_INVALID = 55
    FLAGS_INVALID = 56
    QTY_NOT_POSITIVE = 57
    QTY_TOO_LARGE = 58
    PRICE_INVALID = 59
    MARKET_ORDER_RESTS = 60
    POST_ONLY_NOT_RESTING = 61
    EXPIRY_INVALID = 62
    TIF_NOT_ALLOWED = 63
    CONTRACT_NOT_OPEN = 64
    CONTRACT_HALTED = 65
    CONTRACT_CLOSE_ONLY = 66
    PRICE_OUT_OF_BAND = 67
    POST_ONLY_WOULD_TRADE = 68
    REDUCE_ONLY_WOULD_INCREASE = 69
    ORDER_UNKNOWN = 70
    AMEND_CHANGES_NOTHING = 71
    # Room and risk.
    BOOK_FULL = 80
    POSITIONS_FULL = 81
    GROSS_LIMIT = 82
    MARGIN_INSUFFICIENT = 83
    # Orders that say more of themselves.
    DISPLAY_INVALID = 140
    MIN_QUANTITY_INVALID = 141
    PEG_INVALID = 142
    OFFSET_INVALID = 143
    PEG_NOT_RESTING = 144
    NO_OPPOSITE_PRICE = 145
    NO_REFERENCE_PRICE = 146  # nothing to follow; also why a pegged order left
    PEGS_FULL = 147
    # Protections and quotes.
    TIMEOUT_INVALID = 160
    LIMIT_INVALID = 161
    EXCHANGE_HALTED = 162
    ORDER_RATE_LIMIT = 163
    ORDER_SIZE_LIMIT = 164
    NOTIONAL_LIMIT = 165
    OPEN_ORDERS_LIMIT = 166
    POSITION_LIMIT = 167
    QUOTE_GROUP_INVALID = 168
    QUOTE_CROSSED = 169
    QUOTE_NOT_AMENDABLE = 170
    MMP_INVALID = 171
    MMP_FROZEN = 172
    # Why an accepted order left, or lost size.
    CANCELLED_BY_USER = 100
    CANCELLED_BY_MASS_CANCEL = 101
    IOC_REMAINDER = 102
    FOK_NOT_FILLABLE = 103
    SELF_TRADE_PREVENTED = 104
    REDUCE_ONLY_CLIPPED = 105
    ORDER_EXPIRED = 106
    AMENDED_BELOW_FILLED = 107
    CONTRACT_ENDED = 108
    MIN_QUANTITY_NOT_FILLABLE = 148
    AUCTION_TRADE = 150  # in a TRADE: at the one price of a call
    AUCTION_ENDED = 151  # good for the auction, and that is over
    AUCTION_STARTED = 152  # good for continuous trading, and that has stopped
    AUCTION_INVALID = 153
    AUCTION_NOT_RUNNING = 154
    GUARD_INVALID = 155
    PRICE_MOVED_FAST = 156  # why a call started: the velocity guard
    PRICE_MOVED_FAR = 157  # why a call started: the daily limit
    MARKET_ORDER_WAITS = 158  # it may only get smaller while it waits in a call
    CANCELLED_BY_TIMER = 173
    CANCELLED_BY_KILL = 174
    QUOTE_REPLACED = 175
    QUOTE_WITHDRAWN = 176
    MMP_TRIGGERED = 177
    # Combinations.
    COMBINATION_LEGS_INVALID = 200
    LEG_COMBINATIONS_FULL = 201
    COMBINATION_FOLLOWS_LEGS = 202
    COMBINATION_ORDER_UNUSUAL = 203
    LEG_NOT_TRADING = 204
    # Blocks and requests for quotes.
    BLOCKS_NOT_ALLOWED = 180
    BLOCK_TOO_SMALL = 181
    BLOCK_PRICE_OUT_OF_RANGE = 182
    BLOCK_KIND_INVALID = 183
    BLOCK_RULE_INVALID = 184
    COUNTERPARTY_UNKNOWN = 185
    COUNTERPARTY_IS_SELF = 186
    DEAL_UNKNOWN = 187
    DEALS_FULL = 188
    DEAL_LIMIT = 189
    INITIATOR_NOT_ALLOWED = 190
    INITIATOR_LIMIT = 191
    INITIATOR_MARGIN_INSUFFICIENT = 192
    REQUEST_UNKNOWN = 193
    REQUEST_MISMATCH = 194
    REQUEST_RATE_LIMIT = 195
    DEAL_EXPIRED = 196
    DEAL_DECLINED = 197
    DEAL_WITHDRAWN = 198
