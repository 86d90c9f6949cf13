"""Corrections of settlements: what is asked for, what would come of it, and how it is shown."""

from typing import Any, Final

from msgspec import UNSET

from api import codec, orders
from api.answers import millis
from api.deps import Services
from api.errors import Problem, core_name, core_problem
from api.schemas_settlements import CorrectionChange
from exchange.io.settlement_corrections import Correction, Corrections
from exchange.rules.mirror_state import MirrorState
from exchange.rules.money import usd_text
from exchange.rules.settlement_correction import (
    Change,
    Corrected,
    CorrectionRefused,
    bound_bps,
    corrected_run,
    corrections,
    is_beyond,
)
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import Note, SettlementRun
from exchange.rules.tenors import date_of
from matching.codes import Code, TradingState

PRICES: Final = ("price", "mark_price", "bid_price", "ask_price", "closing_price")
MUST_BE: Final = ("price", "mark_price")  # null is no price of these


def corrections_of(services: Services) -> Corrections:
    """Return the door to corrections."""
    if services.corrections is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.corrections


def change_of(body: CorrectionChange) -> Change:
    """Return what a body says was wrong.

    Errors:
        Problem: it is no price or no volume, or says nothing.
    """
    right: dict[str, int] = {}
    for name in PRICES:
        text = getattr(body, name)
        if text is not UNSET:
            right[name] = _ticks(text, name)
    if body.window_volume is not UNSET:
        right |= _traded(body)
    elif body.window_vwap is not UNSET:
        raise Problem("field_missing", "a volume goes with it", field="window_volume")
    if not right:
        raise Problem("field_missing", f"say what is right of {body.symbol}", field="price")
    return Change(body.symbol, right)


def _ticks(text: str | None, name: str) -> int:
    if text is None and name not in MUST_BE:
        return 0
    ticks = codec.price_ticks(text or "", name)
    if ticks < 1:
        raise Problem("field_invalid", "a price above zero", field=name)
    return ticks


def _traded(body: CorrectionChange) -> dict[str, int]:
    assert body.window_volume is not UNSET
    lots = 0 if body.window_volume == "0" else codec.qty_lots(body.window_volume, "window_volume")
    vwap = None if body.window_vwap is UNSET else body.window_vwap
    if bool(lots) != (vwap is not None):
        raise Problem("field_invalid", "a price if, and only if, lots traded", field="window_vwap")
    ticks = _ticks(vwap, "window_vwap") if vwap is not None else 0
    return {"window_volume": lots, "window_tick_lots": lots * ticks}


def refusal(state: MirrorState, one: Corrected) -> Problem | None:
    """Return why a price can no longer be corrected, None if it can."""
    contract, code = state.contracts[one.settled.contract_idx], Code.OK
    if contract.state == TradingState.EXPIRED:
        code = Code.CONTRACT_EXPIRED
    elif contract.delivery.phase:
        code = Code.CONTRACT_IN_DELIVERY
    elif contract.settle_ticks != one.replaced_ticks:
        code = Code.SETTLEMENT_MOVED
    return core_problem(code, detail=f"{contract.symbol}: not any more") if code else None


async def base_of(services: Services, due_ns: int, changes: list[Change]) -> SettlementRun:
    """Return the run that all of some changes begin from.

    Errors:
        Problem: nothing was settled then, or it is final, or they are of several runs.
    """
    if services.now_ns() >= final_ns(due_ns):
        raise core_problem(Code.SETTLEMENT_FINAL)
    runs = set()
    for change in changes:
        listed = orders.contract_of(services.gateway.mirror, change.symbol)
        runs.add(await corrections_of(services).base(due_ns, listed.contract_idx))
    if None in runs:
        raise Problem("settlement_run_unknown", "it was not settled then by anything that is kept")
    if len(runs) != 1:
        raise Problem("field_invalid", "settled apart: correct them one by one", field="changes")
    assert services.settlements is not None
    base = await services.settlements.run(str(runs.pop()))
    assert base is not None, "a run of a settlement is kept before it"
    return base


def priced(
    state: MirrorState, base: SettlementRun, changes: list[Change], note: Note
) -> list[Corrected]:
    """Return what would be corrected; what has ended since and only followed is left out.

    Errors:
        Problem: nothing would, or a contract that is named cannot be.
    """
    try:
        found = corrections(base, corrected_run(base, changes, note))
    except CorrectionRefused as error:
        raise Problem("field_invalid", str(error), field="changes") from error
    if not found:
        raise Problem("correction_changes_nothing", "every price would stay as it is")
    named, still = {change.symbol for change in changes}, []
    for one in found:
        problem = refusal(state, one)
        if problem is None:
            still.append(one)
        elif state.contracts[one.settled.contract_idx].symbol in named:
            raise problem
    if not still:
        raise Problem("correction_changes_nothing", "what would change has ended")
    return still


def need_override(
    state: MirrorState, base: SettlementRun, found: list[Corrected], override: object
) -> None:
    """Refuse prices further from what they replace than a day may move them (CORR_006).

    Errors:
        Problem: there is one, and it was not said that this is meant.
    """
    far = next((one for one in found if is_beyond(base, one)), None)
    if far is None or override is True:
        return
    symbol = state.contracts[far.settled.contract_idx].symbol
    was, will = codec.price_out(far.replaced_ticks), codec.price_out(far.settled.price_ticks)
    detail = f"{symbol} from {was} to {will} is more than {bound_bps(base, far)} bps: say override"
    raise Problem("correction_beyond_limit", detail, field="override")


async def prices_of(services: Services, one: Correction) -> tuple[SettlementRun, list[Corrected]]:
    """Return the run that a correction begins from, and the prices that it changes."""
    assert services.settlements is not None
    base = await services.settlements.run(one.revises)
    assert base is not None, "a run of a settlement is kept before it"
    note = Note(one.revises, one.reason, (one.proposed_by, one.approved_by or ""))
    return base, corrections(base, corrected_run(base, one.changes, note))


async def correction_out(services: Services, one: Correction) -> dict[str, Any]:
    """Return a correction with the prices that it changes."""
    base, found = await prices_of(services, one)
    return {
        "correction_id": str(one.correction_id),
        "date": date_of(one.due_ns).isoformat(),
        "status": one.status,
        "reason": one.reason,
        "proposed_by": one.proposed_by,
        "approved_by": one.approved_by,
        "revises": one.revises,
        "run": one.run or None,
        "code": core_name(one.code or 0),
        "final_ts": millis(final_ns(one.due_ns)),
        "created_ts": millis(one.created_ns),
        "updated_ts": millis(one.updated_ns),
        "prices": [price_out(services.gateway.mirror, base, each) for each in found],
    }


def price_out(state: MirrorState, base: SettlementRun, one: Corrected) -> dict[str, Any]:
    """Return a price that is corrected; `difference` is what it is on one lot held, in USD."""
    contract, ticks = state.contracts[one.settled.contract_idx], one.settled.price_ticks
    difference = (ticks - one.replaced_ticks) * contract.tick_value_usd_micros
    return {
        "symbol": contract.symbol,
        "price": codec.price_out(ticks),
        "replaced_price": codec.price_out(one.replaced_ticks),
        "rule": one.settled.rule.value,
        "difference": usd_text(difference),
        "beyond_limit": is_beyond(base, one),
    }
