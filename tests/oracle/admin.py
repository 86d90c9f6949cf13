"""Accounts, money, contracts, scenarios, marks and time."""

from matching.codes import (
    AccountState,
    CallPhase,
    Code,
    EventKind,
    Tif,
    TradingState,
    TriggerBy,
)
from matching.limits import (
    MONEY_USD_MICROS_MAX,
    QTY_LOTS_MAX,
    SHOCK_TICKS_MAX,
    SHOCKS_PER_COMMAND,
    TICK_VALUE_USD_MICROS_MAX,
    TRANSFER_USD_MICROS_MAX,
    WORST_COUNT_MAX,
)
from matching.wire import halves
from tests.oracle import (
    book,
    calls,
    combinations,
    deals,
    endings,
    implied,
    lives,
    pegs,
    protect,
    risk,
    stops,
)  # fmt: skip
from tests.oracle.events import Log
from tests.oracle.state import Account, Command, Contract, Exchange, Order


def tick(ex: Exchange, log: Log, cmd: Command) -> None:
    reply = log.add(EventKind.TICKED, qty_lots=0)
    while log.room(ex) > 0 and (due := due_now(ex)):
        _, is_order, number, which = due[0]
        if is_order:
            book.cancel(ex, log, ex.orders[number], Code.ORDER_EXPIRED)
            reply["qty_lots"] += 1
        else:
            protect.fire(ex, log, number, which)
    for deal in deals.due(ex):
        if log.room(ex) > 0:
            deals.end(ex, log, deal, Code.DEAL_EXPIRED)
            reply["qty_lots"] += 1
    calls.tick(ex, log)
    endings.tick(ex, log)
    calls.run_windows(ex)
    implied.tick(ex)


def due_now(ex: Exchange) -> list[tuple[int, int, int, int]]:
    """Return the orders and timers whose time has come: time, kind, order or account, timer."""
    due = [(order.expires_ns, 1, order.order_id, 0) for order in ex.orders.values()]
    due += [
        (due_ns, 0, idx, which)
        for idx, account in enumerate(ex.accounts)
        for which, due_ns in enumerate(account.timers)
    ]
    return sorted(d for d in due if 0 < d[0] <= ex.now_ns)


def open_account(ex: Exchange, log: Log, cmd: Command) -> None:
    if cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_EXISTS)
    elif cmd.account_idx > len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
    elif len(ex.accounts) == ex.capacity.accounts:
        log.refuse(cmd, Code.ACCOUNTS_FULL)
    else:
        ex.accounts.append(Account())
        log.add(EventKind.ACCOUNT_OPENED, account_idx=cmd.account_idx)


def set_account(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
    elif cmd.state not in set(AccountState):
        log.refuse(cmd, Code.ACCOUNT_STATE_INVALID)
    else:
        ex.accounts[cmd.account_idx].state = cmd.state
        said = log.add(EventKind.ACCOUNT_SET, account_idx=cmd.account_idx)
        if cmd.state != AccountState.FROZEN:
            return
        orders = risk.open_of(ex, cmd.account_idx)
        if cmd.qty_lots == 1:
            protect.cancel_some(ex, log, said, orders, orders, Code.ACCOUNT_FROZEN)
            return
        for order in orders[: ex.capacity.account_cancels]:
            if order.stop is not None:
                book.cancel(ex, log, order, Code.ACCOUNT_FROZEN)


def deposit(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_transfer(ex, cmd)
    if code == Code.OK:
        after = ex.accounts[cmd.account_idx].cash_usd_micros + cmd.amount_usd_micros
        if abs(after) > MONEY_USD_MICROS_MAX:
            code = Code.ACCOUNT_MONEY_LIMIT
    move_cash(ex, log, cmd, code, cmd.amount_usd_micros)


def withdraw(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_transfer(ex, cmd)
    known = 0 <= cmd.account_idx < len(ex.accounts)
    if known and ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        code = Code.ACCOUNT_FROZEN
    allowed = code == Code.OK
    if allowed:
        risk.know_losses(ex, cmd.account_idx)
    if allowed and cmd.amount_usd_micros > risk.free_cash_usd_micros(ex, cmd.account_idx):
        code = Code.WITHDRAWAL_EXCEEDS_FREE
    move_cash(ex, log, cmd, code, -cmd.amount_usd_micros)


def judge_transfer(ex: Exchange, cmd: Command) -> int:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        return Code.ACCOUNT_UNKNOWN
    if cmd.amount_usd_micros <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if cmd.amount_usd_micros > TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if cmd.ref_id != 0 and cmd.ref_id <= ex.accounts[cmd.account_idx].last_ref_id:
        return Code.TRANSFER_REPEATED
    return Code.OK


def move_cash(ex: Exchange, log: Log, cmd: Command, code: int, amount: int) -> None:
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    account = ex.accounts[cmd.account_idx]
    account.cash_usd_micros += amount
    account.last_ref_id = cmd.ref_id or account.last_ref_id
    log.add(EventKind.CASH_MOVED, account_idx=cmd.account_idx, amount_usd_micros=amount)


def list_contract(ex: Exchange, log: Log, cmd: Command) -> None:
    highest = (1 << ex.capacity.price_bits) - 1
    count = len(ex.contracts)
    checks = (
        (cmd.contract_idx < count, Code.CONTRACT_EXISTS),
        (cmd.contract_idx > count, Code.CONTRACT_UNKNOWN),
        (count == ex.capacity.contracts, Code.CONTRACTS_FULL),
        (not 1 <= cmd.price_ticks <= highest, Code.PRICE_INVALID),
        (
            not 1 <= cmd.amount_usd_micros <= TICK_VALUE_USD_MICROS_MAX,
            Code.TICK_VALUE_INVALID,
        ),
        (cmd.qty_lots <= 0, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > QTY_LOTS_MAX, Code.QTY_TOO_LARGE),
        (not 0 <= cmd.order_id <= 10_000, Code.BAND_INVALID),
        (cmd.state not in set(TradingState), Code.STATE_INVALID),
        (not deals.sound_rule(*halves(cmd.ref_id)), Code.BLOCK_RULE_INVALID),
    )
    for wrong, code in checks:
        if wrong:
            log.refuse(cmd, code)
            return
    min_lots, range_bps = halves(cmd.ref_id)
    ex.contracts.append(
        Contract(
            tick_value_usd_micros=cmd.amount_usd_micros,
            mark_ticks=cmd.price_ticks,
            settle_ticks=cmd.price_ticks,
            band_bps=cmd.order_id,
            qty_max_lots=cmd.qty_lots,
            last_trade_ns=cmd.expires_ns,
            symbol=cmd.words,
            state=cmd.state,
            block_min_lots=min_lots,
            block_range_bps=range_bps,
            shocks=[0] * ex.capacity.scenarios,
            shocks_staged=[0] * ex.capacity.scenarios,
        )
    )
    listed = ex.contracts[-1]
    calls.remember(listed, cmd.state)
    calls.measure_from(ex, listed, listed.mark_ticks)
    if cmd.state == TradingState.AUCTION:
        calls.enter(ex, listed, CallPhase.MANUAL)
    log.add(EventKind.LISTED, contract_idx=count, price_ticks=cmd.price_ticks)


def known_contract(ex: Exchange, log: Log, cmd: Command) -> bool:
    if 0 <= cmd.contract_idx < len(ex.contracts):
        return True
    log.refuse(cmd, Code.CONTRACT_UNKNOWN)
    return False


def set_state(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_contract(ex, log, cmd):
        return
    contract = ex.contracts[cmd.contract_idx]
    if cmd.state not in set(TradingState):
        log.refuse(cmd, Code.STATE_INVALID)
        return
    if contract.state == TradingState.EXPIRED:
        log.refuse(cmd, Code.CONTRACT_EXPIRED)
        return
    if contract.ended and cmd.state not in (TradingState.HALT, TradingState.EXPIRED):
        log.refuse(cmd, Code.TRADING_ENDED)
        return
    if contract.delivers == 1 and cmd.state == TradingState.EXPIRED:
        log.refuse(cmd, Code.CONTRACT_IN_DELIVERY)
        return
    if contract.legs and cmd.state not in combinations.STATES:
        log.refuse(cmd, Code.STATE_INVALID)
        return
    if ex.halted and cmd.state in calls.MEETING:
        waits = contract.call.phase != CallPhase.NONE
        if waits or calls.crossed(ex, cmd.contract_idx):
            log.refuse(cmd, Code.EXCHANGE_HALTED)
            return
    if cmd.state == TradingState.EXPIRED:
        end(ex, log, cmd.contract_idx)
        for idx, other in enumerate(ex.contracts):
            is_leg = any(leg.contract is contract for leg in other.legs)
            if is_leg and other.state != TradingState.EXPIRED:
                end(ex, log, idx)
        return
    log.add(EventKind.STATE_SET, contract_idx=cmd.contract_idx)
    calls.change_state(ex, log, cmd.contract_idx, cmd.state)
    pegs.wake(ex, cmd.contract_idx)
    implied.wake(ex, cmd.contract_idx)


def end(ex: Exchange, log: Log, contract_idx: int) -> None:
    log.add(EventKind.STATE_SET, contract_idx=contract_idx)
    calls.change_state(ex, log, contract_idx, TradingState.EXPIRED)
    end_orders(ex, log, contract_idx)
    ex.ending |= bool(orders_left(ex, contract_idx))
    for deal in deals.by_end(ex):
        if deal.contract_idx == contract_idx:
            deals.end(ex, log, deal, Code.CONTRACT_ENDED)


def orders_left(ex: Exchange, contract_idx: int) -> list[Order]:
    """Return what ends with a contract: best first; stops triggered as they stand, then the others.

    Who sleeps ends with its parent.
    """
    resting = [order for side in (0, 1) for order in book.best_first(ex, contract_idx, side)]
    return [*resting, *ex.contracts[contract_idx].triggered, *stops.standing(ex, contract_idx)]


def end_orders(ex: Exchange, log: Log, contract_idx: int) -> None:
    """Cancel as many as one command may."""
    for order in orders_left(ex, contract_idx)[: max(0, log.room(ex))]:
        book.cancel(ex, log, order, Code.CONTRACT_ENDED)


def end_next(ex: Exchange, log: Log) -> None:
    """Go on with the first contract that has ended and has orders left."""
    for contract_idx, contract in enumerate(ex.contracts):
        over = contract.state == TradingState.EXPIRED or contract.delivers
        if over and orders_left(ex, contract_idx):
            end_orders(ex, log, contract_idx)
            return
    ex.ending = False


def set_band(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_contract(ex, log, cmd):
        return
    if not 0 <= cmd.order_id <= 10_000 or cmd.state not in (0, 1):
        log.refuse(cmd, Code.BAND_INVALID)
        return
    if cmd.state == 1 and ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    name = "protection_bps" if cmd.state else "band_bps"
    setattr(ex.contracts[cmd.contract_idx], name, cmd.order_id)
    pegs.wake(ex, cmd.contract_idx)
    implied.wake(ex, cmd.contract_idx)
    log.add(EventKind.BAND_SET, contract_idx=cmd.contract_idx)


def stage_shocks(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_contract(ex, log, cmd):
        return
    if ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    first = cmd.order_id
    if not 0 <= first < ex.capacity.scenarios or first % SHOCKS_PER_COMMAND:
        log.refuse(cmd, Code.SCENARIO_INVALID)
        return
    contract = ex.contracts[cmd.contract_idx]
    shocks = (
        cmd.price_ticks, cmd.qty_lots, cmd.amount_usd_micros, cmd.expires_ns, *cmd.words,
    )  # fmt: skip
    staged = dict(enumerate(shocks, first))
    inside = {s: shock for s, shock in staged.items() if s < ex.capacity.scenarios}
    largest = contract.tick_value_usd_micros * SHOCK_TICKS_MAX
    if any(abs(shock) > largest for shock in inside.values()):
        log.refuse(cmd, Code.SHOCK_TOO_LARGE)
        return
    for s, shock in inside.items():
        contract.shocks_staged[s] = shock
    log.add(EventKind.SHOCKS_STAGED, contract_idx=cmd.contract_idx)


def swap_scenarios(ex: Exchange, log: Log, cmd: Command) -> None:
    count, worst = cmd.qty_lots, cmd.order_id
    if not 1 <= count <= ex.capacity.scenarios or not 1 <= worst <= min(WORST_COUNT_MAX, count):
        log.refuse(cmd, Code.SCENARIO_INVALID)
        return
    stress, floor, kept_bps = cmd.price_ticks, cmd.amount_usd_micros, cmd.ref_id
    if stress < 0 or floor < 0 or count - stress - floor < worst or not 0 <= kept_bps <= 10_000:
        log.refuse(cmd, Code.SCENARIO_INVALID)
        return
    ex.scenario_count, ex.worst_count = count, worst
    ex.stress_count, ex.floor_count, ex.kept_bps = stress, floor, kept_bps
    for contract in ex.contracts:
        contract.shocks = list(contract.shocks_staged)
        contract.addon = contract.addon_staged
        dead = contract.legs or contract.state == TradingState.EXPIRED
        value = contract.tick_value_usd_micros * contract.settle_ticks
        contract.joint_usd_micros = 0 if dead else -(-value * 30 // 100)
    for contract in ex.contracts:
        if contract.legs:
            contract.shocks = combinations.shocks_of_legs(contract)
    log.add(EventKind.SCENARIOS_SWAPPED)


def mark(ex: Exchange, log: Log, cmd: Command) -> None:
    if may_mark(ex, log, cmd):
        move_mark(ex, cmd.contract_idx, cmd.price_ticks)
        calls.measure_from(ex, ex.contracts[cmd.contract_idx], cmd.price_ticks)
        log.add(EventKind.MARKED, contract_idx=cmd.contract_idx, price_ticks=cmd.price_ticks)
        stops.see(ex, log, cmd.contract_idx, TriggerBy.MARK, cmd.price_ticks)


def set_index(ex: Exchange, log: Log, cmd: Command) -> None:
    if may_mark(ex, log, cmd):
        ex.contracts[cmd.contract_idx].index_ticks = cmd.price_ticks
        log.add(EventKind.INDEX_SET, contract_idx=cmd.contract_idx, price_ticks=cmd.price_ticks)
        stops.see(ex, log, cmd.contract_idx, TriggerBy.INDEX, cmd.price_ticks)


def may_mark(ex: Exchange, log: Log, cmd: Command) -> bool:
    if not known_contract(ex, log, cmd):
        return False
    if ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return False
    if not 1 <= cmd.price_ticks < 1 << ex.capacity.price_bits:
        log.refuse(cmd, Code.PRICE_INVALID)
        return False
    if ex.contracts[cmd.contract_idx].state == TradingState.EXPIRED:
        log.refuse(cmd, Code.CONTRACT_EXPIRED)
        return False
    if ex.contracts[cmd.contract_idx].delivers:
        log.refuse(cmd, Code.CONTRACT_IN_DELIVERY)
        return False
    return True


def move_mark(ex: Exchange, contract_idx: int, price_ticks: int) -> None:
    contract = ex.contracts[contract_idx]
    move = contract.tick_value_usd_micros * (price_ticks - contract.mark_ticks)
    losses = order_losses(ex, contract_idx)
    contract.mark_ticks = price_ticks
    moved = sum(a != b for a, b in zip(losses, order_losses(ex, contract_idx), strict=True))
    pegs.wake(ex, contract_idx)
    implied.wake(ex, contract_idx)
    if moved > ex.capacity.taker_makers:
        for idx in {one.account_idx for one in ex.positions if one.contract_idx == contract_idx}:
            ex.accounts[idx].losses_unknown |= bool(risk.open_of(ex, idx))
    for position in ex.positions:
        if position.contract_idx == contract_idx:
            position.unsettled_usd_micros += position.qty_lots * move
            ex.accounts[position.account_idx].unsettled_usd_micros += position.qty_lots * move


def order_losses(ex: Exchange, contract_idx: int) -> list[int]:
    """Return what each order of a contract, and of what it is a leg of, loses."""
    marked = ex.contracts[contract_idx]
    return [
        risk.loss_against_mark(contract, order.side, order.price_ticks, 1)
        for contract in ex.contracts
        if contract is marked or any(leg.contract is marked for leg in contract.legs)
        for side in contract.book
        for order in side
    ]


def settle(ex: Exchange, log: Log, cmd: Command) -> None:
    if not may_mark(ex, log, cmd):
        return
    move_mark(ex, cmd.contract_idx, cmd.price_ticks)
    contract = ex.contracts[cmd.contract_idx]
    contract.settle_ticks, contract.breaches = cmd.price_ticks, 0
    contract.day_prices = []
    calls.measure_from(ex, contract, cmd.price_ticks)
    owed = [
        position
        for position in ex.positions
        if position.contract_idx == cmd.contract_idx and position.unsettled_usd_micros
    ]
    amounts = [position.unsettled_usd_micros for position in owed]
    assert sum(amounts) == 0, "variation margin of a contract sums to zero"
    log.add(
        EventKind.SETTLED,
        contract_idx=cmd.contract_idx,
        price_ticks=cmd.price_ticks,
        amount_usd_micros=sum(amount for amount in amounts if amount > 0),
    )
    for position, amount in zip(owed, amounts, strict=True):
        account = ex.accounts[position.account_idx]
        account.cash_usd_micros += amount
        account.unsettled_usd_micros -= amount
        position.unsettled_usd_micros = 0
        log.add(
            EventKind.VARIATION,
            account_idx=position.account_idx,
            contract_idx=cmd.contract_idx,
            amount_usd_micros=amount,
            qty_lots=position.qty_lots,
            price_ticks=cmd.price_ticks,
        )
    settled = ex.contracts[cmd.contract_idx]
    joined = [
        idx
        for idx, contract in enumerate(ex.contracts)
        if any(leg.contract is settled for leg in contract.legs)
    ]
    for idx in (cmd.contract_idx, *joined):
        lives.let_end(ex, idx, Tif.DAY)
        lives.end(ex, log, idx)
    stops.see(ex, log, cmd.contract_idx, TriggerBy.MARK, cmd.price_ticks)


def why_not_corrected(ex: Exchange, contract: Contract, cmd: Command) -> Code:
    if not 1 <= cmd.price_ticks < 1 << ex.capacity.price_bits:
        return Code.PRICE_INVALID
    if contract.delivers:
        return Code.CONTRACT_IN_DELIVERY
    if cmd.ts_ns >= cmd.amount_usd_micros:
        return Code.SETTLEMENT_FINAL
    if contract.settle_ticks != cmd.qty_lots:
        return Code.SETTLEMENT_MOVED
    return Code.OK


def collect(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_contract(ex, log, cmd):
        return
    contract = ex.contracts[cmd.contract_idx]
    if contract.legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    if contract.state == TradingState.EXPIRED:
        log.refuse(cmd, Code.CONTRACT_EXPIRED)
        return
    if cmd.state not in (1, 2, 3, 4):
        log.refuse(cmd, Code.CYCLE_INVALID)
        return
    if cmd.state == 4:
        wrong = why_not_corrected(ex, contract, cmd)
        if wrong != Code.OK:
            log.refuse(cmd, wrong)
            return
        contract.settle_ticks = cmd.price_ticks
    owed = [
        (one, one.unsettled_usd_micros)
        for one in ex.positions
        if one.contract_idx == cmd.contract_idx and one.unsettled_usd_micros
    ]
    log.add(
        EventKind.COLLECTED,
        contract_idx=cmd.contract_idx,
        price_ticks=contract.mark_ticks,
        order_id=cmd.state,
        amount_usd_micros=sum(amount for _, amount in owed if amount > 0),
    )
    for position, amount in owed:
        account = ex.accounts[position.account_idx]
        account.cash_usd_micros += amount
        account.unsettled_usd_micros -= amount
        position.unsettled_usd_micros = 0
        log.add(
            EventKind.VARIATION,
            account_idx=position.account_idx,
            contract_idx=cmd.contract_idx,
            amount_usd_micros=amount,
            qty_lots=position.qty_lots,
            price_ticks=contract.mark_ticks,
        )
