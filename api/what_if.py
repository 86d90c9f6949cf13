"""What a body supposes, in the exchange's numbers."""

from msgspec import UNSET

from api import codec
from api.errors import Problem, core_problem
from api.orders import contract_of
from api.schemas import MaybeText
from api.schemas_margin import SupposedOrder, SupposedPosition, WhatIfNew
from exchange.rules import what_if as rules
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Contract
from matching.codes import Code

WORK_MAX = 1_000  # orders x contracts: each order takes the whole requirement anew


def supposition_of(state: MirrorState, account_idx: int, body: WhatIfNew) -> rules.Supposition:
    """Return what a body supposes.

    Errors:
        Problem: a text is no number, a symbol no contract, or it is too much to compute at once.
    """
    supposed = rules.Supposition(
        orders=tuple(_order(state, one) for one in body.orders),
        positions=tuple(_position(state, one) for one in body.positions),
        marks_ticks={
            _single(state, one.symbol).contract_idx: _price(state, one.price) for one in body.prices
        },
        cash_usd_micros=_money(body.cash, "cash"),
        collateral_usd_micros=_money(body.collateral, "collateral"),
        level_bps=None if body.level_bps is UNSET else body.level_bps,
        alone=body.alone is True,
    )
    held = 0 if supposed.alone else len(state.accounts[account_idx].positions)
    if len(body.orders) * (held + len(body.positions) + len(body.orders)) > WORK_MAX:
        detail = f"orders x contracts are at most {WORK_MAX}; ask for fewer orders, or alone"
        raise Problem("field_invalid", detail, field="orders")
    return supposed


def _money(text: MaybeText, field: str) -> int:
    if text is UNSET:
        return 0
    sign = -1 if text.startswith("-") else 1
    return sign * codec.usd_micros(text.removeprefix("-"), field)


def _price(state: MirrorState, text: str) -> int:
    ticks = codec.price_ticks(text)
    if not 1 <= ticks < state.price_ticks_max:
        raise core_problem(Code.PRICE_INVALID)
    return ticks


def _single(state: MirrorState, symbol: str) -> Contract:
    contract = contract_of(state, symbol)
    if contract.legs:
        raise core_problem(Code.COMBINATION_FOLLOWS_LEGS)
    return contract


def _order(state: MirrorState, one: SupposedOrder) -> rules.SupposedOrder:
    contract = contract_of(state, one.symbol)
    if contract.base_ticks:
        ticks = contract.base_ticks + codec.difference_ticks(one.price)
    else:
        ticks = codec.price_ticks(one.price)
    if not 1 <= ticks < state.price_ticks_max:
        raise core_problem(Code.PRICE_INVALID)
    side = codec.choice(codec.SIDES, one.side, 0, "side")
    return rules.SupposedOrder(contract.contract_idx, side, ticks, _lots(contract, one.quantity))


def _lots(contract: Contract, text: str) -> int:
    lots = codec.at_least_one(text, "quantity")
    if lots > contract.qty_max_lots:
        raise core_problem(Code.QTY_TOO_LARGE)
    return lots


def _position(state: MirrorState, one: SupposedPosition) -> rules.SupposedPosition:
    contract = _single(state, one.symbol)
    sign = -1 if one.quantity.startswith("-") else 1
    lots = sign * codec.at_least_one(one.quantity.removeprefix("-"), "quantity")
    ticks = contract.mark_ticks if one.price is UNSET else _price(state, one.price)
    return rules.SupposedPosition(contract.contract_idx, lots, ticks)
