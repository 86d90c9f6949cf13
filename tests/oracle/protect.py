"""Own limits, timers, the kill switch, the halt, the sweep."""

from matching.codes import AccountState, Code, EventKind, Side, Timer
from matching.limits import CANCEL_AFTER_NS_MAX, LIMIT_MAX, SWEEP_ORDERS_MAX
from tests.oracle import book, implied, pegs, risk, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Leg, Limits, Order, signed

SECOND_NS = 1_000_000_000


def known_account(ex: Exchange, log: Log, cmd: Command) -> bool:
    if 0 <= cmd.account_idx < len(ex.accounts):
        return True
    log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
    return False


def set_limits(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd):
        return
    limits = Limits(cmd.qty_lots, cmd.amount_usd_micros, cmd.order_id, cmd.price_ticks, cmd.ref_id)
    if not all(0 <= limit <= LIMIT_MAX for limit in limits):
        log.refuse(cmd, Code.LIMIT_INVALID)
        return
    ex.accounts[cmd.account_idx].limits = limits
    ex.accounts[cmd.account_idx].limits_by_legs = bool(cmd.state % 2)
    log.add(EventKind.LIMITS_SET, account_idx=cmd.account_idx)


def taken_in_this_second(ex: Exchange, account_idx: int) -> int:
    second, count = ex.accounts[account_idx].taken
    return count if second == ex.now_ns // SECOND_NS else 0


def judge_own(ex: Exchange, wish: risk.Wish, asked_lots: int, *, rests_anew: bool) -> int:
    """Judge an order by the limits of its account; `rests_anew` if it adds to the open orders."""
    limits = ex.accounts[wish.account_idx].limits
    contract = ex.contracts[wish.contract_idx]
    position = ex.position(wish.account_idx, wish.contract_idx)
    held = max(
        signed(wish.side, leg.ratio * ex.lots(wish.account_idx, leg.contract_idx))
        for leg in contract.legs or (Leg(wish.contract_idx, contract, 1),)
    )
    resting = position.resting_lots(wish.side) if position else 0
    if ex.accounts[wish.account_idx].limits_by_legs:
        held, resting = max(risk.lots_of_legs(ex, wish)), 0
    spread = any(leg.ratio < 0 for leg in contract.legs)
    price_ticks = abs(wish.price_ticks - contract.base_ticks) if spread else wish.price_ticks
    open_orders = len(risk.open_of(ex, wish.account_idx))
    values = (
        (limits.rate, taken_in_this_second(ex, wish.account_idx) + 1, Code.ORDER_RATE_LIMIT),
        (limits.qty, asked_lots, Code.ORDER_SIZE_LIMIT),
        (
            limits.notional,
            wish.qty_lots * price_ticks * contract.tick_value_usd_micros,
            Code.NOTIONAL_LIMIT,
        ),
        (limits.open_orders if rests_anew else 0, open_orders + 1, Code.OPEN_ORDERS_LIMIT),
        (limits.position, held + resting + wish.qty_lots, Code.POSITION_LIMIT),
    )
    return next((code for limit, value, code in values if limit and value > limit), Code.OK)


def count_taken(ex: Exchange, account_idx: int) -> None:
    account = ex.accounts[account_idx]
    if any(account.limits):
        account.taken = ex.now_ns // SECOND_NS, taken_in_this_second(ex, account_idx) + 1


def cancel_all_after(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd):
        return
    if cmd.state not in set(Timer) or not 0 <= cmd.expires_ns <= CANCEL_AFTER_NS_MAX:
        log.refuse(cmd, Code.TIMEOUT_INVALID)
        return
    due_ns = ex.now_ns + cmd.expires_ns if cmd.expires_ns else 0
    ex.accounts[cmd.account_idx].timers[cmd.state] = due_ns
    log.add(EventKind.TIMER_SET, account_idx=cmd.account_idx, contract_idx=-1, side=cmd.state)


def cancel_some(
    ex: Exchange, log: Log, said: dict[str, int], orders: list[Order], meant: list[Order], code: int
) -> bool:
    """Look at the first of an account's orders, cancel those that are meant, and say how many.

    Returns:
        whether there are more to look at
    """
    looked = orders[: ex.capacity.account_cancels]
    going = [order for order in looked if order in meant]
    kept = [order for order in looked if order not in meant]
    said["qty_lots"] = len(going)
    for order in going:
        book.cancel(ex, log, order, code)
    if len(orders) == len(looked):
        return False
    said["leaves_lots"] = len(risk.open_of(ex, said["account_idx"]))
    if kept:
        said["order_id"] = kept[-1].order_id
    return True


def fire(ex: Exchange, log: Log, account_idx: int, which: int) -> None:
    said = log.add(EventKind.TIMER_FIRED, account_idx=account_idx, contract_idx=-1, side=which)
    orders = risk.open_of(ex, account_idx)
    if not cancel_some(ex, log, said, orders, orders, Code.CANCELLED_BY_TIMER):
        ex.accounts[account_idx].timers[which] = 0


def kill_account(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd):
        return
    account = ex.accounts[cmd.account_idx]
    account.state = AccountState.FROZEN
    account.timers = [0, 0]
    said = log.add(EventKind.ACCOUNT_KILLED, account_idx=cmd.account_idx, contract_idx=-1)
    orders = risk.open_of(ex, cmd.account_idx)
    cancel_some(ex, log, said, orders, orders, Code.CANCELLED_BY_KILL)


def halt_exchange(ex: Exchange, log: Log, cmd: Command) -> None:
    if cmd.state not in (0, 1):
        log.refuse(cmd, Code.STATE_INVALID)
        return
    ex.halted = cmd.state == 1
    for contract_idx in range(len(ex.contracts)):
        pegs.wake(ex, contract_idx)
        implied.wake(ex, contract_idx)
    log.add(EventKind.HALT_SET, contract_idx=-1, qty_lots=cmd.state)
    for idx in range(len(ex.contracts)):
        stops.see_now(ex, log, idx)


def sweep(ex: Exchange, log: Log, cmd: Command) -> None:
    if not -1 <= cmd.contract_idx < len(ex.contracts):
        log.refuse(cmd, Code.CONTRACT_UNKNOWN)
        return
    if not 1 <= cmd.qty_lots <= SWEEP_ORDERS_MAX:
        log.refuse(cmd, Code.QTY_NOT_POSITIVE if cmd.qty_lots < 1 else Code.QTY_TOO_LARGE)
        return
    said = log.add(EventKind.SWEPT, contract_idx=cmd.contract_idx)
    found = [
        order
        for idx in range(len(ex.contracts))
        for side in Side
        if cmd.contract_idx in (-1, idx)
        for order in book.best_first(ex, idx, side)
    ]
    for idx in range(len(ex.contracts)):
        if cmd.contract_idx in (-1, idx):
            found += [*ex.contracts[idx].triggered, *stops.standing(ex, idx)]
    for order in found[: cmd.qty_lots]:
        book.cancel(ex, log, order, Code.CANCELLED_BY_KILL)
    said["qty_lots"] = min(len(found), cmd.qty_lots)
    said["leaves_lots"] = len(ex.orders)
