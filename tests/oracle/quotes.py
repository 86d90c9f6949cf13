"""Two-sided quotes, and what protects who makes them."""

from dataclasses import replace

from matching.codes import (
    COMBINED,
    QUOTE_GROUP_SHIFT,
    AccountState,
    Code,
    EventKind,
    Flag,
    OrderType,
    Side,
    Stp,
    Tif,
)
from matching.limits import MMP_LIMIT_MAX, MMP_WINDOW_NS_MAX, QUOTE_GROUPS
from matching.wire import halves
from tests.oracle import book, entry, orders, protect, risk
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange, Mmp, Order, Position, signed


def group_of(order: Order) -> int:
    return (order.flags >> QUOTE_GROUP_SHIFT) % QUOTE_GROUPS


def is_frozen(ex: Exchange, order: Order) -> bool:
    """Return whether an order is a quote of a frozen group: a leg of its own trade was hit."""
    mmps = ex.accounts[order.account_idx].mmps
    return bool(order.flags & Flag.QUOTE) and mmps[group_of(order)].frozen


def quote(ex: Exchange, log: Log, cmd: Command) -> None:
    prices, sizes = halves(cmd.price_ticks), halves(cmd.qty_lots)
    code = judge(ex, cmd, prices, sizes)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    reply = log.add(
        EventKind.QUOTED, account_idx=cmd.account_idx, contract_idx=cmd.contract_idx,
        side=cmd.state,
    )  # fmt: skip
    flags = Flag.QUOTE | cmd.flags | (cmd.state << QUOTE_GROUP_SHIFT)
    new = [settle(ex, log, cmd, side, prices[side], sizes[side], flags, reply) for side in Side]
    spent: list[int] = []
    for side in Side:
        if new[side] and sizes[side]:
            order = enter(ex, log, cmd, side, prices[side], sizes[side], flags)
            if order is not None and order.leaves_lots == 0:
                spent.append(order.slot)  # not free before both sides have their ids
            end_hits(ex, log)
    ex.slots_free += spent


def judge(ex: Exchange, cmd: Command, prices: tuple[int, int], sizes: tuple[int, int]) -> int:
    withdraws = sizes == (0, 0)
    if not 0 <= cmd.account_idx < len(ex.accounts):
        return Code.ACCOUNT_UNKNOWN
    if not withdraws and ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN
    checks = [
        (not 0 <= cmd.state < QUOTE_GROUPS, Code.QUOTE_GROUP_INVALID),
        (cmd.order_type != OrderType.LIMIT, Code.ORDER_TYPE_INVALID),
        (cmd.tif != Tif.GTC, Code.TIF_INVALID),
        (cmd.stp not in set(Stp), Code.STP_INVALID),
        (
            cmd.flags & ~Flag.POST_ONLY
            or any((*cmd.words, cmd.amount_usd_micros, cmd.ref_id, cmd.order_id)),
            Code.FLAGS_INVALID,
        ),
        (cmd.expires_ns != 0, Code.EXPIRY_INVALID),
    ]
    highest = (1 << ex.capacity.price_bits) - 1
    for price, lots in zip(prices, sizes, strict=True):
        checks += [
            (lots < 0, Code.QTY_NOT_POSITIVE),
            (lots > ex.contracts[cmd.contract_idx].qty_max_lots, Code.QTY_TOO_LARGE),
            (lots > 0 and not 1 <= price <= highest, Code.PRICE_INVALID),
        ]
    checks.append((all(sizes) and prices[Side.BUY] >= prices[Side.SELL], Code.QUOTE_CROSSED))
    for wrong, code in checks:
        if wrong:
            return code
    if not withdraws and ex.accounts[cmd.account_idx].mmps[cmd.state].frozen:
        return Code.MMP_FROZEN
    return Code.OK


def standing(position: Position | None, side: int) -> Order | None:
    """Return one side of an account's quote of a contract."""
    found = [o for o in position.orders if o.flags & Flag.QUOTE] if position else []
    return next((order for order in found if order.side == side), None)


def settle(
    ex: Exchange,
    log: Log,
    cmd: Command,
    side: int,
    price: int,
    lots: int,
    flags: int,
    reply: dict[str, int],
) -> bool:
    """Keep what stands of a side, or cancel it; return whether a new side is to enter."""
    order = standing(ex.position(cmd.account_idx, cmd.contract_idx), side)
    if order is None:
        return True
    if lots == 0:
        book.cancel(ex, log, order, Code.QUOTE_WITHDRAWN)
        return True
    flags |= order.flags & COMBINED
    same = (order.price_ticks, order.flags, order.stp) == (price, flags, cmd.stp)
    if not same or lots > order.leaves_lots:
        book.cancel(ex, log, order, Code.QUOTE_REPLACED)
        return True
    reply["maker_order_id" if side == Side.SELL else "order_id"] = order.order_id
    gone = order.leaves_lots - lots
    order.leaves_lots = lots
    if gone:
        log.cancelled(order, gone, Code.QUOTE_REPLACED)
    return False


def judge_side(ex: Exchange, cmd: Command, wish: risk.Wish, flags: int) -> int:
    if ex.accounts[cmd.account_idx].mmps[cmd.state].frozen:
        return Code.MMP_FROZEN
    code, _ = entry.judge(ex, entry.Entry(wish, OrderType.LIMIT, Tif.GTC, flags))
    if code == Code.OK:
        code = orders.judge_room(ex, cmd)
    if code == Code.OK:
        code = protect.judge_own(ex, wish, wish.qty_lots, rests_anew=True)
    return code if code != Code.OK else entry.judge_risk(ex, wish)


def enter(
    ex: Exchange, log: Log, cmd: Command, side: int, price: int, lots: int, flags: int
) -> Order | None:
    """Enter one side like an order; return it, or None when it was refused."""
    combined = bool(ex.contracts[cmd.contract_idx].legs)
    wish = risk.Wish(cmd.account_idx, cmd.contract_idx, side, price, lots, combined)
    code = judge_side(ex, cmd, wish, flags)
    if code != Code.OK:
        log.add(
            EventKind.QUOTE_REFUSED, code=code, account_idx=cmd.account_idx,
            contract_idx=cmd.contract_idx, side=side, price_ticks=price, qty_lots=lots,
        )  # fmt: skip
        return None
    protect.count_taken(ex, cmd.account_idx)
    order = orders.new_order(ex, cmd, wish, tif=Tif.GTC, flags=flags, expires_ns=0)
    reply = log.add(
        EventKind.ACCEPTED, order_id=order.order_id, account_idx=order.account_idx,
        contract_idx=order.contract_idx, side=side, price_ticks=price, qty_lots=lots,
    )  # fmt: skip
    book.enter(ex, log, order, reply, 0)
    if order.filled_lots:
        note_fill(ex, order, order.filled_lots)
    return order


def note_fill(ex: Exchange, order: Order, lots: int) -> None:
    """Count a fill of a quote in its group's window; what comes to a limit is frozen."""
    mmp = ex.accounts[order.account_idx].mmps[group_of(order)]
    if mmp.window_ns == 0 or mmp.frozen:
        return
    if mmp.fills == 0 or ex.now_ns >= mmp.start_ns + mmp.window_ns:
        mmp.start_ns, mmp.qty_lots, mmp.delta_lots, mmp.fills = ex.now_ns, 0, 0, 0
    mmp.qty_lots += lots if mmp.qty_max_lots else 0
    mmp.delta_lots += signed(order.side, lots) if mmp.delta_max_lots else 0
    mmp.fills += 1
    reached = (
        (mmp.qty_max_lots, mmp.qty_lots),
        (mmp.delta_max_lots, abs(mmp.delta_lots)),
        (mmp.fills_max, mmp.fills),
    )
    if any(limit and value >= limit for limit, value in reached):
        mmp.frozen = True
        ex.hits.append((order.account_idx, group_of(order)))


def end_hits(ex: Exchange, log: Log) -> None:
    """Cancel the quotes of every group that came to a limit, in that order."""
    hits, ex.hits = ex.hits, []
    for account_idx, group in hits:
        said = log.add(EventKind.MMP_HIT, account_idx=account_idx, contract_idx=-1, side=group)
        found = [
            order
            for position in risk.held_by(ex, account_idx)
            for side in Side
            if (order := standing(position, side)) and group_of(order) == group
        ]
        said["qty_lots"] = len(found)
        for order in found:
            book.cancel(ex, log, order, Code.MMP_TRIGGERED)


def set_mmp(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_group(ex, log, cmd):
        return
    maxima = (cmd.qty_lots, cmd.order_id, cmd.ref_id)
    sound = 0 <= cmd.expires_ns <= MMP_WINDOW_NS_MAX
    sound &= all(0 <= limit <= MMP_LIMIT_MAX for limit in maxima)
    if not sound or bool(cmd.expires_ns) != any(maxima):
        log.refuse(cmd, Code.MMP_INVALID)
        return
    mmps = ex.accounts[cmd.account_idx].mmps
    names = ("qty_max_lots", "delta_max_lots", "fills_max")
    fields = dict(zip(names, maxima, strict=True))
    mmps[cmd.state] = replace(mmps[cmd.state], window_ns=cmd.expires_ns, **fields)
    log.add(EventKind.MMP_SET, account_idx=cmd.account_idx, contract_idx=-1, side=cmd.state)


def reset_mmp(ex: Exchange, log: Log, cmd: Command) -> None:
    if known_group(ex, log, cmd):
        mmps = ex.accounts[cmd.account_idx].mmps
        old = mmps[cmd.state]
        mmps[cmd.state] = Mmp(old.window_ns, old.qty_max_lots, old.delta_max_lots, old.fills_max)
        log.add(EventKind.MMP_SET, account_idx=cmd.account_idx, contract_idx=-1, side=cmd.state)


def known_group(ex: Exchange, log: Log, cmd: Command) -> bool:
    if not protect.known_account(ex, log, cmd):
        return False
    if 0 <= cmd.state < QUOTE_GROUPS:
        return True
    log.refuse(cmd, Code.QUOTE_GROUP_INVALID)
    return False
