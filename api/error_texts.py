"""What a refusal of the core means, in words for who was refused."""

from typing import Final

from api import errors_collateral, errors_deals, errors_life, errors_moves
from exchange.rules.money import price_text
from matching.codes import Code
from matching.limits import PEGS_MAX, PRICE_BITS_DEFAULT

PRICE_MIN: Final = price_text(1)
PRICE_MAX: Final = price_text((1 << PRICE_BITS_DEFAULT) - 1)

# What a refusal means, where its name alone would leave one guessing.
CORE_DETAIL: Final[dict[int, str]] = {
    Code.ACCOUNT_FROZEN: "the account may not trade or withdraw; cancelling is allowed",
    Code.ACCOUNT_REDUCE_ONLY: "the account may only reduce its positions",
    Code.ACCOUNT_MONEY_LIMIT: "the account holds as much money as one account may",
    Code.AMEND_CHANGES_NOTHING: "give another price or another quantity",
    Code.AUCTION_INVALID: "an auction ends within 24 hours, its window is 10 minutes at most",
    Code.AUCTION_NOT_RUNNING: "this contract is in no call auction",
    Code.GUARD_INVALID: "guards are 0 to 10,000 basis points, a second daily limit the wider one",
    Code.MARKET_ORDER_WAITS: "a market order that waits in an auction can only be made smaller",
    Code.BOOK_FULL: "no room for another order now",
    Code.CLIENT_ORDER_ID_CONFLICT: "another order has this client_order_id and another body",
    Code.COMBINATION_FOLLOWS_LEGS: "a combination is marked and settled by its legs",
    Code.COMBINATION_LEGS_INVALID: "a spread is one leg less another, a strip 2 to 12 legs",
    Code.COMBINATION_ORDER_UNUSUAL: "a combination takes plain limit and market orders only",
    Code.CONTRACT_CLOSE_ONLY: "only orders that reduce a position are taken",
    Code.CONTRACT_EXPIRED: "trading of this contract has ended",
    Code.CALL_NOT_DUE: "the contract is not in the state that this auction begins from",
    Code.CONTRACT_NOT_EXPIRED: "positions are closed when their contract has expired",
    Code.TRADING_ENDED: "the last moment of trading has passed; cancelling is allowed",
    Code.CONTRACT_HALTED: "trading is halted; cancelling is allowed",
    Code.CONTRACT_NOT_OPEN: "not yet open for orders like this one",
    Code.CONTRACT_UNKNOWN: "there is no contract of this symbol now: see /api/v1/instruments",
    Code.DISPLAY_INVALID: (
        "at most the quantity; for orders that may rest and are not reduce_only"
    ),
    Code.EXPIRY_INVALID: "GTD takes an expires_at in the future, everything else none",
    Code.GROSS_LIMIT: "positions and orders of the account are as large as they may be",
    Code.ADDON_INVALID: "lots and micro-dollars of an add-on are within what one lot is worth",
    Code.PROFILE_INVALID: "a profile is none, neocloud or miner",
    Code.COVER_INVALID: "lots that pledged capacity covers are 0 or more, at most 2^30",
    Code.COVER_NEEDED: "margin needs what this pledge covers: see /api/v1/margin",
    Code.LEVEL_INVALID: "a level is from 10000 to 15000 basis points of the member's requirement",
    Code.LEG_COMBINATIONS_FULL: "a contract is a leg of at most 32 combinations",
    Code.LEG_NOT_TRADING: "a leg of this combination is not in continuous trading",
    Code.IMPLIED_INVALID: "implied prices are on (1) or off (0), of a combination",
    Code.MARGIN_INSUFFICIENT: "free equity does not cover the margin: see /api/v1/margin",
    Code.MARKET_ORDER_RESTS: "a market order is IOC or FOK",
    Code.MIN_QUANTITY_INVALID: "at most the quantity, and not with post_only",
    Code.NO_REFERENCE_PRICE: "there is no order to follow: a peg follows what is not pegged",
    Code.OFFSET_INVALID: "a whole number of ticks within the prices, of a pegged order",
    Code.PEG_INVALID: "a pegged order follows bid, ask or mid",
    Code.PEG_NOT_RESTING: "a pegged order rests: it is not IOC or FOK",
    Code.PEGS_FULL: f"a contract has at most {PEGS_MAX} pegged orders at a time",
    Code.NO_OPPOSITE_PRICE: "nobody stands on the other side: there is no price to take",
    Code.ORDER_UNKNOWN: "the account has no such open order: never had it, or it has ended",
    Code.POST_ONLY_NOT_RESTING: "post_only goes with a limit order that may rest",
    Code.POST_ONLY_WOULD_TRADE: "the price would trade at once",
    Code.PRICE_INVALID: f"a price is from {PRICE_MIN} to {PRICE_MAX} USD per GPU-hour",
    Code.PRICE_OUT_OF_BAND: "buys at most price_band.high, sells at least price_band.low",
    Code.QTY_NOT_POSITIVE: "give a quantity above zero",
    Code.QTY_TOO_LARGE: "the quantity is above max_quantity of the instrument",
    Code.REDUCE_ONLY_WOULD_INCREASE: "there is no position on the other side to reduce",
    Code.EXCHANGE_HALTED: "the whole exchange is halted: only cancels are taken",
    Code.TIMEOUT_INVALID: "from 0, which disarms, to 86400000 ms",
    Code.LIMIT_INVALID: "a limit is 0, which is none, or more",
    Code.ORDER_RATE_LIMIT: "the account has sent as many orders in this second as it may",
    Code.ORDER_SIZE_LIMIT: "the account may not have so many lots in one order",
    Code.NOTIONAL_LIMIT: "the account may not have so much money in one order",
    Code.OPEN_ORDERS_LIMIT: "the account has as many open orders as it may",
    Code.POSITION_LIMIT: "the account may not hold so many lots, if all of this side fills",
    Code.QUOTE_GROUP_INVALID: "a quote group is 0 to 3",
    Code.QUOTE_CROSSED: "a quote sells above what it buys at",
    Code.QUOTE_NOT_AMENDABLE: "send the quote again, or cancel it",
    Code.MMP_INVALID: "a window of 1 to 3600000 ms and at least one limit, or neither",
    Code.MMP_FROZEN: "a limit of the group was reached: reset its protection to quote again",
    Code.BRACKET_INVALID: "stop_loss is below a buy and take_profit above; of a sell, inversely",
    Code.LINK_INVALID: "oco_with names an open order of this contract that is not linked yet;"
    " of two that rest one buys and one sells, each at a limit, and they do not meet",
    Code.STOPS_FULL: "the account has as many untriggered orders as it may",
    Code.CONTRACT_STOPS_FULL: "the contract has as many untriggered orders as it may",
    Code.CHILD_FOLLOWS_PARENT: "an order of a bracket gets larger by its parent's fills alone",
    Code.NOT_WAITING: "the order has no trigger (any more): it is in the book, or has ended",
    Code.STOP_NOT_AMENDABLE: "the order sleeps until its parent fills, or was triggered already",
    Code.TRAILS_FULL: "the contract has as many trailing stops as it may",
    Code.TRAIL_INVALID: "a trailing stop takes an offset in ticks or basis points and no price",
    Code.TRIGGER_INVALID: "trigger_price is a price, trigger_by is last, mark or index",
    Code.TRIGGER_PRICE_UNKNOWN: "there is no such price yet to trail behind",
    Code.TIF_INVALID: "an order that rests, or enters as a market order, is GTC, GTD or DAY",
    Code.TIF_NOT_ALLOWED: (
        "in a call auction no IOC, FOK or GFN, and a market order is GFA; outside of one no GFA"
    ),
    **errors_deals.DETAIL,
    **errors_moves.DETAIL,
    **errors_life.DETAIL,
    **errors_collateral.DETAIL,
    Code.WITHDRAWAL_EXCEEDS_FREE: "the account needs the rest as margin",
}
