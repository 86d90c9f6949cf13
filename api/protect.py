"""Quotes and protections, the same for REST and websocket: message to row, reply to answer."""

from functools import partial
from typing import Any, Final

from msgspec import UNSET, UnsetType

from api import codec, orders
from api.answers import millis
from api.errors import Problem, core_name, core_problem
from api.gateway import Gateway
from api.orders import Answer
from api.refusals import refused_side
from api.replies import Reply
from api.schemas_protect import NS_PER_MS, LimitsChange, MmpChange, QuoteMass, QuoteNew
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.protections import Limits, Mmp
from exchange.rules.records import Account
from matching.codes import BY_LEGS, Code, EventKind, Flag, Kind, Side, Timer
from matching.limits import LIMIT_MAX
from matching.wire import pack_halves

SIDES: Final = ("bid", "ask")
_TRADES: Final = (EventKind.TRADE, EventKind.IMPLIED_TRADE, EventKind.IMPLIED_LEG)


def side_of(
    price: str | UnsetType, quantity: str | UnsetType, name: str, base_ticks: int = 0
) -> tuple[int, int]:
    """Return price and lots of one side of a quote; 0 lots withdraw it.

    Args:
        base_ticks: of a spread, what stands for a difference of zero.
    """
    lots = 0 if quantity is UNSET else codec.qty_lots(quantity, f"{name}_quantity")
    if price is UNSET or lots == 0:
        if lots:
            raise Problem("field_missing", "a side has a price", field=f"{name}_price")
        return 0, 0
    if base_ticks:
        ticks = base_ticks + codec.difference_ticks(price, f"{name}_price")
        return min(max(0, ticks), codec.PRICE_TEXT_MAX), lots
    return codec.price_ticks(price, f"{name}_price"), lots


def quote_row(
    gateway: Gateway, quote: QuoteNew, mass: QuoteMass, account_idx: int, stp: int
) -> tuple[bytes, orders.Read]:
    """Return the row of one quote, and how its reply is read."""
    contract = orders.contract_of(gateway.mirror, quote.symbol)
    base_ticks = contract.base_ticks
    sides = (
        side_of(quote.bid_price, quote.bid_quantity, "bid", base_ticks),
        side_of(quote.ask_price, quote.ask_quantity, "ask", base_ticks),
    )
    lots = [lots for _, lots in sides]
    gateway.check_open(reduces=not any(lots))
    row = codec.words_row(
        Kind.QUOTE,
        account_idx,
        state=mass.group,
        flags=int(Flag.POST_ONLY) if mass.post_only else 0,
        stp=stp,
        contract_idx=contract.contract_idx,
        price_ticks=pack_halves(*(price for price, _ in sides)),
        qty_lots=pack_halves(*lots),
    )
    return row, partial(quoted, symbol=quote.symbol, lots=lots)


def quote_makers(gateway: Gateway, mass: QuoteMass, account_idx: int) -> list[orders.Make]:
    """Return what makes the row of each quote of a message."""
    stp = codec.choice(codec.STPS, mass.stp, codec.STP_DEFAULT, "stp")  # of the whole message
    return [partial(quote_row, gateway, quote, mass, account_idx, stp) for quote in mass.quotes]


def quotes_counted(mass: QuoteMass) -> int:
    """Return how many quotes count against the rate: those that only withdraw do not."""
    return sum(q.bid_quantity is not UNSET or q.ask_quantity is not UNSET for q in mass.quotes)


def quoted(state: MirrorState, reply: Reply, symbol: str, lots: list[int]) -> Answer:
    """Return what became of both sides of a quote.

    Errors:
        Problem: the whole of it was refused.
    """
    reply.raise_refused()
    found: Answer = {"symbol": symbol}
    kept = reply.events[0][5], reply.events[0][6]
    for side in Side:
        found[SIDES[side]] = _side(state, reply, side, lots[side], kept[side])
    return found


def _side(state: MirrorState, reply: Reply, side: int, lots: int, kept_id: int) -> Answer | None:
    """Return what became of one side: open, filled, kept, cancelled or refused; None without."""
    if lots == 0:
        return None
    if kept_id:
        gone = any(e[1] == EventKind.CANCELLED and e[5] == kept_id and e[11] == 0
                   for e in reply.events)  # fmt: skip
        return {"status": "cancelled" if gone else "kept", "order_id": str(kept_id)}
    for event in reply.events:
        if event[2] != side:
            continue
        if event[1] == EventKind.QUOTE_REFUSED:
            problem = refused_side(state, event[3], event[4], event[7])
            return {"status": "refused", "code": problem.code, "detail": problem.detail}
        if event[1] == EventKind.ACCEPTED:
            return _entered(reply, event)
    return {"status": "refused", "code": "unavailable"}


def _entered(reply: Reply, accepted: Any) -> Answer:
    order_id, open_lots = accepted[5], accepted[11]
    # An implied trade names the order in each leg too: only its own contract counts.
    own = (e for e in reply.events if e[1] in _TRADES and e[5] == order_id and e[7] == accepted[7])
    filled = sum(e[10] for e in own)
    ends = [e for e in reply.events if e[1] == EventKind.CANCELLED and e[5] == order_id]
    if ends:
        open_lots = ends[-1][11]
    status = "open" if open_lots else "cancelled" if ends else "filled"
    return {
        "status": status,
        "order_id": str(order_id),
        "open_quantity": str(open_lots),
        "filled_quantity": str(filled),
        **({"code": core_name(ends[-1][3])} if ends else {}),
    }


# Timers, protections of market makers, limits


def cancel_after_row(gateway: Gateway, account_idx: int, timeout_ms: int, which: Timer) -> bytes:
    """Return the row that arms a timer, puts it off or, with 0, disarms it."""
    gateway.check_open(reduces=True)
    after_ns = timeout_ms * NS_PER_MS
    return codec.words_row(Kind.CANCEL_ALL_AFTER, account_idx, state=which, expires_ns=after_ns)


def timer_set(state: MirrorState, reply: Reply) -> Answer:
    """Return when everything will be cancelled, None for never.

    Errors:
        Problem: it was refused.
    """
    reply.raise_refused()
    due_ns = state.accounts[reply.events[0][4]].protections.timers_ns[Timer.MEMBER]
    return {"due_ts": millis(due_ns) if due_ns else None}


def lots_or_none(text: str | UnsetType, field: str) -> int:
    """Return a limit in lots, 0 for none."""
    return 0 if text is UNSET else codec.qty_lots(text, field)


def mmp_row(gateway: Gateway, account_idx: int, group: int, change: MmpChange) -> bytes:
    """Return the row that protects a quote group."""
    gateway.check_open(reduces=True)
    return codec.words_row(
        Kind.SET_MMP, account_idx, state=group, expires_ns=change.window_ms * NS_PER_MS,
        qty_lots=lots_or_none(change.quantity, "quantity"),
        order_id=lots_or_none(change.delta, "delta"), ref_id=change.fills,
    )  # fmt: skip


def mmp_reset_row(gateway: Gateway, account_idx: int, group: int) -> bytes:
    """Return the row that lets a quote group quote again."""
    gateway.check_open(reduces=True)
    return codec.words_row(Kind.RESET_MMP, account_idx, state=group)


def mmp_set(state: MirrorState, reply: Reply) -> Answer:
    """Return the protection of a quote group after a command about it.

    Errors:
        Problem: it was refused.
    """
    reply.raise_refused()
    first = reply.events[0]
    return {"group": mmp_out(first[2], state.accounts[first[4]].protections.mmps[first[2]])}


def mmp_out(group: int, mmp: Mmp) -> Answer:
    """Return the protection of a quote group."""
    return {
        "group": group,
        "window_ms": mmp.window_ns // NS_PER_MS,
        "quantity": str(mmp.qty_max_lots),
        "delta": str(mmp.delta_max_lots),
        "fills": mmp.fills_max,
        "frozen": mmp.frozen,
    }


def limits_in(change: LimitsChange) -> Limits:
    """Return the limits that a body says.

    Errors:
        Problem: one is none that the core takes.
    """
    notional = change.order_notional
    found = Limits(
        lots_or_none(change.order_quantity, "order_quantity"),
        0 if notional is UNSET else codec.usd_micros(notional, "order_notional"),
        lots_or_none(change.position, "position"),
        change.orders_per_second,
        change.open_orders,
    )
    if not all(0 <= limit <= LIMIT_MAX for limit in found):
        raise core_problem(int(Code.LIMIT_INVALID))
    return found


def limits_row(account_idx: int, limits: Limits) -> bytes:
    """Return the row that sets all limits of an account."""
    return codec.words_row(
        Kind.SET_LIMITS, account_idx,
        qty_lots=limits.qty_max_lots, amount_usd_micros=limits.notional_max_usd_micros,
        order_id=limits.position_max_lots, price_ticks=limits.orders_per_second_max,
        ref_id=limits.open_orders_max, state=BY_LEGS,
    )  # fmt: skip


def limits_out(own: Limits) -> Answer:
    """Return limits of an account; None is no limit."""
    notional = own.notional_max_usd_micros
    return {
        "order_quantity": str(own.qty_max_lots) if own.qty_max_lots else None,
        "order_notional": usd_text(notional) if notional else None,
        "position": str(own.position_max_lots) if own.position_max_lots else None,
        "orders_per_second": own.orders_per_second_max or None,
        "open_orders": own.open_orders_max or None,
    }


def protections_out(state: MirrorState, account: Account) -> Answer:
    """Return everything that protects an account."""
    due_ns = account.protections.timers_ns[Timer.MEMBER]
    return {
        "halted": state.halted,
        "limits": limits_out(account.protections.limits),
        "cancel_all_due_ts": millis(due_ns) if due_ns else None,
        "groups": [mmp_out(group, mmp) for group, mmp in enumerate(account.protections.mmps)],
    }
