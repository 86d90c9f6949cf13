"""The calendar of a contract says what the exchange will do, and iCalendar text is well formed."""

from datetime import date

import pytest

from exchange.rules.catalogue import listed_contracts
from exchange.rules.contract_calendar import calendar_of, listed_on
from exchange.rules.contracts import parse_symbol
from exchange.rules.ical import Entry, ical
from exchange.rules.tenors import DAY, Tenor, ns_of


def test_LIFE_008_a_contract_is_listed_on_the_day_that_its_calendar_says():
    start, seen = date(2026, 12, 1), {}
    for number in range(120):
        for contract in listed_contracts(start + number * DAY):
            seen.setdefault(contract, start + number * DAY)
    new = [(one, on) for one, on in seen.items() if on > start]
    assert len(new) > 200
    assert all(listed_on(one) <= on for one, on in new)
    later = [one for one, on in new if listed_on(one) != on]
    assert {one.period.tenor for one in later} == {Tenor.DAY}  # those of a month that is followed


@pytest.mark.parametrize(
    ("symbol", "ending", "expires"),
    [
        ("H100-USE-2027Q2", "cascade", ns_of(date(2027, 3, 29), 16)),
        ("H100-USE-2027M03", "cascade", ns_of(date(2027, 2, 26), 16)),
        ("H100-EUW-2027M03", "delivery", ns_of(date(2027, 4, 2), 12)),
        ("H100-USE-2027M03D17", "delivery", ns_of(date(2027, 3, 19), 12)),
    ],
)
def test_LIFE_008_what_becomes_of_a_contract_and_when_it_expires(symbol, ending, expires):
    days = calendar_of(parse_symbol(symbol))
    assert (days.ending, days.expires_ns) == (ending, expires)
    moments = [one.at_ns for one in days.moments()]
    assert moments == sorted(moments)


def test_lines_of_a_calendar_file_are_folded_escaped_and_read_back():
    summary = "é" * 60 + "; a, b\\c"
    text = ical("Test", [Entry("one@wellhead", ns_of(date(2027, 2, 26), 16), summary, "x")], 0)
    lines = text.split("\r\n")
    assert lines[-1] == "" and max(len(line.encode()) for line in lines) <= 75
    whole = text.replace("\r\n ", "").split("\r\n")
    assert "DTSTART:20270226T160000Z" in whole
    assert "SUMMARY:" + "é" * 60 + "\\; a\\, b\\\\c" in whole
