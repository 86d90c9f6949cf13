"""Assets that are no cash: units in and out of accounts, what they are sold for, their prices.

The core knows no haircut: it keeps units and prices, and what is counted comes by command.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.accounts import account_known
from matching.codes import AccountState, AssetMove, Code, EventKind, PriceSource
from matching.collateral import count_collateral, may_release
from matching.emit import emit
from matching.limits import (
    ASSET_PRICE_USD_MICROS_MAX,
    ASSET_UNITS_MAX,
    ASSETS_MAX,
    COLLATERAL_USD_MICROS_MAX,
    MONEY_USD_MICROS_MAX,
    TRANSFER_USD_MICROS_MAX,
)
from matching.transfers import check_parties


@kernel
def asset_known(cmd):
    """Return whether the command names an asset there can be; 0 is none."""
    return cmd["order_id"] > 0 and cmd["order_id"] < ASSETS_MAX


@cold_kernel
def check_move(s, cmd):
    """Refuse a move that is not sound, or out of turn: an account's are numbered 1, 2, 3."""
    if not account_known(s, cmd):
        return Code.ACCOUNT_UNKNOWN
    if not asset_known(cmd):
        return Code.ASSET_UNKNOWN
    if cmd["state"] < AssetMove.DEPOSIT or cmd["state"] > AssetMove.RETURN:
        return Code.ASSET_MOVE_INVALID
    if cmd["price_ticks"] <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if cmd["price_ticks"] > ASSET_UNITS_MAX:
        return Code.AMOUNT_TOO_LARGE
    last_move_id = s.collaterals[cmd["account_idx"]]["last_move_id"]
    if cmd["ref_id"] <= last_move_id:
        return Code.TRANSFER_REPEATED
    if cmd["ref_id"] != last_move_id + 1:
        return Code.ASSET_MOVE_GAP
    return Code.OK


@cold_kernel
def check_units(s, cmd, holding):
    """Refuse units that are not there, or that there is no room for."""
    units, move = cmd["price_ticks"], cmd["state"]
    if move == AssetMove.DEPOSIT:
        if holding["units"] + holding["leaving_units"] + units > ASSET_UNITS_MAX:
            return Code.AMOUNT_TOO_LARGE
        return Code.OK
    if move != AssetMove.RESERVE:
        return Code.OK if units <= holding["leaving_units"] else Code.ASSET_INSUFFICIENT
    if units > holding["units"]:
        return Code.ASSET_INSUFFICIENT
    if s.accounts[cmd["account_idx"]]["state"] == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    counted_usd_micros = cmd["amount_usd_micros"]
    if counted_usd_micros < 0 or counted_usd_micros > COLLATERAL_USD_MICROS_MAX:
        return Code.COLLATERAL_INVALID
    if not may_release(s, np.int64(cmd["account_idx"]), counted_usd_micros):
        return Code.COLLATERAL_NEEDED
    return Code.OK


@cold_kernel
def move_asset(s, cmd):
    """Book units in, reserve them for a withdrawal, pay them out, or keep them after all."""
    code = check_move(s, cmd)
    if code != Code.OK:
        return code
    account_idx = np.int64(cmd["account_idx"])
    holding = s.holdings[account_idx * ASSETS_MAX + cmd["order_id"]]
    code = check_units(s, cmd, holding)
    if code != Code.OK:
        return code
    units, move = cmd["price_ticks"], cmd["state"]
    collateral = s.collaterals[account_idx]
    collateral["last_move_id"] = cmd["ref_id"]
    if move == AssetMove.DEPOSIT or move == AssetMove.RETURN:
        holding["units"] += units
    if move == AssetMove.RESERVE:
        holding["units"] -= units
        holding["leaving_units"] += units
        if cmd["amount_usd_micros"] < collateral["counted_usd_micros"]:
            count_collateral(s, account_idx, np.int64(cmd["amount_usd_micros"]))
    if move == AssetMove.PAID or move == AssetMove.RETURN:
        holding["leaving_units"] -= units
    event = s.events[emit(s, EventKind.ASSET_MOVED, account_idx, 0)]
    event["side"] = move
    event["order_id"] = cmd["order_id"]
    event["maker_order_id"] = cmd["ref_id"]
    event["price_ticks"] = units
    event["amount_usd_micros"] = collateral["counted_usd_micros"]
    return Code.OK


@cold_kernel
def check_sale(s, cmd):
    """Refuse a sale of units that are not there, or for cash that is not there."""
    code = check_parties(s, cmd)
    if code != Code.OK:
        return code
    asset, units = cmd["state"], cmd["price_ticks"]
    amount_usd_micros = cmd["amount_usd_micros"]
    if asset <= 0 or asset >= ASSETS_MAX:
        return Code.ASSET_UNKNOWN
    if units <= 0 or amount_usd_micros <= 0:
        return Code.AMOUNT_NOT_POSITIVE
    if units > ASSET_UNITS_MAX or amount_usd_micros > TRANSFER_USD_MICROS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if units > s.holdings[cmd["account_idx"] * ASSETS_MAX + asset]["units"]:
        return Code.ASSET_INSUFFICIENT
    taking = s.holdings[cmd["ref_id"] * ASSETS_MAX + asset]
    if taking["units"] + taking["leaving_units"] + units > ASSET_UNITS_MAX:
        return Code.AMOUNT_TOO_LARGE
    if amount_usd_micros > s.accounts[cmd["ref_id"]]["cash_usd_micros"]:
        return Code.MOVE_EXCEEDS_CASH
    cash_usd_micros = s.accounts[cmd["account_idx"]]["cash_usd_micros"]
    if cash_usd_micros + amount_usd_micros > MONEY_USD_MICROS_MAX:
        return Code.ACCOUNT_MONEY_LIMIT
    return Code.OK


@cold_kernel
def take_asset(s, cmd):
    """Sell units of one account to another at a price that the command says, both at once.

    What is counted for either of them is not changed: that is said by commands of its own.
    """
    code = check_sale(s, cmd)
    if code != Code.OK:
        return code
    giver_idx, taker_idx = np.int64(cmd["account_idx"]), np.int64(cmd["ref_id"])
    asset, units = np.int64(cmd["state"]), np.int64(cmd["price_ticks"])
    amount_usd_micros = np.int64(cmd["amount_usd_micros"])
    s.holdings[giver_idx * ASSETS_MAX + asset]["units"] -= units
    s.holdings[taker_idx * ASSETS_MAX + asset]["units"] += units
    s.accounts[giver_idx]["cash_usd_micros"] += amount_usd_micros
    s.accounts[taker_idx]["cash_usd_micros"] -= amount_usd_micros
    event = s.events[emit(s, EventKind.ASSET_TAKEN, giver_idx, 0)]
    event["code"] = asset
    event["order_id"] = cmd["order_id"]
    event["maker_account_idx"] = taker_idx
    event["price_ticks"] = units
    event["amount_usd_micros"] = amount_usd_micros
    return Code.OK


@cold_kernel
def price_asset(s, cmd):
    """Take the price of an asset, with who said it and when it was so."""
    if not asset_known(cmd):
        return Code.ASSET_UNKNOWN
    price_usd_micros, priced_ns = cmd["price_ticks"], cmd["expires_ns"]
    if price_usd_micros <= 0 or price_usd_micros > ASSET_PRICE_USD_MICROS_MAX:
        return Code.ASSET_PRICE_INVALID
    if cmd["state"] < PriceSource.OPERATOR or cmd["state"] > PriceSource.PAR:
        return Code.ASSET_PRICE_INVALID
    asset = s.assets[cmd["order_id"]]
    if priced_ns < asset["priced_ns"] or priced_ns > s.meta[0]["now_ns"]:
        return Code.ASSET_PRICE_INVALID
    asset["price_usd_micros"] = price_usd_micros
    asset["priced_ns"] = priced_ns
    asset["source"] = cmd["state"]
    event = s.events[emit(s, EventKind.ASSET_PRICED, 0, 0)]
    event["side"] = cmd["state"]
    event["order_id"] = cmd["order_id"]
    event["maker_order_id"] = priced_ns
    event["price_ticks"] = price_usd_micros
    return Code.OK
