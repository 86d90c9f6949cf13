"""What the clearing house moves, by plain sums."""

from matching.codes import Code, EventKind, MoveReason, Side, TradingState
from matching.limits import LAYERS_MAX, MONEY_USD_MICROS_MAX, QTY_LOTS_MAX, TRANSFER_USD_MICROS_MAX
from tests.oracle import deals, entry, risk
from tests.oracle.events import Log
from tests.oracle.state import Command, Deal, Exchange, opposite, signed


def transfer_position(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_words(ex, cmd)
    if code == Code.OK:
        code = judge(ex, cmd, moved(cmd))
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    log.add(
        EventKind.POSITION_MOVED,
        side=cmd.side,
        code=cmd.state,
        account_idx=cmd.account_idx,
        maker_account_idx=cmd.ref_id,
        order_id=cmd.order_id,
        maker_order_id=cmd.order_id,
        contract_idx=cmd.contract_idx,
        price_ticks=cmd.price_ticks,
        qty_lots=cmd.qty_lots,
    )
    risk.know_losses(ex, cmd.account_idx)
    risk.know_losses(ex, cmd.ref_id)
    deals.book(ex, moved(cmd), cmd.account_idx, cmd.side)
    deals.book(ex, moved(cmd), cmd.ref_id, opposite(cmd.side))


def moved(cmd: Command) -> Deal:
    """Return the move as if the two had agreed on it."""
    return Deal(
        deal_id=0, slot=0, kind=0, account_idx=cmd.account_idx, counterparty_idx=cmd.ref_id,
        contract_idx=cmd.contract_idx, side=cmd.side, price_ticks=cmd.price_ticks,
        qty_lots=cmd.qty_lots, expires_ns=0, request_id=0, body=(), words=cmd.words,
    )  # fmt: skip


def judge_parties(ex: Exchange, cmd: Command) -> int:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        return Code.ACCOUNT_UNKNOWN
    if not 0 <= cmd.ref_id < len(ex.accounts):
        return Code.COUNTERPARTY_UNKNOWN
    return Code.COUNTERPARTY_IS_SELF if cmd.ref_id == cmd.account_idx else Code.OK


def judge_words(ex: Exchange, cmd: Command) -> int:
    code = judge_parties(ex, cmd)
    if code != Code.OK:
        return code
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN
    contract = ex.contracts[cmd.contract_idx]
    checks = (
        (bool(contract.legs), Code.COMBINATION_FOLLOWS_LEGS),
        (contract.state == TradingState.EXPIRED, Code.CONTRACT_EXPIRED),
        (cmd.state not in set(MoveReason), Code.MOVE_REASON_INVALID),
        (cmd.side not in set(Side), Code.SIDE_INVALID),
        (cmd.qty_lots <= 0, Code.QTY_NOT_POSITIVE),
        (cmd.qty_lots > QTY_LOTS_MAX, Code.QTY_TOO_LARGE),
        (not 1 <= cmd.price_ticks < 1 << ex.capacity.price_bits, Code.PRICE_INVALID),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def judge(ex: Exchange, cmd: Command, deal: Deal) -> int:
    if -signed(cmd.side, ex.lots(cmd.account_idx, cmd.contract_idx)) < cmd.qty_lots:
        return Code.MOVE_EXCEEDS_POSITION
    is_new = ex.position(cmd.ref_id, cmd.contract_idx) is None
    if len(ex.positions) + is_new > ex.capacity.positions - 1:
        return Code.POSITIONS_FULL
    for idx in (cmd.account_idx, cmd.ref_id):
        account = ex.accounts[idx]
        if max(abs(account.cash_usd_micros), abs(account.unsettled_usd_micros)) > (
            MONEY_USD_MICROS_MAX
        ):
            return Code.ACCOUNT_MONEY_LIMIT
    if cmd.state in (MoveReason.GIVE_UP, MoveReason.EFD):
        code = deals.judge_side(ex, deal, cmd.account_idx, cmd.side)
        if code != Code.OK:
            return deals.INITIATORS.get(Code(code), Code.INITIATOR_NOT_ALLOWED)
    side = opposite(cmd.side)
    if cmd.state == MoveReason.TAKE_OVER:
        wish = risk.Wish(cmd.ref_id, cmd.contract_idx, side, cmd.price_ticks, cmd.qty_lots)
        return entry.judge_bounds(ex, wish)
    if cmd.state != MoveReason.DELEVERAGE:
        return deals.judge_side(ex, deal, cmd.ref_id, side)
    if -signed(side, ex.lots(cmd.ref_id, cmd.contract_idx)) < cmd.qty_lots:
        return Code.MOVE_NOT_REDUCING
    contract, account = ex.contracts[cmd.contract_idx], ex.accounts[cmd.ref_id]
    better = signed(side, contract.mark_ticks - cmd.price_ticks)
    gain = better * cmd.qty_lots * contract.tick_value_usd_micros
    equity = account.cash_usd_micros + account.unsettled_usd_micros
    return Code.MOVE_MAKES_INSOLVENT if equity + gain < 0 else Code.OK


def transfer_cash(ex: Exchange, log: Log, cmd: Command) -> None:
    code, amount = judge_parties(ex, cmd), cmd.amount_usd_micros
    if code == Code.OK and amount <= 0:
        code = Code.AMOUNT_NOT_POSITIVE
    elif code == Code.OK and amount > TRANSFER_USD_MICROS_MAX:
        code = Code.AMOUNT_TOO_LARGE
    elif code == Code.OK and not 0 <= cmd.state <= LAYERS_MAX:
        code = Code.MOVE_REASON_INVALID
    elif code == Code.OK and amount > ex.accounts[cmd.account_idx].cash_usd_micros:
        code = Code.MOVE_EXCEEDS_CASH
    elif code == Code.OK:
        after = ex.accounts[cmd.ref_id].cash_usd_micros + amount
        code = Code.ACCOUNT_MONEY_LIMIT if after > MONEY_USD_MICROS_MAX else Code.OK
    if code != Code.OK:
        log.refuse(cmd, code)
        return
    ex.accounts[cmd.account_idx].cash_usd_micros -= amount
    ex.accounts[cmd.ref_id].cash_usd_micros += amount
    log.add(
        EventKind.CASH_TRANSFERRED, code=cmd.state, account_idx=cmd.account_idx,
        maker_account_idx=cmd.ref_id, order_id=cmd.order_id, amount_usd_micros=amount,
    )  # fmt: skip
