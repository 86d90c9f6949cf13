"""Tables on a screen of eighty columns: what people act on is never cut."""

import sys

import pytest
from rich.console import Console

from tests.unit.wellhead.fakes import FakeRest, order_of, wellhead
from wellhead.cli import out
from wellhead.cli.exits import Exit
from wellhead.cli.tables import TOO_NARROW
from wellhead.credentials import write_profile
from wellhead.signing import Credentials

pytestmark = pytest.mark.usefixtures("trader")

SYMBOL = "H100-SXM.C-EUW-2027M12"
ORDER = order_of({"symbol": SYMBOL, "side": "sell", "quantity": "1000", "price": "62.150"}) | {
    "order_id": "92650175611234567",
    "client_order_id": "wh-294c6444551ff65ea9672359",
    "average_price": "62.1500001",
    "status": "cancelled",
    "reason": "cancelled_by_mass_cancel",
}
POSITION = {
    "symbol": SYMBOL, "quantity": "-123456", "side": "short", "average_entry_price": "62.1234567",
    "mark_price": "62.150", "value": "1", "unrealised_pnl": "-1234567.890123",
    "realised_pnl": "1234567.01", "unsettled_pnl": "-7654321.098765", "open_buy_quantity": "4321",
    "open_sell_quantity": "8765",
}  # fmt: skip
BALANCE = {
    "asset": "USD", "cash": "123456789.123456", "unsettled_pnl": "-23456789.123456",
    "equity": "103456789.654321", "initial_margin": "93456789.000001", "price_loss": "11.5",
    "free": "83456789.999999",
}  # fmt: skip
FILL = {
    "ts": 1795319822357, "symbol": SYMBOL, "side": "buy", "price": "62.150", "quantity": "1000",
    "role": "taker", "fee": "0.00", "order_id": "92650175611234567", "seq": 88361234,
    "trade_id": "88361234-0", "contract_id": 1,
}  # fmt: skip
ENTRY = {
    "ts": 1795319822357, "reason": "variation", "symbol": SYMBOL, "amount": "-1234567.890123",
    "balance": "123456789.123456", "seq": 88361234,
}  # fmt: skip
SHOWN = {
    "orders": (
        {"orders": [ORDER], "seq": 1},
        ("92650175611234567", SYMBOL, "1000", "62.150", "cancelled"),
    ),
    "positions": (
        {"positions": [POSITION], "seq": 1},
        (SYMBOL, "-123456", "62.1234567", "62.150", "-1,234,567.890123"),
    ),
    "balances": (
        {"balances": [BALANCE], "seq": 1},
        ("123,456,789.123456", "103,456,789.654321", "93,456,789.000001", "83,456,789.999999"),
    ),
    "fills": (
        {"fills": [FILL], "seq": 1},
        (SYMBOL, "62.150", "1000", "92650175611234567"),
    ),
    "ledger": (
        {"entries": [ENTRY], "seq": 1},
        (SYMBOL, "-1,234,567.890123", "123,456,789.123456", "variation"),
    ),
}


@pytest.fixture
def narrow(monkeypatch):
    """Stand before a screen of eighty columns."""

    def console(*, stderr=False):
        stream = sys.stderr if stderr else sys.stdout
        return Console(file=stream, width=80, highlight=False, color_system=None)

    monkeypatch.setattr(out, "console", console)


@pytest.mark.parametrize("name", SHOWN)
def test_numbers_ids_and_symbols_are_whole_in_eighty_columns(name, narrow, capsys):
    answer, texts = SHOWN[name]
    with FakeRest((200, answer)) as fake:
        assert wellhead(fake, name) == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)
    words = " ".join(lines).split()
    assert [text for text in texts if text not in words] == []


@pytest.mark.parametrize("name", SHOWN)
def test_a_pipe_gets_every_column_on_one_line(name, capsys):
    answer, texts = SHOWN[name]
    with FakeRest((200, answer)) as fake:
        assert wellhead(fake, name) == Exit.OK
    said = capsys.readouterr().out
    assert TOO_NARROW not in said
    (row,) = (line for line in said.splitlines() if texts[0] in line)
    assert [text for text in texts if text not in row] == []


def test_what_is_left_out_is_named(narrow, capsys):
    usual = ORDER | {"order_id": "9265217561", "symbol": "H100-USE-2027M03", "price": "2.150"}
    with FakeRest((200, {"orders": [usual], "seq": 1})) as fake:
        wellhead(fake, "orders")
    said = capsys.readouterr().out
    assert {"9265217561", "H100-USE-2027M03", "2.150", "cancelled"} <= set(said.split())
    assert TOO_NARROW in " ".join(said.split())
    assert "client id" in said and "wh-294c" not in said


def test_nothing_is_left_out_where_all_of_it_fits(narrow, capsys):
    out.show(out.table(("client id", "seq>"), [("a", 7)]))
    said = capsys.readouterr().out
    assert TOO_NARROW not in said and "client id" in said and "7" in said


def test_a_row_that_cannot_fit_becomes_lines_and_loses_nothing(narrow, capsys):
    rows = [("x" * 60, "z" * 50, None), ("x" * 20, "z" * 10, 7)]
    out.show(out.table(("symbol", "status", "lots>"), rows))
    words = capsys.readouterr().out.split()
    assert words == ["symbol", "x" * 60, "status", "z" * 50, "symbol", "x" * 20, "status",
                     "z" * 10, "lots", "7"]  # fmt: skip


def test_cells_wrap_between_words_before_a_row_becomes_lines(narrow, capsys):
    out.show(out.table(("time (UTC)", "symbol"), [("2026-11-22 03:56:59.815", "x" * 60)]))
    words = capsys.readouterr().out.split()
    assert "x" * 60 in words and "2026-11-22" in words and "03:56:59.815" in words


def test_a_table_without_rows_has_its_headings(narrow, capsys):
    out.show(out.table(("symbol", "lots>"), []))
    assert capsys.readouterr().out.split()[:2] == ["symbol", "lots"]


def test_a_long_value_of_a_pair_wraps_and_loses_nothing(narrow, capsys):
    out.show(out.pairs({"state hash": "ab" * 64}))
    assert "".join(capsys.readouterr().out.split()).count("ab") == 64


def test_the_names_of_accounts_give_way_to_their_ids(tmp_path, narrow, capsys):
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    account = {
        "account_id": "simulated-maker-with-a-long-name", "name": "SIMULATED: a long name",
        "kind": "simulated", "state": "active", "cash": "100000000.00", "created_ts": 1795319822357,
    }  # fmt: skip
    with FakeRest((200, {"accounts": [account]})) as fake:
        assert wellhead(fake, "accounts", "list") == Exit.OK
    words = capsys.readouterr().out.split()
    assert account["account_id"] in words and "100,000,000.00" in words
