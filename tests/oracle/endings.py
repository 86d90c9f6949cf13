"""The end of a contract: when its trading ends, and what becomes of its positions."""

from matching.codes import CallPhase, Code, EventKind, TradingState
from tests.oracle import calls, pegs
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange


def judge(ex: Exchange, cmd: Command) -> int:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN
    return Code.COMBINATION_FOLLOWS_LEGS if ex.contracts[cmd.contract_idx].legs else Code.OK


def set_last_trade(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge(ex, cmd)
    if code == Code.OK and cmd.expires_ns < 0:
        code = Code.EXPIRY_INVALID
    if code == Code.OK and ex.contracts[cmd.contract_idx].state == TradingState.EXPIRED:
        code = Code.CONTRACT_EXPIRED
    elif code == Code.OK and ex.contracts[cmd.contract_idx].delivers:
        code = Code.CONTRACT_IN_DELIVERY
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    contract = ex.contracts[cmd.contract_idx]
    contract.last_trade_ns, contract.timed = cmd.expires_ns, cmd.expires_ns != 0
    if not 0 < cmd.expires_ns <= ex.now_ns:
        contract.ended = False
    log.add(
        EventKind.LAST_TRADE_SET, contract_idx=cmd.contract_idx, amount_usd_micros=cmd.expires_ns
    )


def tick(ex: Exchange, log: Log) -> None:
    """End the trading of those whose last moment has come."""
    for contract_idx, contract in enumerate(ex.contracts):
        over = contract.timed and contract.last_trade_ns <= ex.now_ns
        if not over or contract.ended or contract.state == TradingState.EXPIRED:
            continue
        contract.ended = True
        if contract.call.phase != CallPhase.NONE:
            state = TradingState.HALT if ex.halted else contract.call.after
            calls.leave(ex, log, contract_idx, state)
        contract.state = TradingState.HALT
        pegs.wake(ex, contract_idx)
        log.add(EventKind.TRADING_ENDED, contract_idx=contract_idx)


def close_out(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge(ex, cmd)
    if code == Code.OK and ex.contracts[cmd.contract_idx].state != TradingState.EXPIRED:
        code = Code.CONTRACT_NOT_EXPIRED
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    held = [one for one in ex.positions if one.contract_idx == cmd.contract_idx]
    price = ex.contracts[cmd.contract_idx].mark_ticks
    log.add(
        EventKind.POSITIONS_CLOSED,
        contract_idx=cmd.contract_idx,
        price_ticks=price,
        qty_lots=sum(one.qty_lots for one in held if one.qty_lots > 0),
        amount_usd_micros=sum(max(0, one.unsettled_usd_micros) for one in held),
    )
    for one in held:
        amount = one.unsettled_usd_micros
        if amount:
            ex.accounts[one.account_idx].cash_usd_micros += amount
            ex.accounts[one.account_idx].unsettled_usd_micros -= amount
            log.add(
                EventKind.VARIATION,
                account_idx=one.account_idx,
                contract_idx=cmd.contract_idx,
                amount_usd_micros=amount,
                qty_lots=one.qty_lots,
                price_ticks=price,
            )
        one.unsettled_usd_micros, one.qty_lots = 0, 0
