"""A settlement is proved from its bundle alone, and every change of it is named."""

import copy
import json
from collections.abc import Callable

import pytest

from exchange.rules.final_bundle import bundle_of
from exchange.rules.final_proof import Proof, prove
from exchange.rules.final_settlement import accrues_ns
from exchange.rules.index.panel import digest_of as document_digest
from exchange.rules.index.prints import digest_of, print_document, print_of_document
from tests.support.final_week import Json, week, whole


def proof(change: Callable[[Json], None] = lambda _: None) -> Proof:
    document = json.loads(whole())
    change(document)
    return prove(bundle_of(document))


def print_at(document: Json, at: int) -> Json:
    """Return a print of the week, from the first."""
    return finals(document)[at]


def finals(document: Json) -> list[Json]:
    wanted = ("H100-USE", "final")
    return [one for one in document["chain"][1:] if (one["name"], one["state"]) == wanted]


def test_FNST_005_a_sound_bundle_is_computed_again_to_the_last_micro_dollar() -> None:
    found = proof()
    assert found.faults == []
    assert (found.prints, found.recomputed, found.accruals, found.flows) == (7, 7, 9, 9)
    assert found.chained == len(json.loads(whole())["chain"]) - 1
    prices = [one["price_usd_micros"] for one in finals(json.loads(whole()))]
    assert len(set(prices)) > 3
    assert found.price_usd_micros == round(sum(prices) / 7 / 100) * 100
    said = json.loads(whole())["settlement"]
    assert said["state"] == "final"
    assert sum(float(one["change"]) for one in said["accruals"]) == pytest.approx(
        float(said["final_price"]) * 168 - 336
    )


CHANGES: dict[str, tuple[Callable[[Json], None], str]] = {
    "a price": (
        lambda d: print_at(d, 2).update(price_usd_micros=2_000_001),
        "H100-USE 2026-03-04 final, content or digest",
    ),
    "a digest": (
        lambda d: print_at(d, 4).update(digest="ab" * 32),
        "H100-USE 2026-03-06 final, content or digest",
    ),
    "a print that is left out": (lambda d: d["chain"].pop(7), "position: expected print"),
    "an offer": (
        lambda d: d["documents"][print_at(d, 1)["inputs"]]["offers"][0].__setitem__(4, 9),
        "document: expected " ,
    ),
    "a constituent's document": (
        lambda d: d["documents"].pop(print_at(d, 1)["inputs"]), "found none",
    ),
    "what a lot is worth": (
        lambda d: d["settlement"]["accruals"][3].update(worth="336.50"),
        "settlement 4, worth of a lot",
    ),
    "what a lot is worth as delivery begins": (
        lambda d: d["settlement"]["accruals"][0].update(worth="336.000001"),
        "settlement 1, worth of a lot",
    ),
    "cash": (
        lambda d: d["settlement"]["accruals"][5].update(change="0.01"),
        "settlement 6, cash of a lot",
    ),
    "the digest of an accrual": (
        lambda d: d["settlement"]["accruals"][2].update(digest="00" * 32),
        "settlement 3, digest of its prints",
    ),
    "a day more": (
        lambda d: d["settlement"]["accruals"][1].update(days_fixed=8), "settlement 2, days fixed",
    ),
    "an accrual that is left out": (
        lambda d: d["settlement"]["accruals"].pop(4), "settlement 6, ordinal",
    ),
    "final too early": (
        lambda d: d["settlement"]["accruals"][8].update(
            ts_ns=str(accrues_ns(week()[-1]))), "settlement 9, final when it may be",
    ),
    "before its print": (
        lambda d: d["settlement"]["accruals"][3].update(ts_ns="1"), "not before its print",
    ),
    "the price": (
        lambda d: d["settlement"].update(final_price="2.0001"),
        "final settlement, H100-USE-2026W10",
    ),
    "the period": (lambda d: d["settlement"].update(period_start="2026-03-03"), "first day"),
    "the rules": (lambda d: d["settlement"].update(rules_version="2"), "rules version"),
    "no accrual": (lambda d: d["settlement"].update(accruals=[]), "one at least"),
    "no chain": (lambda d: d.update(chain=[]), "a final print of 2026-03-02"),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGES)
def test_FNST_005_one_change_is_named(what: str) -> None:
    change, words = CHANGES[what]
    faults = list(map(str, proof(change).faults))
    assert any(words in fault for fault in faults), faults
    if what in ("a price", "a digest"):
        assert words in faults[0]


def chained_again(document: Json) -> None:
    """Give all prints the digests that a forger of the whole chain would give."""
    before = document["chain"][0]["digest"]
    for row in document["chain"][1:]:
        row["digest"] = before = digest_of(before, print_of_document(row))


def test_FNST_005_who_forges_the_chain_is_found_by_the_settlements() -> None:
    def forge(document: Json) -> None:
        print_at(document, 6).update(price_usd_micros=2_500_000)
        chained_again(document)

    faults = list(map(str, proof(forge).faults))
    assert "2026-03-08 final, price" in faults[0]  # not what its own parts add up to
    assert any("settlement 8, digest of its prints" in fault for fault in faults)


def test_INDX_018_a_panel_that_gives_another_price_is_found_though_its_hash_is_right() -> None:
    def forge(document: Json) -> None:
        row = print_at(document, 3)
        panel = copy.deepcopy(document["documents"][row["inputs"]])
        for offer in panel["offers"]:
            offer[4] += 5_000
        row["inputs"] = document_digest(panel)
        document["documents"][row["inputs"]] = panel
        chained_again(document)

    faults = list(map(str, proof(forge).faults))
    assert "2026-03-05 final, raw price" in faults[0]


def test_INDX_018_weights_are_those_of_the_method() -> None:
    def forge(document: Json) -> None:
        row = print_at(document, 3)
        panel = copy.deepcopy(document["documents"][row["inputs"]])
        panel["offers"][3][5] += 1
        row["inputs"] = document_digest(panel)
        document["documents"][row["inputs"]] = panel
        chained_again(document)

    assert "2026-03-05 final, weights" in str(proof(forge).faults[0])


def test_a_delivery_that_goes_on_is_proved_as_far_as_it_is() -> None:
    def cut(document: Json) -> None:
        said = document["settlement"]
        said["accruals"] = said["accruals"][:4]
        said.update(state="delivery", final_price=None)

    found = proof(cut)
    assert (found.faults, found.accruals, found.price_usd_micros) == ([], 4, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format="other"),
        lambda d: d.pop("chain"),
        lambda d: d["settlement"].update(symbol="X"),
        lambda d: d["settlement"].update(accruals=[1]),
        lambda d: d["settlement"]["accruals"][0].update(ordinal=1.0),
        lambda d: d["settlement"]["accruals"][0].update(worth="1e3"),
        lambda d: d["settlement"]["accruals"][0].update(paid=None),
        lambda d: d["chain"][3].update(price_usd_micros="2"),
        lambda d: d["chain"][3].update(day="2026-02-30"),
        lambda d: d["chain"][3].update(digest="zz" * 32),
        lambda d: d["chain"][3].update(digest="ab"),
        lambda d: d.update(chain={"a": 1}),
        lambda d: d.update(documents=7),
    ],
)
def test_what_is_no_bundle_is_refused(change: Callable[[Json], object]) -> None:
    document = json.loads(whole())
    change(document)
    with pytest.raises(ValueError):
        bundle_of(document)


@pytest.mark.parametrize(
    "panel",
    [
        {},
        {"offers": [[1]]},
        {"offers": 3},
        {"offers": [[1, "p", "r", 8, 5, 5, "counted", "zz"]]},
        {"mean_of": []},
        [],
        7,
    ],
)
def test_documents_of_another_form_are_faults(panel: object) -> None:
    def forge(document: Json) -> None:
        row = print_at(document, 3)
        row["inputs"] = document_digest(panel)  # type: ignore[arg-type]
        document["documents"][row["inputs"]] = panel
        chained_again(document)

    assert "2026-03-05 final" in str(proof(forge).faults[0])


def test_a_print_that_is_written_twice_is_a_fault() -> None:
    def again(document: Json) -> None:
        last = print_of_document(document["chain"][-1])
        document["chain"].append(print_document(last._replace(position=last.position + 1)))
        chained_again(document)

    assert "day: expected after 2026-03-08" in str(proof(again).faults[0])
