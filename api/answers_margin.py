"""Margin as the API shows it: the requirement and everything it is made of."""

from typing import Any

from api.stories import Stories
from exchange.rules.addons import Addon
from exchange.rules.margin import ContractMargin, Margin
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import price_text, usd_text
from exchange.rules.price_levels import levels_of
from exchange.rules.what_if import Outcome
from matching.codes import Profile
from matching.limits import PRICE_TICKS_MAX


def margin(state: MirrorState, one: Margin, stories: Stories) -> dict[str, Any]:
    """Return a requirement with its parts."""
    need, tail, maintenance = one.requirement, one.tail, one.maintenance_usd_micros
    return {
        "cash": usd_text(one.cash_usd_micros),
        "unsettled_pnl": usd_text(one.unsettled_usd_micros),
        "collateral": usd_text(one.collateral_usd_micros),
        "equity": usd_text(one.equity_usd_micros),
        "initial_margin": usd_text(one.initial_usd_micros),
        "price_loss": usd_text(one.price_loss_usd_micros),
        "free": usd_text(one.free_usd_micros),
        "state": one.state.value,
        "maintenance_margin": usd_text(maintenance),
        "fee_reserve": usd_text(one.fee_reserve_usd_micros),
        "expected_shortfall": usd_text(need.shortfalls.blended_usd_micros),
        "expected_shortfall_now": usd_text(need.shortfalls.now_usd_micros),
        "expected_shortfall_stress": usd_text(need.shortfalls.stress_usd_micros),
        "expected_shortfall_floor": usd_text(need.shortfalls.floor_usd_micros),
        "standalone": usd_text(need.standalone_usd_micros),
        "portfolio": usd_text(need.portfolio_usd_micros),
        "liquidity": usd_text(need.liquidity_usd_micros),
        "concentration": usd_text(need.concentration_usd_micros),
        "level_bps": need.level_bps,
        "profile": Profile(need.profile).name.lower(),
        "wrong_way_bps": need.times_bps,
        "offset_kept_bps": tail.kept_bps,
        "scenario_count": tail.scenario_count,
        "stress_count": tail.stress_count,
        "floor_count": tail.floor_count,
        "worst_count": tail.worst_count,
        "worst_scenarios": [loss(one, number, stories) for number in one.worst_scenarios],
        "contracts": [
            {**contract(state, part), **prices(state, one, part.contract_idx, maintenance)}
            for part in one.contracts
        ],
    }


def loss(one: Margin, number: int, stories: Stories) -> dict[str, Any]:
    """Return what a scenario takes, with its story where the row has one."""
    name, story = stories.get(number, (None, None))
    return {
        "scenario": number,
        "loss": usd_text(one.requirement.losses_usd_micros[number]),
        "kind": one.tail.kind_of(number),
        "name": name,
        "story": story,
    }


def contract(state: MirrorState, part: ContractMargin) -> dict[str, Any]:
    """Return a contract's part."""
    return {
        "symbol": state.contracts[part.contract_idx].symbol,
        "standalone": usd_text(part.standalone_usd_micros),
        "worst_loss": usd_text(part.worst_loss_usd_micros),
        "price_loss": usd_text(part.price_loss_usd_micros),
        "liquidity": usd_text(part.liquidity_usd_micros),
        "concentration": usd_text(part.concentration_usd_micros),
        "fee_reserve": usd_text(part.fee_reserve_usd_micros),
    }


def prices(
    state: MirrorState, one: Margin, contract_idx: int, maintenance_usd_micros: int
) -> dict[str, str | None]:
    """Return the marks of a contract at which the account is liquidated, or has nothing left.

    All other marks, and what is required, as they are; None where no mark does it.
    """
    held = next(part for part in one.exposures if part.contract_idx == contract_idx)
    value = held.qty_lots * held.tick_value_usd_micros
    if held.combined or value == 0:
        return {"liquidation_price": None, "bankruptcy_price": None}
    mark = state.contracts[contract_idx].mark_ticks
    found = levels_of(maintenance_usd_micros, one.equity_usd_micros, mark, value)
    return {
        "liquidation_price": _price(found.liquidation_ticks),
        "bankruptcy_price": _price(found.bankruptcy_ticks),
    }


def _price(ticks: int) -> str | None:
    return price_text(ticks) if 0 <= ticks < PRICE_TICKS_MAX else None


def what_if(state: MirrorState, outcome: Outcome, stories: Stories) -> dict[str, Any]:
    """Return what would be."""
    after = outcome.after
    return {
        "accepted": outcome.accepted,
        "missing": usd_text(outcome.missing_usd_micros),
        "orders": [
            {
                "accepted": one.accepted,
                "missing": usd_text(one.missing_usd_micros),
                "only_reduces": one.only_reduces,
            }
            for one in outcome.orders
        ],
        "before": margin(state, outcome.before, stories),
        "after": margin(state, after, stories),
        "scenarios": [loss(after, number, stories) for number in range(after.tail.scenario_count)],
    }


def addon(symbol: str, one: Addon) -> dict[str, Any]:
    """Return what was staged for a contract."""
    return {
        "symbol": symbol,
        "half_spread": usd_text(one.spread_usd_micros),
        "impact": usd_text(one.impact_usd_micros),
        "fee": usd_text(one.fee_usd_micros),
        "daily_volume": str(one.adv_lots),
        "close_within": str(one.close_lots),
        "crowd_above": str(one.crowd_lots),
    }
