"""The runner of cases: it passes what is right and nothing else."""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from matching.limits import PRICE_TICKS_MAX, QTY_LOTS_MAX
from tests.oracle.engine import Oracle
from tests.oracle.state import Capacity
from tests.vectors.__main__ import main
from tests.vectors.cases import Failed, Json, Skipped, found, load
from tests.vectors.fit import fitted
from tests.vectors.market import PRICE_BITS
from tests.vectors.run import run_case, run_folder

CASES = Path(__file__).parent / "cases"
PATHS = list(found(CASES))
RUN = PATHS


def oracle() -> Oracle:
    return Oracle(Capacity(price_bits=PRICE_BITS))


def name(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", RUN, ids=name)
def test_the_engine_agrees_with_the_case(path):
    run_case(load(path))


@pytest.mark.parametrize("path", RUN, ids=name)
def test_the_oracle_agrees_with_the_case(path):
    run_case(load(path), oracle)


def leaves(node: Any) -> Iterator[tuple[list[Any], Any]]:
    """Yield the way to each single value, and the value."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        if isinstance(value, dict | list):
            yield from (([key, *way], leaf) for way, leaf in leaves(value))
        else:
            yield [key], value


def mutations(case: Json) -> Iterator[tuple[str, Json]]:
    """Yield the case with one expected value changed, for every expected value."""
    far = 2 * int(float(case.get("tolerance") or 0)) + 1
    for way, value in leaves(case):
        if "expect" not in way:
            continue
        mutated = copy.deepcopy(case)
        node = mutated
        for key in way[:-1]:
            node = node[key]
        node[way[-1]] = value + far if isinstance(value, int) else f"not {value}"
        yield "/".join(map(str, way)), mutated


@pytest.mark.parametrize("path", RUN, ids=name)
def test_a_mutated_expectation_fails(path):
    case = load(path)
    count = 0
    for where, mutated in mutations(case):
        count += 1
        try:
            run_case(mutated, oracle)
        except Failed:
            continue
        pytest.fail(f"{where} changed, and the case still passed")
    assert count >= 1


@pytest.mark.parametrize("path", RUN, ids=name)
def test_an_unknown_word_is_skipped_and_never_passed(path):
    case = load(path)
    case["steps"].append({"op": "levitate", "expect": {}})
    with pytest.raises(Skipped, match="levitate"):
        run_case(case, oracle)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (("setup",), {"circuit_breaker": 3}),
        (("steps", 0, "order"), {"budget": 5}),
        (("steps", 0, "expect"), {"visible": 5}),
        (("expect",), {"pnl": {"a": 1}}),
    ],
)
def test_an_unknown_field_is_skipped_and_never_passed(where, words):
    case = load(CASES / "time_in_force" / "fok_match.json")
    node: Any = case
    for key in where:
        node = node[key]
    node.update(words)
    with pytest.raises(Skipped):
        run_case(case, oracle)


def test_a_choice_that_we_did_not_make_is_skipped():
    case = load(CASES / "self_trade" / "cancel_aggressor_gtc.json")
    run_case(case, oracle)
    for policy in ("stp=cancel_resting", "stp=cancel_aggressor; halt=always", None):
        with pytest.raises(Skipped, match="another choice"):
            run_case(case | {"policy": policy}, oracle)


def test_a_case_without_its_order_fails_and_does_not_crash():
    case = load(CASES / "time_in_force" / "fok_match.json")
    del case["steps"][0]["order"]["side"]
    with pytest.raises(Failed, match="cannot be read"):
        run_case(case, oracle)


def book_case(*orders: tuple[str, int, int], resting: list[int]) -> Json:
    """Return a case of orders (side, price, size) that rest or trade as said."""
    steps = [
        {
            "op": "place",
            "order": {"id": f"o{i}", "user": f"u{i}", "side": side, "type": "limit",
                      "price": price, "size": size, "tif": "GTC"},
            "expect": {"result": "accepted", "resting": rests},
        }
        for i, ((side, price, size), rests) in enumerate(zip(orders, resting, strict=True))
    ]  # fmt: skip
    setup = {"mode": "continuous"}
    return {"kind": "book", "conformance": "core", "setup": setup, "steps": steps, "expect": {}}


def test_prices_beyond_the_domain_are_renamed_in_their_order():
    high = PRICE_TICKS_MAX * 3
    case = book_case(("sell", high + 5, 4), ("buy", high + 9, 3), resting=[4, 0])
    run_case(case, oracle)
    assert [step["order"]["price"] for step in fitted(case)["steps"]] == [1, 2]
    case = book_case(("sell", high + 9, 4), ("buy", high + 5, 3), resting=[4, 3])
    run_case(case, oracle)


def test_sizes_beyond_the_largest_order_stay_larger_than_all_others():
    big = QTY_LOTS_MAX * 1000
    case = book_case(("sell", 10, big), ("buy", 10, 3), ("sell", 12, 4), resting=[big, 0, 4])
    case["expect"] = {"book": {"asks": [[10, big - 3, 1], [12, 4, 1]], "bids": []}}
    run_case(case, oracle)
    case["expect"]["book"]["asks"][0][1] = big - 4
    with pytest.raises(Failed, match="asks"):
        run_case(case, oracle)
    with pytest.raises(Skipped, match="beyond"):
        run_case(book_case(("sell", 10, big), ("buy", 9, big), resting=[big, big]), oracle)


def test_the_command_line_counts_and_fails(tmp_path, capsys):
    assert main([str(CASES)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{len(RUN)} passed, 0 failed, 0 skipped"
    case = load(RUN[0])
    case["steps"][0]["expect"]["result"] = "rejected"
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "wrong.json").write_text(json.dumps(case))
    (tmp_path / "torn.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    assert main([str(tmp_path), "-v"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "0 passed, 2 failed, 1 skipped"
    assert lines[0].startswith("failed  deep/wrong.json: step 0")
    assert main([str(tmp_path / "nowhere")]) == 2


def test_a_folder_without_cases_is_all_zeros(tmp_path, capsys):
    assert list(run_folder(tmp_path)) == []
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out == "0 passed, 0 failed, 0 skipped\n"


@pytest.mark.skipif("WELLHEAD_VECTORS" not in os.environ, reason="no folder of more cases given")
def test_all_core_cases_of_a_given_folder_pass():
    folder = Path(os.environ["WELLHEAD_VECTORS"])
    topics = (
        "orderbook", "time_in_force", "post_reduce_only", "amend", "self_trade", "iceberg",
        "pegged", "auction", "price_bands", "liquidation", "default_adl", "loss_socialisation",
        "settlement_price", "margin_account", "mark_to_market", "pretrade_margin",
        "portfolio_margin",
    )  # fmt: skip
    outcomes = [(outcome, topic) for topic in topics for outcome in run_folder(folder / topic)]
    left = [
        (topic, outcome)
        for outcome, topic in outcomes
        if outcome.result != "passed"
        and load(folder / topic / outcome.name)["conformance"] == "core"
    ]
    assert left == []
    assert outcomes
