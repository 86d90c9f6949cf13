"""Findings name the row, the field, what should be there and what is."""

from exchange.rules.clearing_rows import BalanceRow
from exchange.rules.core_books import CoreBooks, books_differ
from exchange.rules.findings import ABSENT, rows_differ

ONE, TWO = BalanceRow(1, 1, 10, 5), BalanceRow(2, 3, -10, 5)
KEYS = ("ledger_account_id",)


def differences(expected, found):
    return list(rows_differ("balance", KEYS, {r[0]: r for r in expected}, {r[0]: r for r in found}))


def test_equal_rows_differ_in_nothing():
    assert differences([ONE, TWO], [TWO, ONE]) == []


def test_each_field_that_differs_is_named():
    found = differences([ONE], [ONE._replace(version=9, balance_usd_micros=11)])
    assert [(f.place, f.field, f.expected, f.found) for f in found] == [
        ("ledger_account_id 1", "version", "1", "9"),
        ("ledger_account_id 1", "balance_usd_micros", "10", "11"),
    ]
    assert str(found[0]) == "balance, ledger_account_id 1, version: expected 1, found 9"


def test_missing_and_extra_rows_are_named_whole():
    missing, extra = differences([ONE], [TWO])
    assert (missing.field, missing.found) == ("row", ABSENT)
    assert (extra.field, extra.expected) == ("row", ABSENT)
    assert "balance_usd_micros -10" in extra.found


def test_books_differ_where_a_number_does_and_absent_is_zero():
    core = CoreBooks({0: 5, 1: 0}, {(0, 0): 3}, {0: 7}, {(0, "BTC"): 2}, {0: 12})
    assert list(books_differ(core, CoreBooks({0: 5}, {(0, 0): 3}, {0: 7}, {(0, "BTC"): 2}))) == []
    ledger = CoreBooks({0: 6}, {(0, 0): 3, (0, 1): -1}, {1: 7}, {(0, "UST"): 2}, {0: 13})
    found = list(books_differ(core, ledger))
    assert [str(f) for f in found] == [
        "cash of account 0: the core has 5, the ledger 6",
        "lots of account 0 in contract 1: the core has 0, the ledger -1",
        "collateral counted of account 0: the core has 7, the ledger 0",
        "collateral counted of account 1: the core has 0, the ledger 7",
        "units of account 0 in BTC: the core has 2, the ledger 0",
        "units of account 0 in UST: the core has 0, the ledger 2",
        "equity of account 0: the core has 12, the ledger 13",
    ]
