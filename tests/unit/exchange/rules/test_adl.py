"""Deleveraging: rank, solvency, flat accounts, and proofs that hold only for what happened."""

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from exchange.rules.adl import (
    Candidate,
    Closing,
    faults,
    faults_of_own,
    plan,
    room_lots,
    score,
    tag_of,
)

CLOSING = Closing(
    liquidation_id=77, round_no=1, symbol="H100", qty_lots=10, price_ticks=2_100,
    mark_ticks=2_000, tick_value_usd_micros=1_000, state_seq=500,
)  # fmt: skip


def candidate(account_id: int, qty: int, profit: int = 0, equity: int = 10**9) -> Candidate:
    value = qty * 2_000 * 1_000
    return Candidate(
        account_id=account_id, qty_lots=qty, entry_usd_micros=value - profit,
        value_usd_micros=value, equity_usd_micros=equity,
    )  # fmt: skip


def test_scores_of_winners_and_losers():
    assert score(profit=50, entry=100, value=1_000, equity=100) == 5_000_000
    assert score(profit=-50, entry=100, value=1_000, equity=100) == -50_000


def test_more_profit_and_more_leverage_close_first():
    calm, keen, poor = (
        candidate(1, -6, profit=10**6),
        candidate(2, -6, profit=2 * 10**6),
        candidate(3, -6, profit=10**6, equity=10**7),
    )
    proof, shares = plan(CLOSING, [calm, keen, poor])
    assert shares == {3: 6, 2: 4}
    assert [row.tag for row in proof.rows] == [tag_of(one, 77) for one in (3, 2, 1)]
    assert faults(proof) == [] and proof.left_lots == 0


def test_nobody_closes_into_insolvency():
    # The price is 100 ticks above the mark: a short that buys there loses 100,000 a lot.
    assert room_lots(candidate(1, -10, equity=350_000), CLOSING) == 3
    assert room_lots(candidate(1, -10, equity=0), CLOSING) == 0
    assert room_lots(candidate(1, -10, equity=-5), CLOSING) == 0
    better = replace(CLOSING, price_ticks=1_900)
    assert room_lots(candidate(1, -10, equity=-5), better) == 10  # the price makes it solvent
    assert room_lots(candidate(1, -1, equity=-200_000), better) == 0


def test_who_is_insolvent_closes_what_makes_it_solvent_or_nothing():
    closing = replace(CLOSING, qty_lots=-17, price_ticks=2_001)  # 1,000 a lot for who sells there
    first, poor, last = (
        candidate(1, 16, equity=10**6),
        candidate(2, 2, equity=-1_001),
        candidate(3, 2, equity=-1_002),
    )
    assert room_lots(poor, closing) == 2
    proof, shares = plan(closing, [first, poor, last])
    assert shares == {1: 16}  # one lot would leave either below zero
    assert proof.left_lots == 1 and faults(proof) == []
    proof, shares = plan(replace(closing, qty_lots=-18), [first, poor])
    assert shares == {1: 16, 2: 2}
    assert proof.left_lots == 0 and faults(proof) == []


CANDIDATES = st.lists(
    st.builds(
        candidate,
        st.integers(1, 10**6),
        st.integers(-20, 20),
        st.integers(-(10**7), 10**7),
        st.integers(-(10**6), 10**7),
    ),
    max_size=12,
    unique_by=lambda one: one.account_id,
)


@example([candidate(1, 16), candidate(3, 2, equity=-1_001)], -17, 2_001)
@given(CANDIDATES, st.integers(1, 40) | st.integers(-40, -1), st.integers(1_800, 2_200))
def test_flat_accounts_and_the_same_side_are_never_touched_and_every_proof_verifies(
    candidates, lots, price
):
    closing = replace(CLOSING, qty_lots=lots, price_ticks=price)
    proof, shares = plan(closing, candidates)
    assert faults(proof) == []
    assert sum(shares.values()) + proof.left_lots == abs(lots)
    for one in candidates:
        assert faults_of_own(proof, one) == []
        share = shares.get(one.account_id, 0)
        if one.qty_lots * lots >= 0:
            assert share == 0
            continue
        assert 0 <= share <= abs(one.qty_lots)
        sign = 1 if one.qty_lots > 0 else -1
        gain = sign * share * (price - closing.mark_ticks) * closing.tick_value_usd_micros
        assert share == 0 or one.equity_usd_micros + gain >= 0


def test_a_proof_that_was_changed_is_found():
    proof, _ = plan(CLOSING, [candidate(1, -6, profit=10**6), candidate(2, -6)])
    first, second = proof.rows
    wrong = {
        "order": replace(proof, rows=(second, first)),
        "shares": replace(proof, rows=(replace(first, share_lots=5), second)),
        "twice": replace(proof, rows=(first, first)),
        "left": replace(proof, left_lots=1),
        "holds": replace(proof, rows=(replace(first, held_lots=5), second)),
    }
    for word, changed in wrong.items():
        assert any(word in fault for fault in faults(changed)), word
        assert changed.digest() != proof.digest()


def test_an_account_finds_its_own_row_wrong_or_missing():
    own = candidate(1, -6, profit=10**6)
    proof, _ = plan(CLOSING, [own, candidate(2, -6)])
    assert faults_of_own(proof, replace(own, equity_usd_micros=10**8)) == ["the score is another"]
    assert faults_of_own(proof, candidate(3, -1)) == ["the account is missing"]
    assert faults_of_own(proof, candidate(3, 1)) == []
