"""What is added to the margin of the scenarios: add-ons of contracts, levels of accounts."""

from matching.codes import Code, CountMode, EventKind
from matching.limits import FEE_TICKS_MAX, SHOCK_TICKS_MAX
from tests.oracle import risk
from tests.oracle.admin import known_contract
from tests.oracle.events import Log
from tests.oracle.protect import known_account
from tests.oracle.state import Command, Exchange, Position


def stage_addons(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_contract(ex, log, cmd):
        return
    contract = ex.contracts[cmd.contract_idx]
    if contract.legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    spread, impact, fee = cmd.price_ticks, cmd.qty_lots, cmd.amount_usd_micros
    volume, close, crowd = cmd.expires_ns, cmd.words[0], cmd.words[1]
    one_tick = contract.tick_value_usd_micros
    sound = (
        0 <= spread <= one_tick * SHOCK_TICKS_MAX
        and 0 <= impact <= one_tick * SHOCK_TICKS_MAX
        and 0 <= fee <= one_tick * FEE_TICKS_MAX
        and all(0 <= lots <= 1 << 31 for lots in (volume, close, crowd))
        and (impact == 0 or volume > 0)
    )
    if not sound:
        log.refuse(cmd, Code.ADDON_INVALID)
        return
    contract.addon_staged = (spread, impact, fee, volume, close, crowd)
    log.add(EventKind.ADDONS_STAGED, contract_idx=cmd.contract_idx)


def set_level(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd):
        return
    if not 10_000 <= cmd.order_id <= 15_000:
        log.refuse(cmd, Code.LEVEL_INVALID)
        return
    risk.know_losses(ex, cmd.account_idx)
    ex.accounts[cmd.account_idx].level_more_bps = cmd.order_id - 10_000
    log.add(
        EventKind.LEVEL_SET,
        account_idx=cmd.account_idx,
        amount_usd_micros=risk.requirement(ex, cmd.account_idx),
    )


def set_profile(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd):
        return
    if cmd.state not in (0, 1, 2):
        log.refuse(cmd, Code.PROFILE_INVALID)
        return
    risk.know_losses(ex, cmd.account_idx)
    ex.accounts[cmd.account_idx].profile = cmd.state
    log.add(
        EventKind.PROFILE_SET,
        account_idx=cmd.account_idx,
        amount_usd_micros=risk.requirement(ex, cmd.account_idx),
    )


def set_cover(ex: Exchange, log: Log, cmd: Command) -> None:
    if not known_account(ex, log, cmd) or not known_contract(ex, log, cmd):
        return
    if ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
        return
    if not 0 <= cmd.qty_lots <= 1 << 30:
        log.refuse(cmd, Code.COVER_INVALID)
        return
    position = ex.position(cmd.account_idx, cmd.contract_idx)
    if position is None and cmd.qty_lots:
        if len(ex.positions) + 1 > ex.capacity.positions - 1:
            log.refuse(cmd, Code.POSITIONS_FULL)
            return
        position = Position(cmd.account_idx, cmd.contract_idx)
        ex.positions.append(position)
    risk.know_losses(ex, cmd.account_idx)
    if position is not None:
        before, held_lots = risk.requirement(ex, cmd.account_idx), position.cover_lots
        position.cover_lots = cmd.qty_lots
        lacks = risk.free_usd_micros(ex, cmd.account_idx) < 0
        needs_more = risk.requirement(ex, cmd.account_idx) > before
        if cmd.state == CountMode.RELEASE and cmd.qty_lots < held_lots and lacks and needs_more:
            position.cover_lots = held_lots
            log.refuse(cmd, Code.COVER_NEEDED)
            return
    log.add(
        EventKind.COVER_SET,
        account_idx=cmd.account_idx,
        contract_idx=cmd.contract_idx,
        amount_usd_micros=risk.requirement(ex, cmd.account_idx),
    )
