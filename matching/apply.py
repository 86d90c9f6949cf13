"""Commands, one after another: the only place that branches on a command's kind."""

from typing import NamedTuple

import numpy as np

from matching._jit import cold_kernel, entry_kernel, kernel
from matching._memory import viewer
from matching.accounts import deposit, open_account, set_account, withdraw
from matching.aftermath import aftermath
from matching.amend import amend
from matching.assets import move_asset, price_asset, take_asset
from matching.auction import end_call, set_guard, start_call
from matching.blocks import accept
from matching.cascade import cascade
from matching.closing import close_out, set_last_trade
from matching.codes import Code, Kind
from matching.collateral import charge, send_cash, set_collateral, set_fees
from matching.collecting import collect
from matching.combinations import list_combination, set_implied
from matching.contracts import list_contract, set_band, set_state
from matching.delivery import accrue
from matching.emit import emit_refused
from matching.everyday import cancel_everyday, place_everyday
from matching.expiry import tick
from matching.foresight import look_ahead, outgrows_cache
from matching.limited import set_limits
from matching.limits import ORIGINS_MAX, SEQ_MAX
from matching.margins import set_level, stage_addons
from matching.marks import mark, set_index, settle
from matching.mmp import reset_mmp, set_mmp
from matching.orders import cancel, mass_cancel, place_generally
from matching.profiles import set_cover, set_profile
from matching.proposals import decline, propose, request_quotes, set_blocks
from matching.protect import cancel_all_after, halt_exchange, kill_account, sweep
from matching.quotes import quote
from matching.scenarios import stage_shocks, swap_scenarios
from matching.state import view_state
from matching.transfers import transfer_cash, transfer_position
from matching.wire import COMMAND


@cold_kernel
def take_request(s, cmd):
    """Let each request of a gateway through once, in order.

    A gateway that takes the slot of an older one starts at request 1; the older one is stale.
    """
    if cmd["origin_id"] < 0:
        return Code.ORIGIN_INVALID
    origin = s.origins[cmd["origin_id"] % ORIGINS_MAX]
    if origin["origin_id"] > cmd["origin_id"]:
        return Code.ORIGIN_STALE
    if origin["origin_id"] < cmd["origin_id"]:
        origin["origin_id"] = cmd["origin_id"]
        origin["last_request_id"] = 0
    if cmd["request_id"] <= origin["last_request_id"]:
        return Code.REQUEST_REPEATED
    if cmd["request_id"] != origin["last_request_id"] + 1:
        return Code.REQUEST_GAP
    origin["last_request_id"] = cmd["request_id"]
    return Code.OK


@cold_kernel
def apply_control(s, cmd):
    """Do what the exchange itself asks for."""
    kind = cmd["kind"]
    if kind == Kind.TICK:
        return tick(s, cmd)
    if kind == Kind.OPEN_ACCOUNT:
        return open_account(s, cmd)
    if kind == Kind.SET_ACCOUNT:
        return set_account(s, cmd)
    if kind == Kind.DEPOSIT:
        return deposit(s, cmd)
    if kind == Kind.WITHDRAW:
        return withdraw(s, cmd)
    if kind == Kind.LIST:
        return list_contract(s, cmd)
    if kind == Kind.LIST_COMBINATION:
        return list_combination(s, cmd)
    if kind == Kind.SET_IMPLIED:
        return set_implied(s, cmd)
    if kind == Kind.SET_STATE:
        return set_state(s, cmd)
    if kind == Kind.SET_BAND:
        return set_band(s, cmd)
    if kind == Kind.STAGE_SHOCKS:
        return stage_shocks(s, cmd)
    if kind == Kind.SWAP_SCENARIOS:
        return swap_scenarios(s, cmd)
    if kind == Kind.MARK:
        return mark(s, cmd)
    if kind == Kind.SETTLE:
        return settle(s, cmd)
    if kind == Kind.COLLECT:
        return collect(s, cmd)
    if kind >= Kind.PROPOSE and kind <= Kind.REQUEST_QUOTES:
        return apply_deal(s, cmd)
    if kind >= Kind.SET_COLLATERAL and kind <= Kind.PRICE_ASSET:
        return apply_collateral(s, cmd)
    if kind == Kind.START_CALL:
        return start_call(s, cmd)
    if kind == Kind.END_CALL:
        return end_call(s, cmd)
    if kind == Kind.SET_GUARD:
        return set_guard(s, cmd)
    if kind == Kind.SET_LAST_TRADE:
        return set_last_trade(s, cmd)
    if kind == Kind.CLOSE_OUT:
        return close_out(s, cmd)
    if kind == Kind.SET_INDEX:
        return set_index(s, cmd)
    if kind == Kind.STAGE_ADDONS:
        return stage_addons(s, cmd)
    if kind == Kind.SET_LEVEL:
        return set_level(s, cmd)
    if kind == Kind.SET_FEES:
        return set_fees(s, cmd)
    if kind == Kind.SET_PROFILE:
        return set_profile(s, cmd)
    if kind == Kind.SET_COVER:
        return set_cover(s, cmd)
    return apply_protection(s, cmd)


@cold_kernel
def apply_deal(s, cmd):
    """Do what two members agree on, and what comes before."""
    kind = cmd["kind"]
    if kind == Kind.PROPOSE:
        return propose(s, cmd)
    if kind == Kind.ACCEPT:
        return accept(s, cmd)
    if kind == Kind.DECLINE:
        return decline(s, cmd)
    if kind == Kind.SET_BLOCKS:
        return set_blocks(s, cmd)
    if kind == Kind.REQUEST_QUOTES:
        return request_quotes(s, cmd)
    raise AssertionError("unknown kind: the codec let through what it must not")


@cold_kernel
def apply_collateral(s, cmd):
    """Do what is about collateral, charges and cash between accounts."""
    kind = cmd["kind"]
    if kind == Kind.SET_COLLATERAL:
        return set_collateral(s, cmd)
    if kind == Kind.CHARGE:
        return charge(s, cmd)
    if kind == Kind.SEND_CASH:
        return send_cash(s, cmd)
    if kind == Kind.MOVE_ASSET:
        return move_asset(s, cmd)
    if kind == Kind.PRICE_ASSET:
        return price_asset(s, cmd)
    raise AssertionError("unknown kind: the codec let through what it must not")


@cold_kernel
def apply_protection(s, cmd):
    """Do what protects members and the exchange, and quotes with it."""
    kind = cmd["kind"]
    if kind == Kind.QUOTE:
        return quote(s, cmd)
    if kind == Kind.CANCEL_ALL_AFTER:
        return cancel_all_after(s, cmd)
    if kind == Kind.SET_LIMITS:
        return set_limits(s, cmd)
    if kind == Kind.SET_MMP:
        return set_mmp(s, cmd)
    if kind == Kind.RESET_MMP:
        return reset_mmp(s, cmd)
    if kind == Kind.KILL_ACCOUNT:
        return kill_account(s, cmd)
    if kind == Kind.HALT_EXCHANGE:
        return halt_exchange(s, cmd)
    if kind == Kind.SWEEP:
        return sweep(s, cmd)
    if kind == Kind.TRANSFER_POSITION:
        return transfer_position(s, cmd)
    if kind == Kind.TRANSFER_CASH:
        return transfer_cash(s, cmd)
    if kind == Kind.TAKE_ASSET:
        return take_asset(s, cmd)
    if kind == Kind.CASCADE:
        return cascade(s, cmd)
    if kind == Kind.ACCRUE:
        return accrue(s, cmd)
    raise AssertionError("unknown kind: the codec let through what it must not")


@cold_kernel
def apply_generally(s, cmd, code):
    """Do what no straight line does, unless its request was refused; say why not."""
    kind = cmd["kind"]
    s.meta[0]["named_order_id"] = 0
    if code != Code.OK:
        pass
    elif kind == Kind.PLACE:
        code = place_generally(s, cmd)
    elif kind == Kind.CANCEL:
        code = cancel(s, cmd)
    elif kind == Kind.AMEND:
        code = amend(s, cmd)
    elif kind == Kind.MASS_CANCEL:
        code = mass_cancel(s, cmd)
    else:
        code = apply_control(s, cmd)
    if code != Code.OK:
        emit_refused(s, code, cmd["account_idx"], cmd["contract_idx"])


@kernel
def apply_everyday(s, cmd):
    """Do a command as plain as most; return False for any other, with nothing written."""
    if cmd["kind"] == Kind.CANCEL:
        return cancel_everyday(s, cmd)
    return place_everyday(s, cmd)


@kernel
def apply_command(s, cmd):
    """Apply one stamped command: its reply is the first event, or the only one."""
    meta = s.meta[0]
    assert cmd["seq"] == meta["seq"] + 1 and cmd["seq"] < SEQ_MAX
    assert cmd["ts_ns"] >= meta["now_ns"]
    meta["seq"] = cmd["seq"]
    meta["now_ns"] = cmd["ts_ns"]
    first_event = np.int64(meta["events_count"])
    code = np.int64(Code.OK)
    if cmd["origin_id"] != 0:
        code = np.int64(take_request(s, cmd))
    if code != Code.OK or not apply_everyday(s, cmd):
        apply_generally(s, cmd, code)
    if meta["aftermath"] != 0:
        aftermath(s, first_event)


class Batch(NamedTuple):
    """Stamped commands, as kernels see them."""

    commands: np.ndarray  # COMMAND


view_batch = viewer("Batch", {"commands": COMMAND})


@entry_kernel
def apply_batch(state, batch, first, end):
    """Apply the commands `first` to `end`, as long as the next one's events surely fit.

    Returns: the index of the first command not applied
    """
    s, commands = view_state(state), view_batch(batch).commands
    meta = s.meta[0]
    meta["events_count"] = 0
    place, outgrown = first, outgrows_cache(s)
    while place < end and meta["events_count"] <= meta["events_room"]:
        look_ahead(s, commands, place, end, outgrown)
        apply_command(s, commands[place])
        place += 1
    return place
