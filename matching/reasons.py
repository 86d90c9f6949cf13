"""Why a command was refused, or an order ended.

A number is never reused and never changes its meaning: it is in the journal.
"""

from enum import IntEnum


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
    # What follows the end of trading.
    CASCADE_INVALID = 350  # not the contracts that follow, or not in their order
    CASCADE_CHILD_ENDED = 351
    CASCADE_UNSETTLED = 352  # the parent owes variation margin
    CASCADE_TOO_LARGE = 353
    TRADING_NOT_ENDED = 354
    CONTRACT_IN_DELIVERY = 355  # what it is settled at is said by ACCRUE alone
    ACCRUAL_OUT_OF_TURN = 356
    DELIVERY_DAYS_INVALID = 357
    SETTLED_FINALLY = 358
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
    TRADING_ENDED = 159  # the last moment of trading has passed
    CALL_NOT_DUE = 139  # the contract is not in the state that the call begins from
    CONTRACT_NOT_EXPIRED = 149  # its positions are still needed
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
    IMPLIED_INVALID = 210
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
    # Stops, pairs and brackets.
    TRIGGER_INVALID = 120
    TRAIL_INVALID = 121
    TRIGGER_PRICE_UNKNOWN = 122
    STOPS_FULL = 123
    TRAILS_FULL = 124
    LINK_INVALID = 125
    BRACKET_INVALID = 126
    STOP_NOT_AMENDABLE = 127
    OTHER_LEG_DONE = 130
    PARENT_ENDED = 131
    BRACKET_DONE = 132
    # What the clearing house moves.
    MOVE_REASON_INVALID = 270
    MOVE_EXCEEDS_POSITION = 271
    MOVE_NOT_REDUCING = 272
    MOVE_MAKES_INSOLVENT = 273
    MOVE_EXCEEDS_CASH = 274
    NOT_WAITING = 230  # an amendment names a trigger, and the order has entered or never waited
    CHILD_FOLLOWS_PARENT = 231  # an order of a bracket gets larger by its parent's fills alone
    # Work of one command.
    CONTRACT_STOPS_FULL = 221
    MAKERS_LIMIT = 220  # a taker met as many resting orders as one may: the rest of it ended
    # Margin beyond the scenarios.
    ADDON_INVALID = 250
    LEVEL_INVALID = 251
    PROFILE_INVALID = 310
    COVER_INVALID = 311
    COVER_NEEDED = 460
    # Collateral and charges.
    COLLATERAL_INVALID = 260
    COLLATERAL_NEEDED = 261
    CHARGE_INVALID = 262
    RECEIVER_UNKNOWN = 263
    RECEIVER_IS_SELF = 264
    ASSET_UNKNOWN = 265
    ASSET_MOVE_INVALID = 266
    ASSET_INSUFFICIENT = 267
    ASSET_MOVE_GAP = 268
    ASSET_PRICE_INVALID = 269
    FEES_INVALID = 320
    CYCLE_INVALID = 300
    # Corrections of settlements.
    SETTLEMENT_FINAL = 410  # its time for corrections has passed
    SETTLEMENT_MOVED = 411  # the last settlement price is not the one that is corrected
