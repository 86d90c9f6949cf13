"""The build of scenarios: the same bits for everybody, and its hashes find a planted error."""

import json
from dataclasses import replace

import pytest

from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_symbol
from exchange.rules.scenario_build import build, inputs_hash
from exchange.rules.scenario_rows import STRESS
from exchange.rules.scenario_set import SetCorrupt, set_of
from exchange.rules.stress import STRESS_ROWS
from exchange.rules.tenors import DAY as ONE_DAY
from tests.support.scenario_sets import DAY, built, full, prices

GOLDEN = ("921c6bdda55acdc50796b9dc43fcdb3e", "0f431b1ed293385aff47739d43d17b3c")


def test_a_set_has_128_rows_all_named_stories_and_their_mirrors_among_them() -> None:
    found = built()
    names = {row.name for row in found.rows}
    assert found.count == 128 and len(names) == 128
    assert {row.name for row in STRESS_ROWS} | {f"-{row.name}" for row in STRESS_ROWS} <= names
    assert all(row.story and row.source for row in found.rows)


def test_the_full_set_has_more_than_a_thousand_rows_and_each_has_its_mirror() -> None:
    rows = {row.name: row for row in full().rows}
    assert len(rows) == len(full().rows) > 1000
    for row in full().rows:
        if not row.name.startswith("-"):
            assert rows[f"-{row.name}"].fronts == tuple(-front for front in row.fronts)


def test_the_same_inputs_give_the_same_set_bit_for_bit() -> None:
    again = build(load_price_data(), DAY, prices())
    assert again.document() == built().document()


def test_the_hashes_are_those_of_every_machine() -> None:
    found = built()
    assert (found.rows_hash, found.matrix_hash()) == GOLDEN


def test_another_day_and_another_price_are_other_inputs() -> None:
    data, known = load_price_data(), prices()
    symbol = next(iter(known))
    hashes = {
        inputs_hash(data, DAY, known),
        inputs_hash(data, DAY - ONE_DAY, known),
        inputs_hash(data, DAY, known | {symbol: known[symbol] + 1}),
        inputs_hash(data, DAY, dict(reversed(known.items()))),
    }
    assert len(hashes) == 4


def test_a_document_gives_its_set_back() -> None:
    assert set_of(json.loads(json.dumps(built().document()))) == built()


def test_a_wrong_row_is_found_by_its_hash() -> None:
    document = json.loads(json.dumps(built().document()))
    row = next(row for row in document["rows"] if row["name"] == "aws-cut")
    row["fronts_ppm"]["H100-SXM"]["GLB"] += 1
    with pytest.raises(SetCorrupt, match="rows_hash"):
        set_of(document)


def test_a_changed_story_is_found_by_its_hash() -> None:
    document = json.loads(json.dumps(built().document()))
    document["rows"][0]["story"] += "!"
    with pytest.raises(SetCorrupt, match="rows_hash"):
        set_of(document)


def test_a_wrong_price_is_found_by_the_hash_of_the_matrix() -> None:
    document = json.loads(json.dumps(built().document()))
    document["prices_ticks"][0][1] += 1
    with pytest.raises(SetCorrupt, match="matrix_hash"):
        set_of(document)


def test_a_wrong_row_changes_the_hash_of_the_matrix() -> None:
    found = built()
    at = next(at for at, row in enumerate(found.rows) if row.name == "aws-cut")
    wrong = replace(found.rows[at], fronts=tuple(f + 1000 for f in found.rows[at].fronts))
    other = replace(
        found, rows=(*found.rows[:at], wrong, *found.rows[at + 1 :]), _table=[], _moves={}
    )
    assert other.matrix_hash() != found.matrix_hash()


def test_the_aws_row_takes_44_percent_off_a_front_contract() -> None:
    found = built()
    at = next(at for at, row in enumerate(found.rows) if row.name == "aws-cut")
    contract = parse_symbol("H100-USE-2026M12")
    shock = found.shocks(contract, 2_000, DAY)[at]
    notional = contract.tick_value_usd_micros * 2_000
    assert -4_400 <= shock * 10_000 // notional <= -4_000  # it fades along the month


def test_no_prices_and_a_day_before_the_data_are_refused() -> None:
    data = load_price_data()
    with pytest.raises(ValueError, match="no contract"):
        build(data, DAY, {})
    with pytest.raises(ValueError, match="begin on"):
        build(data, data.offers[0].day - ONE_DAY, prices())


def test_every_named_story_says_where_it_comes_from() -> None:
    stress = [row for row in built().rows if row.kind == STRESS]
    assert len(stress) == 2 * len(STRESS_ROWS)
