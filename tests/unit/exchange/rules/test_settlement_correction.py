"""Corrections: the same rules over what is right, and only what comes out otherwise."""

from dataclasses import replace

import pytest

from exchange.rules.settlement import PriceRule
from exchange.rules.settlement_correction import (
    Change,
    CorrectionRefused,
    changes_of,
    changes_out,
    corrected_run,
    corrections,
)
from exchange.rules.settlement_run import (
    Evidence,
    Note,
    SettlementRun,
    evidence_of,
    evidence_out,
    note_of,
)

MONTHS = ("H100-GLB-2027M04", "H100-GLB-2027M05", "H100-GLB-2027M06")
QUARTER = "H100-GLB-2027Q2"
NOTE = Note("ab" * 32, "a mark was typed wrongly", ("anna", "ben"))


def base(**first) -> SettlementRun:
    seen = [
        Evidence(contract_idx=place, symbol=symbol, settle_ticks=2000, mark_ticks=2000, day_bps=300)
        for place, symbol in enumerate((*MONTHS, QUARTER))
    ]
    return SettlementRun(7, (replace(seen[0], **first), *seen[1:]))


def right(symbol: str, **fields: int) -> Change:
    return Change(symbol, fields)


def test_CORR_001_a_price_that_is_said_moves_the_strip_it_is_part_of():
    before = base()
    run = corrected_run(before, [right(MONTHS[0], price=2030)], NOTE)
    found = {one.settled.contract_idx: one for one in corrections(before, run)}
    assert found[0].settled.rule == PriceRule.CORRECTION
    assert (found[0].settled.price_ticks, found[0].replaced_ticks) == (2030, 2000)
    # who had no evidence of its own follows the price that is right now
    assert found[1].settled.rule == PriceRule.CURVE and found[1].settled.price_ticks == 2030
    assert found[3].settled.rule == PriceRule.STRIP
    hours = (720, 744, 720)
    mean = sum(h * found[i].settled.price_ticks for i, h in enumerate(hours)) / sum(hours)
    assert found[3].settled.price_ticks == round(mean)


def test_CORR_001_an_input_that_is_right_now_is_judged_by_the_same_rules():
    before = base(lots=20, tick_lots=20 * 2040)
    assert before.prices()[0].price_ticks == 2040
    bust = corrected_run(
        before, [right(MONTHS[0], window_volume=0, window_tick_lots=0)], NOTE
    )  # fmt: skip
    found = {one.settled.contract_idx: one.settled for one in corrections(before, bust)}
    assert (found[0].price_ticks, found[0].rule) == (2000, PriceRule.MARK)


def test_what_changes_no_price_corrects_nothing():
    before = base(lots=20, tick_lots=20 * 2040)
    assert (
        corrections(before, corrected_run(before, [right(MONTHS[0], mark_price=2001)], NOTE)) == []
    )


def test_CORR_002_a_correction_has_a_name_of_its_own_that_covers_reason_people_and_inputs():
    before = base()
    run = corrected_run(before, [right(MONTHS[0], price=2030)], NOTE)
    others = [
        before,
        corrected_run(before, [right(MONTHS[0], price=2031)], NOTE),
        corrected_run(before, [right(MONTHS[0], price=2030)], NOTE._replace(reason="another one")),
        corrected_run(before, [right(MONTHS[0], price=2030)], NOTE._replace(by=("anna", "carl"))),
    ]
    assert len({run.run_id, *(one.run_id for one in others)}) == 5
    seen = tuple(evidence_of(evidence_out(one)) for one in run.evidence)
    again = SettlementRun(7, seen, note_of({**NOTE._asdict(), "by": list(NOTE.by)}))
    assert again.run_id == run.run_id
    assert "said_ticks" not in evidence_out(before.evidence[0])  # old runs keep their names


def test_a_correction_of_a_correction_keeps_what_was_corrected_before():
    before = base()
    first = corrected_run(before, [right(MONTHS[0], price=2030)], NOTE)
    second = corrected_run(first, [right(MONTHS[1], price=1990)], NOTE._replace(revises="cd" * 32))
    prices = {one.contract_idx: one.price_ticks for one in second.prices()}
    assert (prices[0], prices[1]) == (2030, 1990)
    assert 0 not in {one.settled.contract_idx for one in corrections(first, second)}


@pytest.mark.parametrize(
    "change",
    [
        right("H100-USE-2027M04", price=2030),
        right(MONTHS[0]),
        right(MONTHS[0], volume=3),
        right(MONTHS[0], window_volume=3),
        right(MONTHS[0], window_volume=-3, window_tick_lots=-3),
    ],
)
def test_what_the_run_has_not_is_refused(change: Change):
    with pytest.raises(CorrectionRefused):
        corrected_run(base(), [change], NOTE)


def test_a_contract_that_was_settled_before_is_not_of_this_run():
    with pytest.raises(CorrectionRefused):
        corrected_run(base(settled=True), [right(MONTHS[0], price=2030)], NOTE)


def test_changes_and_notes_travel_as_json():
    changes = [right(MONTHS[0], price=2030), right(MONTHS[1], bid_price=0, ask_price=2050)]
    assert changes_of(changes_out(changes)) == changes
    assert note_of(None) is None
    with pytest.raises(ValueError, match="no note"):
        note_of({"by": ["anna"]})
