"""What is due when, and the tables and plots of a history."""

import csv
import io
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from exchange.rules.index.plots import SHEET, price_plot, raw_plot
from exchange.rules.index.prints import EMPTY, State, final_ns, published_ns
from exchange.rules.index.replay import (
    Group,
    Published,
    Replay,
    chain_findings,
    difference,
    document_findings,
    due_groups,
)
from exchange.rules.index.tables import heads_csv, history_csv
from tests.support.index_offers import FIRST, daily, days, offers_of, steady

NEXT = FIRST + timedelta(days=1)


def published(count=4, providers=6):
    offers = offers_of(daily(steady(providers, count)))
    replay = Replay(offers)
    return [
        one for day in days(count) for one in replay.go(Group(day, State.FINAL, 1, len(offers)))
    ]


@pytest.mark.parametrize(
    ("now_ns", "provisional", "due"),
    [
        (published_ns(FIRST) - 1, None, []),
        (published_ns(FIRST), None, [(FIRST, "provisional", 1)]),
        (published_ns(FIRST), FIRST, []),
        (final_ns(FIRST) - 1, FIRST, []),
        (final_ns(FIRST), FIRST, [(FIRST, "final", 2)]),
        (final_ns(FIRST), None, [(FIRST, "final", 1)]),
        (published_ns(NEXT), FIRST, [(FIRST, "final", 2), (NEXT, "provisional", 1)]),
        (final_ns(NEXT), FIRST, [(FIRST, "final", 2), (NEXT, "final", 1)]),
    ],
)
def test_INDX_013_what_is_due_follows_from_the_moment_and_what_there_is(now_ns, provisional, due):
    found = list(due_groups(now_ns, 9, FIRST, provisional))
    assert [(one.day, one.state, one.revision) for one in found] == due
    assert {one.observed_to for one in found} <= {9}


def test_a_day_that_is_over_is_not_computed_again():
    replay = Replay(offers_of(daily(steady(6, 3))))
    replay.go(Group(NEXT, State.FINAL, 1, 18))
    with pytest.raises(ValueError, match="any more"):
        replay.go(Group(FIRST, State.FINAL, 1, 18))
    with pytest.raises(ValueError, match="any more"):
        Replay([]).go(Group(FIRST, State.FINAL, 1, 0))
    with pytest.raises(ValueError, match="without observations"):
        assert Replay([]).first_day


def test_INDX_014_a_chain_names_the_print_that_was_changed_or_is_missing():
    rows = [one.row for one in published()]
    assert list(chain_findings(rows, EMPTY)) == []
    changed = [*rows[:2], rows[2]._replace(price_usd_micros=1), *rows[3:]]
    assert [one.place for one in chain_findings(changed)] == [
        f"print 3: H100-GLB {days(2)[1]} final"
    ]
    missing = list(chain_findings([*rows[:2], *rows[3:]]))
    assert [one.field for one in missing] == ["position"]


def test_INDX_012_a_document_that_was_changed_is_found():
    one = published()[0]
    assert list(document_findings(one.row.inputs, one.document)) == []
    assert list(document_findings(one.row.inputs, {**one.document, "tier": 1}))


def test_INDX_014_a_difference_names_the_first_observation_that_differs():
    one = published()[0]
    offers = [list(row) for row in one.document["offers"]]
    offers[3][4] += 1
    other = Published(one.row._replace(inputs="0" * 64), {**one.document, "offers": offers})
    found = list(difference(other, one))
    assert [finding.field for finding in found] == ["inputs", "usd_micros"]
    assert found[1].place.endswith("observation 4")
    fewer = Published(other.row, {**one.document, "offers": one.document["offers"][:3]})
    found = list(difference(fewer, one))
    assert [finding.field for finding in found] == ["inputs", "row"]
    assert found[1].place.endswith("observation 4")


def test_a_table_has_every_print_with_the_parts_of_its_move():
    rows = [one.row for one in published()]
    table = list(csv.DictReader(io.StringIO(history_csv(rows))))
    assert [line["name"] for line in table[:2]] == ["H100-GLB", "H100-USE"]
    assert table[0]["price"] == "2.125"
    heads = list(csv.DictReader(io.StringIO(heads_csv(rows))))
    assert [(line["day"], line["digest"]) for line in heads] == [("2026-03-04", rows[-1].digest)]


def test_a_plot_shades_days_without_a_quorum():
    rows = [one.row for one in published(20) if one.row.name == "H100-GLB"]
    assert "#f6e7e7" not in raw_plot("all days", rows)
    silent = [one._replace(step=3) if 5 <= at < 9 else one for at, one in enumerate(rows)]
    plot = price_plot("some days", [("H100", silent)])
    assert plot.count("#f6e7e7") == 1
    (line,) = ElementTree.fromstring(plot).iter("{http://www.w3.org/2000/svg}polyline")
    points = [tuple(map(int, point.split(","))) for point in line.attrib["points"].split()]
    right, bottom = SHEET.width - SHEET.right, SHEET.height - SHEET.bottom
    assert all(SHEET.left <= x <= right and SHEET.top <= y <= bottom for x, y in points)
    assert (points[0][0], points[-1][0]) == (SHEET.left, right)
