"""Receipts: deeds, the chain, metering; CDR_001 to CDR_015 of docs/delivery.md."""

import random
from dataclasses import replace

import pytest

from exchange.rules.delivery import claims, deeds
from exchange.rules.delivery.deeds import ESCROW, Payment, Purpose, Refused
from exchange.rules.delivery.metering import (
    GRACE_HOURS,
    Hour,
    assess,
    due_usd_micros,
    fault,
    gaps,
    is_due,
    missing_s,
)
from exchange.rules.delivery.receipts import (
    NOBODY,
    Change,
    Head,
    Status,
    bond_min_usd_micros,
    chained,
    first_broken,
    receipt_of,
)
from exchange.rules.layers import NO_FUNDS, Funds
from tests.support.receipts import (
    BUYER,
    ISSUER,
    OTHER,
    PRICE,
    START,
    at,
    reading,
    receipt,
    redeemed,
)

NOW = START - 10


def after(deed):
    return deed.changes[0].receipt


def refusal(call, *args) -> str:
    with pytest.raises(Refused) as found:
        call(*args)
    assert found.value.detail
    return found.value.code


def test_a_receipt_is_worth_its_gpu_hours_and_reads_back_as_it_was():
    one = receipt(shares=((OTHER, 2_500),))
    assert (one.gpu_hours, one.value_usd_micros) == (2 * 8 * 48, 768 * PRICE)
    assert receipt_of(one.to_json()) == one


def test_the_bond_is_at_least_15_percent_rounded_up():
    assert receipt().bond_usd_micros == 768 * PRICE * 15 // 100
    assert [bond_min_usd_micros(value) for value in (0, 1, 100, 101)] == [0, 1, 15, 16]


def test_issuing_asks_for_the_bond_and_a_node_is_sold_once():
    one = receipt(status=Status.BONDING)
    deed = deeds.issue(one, [])
    assert deed.payments == (Payment(Purpose.BOND, 0, ISSUER, ESCROW, one.bond_usd_micros),)
    later = receipt(start_hour=START + 48, end_hour=START + 50)
    free = [later, receipt(nodes=("n3",)), receipt(status=Status.SPLIT)]
    assert deeds.issue(one, free).payments
    overlapping = receipt(nodes=("n2",), start_hour=START + 47, end_hour=START + 99)
    assert refusal(deeds.issue, one, [*free, overlapping]) == "receipt_overlaps"


def test_what_the_core_says_of_a_bond_decides_the_receipt():
    one = receipt(status=Status.BONDING)
    bond = deeds.issue(one, []).payments[0]
    assert after(deeds.answered(one, bond, True)).status == Status.ACTIVE
    void = after(deeds.answered(one, bond, False))
    assert (void.status, void.bond_left_usd_micros) == (Status.VOID, 0)


def test_only_the_holder_acts_and_only_on_an_active_receipt():
    one = receipt(holder_idx=BUYER)
    calls = [
        (deeds.transfer, OTHER), (deeds.pledge, OTHER), (deeds.offer, OTHER, 5),
        (deeds.split_hours, START + 1), (deeds.split_nodes, ["n1"]), (deeds.redeem, NOW),
    ]  # fmt: skip
    for call, *args in calls:
        assert refusal(call, one, ISSUER, *args) == "receipt_not_yours"
        for status in set(Status) - {Status.ACTIVE}:
            assert refusal(call, replace(one, status=status), BUYER, *args) == "receipt_state"
        assert call(one, BUYER, *args).changes
    for call, *args in calls[:3]:
        assert refusal(call, one, BUYER, BUYER, *args[1:]) == "receiver_is_self"


def test_a_pledge_is_freed_by_the_pledgee_alone():
    pledged = after(deeds.pledge(receipt(holder_idx=BUYER), BUYER, OTHER))
    assert refusal(deeds.transfer, pledged, BUYER, ISSUER) == "receipt_state"
    assert refusal(deeds.unpledge, pledged, BUYER) == "receipt_not_yours"
    assert after(deeds.unpledge(pledged, OTHER)) == receipt(holder_idx=BUYER)
    assert refusal(deeds.unpledge, receipt(), OTHER) == "receipt_not_yours"


def test_receipt_and_price_change_hands_together():
    offered = after(deeds.offer(receipt(), ISSUER, NOBODY, 1_000))
    paying = deeds.buy(offered, BUYER, 1_000, NOW)
    assert paying.payments == (Payment(Purpose.PRICE, 1, BUYER, ESCROW, 1_000),)
    locked = after(paying)
    assert (locked.holder_idx, locked.status) == (ISSUER, Status.PAYING)
    assert refusal(deeds.buy, locked, OTHER, 1_000, NOW) == "receipt_state"
    assert refusal(deeds.withdraw, locked, ISSUER) == "receipt_state"
    sold = deeds.answered(locked, paying.payments[0], True)
    assert (after(sold).holder_idx, after(sold).status) == (BUYER, Status.ACTIVE)
    assert [(one.to_idx, one.amount_usd_micros) for one in sold.payments] == [(ISSUER, 1_000)]
    again = after(deeds.answered(locked, paying.payments[0], False))
    assert (again.status, again.holder_idx) == (Status.OFFERED, ISSUER)
    second = deeds.buy(again, OTHER, 1_000, NOW)
    assert second.payments[0].place == 2  # its own payment, not the one that was refused


def test_an_offer_to_one_is_nobody_elses_and_at_its_price():
    offered = after(deeds.offer(receipt(), ISSUER, BUYER, 1_000))
    assert refusal(deeds.buy, offered, OTHER, 1_000, NOW) == "receipt_not_offered"
    assert refusal(deeds.buy, offered, ISSUER, 1_000, NOW) == "receipt_not_offered"
    assert refusal(deeds.buy, offered, BUYER, 999, NOW) == "receipt_price_differs"
    assert refusal(deeds.buy, offered, BUYER, 1_000, START + 48) == "receipt_over"
    assert refusal(deeds.offer, receipt(), ISSUER, BUYER, 0) == "amount_not_positive"
    assert after(deeds.withdraw(offered, ISSUER)) == receipt()


def test_what_the_issuer_earns_is_shared_to_the_last_micro_dollar():
    rng = random.Random(7)
    for _ in range(200):
        ask, bps = rng.randrange(1, 10**9), rng.randrange(1, 5_000)
        shared = ((OTHER, bps), (7, rng.randrange(1, 5_000)))
        one = receipt(shares=shared, status=Status.PAYING, buyer_idx=BUYER, ask_usd_micros=ask)
        paid = deeds.sold(one).payments
        assert sum(part.amount_usd_micros for part in paid) == ask
        assert len({part.place for part in paid}) == len(paid)
        resold = deeds.sold(replace(one, holder_idx=3)).payments
        assert [(part.to_idx, part.amount_usd_micros) for part in resold] == [(3, ask)]


def test_any_splits_keep_every_gpu_hour_and_the_whole_bond():
    rng = random.Random(5)
    for _ in range(60):
        nodes = tuple(f"n{at}" for at in range(rng.randrange(1, 7)))
        whole = receipt(nodes=nodes, end_hour=START + rng.randrange(2, 50))
        live = [replace(whole, bond_left_usd_micros=(bond := rng.randrange(1, 10**9)),
                        bond_usd_micros=bond)]  # fmt: skip
        for _ in range(6):
            one = live.pop(rng.randrange(len(live)))
            try:
                if rng.random() < 0.5:
                    hour = rng.randrange(one.start_hour, one.end_hour)
                    deed = deeds.split_hours(one, ISSUER, hour)
                else:
                    some = rng.sample(one.nodes, rng.randrange(1, len(one.nodes) + 1))
                    deed = deeds.split_nodes(one, ISSUER, some)
            except Refused:
                live.append(one)
                continue
            gone, *parts = (change.receipt for change in deed.changes)
            assert (gone.status, gone.bond_left_usd_micros, len(parts)) == (Status.SPLIT, 0, 2)
            live += parts
        cells = [
            (n, h) for one in live for n in one.nodes for h in range(one.start_hour, one.end_hour)
        ]
        assert len(cells) == len(set(cells)) == whole.gpu_hours // 8
        assert sum(one.bond_left_usd_micros for one in live) == bond
        assert len({one.receipt_id for one in live}) == len(live)


@pytest.mark.parametrize("nodes", [[], ["n1", "n2"], ["n3"], ["n1", "n1"]])
def test_a_split_leaves_something_on_both_sides(nodes):
    assert refusal(deeds.split_nodes, receipt(), ISSUER, nodes) == "split_invalid"
    for hour in (START - 1, START, START + 48):
        assert refusal(deeds.split_hours, receipt(), ISSUER, hour) == "split_invalid"


def test_hours_are_owed_from_the_redemption_on():
    one = receipt(holder_idx=BUYER)
    assert after(deeds.redeem(one, BUYER, NOW)).assessed_hour == START
    assert after(deeds.redeem(one, BUYER, START + 3)).assessed_hour == START + 4
    assert refusal(deeds.redeem, one, BUYER, START + 47) == "receipt_over"
    assert refusal(deeds.redeem, receipt(), ISSUER, NOW) == "receipt_issuer_holds"


def test_the_chain_says_where_it_was_changed():
    changes = [
        Change("issued", receipt()),
        Change("bonded", receipt()),
        Change("closed", receipt()),
    ]
    events = chained(changes, 5, Head(0, bytes(32)))
    assert first_broken(events) is None
    for place in range(3):
        for change in ({"kind": "x"}, {"ts_ns": 6}, {"note": "x"}, {"body": "{}"},
                       {"digest": bytes(32)}):  # fmt: skip
            wrong = [*events]
            wrong[place] = wrong[place]._replace(**change)
            assert first_broken(wrong) == place + 1
    assert first_broken(events[1:]) == 2


def test_a_reading_that_cannot_be_true_is_named():
    end = at(START + 1)
    good = reading()
    assert fault(good, 8, end) is None
    assert fault(good, 8, end - 1) == "hour_not_over"
    assert fault(good, 8, at(START + 1 + GRACE_HOURS)) == "hour_too_old"
    wrong = {
        "uptime_invalid": {"uptime_s": 3_601}, "load_factor_invalid": {"load_factor_bps": 10_001},
        "gpu_hours_impossible": {"gpu_hours_milli": 8_001}, "kwh_impossible": {"kwh_milli": -1},
    }  # fmt: skip
    for reason, change in wrong.items():
        assert fault(good._replace(**change), 8, end) == reason


def test_missing_seconds_follow_uptime_sla_and_load_factor():
    one = redeemed(load_factor_bps=8_000)
    cases = [(reading(), 0), (reading(uptime_s=3_564), 0), (reading(uptime_s=3_563), 37),
             (reading(uptime_s=0), 3_600), (None, 3_600), (reading(load=7_999), 3_600)]  # fmt: skip
    assert [missing_s(one, given) for given, _ in cases] == [due for _, due in cases]


def test_gaps_are_the_hours_between():
    assert gaps([5, 3, 9]) == [(4, 5), (6, 9)]
    assert gaps([1, 2]) == gaps([]) == []


def hour(*readings, price=PRICE, **more) -> Hour:
    return Hour(readings={one.node: one for one in readings}, index_usd_micros=price, **more)


def test_an_undelivered_hour_costs_a_quarter_more_than_the_index_then_half():
    one_node = hour(reading("n1"))
    assert due_usd_micros(redeemed(), one_node) == (8 * 3600, 8 * PRICE * 125 // 100)
    assert due_usd_micros(redeemed(missed_hours=23), one_node)[1] == 8 * PRICE * 125 // 100
    assert due_usd_micros(redeemed(missed_hours=24), one_node)[1] == 8 * PRICE * 150 // 100
    assert due_usd_micros(redeemed(), hour())[1] == 16 * PRICE * 125 // 100


def test_a_curtailed_hour_is_pro_rata_for_grade_x_and_a_penalty_for_firm_ones():
    curtailed = hour(price=9 * PRICE, is_curtailed=True)
    assert due_usd_micros(redeemed(grade="X"), curtailed)[1] == 16 * PRICE
    assert due_usd_micros(redeemed(), curtailed)[1] == 16 * 9 * PRICE * 125 // 100
    assert assess(redeemed(grade="X"), curtailed).changes[0].kind == "curtailed"
    assert assess(redeemed(), curtailed).changes[0].kind == "missed"


def test_a_penalty_takes_the_bond_then_cash_then_claims_the_fund():
    due = 16 * PRICE * 125 // 100
    cases = [(due + 5, 9, (due, 0, 0)), (due - 5, 9, (due - 5, 5, 0)), (3, 4, (3, 4, due - 7)),
             (0, -8, (0, 0, due))]  # fmt: skip
    for bond, free, (from_bond, from_cash, claimed) in cases:
        deed = assess(redeemed(bond_left_usd_micros=bond), hour(seller_free_usd_micros=free))
        one = after(deed)
        paid = {part.purpose: part.amount_usd_micros for part in deed.payments}
        assert paid.get(Purpose.PENALTY_BOND, 0) == from_bond
        assert paid.get(Purpose.PENALTY_CASH, 0) == from_cash
        assert (one.claimed_usd_micros, one.penalty_usd_micros) == (claimed, due)
        assert one.bond_left_usd_micros == bond - from_bond
        assert all(part.to_idx == BUYER for part in deed.payments)


def test_cash_that_the_core_refuses_is_a_claim_too():
    leg = Payment(Purpose.PENALTY_CASH, START, ISSUER, BUYER, 7)
    assert after(deeds.answered(redeemed(), leg, False)).claimed_usd_micros == 7
    assert after(deeds.answered(redeemed(), leg, True)) == redeemed()


def test_CDR_018_a_claim_takes_the_layers_in_their_order():
    funds = Funds(first_idx=5, second_idx=6, shares={ISSUER: 7, 8: 9, 3: 4})
    has = {7: 10, 5: 20, 9: 30, 4: 60, 6: 40}.get

    def paid(owed):
        return [part[1:] for part in claims.parts_of(owed, ISSUER, funds, has)]

    assert paid(4) == [(7, 4)]
    assert paid(31) == [(7, 10), (5, 20), (4, 1)]
    assert paid(60) == [(7, 10), (5, 20), (4, 20), (9, 10)]
    assert paid(999) == [(7, 10), (5, 20), (4, 60), (9, 30), (6, 40)]
    assert claims.parts_of(9, ISSUER, NO_FUNDS, has) == []


def test_CDR_018_what_the_core_refuses_of_a_claim_stays_open():
    one = redeemed(claimed_usd_micros=100)
    parts = claims.parts_of(90, ISSUER, Funds(first_idx=5), {5: 60}.get)
    deed = claims.pay(one, parts, "x" * 300)
    (leg,), asked = deed.payments, after(deed)
    assert leg == Payment(Purpose.CLAIM, 100_000, 5, BUYER, 60) and len(deed.changes[0].note) == 200
    assert asked.claim_open_usd_micros == 40
    assert after(deeds.answered(asked, leg, False)).claim_open_usd_micros == 100
    done = after(deeds.answered(asked, leg, True))
    assert (done.claim_paid_usd_micros, done.claim_open_usd_micros) == (60, 40)
    assert refusal(claims.pay, done, [], "none has any") == "claim_unfunded"
    assert refusal(claims.pay, redeemed(), [], "none is due") == "claim_none"


def test_an_hour_is_judged_once_its_grace_is_over():
    one = redeemed()
    assert not is_due(one, at(START + 1 + GRACE_HOURS) - 1)
    assert is_due(one, at(START + 1 + GRACE_HOURS))
    assert not is_due(replace(one, assessed_hour=one.end_hour), at(START + 999))
    whole = assess(one, hour(reading("n1"), reading("n2")))
    assert (after(whole).assessed_hour, whole.payments) == (START + 1, ())


def test_what_is_left_of_the_bond_goes_back():
    deed = deeds.close(redeemed(bond_left_usd_micros=9))
    assert deed.payments == (Payment(Purpose.RELEASE, 0, ESCROW, ISSUER, 9),)
    assert deeds.close(redeemed(bond_left_usd_micros=0)).payments == ()
