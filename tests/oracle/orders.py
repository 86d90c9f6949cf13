"""PLACE, CANCEL, AMEND, MASS_CANCEL."""

from matching.codes import (
    COMBINED,
    AccountState,
    Code,
    EventKind,
    Flag,
    OrderType,
    Peg,
    Side,
    Stp,
    Tif,
    TradingState,
)
from tests.oracle import book, combinations, entry, ids, links, lives, pegs, protect, risk, stops
from tests.oracle.events import Log
from tests.oracle.state import NO_WORDS, Command, Exchange, Order, Position

IMMEDIATE = (Tif.IOC, Tif.FOK)
TYPES = (OrderType.LIMIT, OrderType.MARKET, OrderType.MARKET_TO_LIMIT, OrderType.PEGGED)
PLACE_FLAGS = Flag.POST_ONLY | Flag.REDUCE_ONLY | Flag.LINKED | Flag.BRACKET


def place(ex: Exchange, log: Log, cmd: Command) -> None:
    code, known_id = judge_who(ex, cmd)
    if code == Code.OK and cmd.order_type in stops.STOP_TYPES:
        hold_stop(ex, log, cmd)
        return
    if code == Code.OK:
        code = judge_fields(ex, cmd)
    if code == Code.OK and ex.contracts[cmd.contract_idx].legs:
        code = combinations.judge_order(cmd)
    if code == Code.OK:
        code = judge_ties(ex, cmd)
    if code != Code.OK:
        log.refuse(cmd, code, known_id)
        return
    by_legs = bool(ex.contracts[cmd.contract_idx].legs) and cmd.state == 1
    wish = risk.Wish(
        cmd.account_idx, cmd.contract_idx, cmd.side, cmd.price_ticks, cmd.qty_lots, by_legs
    )
    entering = entry.Entry(
        wish, cmd.order_type, cmd.tif, cmd.flags, cmd.min_lots, cmd.state, cmd.offset_ticks
    )
    code, entering = entry.judge(ex, entering)
    if code == Code.OK:
        code = judge_room(ex, cmd)
    if code == Code.OK:
        code = protect.judge_own(
            ex, entering.wish, cmd.qty_lots, rests_anew=cmd.tif not in IMMEDIATE
        )
    if code == Code.OK:
        code = entry.judge_risk(ex, entering.wish)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    accept(ex, log, cmd, entering.wish)


def judge_who(ex: Exchange, cmd: Command) -> tuple[int, int]:
    """Return a code, and the id of the order that has the client id already."""
    if not 0 <= cmd.account_idx < len(ex.accounts):
        return Code.ACCOUNT_UNKNOWN, 0
    if ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN, 0
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN, 0
    known = ids.find(ex, cmd)
    if known is None:
        return Code.OK, 0
    if known.body == ids.body_of(cmd):
        return Code.CLIENT_ORDER_ID_REPEATED, known.order_id
    return Code.CLIENT_ORDER_ID_CONFLICT, known.order_id


def judge_fields(ex: Exchange, cmd: Command) -> int:
    """Check what the order says of itself."""
    market = cmd.order_type == OrderType.MARKET
    limit = cmd.order_type == OrderType.LIMIT
    pegged = cmd.order_type == OrderType.PEGGED
    immediate = cmd.tif in IMMEDIATE
    highest = (1 << ex.capacity.price_bits) - 1
    calling = ex.contracts[cmd.contract_idx].state == TradingState.AUCTION
    waits = cmd.tif == Tif.GFA and calling
    checks = (
        (cmd.side not in set(Side), Code.SIDE_INVALID),
        (cmd.order_type not in TYPES, Code.ORDER_TYPE_INVALID),
        (cmd.tif not in set(Tif), Code.TIF_INVALID),
        (cmd.stp not in set(Stp), Code.STP_INVALID),
        (cmd.flags & ~PLACE_FLAGS, Code.FLAGS_INVALID),
        (cmd.qty_lots <= 0, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > ex.contracts[cmd.contract_idx].qty_max_lots, Code.QTY_TOO_LARGE),
        (not limit and cmd.price_ticks != 0, Code.PRICE_INVALID),
        (limit and not 1 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (market and cmd.tif not in IMMEDIATE and not waits, Code.MARKET_ORDER_RESTS),
        (
            cmd.flags & Flag.POST_ONLY and (not (limit or pegged) or immediate),
            Code.POST_ONLY_NOT_RESTING,
        ),
        (cmd.tif == Tif.GTD and cmd.expires_ns <= ex.now_ns, Code.EXPIRY_INVALID),
        (cmd.tif != Tif.GTD and cmd.expires_ns != 0, Code.EXPIRY_INVALID),
        (not 0 <= cmd.display_lots <= cmd.qty_lots, Code.DISPLAY_INVALID),
        (
            cmd.display_lots and (immediate or cmd.flags & Flag.REDUCE_ONLY),
            Code.DISPLAY_INVALID,
        ),
        (not 0 <= cmd.min_lots <= cmd.qty_lots, Code.MIN_QUANTITY_INVALID),
        (cmd.min_lots and cmd.flags & Flag.POST_ONLY, Code.MIN_QUANTITY_INVALID),
        (pegged and cmd.state not in set(Peg), Code.PEG_INVALID),
        (pegged and abs(cmd.offset_ticks) > highest, Code.OFFSET_INVALID),
        (pegged and immediate, Code.PEG_NOT_RESTING),
        (pegged and cmd.min_lots, Code.MIN_QUANTITY_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def judge_ties(ex: Exchange, cmd: Command) -> int:
    if cmd.flags & Flag.BRACKET:
        return links.judge_bracket(ex, cmd)
    if cmd.flags & Flag.LINKED and not links.may_link(ex, cmd):
        return Code.LINK_INVALID
    return Code.OK


def hold_stop(ex: Exchange, log: Log, cmd: Command) -> None:
    code = stops.judge(ex, cmd)
    if ex.contracts[cmd.contract_idx].legs:
        code = Code.COMBINATION_ORDER_UNUSUAL
    if code == Code.OK:
        code = stops.judge_room(ex, cmd)
    if code == Code.OK:
        code = judge_room(ex, cmd)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    wish = risk.Wish(cmd.account_idx, cmd.contract_idx, cmd.side, cmd.price_ticks, cmd.qty_lots)
    order = new_order(ex, cmd, wish, tif=cmd.tif, flags=cmd.flags, expires_ns=cmd.expires_ns)
    ids.register(ex, cmd, order.order_id)
    order.stop = stops.new_stop(ex, cmd)
    lives.wait(ex, order)
    ex.orders[order.order_id] = order
    book.owned(ex, order).orders.append(order)
    if cmd.flags & Flag.LINKED:
        links.link(ex, order, cmd.order_id)
    stops.stand(ex, order)
    order.stop.came = ex.stands
    stops.say(log, EventKind.STOP_ACCEPTED, order, order.leaves_lots)
    source = order.stop.source
    stops.see(ex, log, cmd.contract_idx, source, stops.price_now(ex, cmd.contract_idx, source))


def judge_room(ex: Exchange, cmd: Command) -> int:
    if book.slots_left(ex) == 0:
        return Code.BOOK_FULL
    if cmd.order_type == OrderType.PEGGED and pegs.is_full(ex, cmd.contract_idx):
        return Code.PEGS_FULL
    if not ids.has_room(ex, cmd):
        return Code.BOOK_FULL
    if len(ex.positions) + len(unopened(ex, cmd)) > ex.capacity.positions - 1:
        return Code.POSITIONS_FULL
    return Code.OK


def unopened(ex: Exchange, cmd: Command) -> list[int]:
    """Return the contracts in which an order opens a position: its own, then its legs."""
    if ex.position(cmd.account_idx, cmd.contract_idx) is not None:
        return []
    legs = [leg.contract_idx for leg in ex.contracts[cmd.contract_idx].legs]
    return [idx for idx in (cmd.contract_idx, *legs) if ex.position(cmd.account_idx, idx) is None]


def accept(ex: Exchange, log: Log, cmd: Command, wish: risk.Wish) -> None:
    """From here the order must succeed."""
    protect.count_taken(ex, cmd.account_idx)
    order = new_order(ex, cmd, wish, tif=cmd.tif, flags=cmd.flags, expires_ns=cmd.expires_ns)
    order.display_lots, order.min_lots = cmd.display_lots, cmd.min_lots
    if cmd.order_type == OrderType.PEGGED:
        order.peg, order.offset_ticks = cmd.state, cmd.offset_ticks
    order.market = cmd.order_type == OrderType.MARKET and cmd.tif == Tif.GFA
    ids.register(ex, cmd, order.order_id)
    reply = log.add(
        EventKind.ACCEPTED,
        order_id=order.order_id,
        account_idx=order.account_idx,
        contract_idx=order.contract_idx,
        side=order.side,
        price_ticks=order.price_ticks,
        qty_lots=cmd.qty_lots,
    )
    book.enter(
        ex, log, order, reply, cmd.qty_lots - wish.qty_lots,
        lambda traded: links.tie(ex, log, cmd, order, traded),
    )  # fmt: skip
    if order.leaves_lots == 0:
        ex.slots_free.append(order.slot)


def new_order(
    ex: Exchange, cmd: Command, wish: risk.Wish, *, tif: int, flags: int, expires_ns: int
) -> Order:
    """Return a judged wish as an order with an id, in the account's position."""
    for idx in unopened(ex, cmd):
        ex.positions.append(Position(cmd.account_idx, idx))
    slot = book.take_slot(ex)
    return Order(
        order_id=cmd.seq * (1 << 20) + slot,
        slot=slot,
        account_idx=cmd.account_idx,
        contract_idx=cmd.contract_idx,
        side=wish.side,
        price_ticks=wish.price_ticks,
        leaves_lots=wish.qty_lots,
        filled_lots=0,
        tif=tif,
        stp=cmd.stp,
        flags=flags | (COMBINED if ex.contracts[cmd.contract_idx].legs else 0),
        expires_ns=expires_ns,
    )


def find_own(ex: Exchange, cmd: Command) -> Order | None:
    """Return the resting order meant by order id, or by client id when that is 0."""
    order_id = cmd.order_id
    if order_id == 0 and cmd.words != NO_WORDS:
        known = ids.find(ex, cmd)
        order_id = known.order_id if known else 0
    order = ex.orders.get(order_id)
    return order if order is not None and order.account_idx == cmd.account_idx else None


def cancel(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
        return
    order = find_own(ex, cmd)
    if order is None:
        log.refuse(cmd, Code.ORDER_UNKNOWN)
        return
    book.cancel(ex, log, order, Code.CANCELLED_BY_USER)


def mass_cancel(ex: Exchange, log: Log, cmd: Command) -> None:
    code = Code.OK
    if not 0 <= cmd.account_idx < len(ex.accounts):
        code = Code.ACCOUNT_UNKNOWN
    elif not -1 <= cmd.contract_idx < len(ex.contracts):
        code = Code.CONTRACT_UNKNOWN
    elif cmd.state not in (0, 1, 2):
        code = Code.SIDE_INVALID
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    found = risk.open_of(ex, cmd.account_idx)
    ids_found, behind_id = [order.order_id for order in found], 0
    if cmd.order_id in ids_found:
        behind_id = cmd.order_id
        found = found[ids_found.index(behind_id) + 1 :]
    found = [order for order in found if cmd.contract_idx in (-1, order.contract_idx)]
    said = log.add(
        EventKind.MASS_CANCELLED, account_idx=cmd.account_idx, contract_idx=cmd.contract_idx
    )
    meant = [order for order in found if cmd.state in (0, order.side + 1)]
    code = Code.CANCELLED_BY_MASS_CANCEL
    if protect.cancel_some(ex, log, said, found, meant, code):
        said.setdefault("order_id", behind_id)
