"""What follows the end of trading: cascades, and contracts in delivery; by plain sums."""

from matching.codes import Code, EventKind, Side, TradingState
from matching.limits import CASCADE_LOTS_MAX, DELIVERY_DAYS_MAX
from matching.wire_life import CHILD_WORDS, unpack_children
from tests.oracle import admin, calls, deals
from tests.oracle.events import Log
from tests.oracle.state import Command, Deal, Exchange, Position

# A cascade


def judge_children(ex: Exchange, cmd: Command, children: list[int]) -> int:
    parent, before = ex.contracts[cmd.contract_idx], -1
    for idx in children:
        if idx <= before or idx >= len(ex.contracts):
            return Code.CASCADE_INVALID
        child, before = ex.contracts[idx], idx
        if child.legs or child is parent:
            return Code.CASCADE_INVALID
        if child.state == TradingState.EXPIRED or child.delivers:
            return Code.CASCADE_CHILD_ENDED
        if interest(ex, idx) + interest(ex, cmd.contract_idx) > CASCADE_LOTS_MAX:
            return Code.CASCADE_TOO_LARGE
    worth = sum(ex.contracts[idx].tick_value_usd_micros for idx in children)
    return Code.OK if children and worth == parent.tick_value_usd_micros else Code.CASCADE_INVALID


def judge_cascade(ex: Exchange, cmd: Command, children: list[int]) -> int:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN
    parent = ex.contracts[cmd.contract_idx]
    if parent.legs:
        return Code.COMBINATION_FOLLOWS_LEGS
    if parent.state != TradingState.EXPIRED:
        return Code.CONTRACT_NOT_EXPIRED
    if parent.delivers:
        return Code.CONTRACT_IN_DELIVERY
    code = judge_children(ex, cmd, children)
    if code == Code.OK and any(one.unsettled_usd_micros for one in holders(ex, cmd.contract_idx)):
        return Code.CASCADE_UNSETTLED
    return code


def holders(ex: Exchange, contract_idx: int) -> list[Position]:
    return [one for one in ex.positions if one.contract_idx == contract_idx]


def interest(ex: Exchange, contract_idx: int) -> int:
    return sum(max(0, one.qty_lots) for one in holders(ex, contract_idx))


def pair_of(ex: Exchange, contract_idx: int) -> tuple[Position, Position] | None:
    """Return who is long, and who is short, the longest."""
    held = holders(ex, contract_idx)
    longs = [one for one in held if one.qty_lots > 0]
    shorts = [one for one in held if one.qty_lots < 0]
    return (longs[0], shorts[0]) if longs else None


def fits(ex: Exchange, pair: tuple[Position, Position], children: list[int]) -> bool:
    missing = sum(ex.position(one.account_idx, idx) is None for one in pair for idx in children)
    return len(ex.positions) + missing <= ex.capacity.positions - 1


def cascade(ex: Exchange, log: Log, cmd: Command) -> None:
    children = unpack_children([getattr(cmd, name) for name in CHILD_WORDS])
    code = judge_cascade(ex, cmd, children)
    pair = pair_of(ex, cmd.contract_idx) if code == Code.OK else None
    if pair is not None and not fits(ex, pair, children):
        code = Code.POSITIONS_FULL
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    price, moved = ex.contracts[cmd.contract_idx].mark_ticks, 0
    reply = log.add(EventKind.CASCADED, contract_idx=cmd.contract_idx, price_ticks=price)
    while pair is not None and log.room(ex) > 0 and fits(ex, pair, children):
        long, short = pair
        lots = min(long.qty_lots, -short.qty_lots)
        swap(ex, log, cmd.contract_idx, short.account_idx, long.account_idx, price, lots)
        for idx in children:
            swap(ex, log, idx, long.account_idx, short.account_idx, price, lots)
        moved += lots
        pair = pair_of(ex, cmd.contract_idx)
    reply |= {"qty_lots": moved, "leaves_lots": interest(ex, cmd.contract_idx)}


def swap(
    ex: Exchange, log: Log, contract_idx: int, buyer: int, seller: int, price: int, lots: int
) -> None:
    log.add(
        EventKind.CASCADE_MOVED, side=Side.BUY, account_idx=buyer, maker_account_idx=seller,
        contract_idx=contract_idx, price_ticks=price, qty_lots=lots,
    )  # fmt: skip
    deal = Deal(
        deal_id=0, slot=0, kind=0, account_idx=buyer, counterparty_idx=seller,
        contract_idx=contract_idx, side=Side.BUY, price_ticks=price, qty_lots=lots,
        expires_ns=0, request_id=0, body=(), words=(0, 0, 0, 0),
    )  # fmt: skip
    deals.book(ex, deal, buyer, Side.BUY)
    deals.book(ex, deal, seller, Side.SELL)


# Delivery


def judge_accrual(ex: Exchange, cmd: Command) -> int:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN
    contract = ex.contracts[cmd.contract_idx]
    price = cmd.amount_usd_micros // contract.tick_value_usd_micros
    days_fit = 1 <= cmd.qty_lots <= DELIVERY_DAYS_MAX and 0 <= cmd.ref_id <= cmd.qty_lots
    checks = (
        (bool(contract.legs), Code.COMBINATION_FOLLOWS_LEGS),
        (contract.state == TradingState.EXPIRED, Code.CONTRACT_EXPIRED),
        (not contract.ended, Code.TRADING_NOT_ENDED),
        (contract.delivers == 2, Code.SETTLED_FINALLY),
        (cmd.order_id != contract.accruals + 1, Code.ACCRUAL_OUT_OF_TURN),
        (cmd.state not in (0, 1), Code.STATE_INVALID),
        (not 1 <= price < 1 << ex.capacity.price_bits, Code.PRICE_INVALID),
        (not days_fit, Code.DELIVERY_DAYS_INVALID),
        (cmd.state == 1 and cmd.ref_id != cmd.qty_lots, Code.DELIVERY_DAYS_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def accrue(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_accrual(ex, cmd)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    contract = ex.contracts[cmd.contract_idx]
    price, fine = divmod(cmd.amount_usd_micros, contract.tick_value_usd_micros)
    more, contract.fine_usd_micros = fine - contract.fine_usd_micros, fine
    contract.delivers, contract.accruals = 1 + cmd.state, contract.accruals + 1
    contract.settle_ticks, contract.days_fixed = price, cmd.ref_id
    contract.accrued_ns = ex.now_ns
    admin.move_mark(ex, cmd.contract_idx, price)
    calls.measure_from(ex, contract, price)
    held = holders(ex, cmd.contract_idx)
    for one in held:
        one.unsettled_usd_micros += one.qty_lots * more
        ex.accounts[one.account_idx].unsettled_usd_micros += one.qty_lots * more
    log.add(
        EventKind.ACCRUED,
        side=cmd.state,
        contract_idx=cmd.contract_idx,
        order_id=cmd.amount_usd_micros,
        maker_order_id=contract.accruals,
        price_ticks=price,
        qty_lots=cmd.ref_id,
        leaves_lots=cmd.qty_lots,
        amount_usd_micros=sum(max(0, one.unsettled_usd_micros) for one in held),
    )
    for one in held:
        amount, one.unsettled_usd_micros = one.unsettled_usd_micros, 0
        if amount:
            ex.accounts[one.account_idx].cash_usd_micros += amount
            ex.accounts[one.account_idx].unsettled_usd_micros -= amount
            log.add(
                EventKind.VARIATION, account_idx=one.account_idx, contract_idx=cmd.contract_idx,
                amount_usd_micros=amount, qty_lots=one.qty_lots, price_ticks=price,
            )  # fmt: skip
    ex.ending |= bool(admin.orders_left(ex, cmd.contract_idx))
    for deal in deals.by_end(ex):
        if deal.contract_idx == cmd.contract_idx:
            deals.end(ex, log, deal, Code.CONTRACT_ENDED)
