"""The records that travel and are kept: numpy only, so anyone may import it.

Every record is a whole number of 64-byte cache lines, signed, aligned, little
endian. The journal stores these bytes: a change needs a migration.
"""

from typing import Final

import numpy as np

from matching.limits import CLIENT_ORDER_ID_BYTES, CONTRACTS_MAX, LEGS_MAX, ORDERS_MAX

COMMAND: Final = np.dtype(
    [
        ("seq", "<i8"),  # 0 until the sequencer stamps it
        ("ts_ns", "<i8"),  # the core's only clock
        ("kind", "i1"),  # Kind
        ("side", "i1"),  # Side
        ("order_type", "i1"),  # OrderType
        ("tif", "i1"),  # Tif
        ("stp", "i1"),  # Stp
        ("state", "i1"),  # TradingState or AccountState
        ("flags", "<i2"),  # Flag bits
        ("account_idx", "<i4"),
        ("contract_idx", "<i4"),
        ("order_id", "<i8"),
        ("price_ticks", "<i8"),
        ("qty_lots", "<i8"),
        ("amount_usd_micros", "<i8"),
        ("expires_ns", "<i8"),
        ("client_a", "<i8"),  # client order id (or symbol of a listing): 32 bytes
        ("client_b", "<i8"),
        ("client_c", "<i8"),
        ("client_d", "<i8"),
        ("ref_id", "<i8"),  # a transfer's own rising number, 0 for none
        ("origin_id", "<i8"),  # which gateway sent it, 0 for the exchange itself
        ("request_id", "<i8"),  # rising by one per origin, 0 for none
    ]
)
assert COMMAND.itemsize == 128, "the journal stores these bytes: change needs a migration"

# STAGE_SHOCKS keeps its eight shocks in words 5..12 (price_ticks .. client_d).
COMMAND_WORDS: Final = COMMAND.itemsize // 8
SHOCK_WORD: Final = 5

# An order moves no money and refers to no transfer: halves of those words say more about it.
#   amount_usd_micros: low  trigger_ticks, of a stop
#                      high display_lots, of an iceberg, 0 for all
#   ref_id:            low  offset_ticks, of a peg or a trailing stop, signed
#                      high min_lots, the least that must trade at once, 0 for any
# With Flag.BRACKET trigger_ticks and offset_ticks are the prices of its stop and its take-profit.
#
# A QUOTE has a buy and a sell side at once:
#   price_ticks:       low  of the buy side, high of the sell side
#   qty_lots:          low  of the buy side, high of the sell side; 0 withdraws a side
#   state:             the quote group
# CANCEL_ALL_AFTER: expires_ns is how long from now, 0 disarms; state is who asks (Timer).
# SET_LIMITS, 0 for no limit: qty_lots of one order, amount_usd_micros of one order,
#   order_id lots of a position, price_ticks orders a second, ref_id open orders.
# SET_MMP, of group `state`: expires_ns the window, 0 for none; then, 0 for no limit:
#   qty_lots filled, order_id net lots, ref_id fills.
# HALT_EXCHANGE: state 1 halts, 0 resumes. SWEEP: qty_lots the most orders to cancel.

# LIST_COMBINATION names its legs in three words, four legs a word, each as its index plus one,
# negative for a leg that is sold when the combination is bought; the first zero ends them.
LEG_WORDS: Final = ("price_ticks", "amount_usd_micros", "expires_ns")
LEGS_PER_WORD: Final = 4
LEG_BITS: Final = 16
assert LEGS_PER_WORD * len(LEG_WORDS) == LEGS_MAX and CONTRACTS_MAX < 1 << (LEG_BITS - 1)

# Its ref_id is 1 if its orders trade with those of its legs (implied prices), 0 if they do not;
# SET_IMPLIED says the same later, in state.

# Deals. PROPOSE: state DealKind, order_id the request for quotes it answers or 0, ref_id the
# counterparty's account_idx (unless it answers a request), expires_ns its end, client_* its id.
# ACCEPT and DECLINE: order_id the deal. REQUEST_QUOTES: state 0 for either side, or side + 1.
# SET_BLOCKS: qty_lots the least of a block or 0, order_id the range in bps beyond the day's prices;
# LIST says the same in ref_id: low the least of a block, high the range.

# TRANSFER_*, SET_ACCOUNT of a liquidation, CASCADE, ACCRUE: see wire_life.py.

EVENT: Final = np.dtype(
    [
        ("seq", "<i8"),  # of the command that caused it
        ("kind", "i1"),  # EventKind
        ("side", "i1"),  # Side of the order; of the taker in a trade
        ("code", "<i2"),  # Code
        ("account_idx", "<i4"),  # of the order; of the taker in a trade
        ("order_id", "<i8"),  # of the order; of the taker in a trade
        ("maker_order_id", "<i8"),
        ("contract_idx", "<i4"),
        ("maker_account_idx", "<i4"),
        ("price_ticks", "<i8"),
        ("qty_lots", "<i4"),
        ("leaves_lots", "<i4"),  # what rests after the command
        ("amount_usd_micros", "<i8"),  # of an iceberg's order or fill: the lots it shows now
    ]
)
# Events of call auctions: see call_record.py.
# IMPLIED_TRADE: account_idx, order_id and side are the combination's order, maker_order_id the
# order of a leg that came, 0 if none did; amount_usd_micros is 1 if the combination's order rests.
assert EVENT.itemsize == 64, "the journal stores these bytes: change needs a migration"

# Records of a saved state, shared with readers that must not import kernels.
ACCOUNT: Final = np.dtype(
    [
        ("cash_usd_micros", "<i8"),
        ("unsettled_usd_micros", "<i8"),  # variation margin since the last settlement
        # Price loss of resting orders against the mark, less the collateral that is counted.
        ("claims_usd_micros", "<i8"),
        ("im_bound_usd_micros", "<i8"),  # never below the exact requirement
        ("gross_tick_value", "<i8"),  # sum of lots x tick value, position + orders
        ("last_ref_id", "<i8"),
        ("state", "i1"),  # AccountState
        ("limited", "i1"),  # bit 0: limits of its own; others: margin is taken exactly
        ("stops", "<i2"),  # that wait or sleep; they are counted in open_orders too
        ("open_orders", "<i4"),
        ("position_head", "<i4"),
        ("position_tail", "<i4"),
    ]
)
assert ACCOUNT.itemsize == 64

CONTRACT: Final = np.dtype(
    [
        ("tick_value_usd_micros", "<i8"),
        ("mark_ticks", "<i8"),
        ("settle_ticks", "<i8"),
        ("band_bps", "<i8"),  # 0: no band
        ("band_low_ticks", "<i8"),
        ("band_high_ticks", "<i8"),
        ("last_trade_ticks", "<i8"),
        ("open_interest_lots", "<i8"),
        ("qty_max_lots", "<i8"),
        ("last_trade_ns", "<i8"),  # end of trading, 0 for never
        ("plain_lots", "<i8"),  # of one account: so far no lot adds more than its unit
        ("symbol_a", "<i8"),
        ("symbol_b", "<i8"),
        ("symbol_c", "<i8"),
        ("symbol_d", "<i8"),
        ("state", "<i2"),  # TradingState
        ("watched", "<i2"),  # a bit for each TriggerBy that a stop waits for
        ("position_head", "<i4"),
        ("position_tail", "<i4"),
        ("legs_count", "i1"),  # 0: no combination
        ("traded", "i1"),  # 1: it traded since the velocity guard took its reference
        ("implied", "i1"),  # 1: implied prices; a leg's when an order may rest that makes one
        ("implied_waits", "i1"),  # of a combination: see implied_wake.py
        ("protection_bps", "<i4"),  # of market orders, from the best opposite price; 0: none
        ("pegs", "<i4"),  # pegged orders that rest
        ("peg_next", "<i4"),  # the next contract whose pegs have to move, its index + 1
        ("peg_waits", "<i4"),  # 1: it is among those
        ("timed", "<i4"),  # 1: a TICK ends trading at last_trade_ns
        ("ended", "<i4"),  # 1: one has
        ("combinations_count", "<i4"),  # of which this is a leg
        ("delivers", "<i4"),  # 1: it delivers, and is settled by ACCRUE; 2: for the last time
        ("fine_usd_micros", "<i8"),  # in delivery: what a lot is worth beyond its mark
        ("accrued_ns", "<i8"),  # the newest ACCRUE; so many it has had, days fixed by then
        ("accruals", "<i4"),
        ("days_fixed", "<i4"),
    ]
)
assert CONTRACT.itemsize == 192

# A leg of a combination: one lot of the combination is one lot of it, bought or sold.
LEG: Final = np.dtype([("contract_idx", "<i4"), ("ratio", "<i4")])
assert LEG.itemsize == 8

POSITION: Final = np.dtype(
    [
        ("account_idx", "<i4"),
        ("contract_idx", "<i4"),
        ("qty_lots", "<i8"),  # signed; short is negative
        ("buy_lots", "<i8"),  # resting buys
        ("sell_lots", "<i8"),  # resting sells
        ("unsettled_usd_micros", "<i8"),
        ("order_head", "<i4"),
        ("order_tail", "<i4"),
        ("next_of_account", "<i4"),
        ("next_of_contract", "<i4"),
        ("quote_buy_idx", "<i4"),  # the last quote's sides, which may have ended
        ("quote_sell_idx", "<i4"),
    ]
)
assert POSITION.itemsize == 64

ORDER: Final = np.dtype(
    [
        ("next", "<i4"),  # in the level, or in the free list
        ("prev", "<i4"),
        ("next_own", "<i4"),  # in the position's list, oldest first
        ("prev_own", "<i4"),
        ("leaves_lots", "<i4"),
        ("filled_lots", "<i4"),
        ("key", "<i4"),  # mirrored price: lower is better on both sides
        ("book_idx", "<i4"),  # contract_idx * 2 + side
        ("order_id", "<i8"),  # 0 when the slot is free
        ("position_idx", "<i4"),
        ("account_idx", "<i4"),
        ("expires_ns", "<i8"),  # 0 for never
        ("client_idx", "<i4"),  # slot of its client order id, 0 for none
        ("flags", "<i2"),
        ("tif", "i1"),
        ("stp", "i1"),
    ]
)
assert ORDER.itemsize == 64

# What few orders have; in the slot of the order, and read only if its flags say DETAILED.
DETAIL: Final = np.dtype(
    [
        ("display_lots", "<i4"),  # an iceberg shows at most so many at a time
        ("shown_lots", "<i4"),  # of its leaves_lots, the part that shows now
        ("offset_ticks", "<i4"),  # of a peg
        ("peg", "i1"),
        ("order_type", "i1"),  # of a stop
        ("trigger", "i1"),  # of a stop: TriggerBy, RISES, TRAIL_IS_BPS
        ("place", "i1"),  # of a stop: where it waits
        ("link_id", "<i8"),  # the order or stop that ends with it
        ("child_id", "<i8"),  # what its fills bring to life
        ("parent_id", "<i8"),  # whose fills give it its size
        ("limit_ticks", "<i4"),  # of a stop: the price it enters with, 0 for market
        ("extreme_ticks", "<i4"),  # of a trailing stop: the best price since it waits
        ("next_aside", "<i4"),  # in the list of trailing stops, or of children to see to
        ("prev_aside", "<i4"),
        ("more_lots", "<i4"),  # of a child: what its parent filled since
        ("listed", "<i4"),  # of a child: 1 in the list of those to see to
    ]
)
assert DETAIL.itemsize == 64

# Of a contract: the queue of its triggered stops; the next contract with one (index + 1), and
# whether this is in that list; its trailing stops; its index price, 0 before the first; its stops.
WATCHED = ("queue_head", "queue_tail", "next_ready", "ready", "trails", "index_ticks", "stops", "b")
WATCH: Final = np.dtype([(name, "<i4") for name in WATCHED])
assert WATCH.itemsize == 32


def pack_text(text: str) -> tuple[int, int, int, int]:
    """Return up to 32 ASCII bytes as four little-endian int64 words, zero padded.

    Errors:
        ValueError: not ASCII, longer than 32 bytes, or holding a NUL.
    """
    raw = text.encode("ascii")
    if len(raw) > CLIENT_ORDER_ID_BYTES or b"\0" in raw:
        raise ValueError(f"not a text of at most {CLIENT_ORDER_ID_BYTES} bytes: {text!r}")
    words = np.frombuffer(raw.ljust(CLIENT_ORDER_ID_BYTES, b"\0"), "<i8")
    return int(words[0]), int(words[1]), int(words[2]), int(words[3])


def unpack_text(a: int, b: int, c: int, d: int) -> str:
    """Return the text that `pack_text` made of it."""
    return np.array([a, b, c, d], "<i8").tobytes().rstrip(b"\0").decode("ascii")


def pack_halves(low: int, high: int) -> int:
    """Return one word of two signed 32-bit numbers; `matching/words.py` reads them.

    Errors:
        ValueError: one of them does not fit.
    """
    for half in (low, high):
        if not -(1 << 31) <= half < 1 << 31:
            raise ValueError(f"{half} does not fit into half a word")
    return (high << 32) | (low & 0xFFFFFFFF)


def halves(word: int) -> tuple[int, int]:
    """Return the two numbers that `pack_halves` put into a word."""
    low = word & 0xFFFFFFFF
    return low - ((low & 0x80000000) << 1), word >> 32


def pack_legs(legs: list[tuple[int, int]]) -> dict[str, int]:
    """Return the words of a listing that name (contract_idx, ratio), the ratio 1 or -1.

    Errors:
        ValueError: more legs than fit, or one that cannot be named.
    """
    if len(legs) > LEGS_MAX:
        raise ValueError(f"{len(legs)} legs, at most {LEGS_MAX}")
    named = np.zeros(LEGS_MAX, "<i2")
    for place, (contract_idx, ratio) in enumerate(legs):
        if ratio not in (1, -1) or not 0 <= contract_idx < CONTRACTS_MAX:
            raise ValueError(f"no leg: contract {contract_idx}, ratio {ratio}")
        named[place] = ratio * (contract_idx + 1)
    return dict(zip(LEG_WORDS, named.view("<i8").tolist(), strict=True))


def unpack_legs(words: tuple[int, ...]) -> list[tuple[int, int]]:
    """Return the (contract_idx, ratio) that `pack_legs` put into three words."""
    legs: list[tuple[int, int]] = []
    for named in np.array(words, "<i8").view("<i2").tolist():
        if named == 0:
            break
        legs.append((abs(named) - 1, 1 if named > 0 else -1))
    return legs


def spread_base_ticks(price_bits: int) -> int:
    """Return the price in ticks that stands for a differential of zero, in a spread's book."""
    return 1 << (price_bits - 1)


def new_commands(count: int) -> np.ndarray:
    """Return `count` zeroed COMMAND rows."""
    return np.zeros(count, COMMAND)


def command_words(commands: np.ndarray) -> np.ndarray:
    """Return the same bytes as (count, 16) int64 words."""
    return commands.view("<i8").reshape(-1, COMMAND_WORDS)


def order_id_of(seq: int, order_idx: int) -> int:
    """Return the public id of the order that command `seq` put into slot `order_idx`."""
    return seq * ORDERS_MAX + order_idx
