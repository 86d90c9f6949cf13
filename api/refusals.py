"""What a refusal of an order was about, in numbers of the moment: the band, the most, the end.

The code says what happened and never changes; the text here is for whoever reads it.
"""

from typing import Final

from api import codec
from api.errors import Problem, core_name, core_problem
from api.replies import Reply
from exchange.rules.combinations import is_combination, parse_combination
from exchange.rules.contracts import SymbolError, parse_symbol
from exchange.rules.margin import margin_of
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.records import Account, Contract, Order
from exchange.rules.shortfalls import shortfall
from matching.codes import Code, OrderType

Words = tuple[int, int, int, int]

# Why an order that is tied to others may not go to a price.
TIED_PRICES: Final = {
    Code.LINK_INVALID: "the order would meet its other leg at this price",
    Code.BRACKET_INVALID: "the order would be at its own take_profit or stop_loss, or beyond",
}
OWN_LIMITS: Final = frozenset(
    {
        Code.ORDER_RATE_LIMIT, Code.ORDER_SIZE_LIMIT, Code.NOTIONAL_LIMIT, Code.OPEN_ORDERS_LIMIT,
        Code.POSITION_LIMIT,
    }
)  # fmt: skip
ENDED: Final = "GET the order to see how it ended"


def refused_new(state: MirrorState, reply: Reply) -> Problem:
    """Return why a new order was refused."""
    first = reply.events[0]
    if reply.code == Code.MARGIN_INSUFFICIENT:
        return core_problem(reply.code, detail=_lacking(state, reply.seq))
    known_id = first[5] if reply.code == Code.CLIENT_ORDER_ID_CONFLICT else 0
    if reply.code in OWN_LIMITS:
        return _own_limit(reply.code, state.accounts[first[4]])
    return _problem(reply.code, state.contracts[first[7]], order_id=known_id)


def refused_side(state: MirrorState, code: int, account_idx: int, contract_idx: int) -> Problem:
    """Return why a side of a quote was refused."""
    if code in OWN_LIMITS:
        return _own_limit(code, state.accounts[account_idx])
    return _problem(code, state.contracts[contract_idx])


def refused_change(state: MirrorState, reply: Reply, order_id: int, words: Words) -> Problem:
    """Return why an order was not amended or cancelled; it was named by one of its two ids."""
    account_idx = reply.events[0][4]
    one = state.order(order_id) if order_id else state.order_by_client(account_idx, words)
    if one is None or one.account_idx != account_idx:
        return _problem(reply.code)
    if reply.code == Code.ORDER_UNKNOWN:
        return core_problem(reply.code, detail=_end(one))
    if reply.code in OWN_LIMITS:
        return _own_limit(reply.code, state.accounts[account_idx])
    if reply.code in TIED_PRICES:
        problem = core_problem(reply.code, detail=TIED_PRICES[Code(reply.code)])
        problem.field = "price"
        return problem
    return _problem(reply.code, state.contracts[one.contract_idx])


def _own_limit(code: int, account: Account) -> Problem:
    """Return the problem of an order beyond a limit of its account's own, with the limit."""
    own = account.protections.limits
    texts = {
        Code.ORDER_RATE_LIMIT: f"the account may send {own.orders_per_second_max} orders a second",
        Code.ORDER_SIZE_LIMIT: f"the account may have {own.qty_max_lots} lots in one order",
        Code.NOTIONAL_LIMIT: "the account may have "
        f"{usd_text(own.notional_max_usd_micros)} USD in one order",
        Code.OPEN_ORDERS_LIMIT: f"the account may have {own.open_orders_max} open orders, "
        f"and has {len(account.orders)}",
        Code.POSITION_LIMIT: f"the account may hold {own.position_max_lots} lots of a contract, "
        "with everything that rests on this side filled",
    }
    return core_problem(code, detail=texts[Code(code)])


def unknown_contract(symbol: str) -> Problem:
    """Return the problem of a symbol that no contract has, with the part that is wrong."""
    try:
        parse_combination(symbol) if is_combination(symbol) else parse_symbol(symbol)
    except SymbolError as error:
        return core_problem(Code.CONTRACT_UNKNOWN, detail=f"{error}: see /api/v1/instruments")
    return core_problem(Code.CONTRACT_UNKNOWN)


def too_large(contract: Contract) -> Problem:
    """Return the problem of a quantity above what one order of a contract may have."""
    most = contract.qty_max_lots
    return core_problem(Code.QTY_TOO_LARGE, detail=f"at most {most} lots in one order")


def _problem(code: int, contract: Contract | None = None, *, order_id: int = 0) -> Problem:
    if contract is not None and code == Code.QTY_TOO_LARGE:
        return too_large(contract)
    if contract is not None and code == Code.PRICE_OUT_OF_BAND:
        return core_problem(code, detail=_band(contract))
    if contract is not None and contract.base_ticks and code == Code.PRICE_INVALID:
        most = codec.price_out(contract.base_ticks - 1)
        return core_problem(code, detail=f"a difference is from -{most} to {most} USD")
    return core_problem(code, order_id=order_id)


def _lacking(state: MirrorState, seq: int) -> str:
    """Say what an order needs and what is free, where that is known; else nothing."""
    order = state.short_orders.get(seq)
    found = shortfall(state, order) if order else None
    if found is None:
        return ""
    needed, free = usd_text(found.needed_usd_micros), usd_text(found.free_usd_micros)
    return f"the order needs {needed} USD more, {free} USD are free now: see /api/v1/margin"


def exceeds_free(state: MirrorState, account_idx: int) -> str:
    """Say how much of an account's money can be withdrawn now."""
    if account_idx >= len(state.accounts):
        return ""
    one = margin_of(state, account_idx)
    most = max(0, one.free_cash_usd_micros)
    return f"at most {usd_text(most)} USD now: the account needs the rest as margin"


def _band(contract: Contract) -> str:
    low, high, mark = (
        codec.price_out(contract.shown(ticks))
        for ticks in (contract.band_low_ticks, contract.band_high_ticks, contract.mark_ticks)
    )
    width = f"{contract.band_bps / 100:g} %"
    return f"buys at most {high}, sells at least {low} now: {width} around the mark of {mark}"


def _end(one: Order) -> str:
    """Say how an order ended that somebody still wants to change."""
    if one.status == "open":  # it was, a moment ago, not yet or no more
        return f"the order was not open at that moment; {ENDED}"
    if one.status == "filled":
        return f"the order is filled already, {one.filled_lots} lots; {ENDED}"
    filled = f", {one.filled_lots} of {one.qty_lots} lots filled" if one.filled_lots else ""
    kind = "market order" if one.order_type == OrderType.MARKET else "order"
    return f"the {kind} was cancelled already ({core_name(one.code)}{filled}); {ENDED}"
