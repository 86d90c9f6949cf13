"""Call auctions, the plain way: every price is tried, everything is counted anew."""

from matching.codes import CallPhase, Code, EventKind, Flag, Side, Tif, TradingState
from tests.oracle import book, implied, links, lives, pegs, quotes, stops
from tests.oracle.events import Log
from tests.oracle.state import Command, Contract, Exchange, Order, signed

SECOND_NS = 1_000_000_000
MEETING = (TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)
PRIME = (1 << 31) - 1


# The price


def in_turn(ex: Exchange, contract_idx: int, side: int) -> list[Order]:
    """Return a side's orders in turn: by price, market orders first at theirs, then time."""
    orders = book.best_first(ex, contract_idx, side)
    return sorted(orders, key=lambda o: (-signed(side, o.price_ticks), not o.market))


def counted(ex: Exchange, contract_idx: int, side: int) -> dict[Order, int]:
    """Return how much of each order counts.

    Who may only reduce counts with what the account's orders before it leave of its position.
    """
    lots: dict[Order, int] = {}
    room: dict[int, int] = {}
    for order in in_turn(ex, contract_idx, side):
        idx = order.account_idx
        room.setdefault(idx, max(0, -signed(side, ex.lots(idx, contract_idx))))
        lots[order] = order.leaves_lots
        if order.flags & Flag.REDUCE_ONLY:
            lots[order] = min(order.leaves_lots, max(0, room[idx]))
        room[idx] -= lots[order]
    return lots


def lots_at(counts: dict[Order, int], price: int) -> int:
    """Return what a side would trade at a price."""
    return sum(lots for order, lots in counts.items() if reaches(order, price))


def reaches(order: Order, price: int) -> bool:
    return order.price_ticks >= price if order.side == Side.BUY else order.price_ticks <= price


def equilibrium(ex: Exchange, contract_idx: int) -> tuple[int, int, int]:
    """Return price, lots and buys less sells; zeros when nothing would trade."""
    contract = ex.contracts[contract_idx]
    reference, top = contract.mark_ticks, (1 << ex.capacity.price_bits) - 1
    limits = {order.price_ticks for side in contract.book for order in side}
    # Between these nothing changes.
    near = {price + step for price in limits | {reference} for step in (-1, 0, 1)}
    prices = sorted(price for price in near if 0 <= price <= top)
    tried = []
    counts = [counted(ex, contract_idx, side) for side in (Side.BUY, Side.SELL)]
    for price in prices:
        bought, sold = (lots_at(side, price) for side in counts)
        tried.append((price, min(bought, sold), bought - sold))
    most = max((lots for _, lots, _ in tried), default=0)
    if most == 0:
        return 0, 0, 0
    best = [row for row in tried if row[1] == most]
    best = [row for row in best if not market_made(contract, row[0], best[0][0], best[-1][0])]
    least = min(abs(surplus) for _, _, surplus in best)
    best = [row for row in best if abs(row[2]) == least]
    buyers = [row for row in best if row[2] > 0]
    sellers = [row for row in best if row[2] < 0]
    left = [row for row in best if row[2] == 0] + buyers[-1:] + sellers[:1]
    nearest = min(left, key=lambda row: (abs(row[0] - reference), row[0]))
    return nearest[0], most, nearest[2]


def market_made(contract: Contract, price: int, lowest: int, highest: int) -> bool:
    """Return whether only market orders reach to a price from where limits would do as well."""
    buys, sells = (
        [order.price_ticks for order in side if not order.market] for side in contract.book
    )
    reach_up = max([lowest, contract.mark_ticks, *buys])
    reach_down = min([highest, contract.mark_ticks, *sells])
    return price > reach_up or price < reach_down


# Beginning and ending


def draw(ex: Exchange, contract_idx: int, window_ns: int) -> int:
    """Return how much longer than its earliest end a call lasts."""
    drawn = 1
    seq, ts_ns = ex.last_seq, ex.now_ns
    for word in (seq, ts_ns, seq // PRIME, ts_ns // PRIME, contract_idx, 0, 0):
        drawn = (48_271 * drawn + word) % PRIME
    return drawn * (window_ns // 1000) // PRIME * 1000


def begin(
    ex: Exchange, log: Log, contract_idx: int, phase: int, after_ns: int, window_ns: int, code: int
) -> None:
    contract = ex.contracts[contract_idx]
    enter(ex, contract, phase)
    if after_ns:
        contract.call.ends_after_ns = after_ns
        contract.call.ends_before_ns = after_ns + window_ns
        contract.call.ends_ns = after_ns + draw(ex, contract_idx, window_ns)
    log.add(
        EventKind.CALL_STARTED,
        contract_idx=contract_idx,
        order_id=phase,
        code=code,
        price_ticks=contract.mark_ticks,
        amount_usd_micros=after_ns,
    )
    lives.let_end(ex, contract_idx, Tif.GFN)


def remember(contract: Contract, state: int) -> None:
    if state in MEETING:
        contract.call.after = state


def enter(ex: Exchange, contract: Contract, phase: int) -> None:
    call = contract.call
    if call.phase == CallPhase.NONE:
        call.edges = ex.band(contract)
        call.said = (0, 0, 0)
    contract.state = TradingState.AUCTION
    call.phase, call.ends_ns, call.ends_after_ns, call.ends_before_ns = phase, 0, 0, 0
    call.say_from_ns = ex.now_ns + SECOND_NS


def begin_for_guard(ex: Exchange, log: Log, contract_idx: int, code: int) -> None:
    contract = ex.contracts[contract_idx]
    contract.breaches += code == Code.PRICE_MOVED_FAR
    after_ns = ex.now_ns + contract.guard.call_ns
    phase, window_ns = CallPhase.VOLATILITY, contract.guard.window_ns
    begin(ex, log, contract_idx, phase, after_ns, window_ns, code)


def leave(ex: Exchange, log: Log, contract_idx: int, state: int) -> None:
    contract = ex.contracts[contract_idx]
    phase = contract.call.phase
    contract.state = state
    call = contract.call
    call.phase, call.ends_ns, call.ends_after_ns, call.ends_before_ns = 0, 0, 0, 0
    if state in MEETING:
        uncross(ex, log, contract_idx, phase)
    for order in lives.listed(ex, contract_idx, Tif.GFA, over=False):
        book.cancel(ex, log, order, Code.AUCTION_ENDED)
    pegs.wake(ex, contract_idx)
    implied.wake(ex, contract_idx)
    stops.see_now(ex, log, contract_idx)


def crossed(ex: Exchange, contract_idx: int) -> bool:
    best_sell = book.best_first(ex, contract_idx, Side.SELL)[:1]
    return any(book.met(ex, contract_idx, Side.BUY, 10**9)) and any(
        book.met(ex, contract_idx, Side.SELL, order.price_ticks) for order in best_sell
    )


# The uncross


def uncross(ex: Exchange, log: Log, contract_idx: int, phase: int) -> None:
    contract = ex.contracts[contract_idx]
    price, lots, surplus = equilibrium(ex, contract_idx)
    said = log.add(
        EventKind.CALL_ENDED,
        contract_idx=contract_idx,
        order_id=phase,
        side=Side.SELL if surplus < 0 else Side.BUY,
        price_ticks=price,
        leaves_lots=abs(surplus),
        amount_usd_micros=contract.state,
    )
    counts = {**counted(ex, contract_idx, Side.BUY), **counted(ex, contract_idx, Side.SELL)}
    left = lots
    while left or crossed(ex, contract_idx):
        buy, sell = (in_turn(ex, contract_idx, side)[0] for side in (Side.BUY, Side.SELL))
        taken = min(counts[buy], counts[sell])
        assert taken <= left
        if taken:
            trade(ex, log, buy, sell, price, taken)
            counts[buy] -= taken
            counts[sell] -= taken
            left -= taken
        else:
            drop_spent(ex, log, counts, buy, sell)
    said["qty_lots"] = lots
    measure_from(ex, contract, contract.last_trade_ticks if lots else contract.mark_ticks)


def drop_spent(ex: Exchange, log: Log, counts: dict[Order, int], *orders: Order) -> None:
    """Cancel reduce-only orders of which nothing is left that counts."""
    spent = [order for order in orders if counts[order] == 0]
    assert spent
    for order in spent:
        assert order.flags & Flag.REDUCE_ONLY
        book.cancel(ex, log, order, Code.REDUCE_ONLY_CLIPPED)


def trade(ex: Exchange, log: Log, buy: Order, sell: Order, price: int, lots: int) -> None:
    contract = ex.contracts[buy.contract_idx]
    for order in (buy, sell):
        if order.flags & Flag.QUOTE:
            quotes.note_fill(ex, order, lots)
        book.fill(ex, order, price, lots)
        order.shown_lots = min(order.display_lots, order.leaves_lots)
    contract.last_trade_ticks = price
    contract.day_prices.append(price)
    log.add(
        EventKind.TRADE,
        code=Code.AUCTION_TRADE,
        side=Side.BUY,
        account_idx=buy.account_idx,
        order_id=buy.order_id,
        contract_idx=buy.contract_idx,
        maker_order_id=sell.order_id,
        maker_account_idx=sell.account_idx,
        price_ticks=price,
        qty_lots=lots,
        leaves_lots=sell.leaves_lots,
        amount_usd_micros=buy.leaves_lots,
    )
    for order, other in ((buy, sell), (sell, buy)):
        links.filled(ex, log, order, other, lots)
        if order.leaves_lots == 0:
            book.leave(ex, order)


# Time


def tick(ex: Exchange, log: Log) -> None:
    """End the calls that are over; the others say their price, once a second at most."""
    for contract_idx, contract in enumerate(ex.contracts):
        call = contract.call
        if call.phase == CallPhase.NONE or ex.halted or log.room(ex) <= 0:
            continue
        if 0 < call.ends_ns <= ex.now_ns:
            price, lots, _ = equilibrium(ex, contract_idx)
            if lots and beyond_day(contract, price):
                begin_for_guard(ex, log, contract_idx, Code.PRICE_MOVED_FAR)
            else:
                leave(ex, log, contract_idx, call.after)
        elif call.say_from_ns <= ex.now_ns:
            say(ex, log, contract_idx)


def say(ex: Exchange, log: Log, contract_idx: int) -> None:
    call = ex.contracts[contract_idx].call
    call.say_from_ns = ex.now_ns + SECOND_NS
    now = equilibrium(ex, contract_idx)
    if now != call.said:
        call.said = now
        price, lots, surplus = now
        log.add(
            EventKind.INDICATIVE,
            contract_idx=contract_idx,
            side=Side.SELL if surplus < 0 else Side.BUY,
            price_ticks=price,
            qty_lots=lots,
            leaves_lots=abs(surplus),
        )


# Guards


def within(price: int, centre: int, bps: int) -> bool:
    return abs(price - centre) <= max(1, centre * bps // 10_000)


def measure_from(ex: Exchange, contract: Contract, price: int) -> None:
    contract.guard.measured_from = price
    contract.guard.since_ns = ex.now_ns
    contract.guard.traded = False
    if contract in ex.contracts:
        implied.wake(ex, ex.contracts.index(contract))


def beyond_day(contract: Contract, price: int) -> bool:
    steps = (contract.guard.daily_bps, contract.guard.daily_next_bps if contract.breaches else 0)
    bps = steps[0] if contract.breaches == 0 else steps[1] if contract.breaches == 1 else 0
    return bps > 0 and not within(price, contract.settle_ticks, bps)


def next_window(ex: Exchange, contract: Contract) -> None:
    """Begin a window if one is due."""
    guard = contract.guard
    if guard.velocity_bps and ex.now_ns >= guard.since_ns + guard.velocity_ns:
        price = contract.last_trade_ticks if guard.traded else guard.measured_from
        measure_from(ex, contract, price)


def run_windows(ex: Exchange) -> None:
    """Begin the windows that are due where the old one had trades."""
    for contract in ex.contracts:
        if contract.guard.traded:
            next_window(ex, contract)


def touched(ex: Exchange, contract: Contract, price: int) -> int:
    """Return the guard that a trade at a price would touch, 0 for none; begin a window if due."""
    guard = contract.guard
    next_window(ex, contract)
    if beyond_day(contract, price):
        return Code.PRICE_MOVED_FAR
    if guard.velocity_bps and not within(price, guard.measured_from, guard.velocity_bps):
        return Code.PRICE_MOVED_FAST
    return 0


def follow_up(ex: Exchange, log: Log) -> None:
    """Begin the calls that the command's trades asked for."""
    for contract_idx, contract in enumerate(ex.contracts):
        if contract.guard.breach:
            code, contract.guard.breach = contract.guard.breach, 0
            if contract.state in MEETING:
                begin_for_guard(ex, log, contract_idx, code)


# Commands


def start_call(ex: Exchange, log: Log, cmd: Command) -> None:
    known = 0 <= cmd.contract_idx < len(ex.contracts)
    timed, window = cmd.expires_ns != 0, cmd.amount_usd_micros
    checks = (
        (not known, Code.CONTRACT_UNKNOWN),
        (known and ex.contracts[cmd.contract_idx].legs, Code.COMBINATION_FOLLOWS_LEGS),
        (cmd.state not in (1, 2, 3, 4), Code.AUCTION_INVALID),
        (not 0 <= window <= 600 * SECOND_NS, Code.AUCTION_INVALID),
        (not timed and window != 0, Code.AUCTION_INVALID),
        (
            timed and not 0 < cmd.expires_ns - ex.now_ns <= 86_400 * SECOND_NS,
            Code.AUCTION_INVALID,
        ),
        (
            known and ex.contracts[cmd.contract_idx].state == TradingState.EXPIRED,
            Code.CONTRACT_EXPIRED,
        ),
        (known and ex.contracts[cmd.contract_idx].ended, Code.TRADING_ENDED),
        (known and cmd.flags == 1 and not due(ex, cmd), Code.CALL_NOT_DUE),
    )
    code = next((code for wrong, code in checks if wrong), Code.OK)
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    begin(ex, log, cmd.contract_idx, cmd.state, cmd.expires_ns, window, 0)


def due(ex: Exchange, cmd: Command) -> bool:
    """Return whether a contract waits to open, or trades, as the phase of a call wants it."""
    from_states = (TradingState.PRE_OPEN,) if cmd.state == CallPhase.OPENING else MEETING
    return ex.contracts[cmd.contract_idx].state in from_states


def end_call(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        log.refuse(cmd, Code.CONTRACT_UNKNOWN)
    elif ex.contracts[cmd.contract_idx].call.phase == CallPhase.NONE:
        log.refuse(cmd, Code.AUCTION_NOT_RUNNING)
    elif ex.halted:
        log.refuse(cmd, Code.EXCHANGE_HALTED)
    else:
        leave(ex, log, cmd.contract_idx, ex.contracts[cmd.contract_idx].call.after)


def set_guard(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        log.refuse(cmd, Code.CONTRACT_UNKNOWN)
        return
    if ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    daily_next, daily = divmod(cmd.order_id, 1 << 32)
    velocity, velocity_ns = cmd.price_ticks, cmd.amount_usd_micros
    call_ns, window_ns = cmd.expires_ns, cmd.qty_lots
    sound = (
        all(0 <= bps <= 10_000 for bps in (velocity, daily, daily_next))
        and all(0 <= ns <= 86_400 * SECOND_NS for ns in (velocity_ns, call_ns))
        and 0 <= window_ns <= 600 * SECOND_NS
        and (velocity > 0) == (velocity_ns > 0)
        and (daily_next == 0 or 0 < daily < daily_next)
        and (call_ns > 0 or not (velocity or daily or window_ns))
    )
    if not sound:
        log.refuse(cmd, Code.GUARD_INVALID)
        return
    contract = ex.contracts[cmd.contract_idx]
    guard = contract.guard
    guard.velocity_bps, guard.velocity_ns = velocity, velocity_ns
    guard.daily_bps, guard.daily_next_bps = daily, daily_next
    guard.call_ns, guard.window_ns, guard.was_set = call_ns, window_ns, True
    measure_from(ex, contract, contract.mark_ticks)
    log.add(EventKind.GUARD_SET, contract_idx=cmd.contract_idx)


def change_state(ex: Exchange, log: Log, contract_idx: int, state: int) -> None:
    contract = ex.contracts[contract_idx]
    remember(contract, state)
    if state == TradingState.AUCTION:
        begin(ex, log, contract_idx, CallPhase.MANUAL, 0, 0, 0)
    elif contract.call.phase != CallPhase.NONE:
        leave(ex, log, contract_idx, state)
    else:
        contract.state = state
        if state in MEETING and crossed(ex, contract_idx):
            uncross(ex, log, contract_idx, CallPhase.NONE)
        stops.see_now(ex, log, contract_idx)
