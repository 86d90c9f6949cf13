"""All the memory of the core: one `State` of record arrays, allocated once.

Pages are zero and not resident until they are touched, so a state may be sized for the largest
market and still start in milliseconds. Slot 0 of a pool (orders, positions, client ids) means
none. What can be rebuilt (ladders, bitmaps, look-up tables) is never saved.
"""

from typing import Any, Final, NamedTuple

import numpy as np

from matching._memory import viewer
from matching.call_record import CALL, TALLY
from matching.lazy import lazy_zeros, table_slots
from matching.limits import (
    ASSETS_MAX,
    COMBINATIONS_PER_LEG_MAX,
    LEGS_MAX,
    ORIGINS_MAX,
    PEGS_MAX,
    QUOTE_GROUPS,
    TIMERS_PER_ACCOUNT,
    gross_tick_value_max,
)
from matching.sizes import EVENTS_HEADROOM
from matching.sizes import Sizes as Sizes
from matching.wire import ACCOUNT, CONTRACT, DETAIL, EVENT, LEG, ORDER, POSITION, WATCH
from matching.wire_collateral import ASSET, COLLATERAL, HOLDING
from matching.wire_deals import DAY, DEAL, DEALER
from matching.wire_ids import CLIENT_ID, ORIGIN
from matching.wire_margin import ADDON, ALONE
from matching.wire_protections import ACCOUNT_LIMITS, EXPIRY, LIFE, LIFE_LIST, MMP, TIMER

# The oldest order of a level, 0 when it is empty, and the newest.
LEVEL: Final = np.dtype([("head", "<i4"), ("tail", "<i4")])
assert LEVEL.itemsize == 8, "eight levels a cache line; nothing here needs a level's lots"

# One side of one contract. Keys are mirrored: lower is better on both sides.
BOOK: Final = np.dtype(
    [
        ("best_key", "<i8"),  # price_ticks_count when the side is empty
        ("top_bits", "<i8"),  # level 2 of the bitmap: groups that are not empty
        ("mark_key", "<i8"),
        ("band_key", "<i8"),  # the most aggressive key an order may have
        ("es_unit_usd_micros", "<i8"),  # requirement of one resting lot on its own
        ("gross_tick_value", "<i8"),  # of one lot, in the gross limit
        ("pegs", "<i4"),  # pegged orders of the contract, on both sides together
        ("guarded", "<i4"),  # 1: a velocity guard, whose window may be over by now
        ("guard_key", "<i4"),  # the worst key that may trade; beyond it, a call auction begins
        ("guard_best_key", "<i4"),  # and the best
    ]
)
assert BOOK.itemsize == 64

LONG, SLOT = np.dtype("<i8"), np.dtype("<i4")
STOP_BOOKS: Final = 6  # of a contract: TriggerBy x 2, falls then rises
BOOKS_OF_CONTRACT: Final = 2 + STOP_BOOKS
LIFE_LISTS: Final = 5  # of a contract: GFA, GFN, DAY, then what is over of GFN and of DAY

# Counters that are saved, then what a state is built with, then scratch.
META_SAVED: Final = (
    "seq",
    "now_ns",
    "accounts_count",
    "contracts_count",
    "positions_count",  # slots in use; the first is 1
    "orders_used",  # highest slot ever used
    "orders_free",  # head of the list of freed slots
    "orders_open",
    "scenarios_count",  # 0 before the first swap
    "worst_count",
    "stress_count",  # of the scenarios, before the floor's
    "floor_count",  # the last of them
    "kept_bps",  # of the standalone sum, that no offset removes
    "swaps",  # of the matrix, so far
    "level_more_max_bps",  # the highest level of an account above the member's, so far
    "client_ids_used",
    "client_ids_free",
    "client_ids_count",  # in the ring
    "client_ids_open",  # of them, with an order that rests
    "client_ids_newest",
    "client_ids_oldest",
    "pegs_first",  # the first contract whose pegs have to move, its index + 1; 0 for none
    "pegs_last",
    "ready_head",  # contracts with stops that were triggered: contract_idx + 1
    "ready_tail",
    "children_head",  # of brackets, to see to: slots of orders
    "children_tail",
    "aftermath",  # bits of work that follows, see aftermath.py; 0 between most commands
    "halted",  # 1: no orders anywhere
    "deals_used",
    "deals_free",
    "deals_open",
    "deals_first",  # the one that ends first
    "deals_last",
    "expiries_count",
)
META_SIZES: Final = (
    "price_bits",
    "price_top",  # 2^price_bits - 1: a price and its mirror are complements
    "book_stride",  # levels from the beginning of a book to that of the next
    "gross_max",
    "accounts_max",
    "contracts_max",
    "positions_max",
    "orders_max",
    "client_ids_max",
    "deals_max",
    "scenarios_max",
    "stops_max",  # that wait, of one account
    "contract_stops_max",  # that wait, of one contract
    "trails_max",  # trailing stops of one contract
    "makers_max",  # resting orders that one taker meets
    "cancels_max",  # orders of an account that one command looks at to cancel them
    "command_events",  # a command that has caused so many begins no further piece of work
    "position_mask",
    "client_mask",
    "expiries_max",
    "events_room",  # a command may start while events_count is not above it
)
META_SCRATCH: Final = (
    "next_expiry_ns",
    "next_end_ns",  # when trading of a contract ends; 0: never
    "next_call_ns",  # when a call may end or say its price: never late; 0: never
    "events_count",
    "named_order_id",  # what a refusal names
    "contracts_trading",  # contracts_count, or 0 while the exchange is halted
    "ends_first",  # where orders of contracts that have ended are looked for
    "lives_first",  # where orders whose time is over are looked for
    "mmp_hit",  # the first protection hit in this command, place + 1; 0 for none
    "mmp_hit_last",
    "extras",  # 1: something is added to the scenarios
    "orders_valued",  # one by one, because losses were unknown, by what follows from this command
)
META: Final = np.dtype([(name, "<i8") for name in META_SAVED + META_SIZES + META_SCRATCH])

SPARSE: Final = frozenset({"levels", "words", "groups"})  # a few pages of each book are used


class State(NamedTuple):
    """Everything a kernel may read or write."""

    meta: np.ndarray  # (1,) META
    accounts: np.ndarray  # (accounts,) ACCOUNT
    contracts: np.ndarray  # (contracts,) CONTRACT
    positions: np.ndarray  # (positions,) POSITION
    orders: np.ndarray  # (orders,) ORDER
    details: np.ndarray  # (orders,) DETAIL of the order in the same slot
    legs: np.ndarray  # (contracts x LEGS_MAX,) LEG of each combination
    combinations: np.ndarray  # (contracts x COMBINATIONS_PER_LEG_MAX,) of which each is a leg
    calls: np.ndarray  # (contracts,) CALL of the contract with the same index
    pegs: np.ndarray  # (contracts x PEGS_MAX,) slots of pegged orders, oldest first
    watches: np.ndarray  # (contracts,) WATCH
    lives: np.ndarray  # (orders,) LIFE of the order in the same slot
    life_lists: np.ndarray  # (LIFE_LISTS x contracts,) LIFE_LIST
    trails: np.ndarray  # (6 x contracts,) heads of lists of trailing stops
    books: np.ndarray  # (8 x contracts,) BOOK: two of orders each, then six of stops each
    levels: np.ndarray  # (8 x contracts x stride,) LEVEL
    words: np.ndarray  # level 0 of the bitmaps: a bit a level
    groups: np.ndarray  # level 1: a bit a word
    position_table: np.ndarray  # open addressing by account and contract
    worst: np.ndarray  # (accounts x scenarios,) worst loss W of all fills
    worst_swaps: np.ndarray  # (accounts,) META.swaps when W was taken; -1: it is to be
    shocks: np.ndarray  # (contracts x scenarios,) profit of one long lot
    staged: np.ndarray  # (contracts x scenarios,) the next shocks
    addons: np.ndarray  # (contracts,) ADDON
    addons_staged: np.ndarray  # (contracts,) the next
    alone: np.ndarray  # (positions,) ALONE
    tallies: np.ndarray  # (positions,) TALLY of a call that is counted
    covers: np.ndarray  # (positions,) lots that pledged capacity covers, if they are short
    profiles: np.ndarray  # (accounts,) Profile
    joints: np.ndarray  # (contracts,) loss of a long lot when all of compute falls; live rows
    expiries: np.ndarray  # (orders + 2 x accounts,) EXPIRY: a binary heap
    client_ids: np.ndarray  # (client_ids,) CLIENT_ID
    client_buckets: np.ndarray  # heads of chains
    origins: np.ndarray  # (ORIGINS_MAX,) ORIGIN
    limits: np.ndarray  # (accounts,) ACCOUNT_LIMITS
    timers: np.ndarray  # (2 x accounts,) TIMER
    mmps: np.ndarray  # (QUOTE_GROUPS x accounts,) MMP
    deals: np.ndarray  # (deals,) DEAL
    dealers: np.ndarray  # (accounts,) DEALER
    days: np.ndarray  # (contracts,) DAY
    collaterals: np.ndarray  # (accounts,) COLLATERAL
    holdings: np.ndarray  # (accounts x ASSETS_MAX,) HOLDING
    assets: np.ndarray  # (ASSETS_MAX,) ASSET
    events: np.ndarray  # EVENT: what the running batch has caused


# What each array of a state holds.
STATE_FIELDS: Final[dict[str, np.dtype[Any]]] = {
    "meta": META,
    "accounts": ACCOUNT,
    "contracts": CONTRACT,
    "positions": POSITION,
    "orders": ORDER,
    "details": DETAIL,
    "legs": LEG,
    "combinations": SLOT,
    "calls": CALL,
    "pegs": SLOT,
    "watches": WATCH,
    "lives": LIFE,
    "life_lists": LIFE_LIST,
    "trails": SLOT,
    "books": BOOK,
    "levels": LEVEL,
    "words": LONG,
    "groups": LONG,
    "position_table": SLOT,
    "worst": LONG,
    "worst_swaps": LONG,
    "shocks": LONG,
    "staged": LONG,
    "addons": ADDON,
    "addons_staged": ADDON,
    "alone": ALONE,
    "tallies": TALLY,
    "covers": LONG,
    "profiles": LONG,
    "joints": LONG,
    "expiries": EXPIRY,
    "client_ids": CLIENT_ID,
    "client_buckets": SLOT,
    "origins": ORIGIN,
    "limits": ACCOUNT_LIMITS,
    "timers": TIMER,
    "mmps": MMP,
    "deals": DEAL,
    "dealers": DEALER,
    "days": DAY,
    "collaterals": COLLATERAL,
    "holdings": HOLDING,
    "assets": ASSET,
    "events": EVENT,
}
assert tuple(STATE_FIELDS) == State._fields

view_state = viewer("State", STATE_FIELDS)


def new_state(sizes: Sizes) -> State:
    """Return an empty state."""
    books = BOOKS_OF_CONTRACT * sizes.contracts
    counts = {
        "meta": 1,
        "accounts": sizes.accounts,
        "contracts": sizes.contracts,
        "positions": sizes.positions,
        "orders": sizes.orders,
        "details": sizes.orders,
        "legs": sizes.contracts * LEGS_MAX,
        "combinations": sizes.contracts * COMBINATIONS_PER_LEG_MAX,
        "calls": sizes.contracts,
        "pegs": sizes.contracts * PEGS_MAX,
        "watches": sizes.contracts,
        "lives": sizes.orders,
        "life_lists": LIFE_LISTS * sizes.contracts,
        "trails": STOP_BOOKS * sizes.contracts,
        "books": books,
        "levels": books * sizes.book_stride,
        "words": books * sizes.book_stride // 64,
        "groups": books << sizes.price_bits - 12,
        "position_table": table_slots(sizes.positions),
        "worst": sizes.accounts * sizes.scenarios,
        "worst_swaps": sizes.accounts,
        "shocks": sizes.contracts * sizes.scenarios,
        "staged": sizes.contracts * sizes.scenarios,
        "addons": sizes.contracts,
        "addons_staged": sizes.contracts,
        "alone": sizes.positions,
        "tallies": sizes.positions,
        "covers": sizes.positions,
        "profiles": sizes.accounts,
        "joints": sizes.contracts,
        "expiries": sizes.orders + TIMERS_PER_ACCOUNT * sizes.accounts,
        "client_ids": sizes.client_ids,
        "client_buckets": table_slots(sizes.client_ids),
        "origins": ORIGINS_MAX,
        "limits": sizes.accounts,
        "timers": TIMERS_PER_ACCOUNT * sizes.accounts,
        "mmps": QUOTE_GROUPS * sizes.accounts,
        "deals": sizes.deals,
        "dealers": sizes.accounts,
        "days": sizes.contracts,
        "collaterals": sizes.accounts,
        "holdings": ASSETS_MAX * sizes.accounts,
        "assets": ASSETS_MAX,
        "events": sizes.events,
    }
    state = State(
        **{
            name: lazy_zeros(counts[name], dtype, sparse=name in SPARSE)
            for name, dtype in STATE_FIELDS.items()
        }
    )
    write_sizes(state, sizes)
    return state


def write_sizes(state: State, sizes: Sizes) -> None:
    """Tell the kernels how large everything is."""
    meta = state.meta[0]
    meta["price_bits"] = sizes.price_bits
    meta["price_top"] = (1 << sizes.price_bits) - 1
    meta["book_stride"] = sizes.book_stride
    meta["gross_max"] = gross_tick_value_max(sizes.price_bits)
    pools = ("accounts", "contracts", "positions", "orders", "client_ids", "deals", "scenarios")
    for pool in pools:
        meta[f"{pool}_max"] = getattr(sizes, pool)
    meta["stops_max"] = sizes.account_stops
    meta["contract_stops_max"] = sizes.contract_stops
    meta["trails_max"] = sizes.contract_trails
    meta["makers_max"] = sizes.taker_makers
    meta["cancels_max"] = sizes.account_cancels
    meta["command_events"] = sizes.command_events
    meta["position_mask"] = len(state.position_table) - 1
    meta["client_mask"] = len(state.client_buckets) - 1
    meta["expiries_max"] = len(state.expiries)
    meta["events_room"] = EVENTS_HEADROOM
