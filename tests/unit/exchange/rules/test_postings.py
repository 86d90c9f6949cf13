"""Double entry: transfers sum to zero, versions run on, variation margin passes through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.clearing_rows import BalanceRow, LedgerAccountRow
from exchange.rules.postings import DEPOSITS_ID, HOUSE_ACCOUNTS, SETTLEMENT_ID, Books

FIRST_CASH_ID = 3


def books(accounts: int = 3) -> Books:
    found = Books()
    for account_idx in range(accounts):
        found.open_cash(account_idx)
    found.clear()
    return found


def lines(found: Books) -> list[tuple]:
    reasons = {t.transfer_id: t.reason for t in found.transfers}
    return [
        (reasons[p.transfer_id], p.ledger_account_id, p.amount_usd_micros) for p in found.postings
    ]


def test_a_deposit_moves_money_from_the_bank_to_the_account():
    found = books()
    found.move_cash(7, 1, 500, 42, 9)
    assert found.transfers == [(1, 7, 0, "deposit", 42, 9)]
    assert lines(found) == [
        ("deposit", DEPOSITS_ID, -500),
        ("deposit", FIRST_CASH_ID + 1, 500),
    ]
    assert found.cash_usd_micros(1) == 500


def test_a_withdrawal_is_the_same_the_other_way():
    found = books()
    found.move_cash(7, 1, 500, 1, 0)
    found.move_cash(8, 1, -200, 2, 0)
    assert found.transfers[1].reason == "withdrawal"
    assert [(p.version, p.balance_usd_micros) for p in found.postings] == [
        (1, -500),
        (1, 500),
        (2, -300),
        (2, 300),
    ]


def test_variation_is_collected_before_it_is_paid_and_settlement_ends_empty():
    found = books()
    for account_idx, amount in ((0, 30), (1, -50), (2, 20)):
        found.add_variation(5, account_idx, amount, 1)
    found.flush()
    assert [t[1:4] for t in found.transfers] == [
        (5, 0, "variation_collect"),
        (5, 1, "variation_pay"),
    ]
    assert lines(found) == [
        ("variation_collect", SETTLEMENT_ID, 50),
        ("variation_collect", FIRST_CASH_ID + 1, -50),
        ("variation_pay", SETTLEMENT_ID, -50),
        ("variation_pay", FIRST_CASH_ID, 30),
        ("variation_pay", FIRST_CASH_ID + 2, 20),
    ]
    settlement = [p for p in found.postings if p.ledger_account_id == SETTLEMENT_ID]
    assert [p.balance_usd_micros for p in settlement] == [50, 0]


def test_settlements_of_one_batch_are_netted_per_account():
    found = books()
    for seq, amount in ((5, 30), (6, -80)):
        found.add_variation(seq, 0, amount, 1)
        found.add_variation(seq, 1, -amount, 1)
    found.flush()
    assert [t.seq for t in found.transfers] == [6, 6]
    assert lines(found)[1::2] == [
        ("variation_collect", FIRST_CASH_ID, -50),
        ("variation_pay", FIRST_CASH_ID + 1, 50),
    ]


def test_settlements_that_net_to_nothing_leave_no_transfer():
    found = books()
    for amount in (30, -30):
        found.add_variation(5, 0, amount, 1)
        found.add_variation(5, 1, -amount, 1)
    found.flush()
    assert found.transfers == [] and found.postings == []


def test_cash_of_the_moment_includes_what_is_still_netted():
    found = books()
    found.add_variation(5, 0, 30, 1)
    assert found.cash_usd_micros(0) == 30


def test_a_movement_of_cash_posts_pending_variation_first():
    found = books()
    found.add_variation(5, 0, 30, 1)
    found.add_variation(5, 1, -30, 1)
    found.move_cash(6, 0, -30, 1, 2)
    assert [t.reason for t in found.transfers] == [
        "variation_collect",
        "variation_pay",
        "withdrawal",
    ]
    assert found.postings[-1].balance_usd_micros == 0


def test_variation_that_does_not_sum_to_zero_is_our_bug():
    found = books()
    found.add_variation(5, 0, 30, 1)
    with pytest.raises(AssertionError, match="sum to zero"):
        found.flush()


def test_stored_accounts_and_balances_go_on_where_they_were():
    accounts = [*HOUSE_ACCOUNTS, LedgerAccountRow(3, "cash:0", 0)]
    found = Books(accounts, transfer_id=9)
    found.set_balance(BalanceRow(1, 4, -700, 0))
    found.set_balance(BalanceRow(3, 4, 700, 0))
    found.open_cash(1)
    found.move_cash(50, 0, 5, 1, 1)
    assert found.opened == [(4, "cash:1", 1)]
    assert found.transfers[0].transfer_id == 10
    assert [(p.version, p.balance_usd_micros) for p in found.postings] == [(5, -705), (5, 705)]
    assert found.balances() == [(1, 5, -705, 50), (3, 5, 705, 50)]


MOVES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(-(1 << 53), 1 << 53).filter(bool), st.booleans())
)


@given(MOVES)
def test_all_balances_always_sum_to_zero_and_versions_are_unbroken(moves):
    found = books()
    for seq, (account_idx, amount, settles) in enumerate(moves, 1):
        if settles:
            found.add_variation(seq, account_idx, amount, seq)
            found.add_variation(seq, (account_idx + 1) % 3, -amount, seq)
        else:
            found.move_cash(seq, account_idx, amount, seq, seq)
    found.flush()
    balances = found.all_balances()
    assert sum(balance for _, balance in balances.values()) == 0
    assert balances[SETTLEMENT_ID][1] == 0
    for ledger_id, (version, balance) in balances.items():
        mine = [p for p in found.postings if p.ledger_account_id == ledger_id]
        assert [p.version for p in mine] == list(range(1, version + 1))
        assert sum(p.amount_usd_micros for p in mine) == balance
    for transfer in found.transfers:
        legs = [p for p in found.postings if p.transfer_id == transfer.transfer_id]
        assert sum(p.amount_usd_micros for p in legs) == 0 and len(legs) >= 2


def test_fees_are_the_houses_income_and_rebates_go_out_of_it():
    found = books()
    found.charge(7, 1, 500, 1, 42, 9)
    found.charge(8, 0, -200, 4, 43, 9)
    assert [t.reason for t in found.transfers] == ["trading_fee", "rebate"]
    (opened,) = found.opened
    assert (opened.code, opened.account_idx) == ("fees:usd", None)
    assert (found.cash_usd_micros(1), found.cash_usd_micros(0)) == (-500, 200)
    assert found.all_balances()[opened.ledger_account_id] == (2, 300)


def test_cash_between_accounts_leaves_the_bank_alone():
    found = books()
    found.send_cash(7, 0, 2, 30, 1, 9)
    assert (found.cash_usd_micros(0), found.cash_usd_micros(2)) == (-30, 30)
    assert found.all_balances()[DEPOSITS_ID] == (0, 0)


def test_each_asset_sums_to_zero_by_itself_from_deposit_to_payment():
    found = books()
    for seq, (asset, move, units) in enumerate(
        [(5, 1, 100), (2, 1, 70), (5, 2, 60), (5, 3, 40), (5, 4, 20)], 7
    ):
        found.move_asset(seq, 1, asset, move, units, seq, 9)
    sums: dict[str, int] = {}
    codes = {row.ledger_account_id: row.code for row in found.opened}
    for ledger_id, (_, balance) in found.all_balances().items():
        if ledger_id in codes:
            symbol = codes[ledger_id].split(":")[1]
            sums[symbol] = sums.get(symbol, 0) + balance
    assert sums == {"BTC": 0, "USDC": 0}
    assert found.all_units() == {(1, "BTC"): 60, (1, "USDC"): 70}
    assert sum(balance for _, balance in found.all_balances().values()) == 0
    for transfer in found.transfers:
        touched = {
            codes[p.ledger_account_id].split(":")[1]
            for p in found.postings
            if p.transfer_id == transfer.transfer_id
        }
        assert len(touched) == 1, "a transfer of two assets"
