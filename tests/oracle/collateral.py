"""Collateral, charges, cash between accounts, and assets."""

from matching.codes import AccountState, AssetMove, Charge, Code, CountMode, EventKind, PriceSource
from matching.limits import (
    ASSET_PRICE_USD_MICROS_MAX,
    ASSET_UNITS_MAX,
    ASSETS_MAX,
    COLLATERAL_USD_MICROS_MAX,
    MONEY_USD_MICROS_MAX,
    TRANSFER_USD_MICROS_MAX,
)
from tests.oracle import admin, risk, transfers
from tests.oracle.events import Log
from tests.oracle.state import Command, Exchange


def known(ex: Exchange, account_idx: int) -> bool:
    return 0 <= account_idx < len(ex.accounts)


def countable(amount: int) -> bool:
    return 0 <= amount <= COLLATERAL_USD_MICROS_MAX


def releasable(ex: Exchange, account_idx: int, counted: int) -> bool:
    """Return whether so much may be counted instead, by margin."""
    less = ex.accounts[account_idx].counted_usd_micros - counted
    if less > 0:
        risk.know_losses(ex, account_idx)
    return less <= 0 or risk.free_usd_micros(ex, account_idx) >= less


def set_collateral(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known(ex, cmd.account_idx):
        return log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
    if cmd.state not in set(CountMode) or not countable(cmd.amount_usd_micros):
        return log.refuse(cmd, Code.COLLATERAL_INVALID)
    wanted_back = cmd.state == CountMode.RELEASE
    if wanted_back and not releasable(ex, cmd.account_idx, cmd.amount_usd_micros):
        return log.refuse(cmd, Code.COLLATERAL_NEEDED)
    ex.accounts[cmd.account_idx].counted_usd_micros = cmd.amount_usd_micros
    log.add(
        EventKind.COLLATERAL_SET,
        account_idx=cmd.account_idx,
        amount_usd_micros=cmd.amount_usd_micros,
    )
    return None


def charge(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_charge(ex, cmd)
    if code != Code.OK:
        return log.refuse(cmd, code)
    account = ex.accounts[cmd.account_idx]
    account.cash_usd_micros -= cmd.amount_usd_micros
    account.last_charge_id = cmd.ref_id or account.last_charge_id
    log.add(
        EventKind.CHARGED, account_idx=cmd.account_idx, amount_usd_micros=cmd.amount_usd_micros,
        order_id=cmd.state,
    )  # fmt: skip
    return None


def judge_charge(ex: Exchange, cmd: Command) -> int:
    if not known(ex, cmd.account_idx):
        return Code.ACCOUNT_UNKNOWN
    account = ex.accounts[cmd.account_idx]
    if cmd.state not in set(Charge) or cmd.amount_usd_micros == 0:
        return Code.CHARGE_INVALID
    if abs(cmd.amount_usd_micros) > TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if cmd.ref_id != 0 and cmd.ref_id <= account.last_charge_id:
        return Code.TRANSFER_REPEATED
    if abs(account.cash_usd_micros - cmd.amount_usd_micros) > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    return Code.OK


def set_fees(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known(ex, cmd.account_idx):
        return log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
    maker, taker, clearing = cmd.price_ticks, cmd.qty_lots, cmd.amount_usd_micros
    if not 0 <= maker <= taker < 1 << 20 or not 0 <= clearing < 1 << 20:
        return log.refuse(cmd, Code.FEES_INVALID)
    rates = maker | taker << 20 | clearing << 40
    ex.accounts[cmd.account_idx].fee_rates = rates
    log.add(EventKind.FEES_SET, account_idx=cmd.account_idx, amount_usd_micros=rates)
    return None


def send_cash(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_receiver(ex, cmd) or admin.judge_transfer(ex, cmd)
    if code == Code.OK:
        receiver = ex.accounts[cmd.order_id]
        if receiver.cash_usd_micros + cmd.amount_usd_micros > MONEY_USD_MICROS_MAX:
            code = Code.ACCOUNT_MONEY_LIMIT
        else:
            risk.know_losses(ex, cmd.account_idx)
            if cmd.amount_usd_micros > risk.free_cash_usd_micros(ex, cmd.account_idx):
                code = Code.WITHDRAWAL_EXCEEDS_FREE
    if code != Code.OK:
        return log.refuse(cmd, code)
    giver = ex.accounts[cmd.account_idx]
    giver.cash_usd_micros -= cmd.amount_usd_micros
    giver.last_ref_id = cmd.ref_id or giver.last_ref_id
    ex.accounts[cmd.order_id].cash_usd_micros += cmd.amount_usd_micros
    log.add(
        EventKind.CASH_SENT, account_idx=cmd.account_idx, maker_account_idx=cmd.order_id,
        amount_usd_micros=cmd.amount_usd_micros,
    )  # fmt: skip
    return None


def judge_receiver(ex: Exchange, cmd: Command) -> int:
    if not known(ex, cmd.account_idx):
        return Code.ACCOUNT_UNKNOWN
    if ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if not known(ex, cmd.order_id):
        return Code.RECEIVER_UNKNOWN
    return Code.RECEIVER_IS_SELF if cmd.order_id == cmd.account_idx else Code.OK


def move_asset(ex: Exchange, log: Log, cmd: Command) -> None:
    code = judge_move(ex, cmd) or judge_units(ex, cmd)
    if code != Code.OK:
        return log.refuse(cmd, code)
    account, units = ex.accounts[cmd.account_idx], cmd.price_ticks
    held = account.holdings.setdefault(cmd.order_id, [0, 0])
    change = {
        AssetMove.DEPOSIT: (units, 0), AssetMove.RESERVE: (-units, units),
        AssetMove.PAID: (0, -units), AssetMove.RETURN: (units, -units),
    }[AssetMove(cmd.state)]  # fmt: skip
    held[0], held[1] = held[0] + change[0], held[1] + change[1]
    account.last_move_id = cmd.ref_id
    if cmd.state == AssetMove.RESERVE:
        account.counted_usd_micros = min(account.counted_usd_micros, cmd.amount_usd_micros)
    log.add(
        EventKind.ASSET_MOVED, account_idx=cmd.account_idx, side=cmd.state, order_id=cmd.order_id,
        maker_order_id=cmd.ref_id, price_ticks=units,
        amount_usd_micros=account.counted_usd_micros,
    )  # fmt: skip
    return None


def judge_move(ex: Exchange, cmd: Command) -> int:
    if not known(ex, cmd.account_idx):
        return Code.ACCOUNT_UNKNOWN
    if not 0 < cmd.order_id < ASSETS_MAX:
        return Code.ASSET_UNKNOWN
    if cmd.state not in set(AssetMove):
        return Code.ASSET_MOVE_INVALID
    if cmd.price_ticks <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if cmd.price_ticks > ASSET_UNITS_MAX:
        return Code.AMOUNT_TOO_LARGE
    due = ex.accounts[cmd.account_idx].last_move_id + 1
    if cmd.ref_id < due:
        return Code.TRANSFER_REPEATED
    return Code.OK if cmd.ref_id == due else Code.ASSET_MOVE_GAP


def judge_units(ex: Exchange, cmd: Command) -> int:
    account, units = ex.accounts[cmd.account_idx], cmd.price_ticks
    there, leaving = account.holdings.get(cmd.order_id, [0, 0])
    if cmd.state == AssetMove.DEPOSIT:
        return Code.AMOUNT_TOO_LARGE if there + leaving + units > ASSET_UNITS_MAX else Code.OK
    if units > (there if cmd.state == AssetMove.RESERVE else leaving):
        return Code.ASSET_INSUFFICIENT
    if cmd.state != AssetMove.RESERVE:
        return Code.OK
    if account.state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if not countable(cmd.amount_usd_micros):
        return Code.COLLATERAL_INVALID
    if not releasable(ex, cmd.account_idx, cmd.amount_usd_micros):
        return Code.COLLATERAL_NEEDED
    return Code.OK


def take_asset(ex: Exchange, log: Log, cmd: Command) -> None:
    code = transfers.judge_parties(ex, cmd) or judge_sale(ex, cmd)
    if code != Code.OK:
        return log.refuse(cmd, code)
    giver, taker = ex.accounts[cmd.account_idx], ex.accounts[cmd.ref_id]
    giver.holdings[cmd.state][0] -= cmd.price_ticks
    taker.holdings.setdefault(cmd.state, [0, 0])[0] += cmd.price_ticks
    giver.cash_usd_micros += cmd.amount_usd_micros
    taker.cash_usd_micros -= cmd.amount_usd_micros
    log.add(
        EventKind.ASSET_TAKEN, code=cmd.state, account_idx=cmd.account_idx, order_id=cmd.order_id,
        maker_account_idx=cmd.ref_id, price_ticks=cmd.price_ticks,
        amount_usd_micros=cmd.amount_usd_micros,
    )  # fmt: skip
    return None


def judge_sale(ex: Exchange, cmd: Command) -> int:
    if not 0 < cmd.state < ASSETS_MAX:
        return Code.ASSET_UNKNOWN
    giver, taker = ex.accounts[cmd.account_idx], ex.accounts[cmd.ref_id]
    units, amount = cmd.price_ticks, cmd.amount_usd_micros
    after = sum(taker.holdings.get(cmd.state, [0, 0])) + units
    checks = (
        (min(units, amount) <= 0, Code.AMOUNT_NOT_POSITIVE),
        (units > ASSET_UNITS_MAX or amount > TRANSFER_USD_MICROS_MAX, Code.AMOUNT_TOO_LARGE),
        (units > giver.holdings.get(cmd.state, [0, 0])[0], Code.ASSET_INSUFFICIENT),
        (after > ASSET_UNITS_MAX, Code.AMOUNT_TOO_LARGE),
        (amount > taker.cash_usd_micros, Code.MOVE_EXCEEDS_CASH),
        (giver.cash_usd_micros + amount > MONEY_USD_MICROS_MAX, Code.ACCOUNT_MONEY_LIMIT),
    )
    return next((code for wrong, code in checks if wrong), Code.OK)


def price_asset(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 < cmd.order_id < ASSETS_MAX:
        return log.refuse(cmd, Code.ASSET_UNKNOWN)
    _, before_ns, _ = ex.assets.get(cmd.order_id, (0, 0, 0))
    good = 0 < cmd.price_ticks <= ASSET_PRICE_USD_MICROS_MAX and cmd.state in set(PriceSource)
    if not good or not before_ns <= cmd.expires_ns <= ex.now_ns:
        return log.refuse(cmd, Code.ASSET_PRICE_INVALID)
    ex.assets[cmd.order_id] = (cmd.price_ticks, cmd.expires_ns, cmd.state)
    log.add(
        EventKind.ASSET_PRICED, side=cmd.state, order_id=cmd.order_id,
        maker_order_id=cmd.expires_ns, price_ticks=cmd.price_ticks,
    )  # fmt: skip
    return None
