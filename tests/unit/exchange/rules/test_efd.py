"""The exchange for delivery: times, entries, the call; EFD_001 to EFD_007 of docs/delivery.md."""

import copy
import json
import random
from datetime import date
from pathlib import Path

import pytest

from exchange.rules.calendar import last_trade_ns, settlement_ns
from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery import deeds
from exchange.rules.delivery.deeds import ESCROW, Payment, Purpose, Refused
from exchange.rules.delivery.exchange import (
    LOTS_MAX,
    NODE_LOTS,
    Entry,
    Means,
    Session,
    body_of,
    call_ns,
    called,
    counted,
    fits,
    opens_ns,
    result_fields,
    session_of,
    standing,
    usd_micros_per_lot,
)
from exchange.rules.delivery.exchange_check import faults_of_result, is_in_chain
from exchange.rules.delivery.receipts import NS_PER_HOUR, Status
from exchange.rules.delivery.uncross import NOTHING, Limit, uncross
from exchange.rules.money import usd_text
from exchange.rules.tenors import NS_PER_DAY, date_of, month_period, ns_of
from matching.codes import Side
from matching.equilibrium import Marginal, least_surplus
from tests.support.receipts import BUYER, ISSUER, receipt

PAGE = (Path(__file__).parents[4] / "docs" / "delivery.md").read_text(encoding="utf-8")
SYMBOL = "H100-USE-2027M03"
PERIOD = parse_symbol(SYMBOL).period
SETTLED, HOURS = 2_000, 744
RICH = 10**15


def rows_of(header):
    """Return the cells of the table whose header line begins with `header`."""
    lines = PAGE.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(header))
    rows = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip(" `") for cell in line.strip("|").split("|")])
    assert rows
    return rows


def ticks(text):
    return round(float(text) * 1000)


def example():
    """Return entries and means of the page's example, and what it says of each entry."""
    entries, means, said = [], {}, []
    for number, account, side, lots, limit, has, counts, gets in rows_of("| Entry | Account"):
        way = Side.BUY if side == "buy" else Side.SELL
        entries.append(Entry(int(number), int(account), "main", way, int(lots), ticks(limit), 1))
        lots = int(has)
        means[int(account)] = Means(lots if way == Side.BUY else -lots, RICH, lots)
        said.append((int(counts), int(gets)))
    return entries, means, said


def result_of_example():
    entries, means, _ = example()
    lots = counted(entries, means, SETTLED, HOURS)
    outcome = called(entries, lots)
    session = session_of(parse_symbol(SYMBOL), 0)
    fields = result_fields(
        session, entries, lots, outcome, settle_ticks=SETTLED, hours=HOURS, seq=7
    )
    owner = {one.number: one.account_idx for one in entries}
    price = usd_micros_per_lot(SETTLED, outcome.price.price, HOURS)
    fields["legs"] = [
        {"place": at, "buyer_idx": owner[pair.buy_number], "seller_idx": owner[pair.sell_number],
         "receipt_id": f"cdr_{at}", "lots": pair.lots, "amount_usd_micros": pair.lots * price}
        for at, pair in enumerate(outcome.pairs)
    ]  # fmt: skip
    return json.loads(body_of(fields))


def test_EFD_004_the_example_is_as_written():
    _, _, said = example()
    body = result_of_example()
    assert [(row["counted"], row["filled"]) for row in body["entries"]] == said
    assert (body["differential_ticks"], body["lots"], body["surplus_lots"]) == (20, 40, 8)
    legs = [
        [str(leg["buyer_idx"]), str(leg["seller_idx"]), str(leg["lots"]),
         usd_text(leg["amount_usd_micros"])]
        for leg in body["legs"]
    ]  # fmt: skip
    assert legs == rows_of("| Buyer | Seller")
    assert faults_of_result(body) == []


@pytest.mark.parametrize("month", range(12 * 12))
def test_EFD_001_a_call_is_between_a_settlement_and_the_end_of_trading_in_five_days(month):
    period = month_period(date(2025 + month // 12, month % 12 + 1, 1))
    opens, call, last = opens_ns(period), call_ns(period), last_trade_ns(period)
    assert opens == ns_of(period.start) - 5 * NS_PER_DAY
    assert opens + NS_PER_DAY // 2 < call < last < ns_of(period.start)
    assert call - settlement_ns(date_of(call)) == NS_PER_HOUR // 2
    assert last - call >= 23 * NS_PER_HOUR  # a day to carry it out


def test_EFD_001_only_months_have_a_session():
    assert session_of(parse_symbol(SYMBOL), 3) == Session(
        session_id=f"{SYMBOL}_20270225T1630", symbol=SYMBOL, contract_idx=3,
        opens_ns=ns_of(date(2027, 2, 24)), call_ns=ns_of(date(2027, 2, 25), 16) + NS_PER_HOUR // 2,
        said_by="calendar",
    )  # fmt: skip
    for symbol in ("H100-USE-2027Q2", "H100-USE-2027", "H100-USE-2027W14", "H100-GLB-2027M03"):
        assert session_of(parse_symbol(symbol), 0) is None


def test_EFD_002_the_newest_of_a_name_stands_and_nothing_takes_it_back():
    one, other = Entry(1, 5, "a", 0, 8, 0, 1), Entry(2, 5, "b", 0, 8, 0, 1)
    changed, gone = Entry(3, 5, "a", 0, 16, 5, 1), Entry(4, 5, "b", 0, 0, 0, 1)
    assert standing([one, other, changed, gone]) == [changed]


@pytest.mark.parametrize(
    ("side", "means", "lots"),
    [
        (Side.BUY, Means(24, RICH, 0), 24),
        (Side.BUY, Means(15, RICH, 0), 8),
        (Side.BUY, Means(-24, RICH, 99), 0),
        (Side.BUY, Means(24, 16 * 2_010 * HOURS * 1_000, 0), 16),
        (Side.BUY, Means(24, 16 * 2_010 * HOURS * 1_000 - 1, 0), 8),
        (Side.BUY, Means(24, 0, 0), 0),
        (Side.SELL, Means(-24, 0, 16), 16),
        (Side.SELL, Means(-8, 0, 16), 8),
        (Side.SELL, Means(24, RICH, 16), 0),
    ],
)
def test_EFD_003_an_entry_counts_for_what_its_account_has(side, means, lots):
    entry = Entry(1, 5, "main", side, 24, 10, 1)
    assert counted([entry], {5: means}, SETTLED, HOURS) == {1: lots}


def test_EFD_003_a_buyer_has_the_fee_beside_the_price():
    entry = Entry(1, 5, "main", Side.BUY, 24, 10, 1)
    exact = 24 * usd_micros_per_lot(SETTLED, 10, HOURS)
    assert counted([entry], {5: Means(24, exact, 0)}, SETTLED, HOURS) == {1: 24}
    assert counted([entry], {5: Means(24, exact, 0)}, SETTLED, HOURS, 1) == {1: 16}
    assert counted([entry], {5: Means(24, exact + 24 * HOURS, 0)}, SETTLED, HOURS, 1) == {1: 24}


def test_EFD_003_better_prices_of_an_account_count_first_and_none_at_or_below_zero():
    entries = [Entry(at, 5, f"k{at}", Side.SELL, 16, limit, 1) for at, limit in ((1, 30), (2, -5))]
    assert counted(entries, {5: Means(-24, 0, 24)}, SETTLED, HOURS) == {1: 8, 2: 16}
    assert counted(entries, {5: Means(-24, 0, 24)}, 5, HOURS) == {1: 16, 2: 0}


# A kernel that only kernels call cannot be called from here: its source can.
of_the_core = getattr(least_surplus, "py_func", least_surplus)


def kernels(buys, sells, reference, shift=5_000):
    """Return the price of a call by the core's own kernel, orders matched on paper."""
    left = [sorted(([one.price, one.quantity] for one in side), reverse=way)
            for side, way in ((buys, True), (sells, False))]  # fmt: skip
    matched = low = high = 0
    while all(left) and left[0][0][0] >= left[1][0][0]:
        lots = min(left[0][0][1], left[1][0][1])
        matched, low, high = matched + lots, left[1][0][0], left[0][0][0]
        for side in left:
            side[0][1] -= lots
            if not side[0][1]:
                side.pop(0)
    if not matched:
        return None, 0
    buy, sell = (side[0] if side else None for side in left)
    m = Marginal(
        matched, low + shift, high + shift, buy[0] + shift if buy else 0, buy[1] if buy else 0,
        sell[0] + shift if sell else 1 << 16, sell[1] if sell else 0,
    )  # fmt: skip
    # Lots of one level stand together, as in a book.
    m = m._replace(buy_lots=sum(q for p, q in left[0] if buy and p == buy[0]),
                   sell_lots=sum(q for p, q in left[1] if sell and p == sell[0]))  # fmt: skip
    best_buy, best_sell = max(one.price for one in buys), min(one.price for one in sells)
    low = max(low, min(high, min(reference, best_sell)))
    high = min(high, max(low, max(reference, best_buy)))
    return of_the_core(m, low + shift, high + shift, reference + shift) - shift, matched


def test_EFD_004_the_differential_is_that_of_the_cores_own_calls():
    chance = random.Random(5)
    for _ in range(1_500):
        buys, sells = (
            [Limit(chance.randrange(-6, 7), 8 * chance.randrange(1, 4))
             for _ in range(chance.randrange(1, 6))]
            for _ in range(2)
        )  # fmt: skip
        found = uncross(buys, sells, 0)
        assert (found.price, found.quantity) == kernels(buys, sells, 0), (buys, sells)


def test_EFD_004_nothing_crosses_where_nobody_meets():
    assert uncross([Limit(-1, 8)], [Limit(0, 8)], 0) == NOTHING
    assert uncross([], [], 0) == uncross([Limit(5, 8)], [], 0) == NOTHING


def test_EFD_005_lots_add_up_and_nobody_trades_beyond_its_limit_or_before_a_better_one():
    chance = random.Random(6)
    for _ in range(300):
        entries = [
            Entry(at, at, "k", chance.randrange(2), NODE_LOTS, chance.randrange(-5, 6), 1)
            for at in range(1, 15)
        ]
        lots = {one.number: NODE_LOTS * chance.randrange(3) for one in entries}
        outcome = called(entries, lots)
        by = {one.number: one for one in entries}
        assert sum(pair.lots for pair in outcome.pairs) == outcome.price.quantity
        got = dict.fromkeys(by, 0)
        for pair in outcome.pairs:
            buy, sell = by[pair.buy_number], by[pair.sell_number]
            assert sell.limit_ticks <= outcome.price.price <= buy.limit_ticks
            got[pair.buy_number] += pair.lots
            got[pair.sell_number] += pair.lots
        assert all(got[number] <= lots[number] for number in by)
        for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
            line = sorted((sign * one.limit_ticks, one.number) for one in entries
                          if one.side == side and lots[one.number])  # fmt: skip
            full = [got[number] == lots[number] for _, number in line]
            some = [got[number] > 0 for _, number in line]
            assert full == sorted(full, reverse=True) and some == sorted(some, reverse=True)


def march(**change):
    first, end = (ns_of(day) // NS_PER_HOUR for day in (PERIOD.start, PERIOD.end))
    return receipt(**{"start_hour": first, "end_hour": end, **change})


def test_EFD_003_a_receipt_fits_by_series_hours_and_nodes_of_eight():
    series = ("H100-SXM", "USE", "N")
    assert fits(march(), series, PERIOD)
    for change in ({"hub": "EUW"}, {"gpus_per_node": 4}, {"status": Status.PLEDGED},
                   {"end_hour": march().end_hour + 1}, {"grade": "T"}):  # fmt: skip
        assert not fits(march(**change), series, PERIOD)


def test_EFD_006_price_then_position_then_receipt():
    one, price = march(), 16 * usd_micros_per_lot(SETTLED, -50, HOURS)
    deed = deeds.exchange(one, BUYER, price, "x/0", "x/0 digest")
    locked = deed.changes[0].receipt
    assert deed.payments == (Payment(Purpose.PRICE, 1, BUYER, ESCROW, price),)
    for act in (
        lambda: deeds.transfer(locked, ISSUER, BUYER),
        lambda: deeds.offer(locked, ISSUER, BUYER, 1),
        lambda: deeds.redeem(locked, BUYER, 0),
        lambda: deeds.exchange(locked, BUYER, price, "x/1", ""),
    ):
        with pytest.raises(Refused):
            act()
    unpaid = deeds.answered(locked, deed.payments[0], is_done=False).changes[0]
    assert (unpaid.kind, unpaid.note) == ("exchange_unpaid", "x/0")
    assert (unpaid.receipt.status, unpaid.receipt.holder_idx) == (Status.ACTIVE, ISSUER)
    paid = deeds.answered(locked, deed.payments[0], is_done=True)
    waiting = paid.changes[0].receipt
    assert (paid.payments, waiting.status) == ((), Status.EXCHANGING)
    done = deeds.exchanged(waiting, is_moved=True)
    assert done.payments == (Payment(Purpose.SHARE, 100, ESCROW, ISSUER, price),)
    assert (done.changes[0].receipt.holder_idx, done.changes[0].receipt.exchange) == (BUYER, "")
    back = deeds.exchanged(waiting, is_moved=False)
    assert back.payments == (Payment(Purpose.REFUND, 1, ESCROW, BUYER, price),)
    assert back.changes[0].receipt.holder_idx == ISSUER


def changed(path, value):
    body = copy.deepcopy(result_of_example())
    at = body
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("entries", 0, "limit_ticks"), -51),
        (("entries", 0, "counted"), 16),
        (("entries", 0, "counted"), 32),
        (("entries", 4, "counted"), 12),
        (("entries", 0, "filled"), 16),
        (("differential_ticks",), 21),
        (("lots",), 48),
        (("pairs", 0), [5, 1, 16]),
        (("legs", 0, "lots"), 8),
        (("legs", 0, "amount_usd_micros"), 1),
        (("legs",), []),
        (("head",), "00" * 32),
        (("void",), "trading has ended"),
    ],
)
def test_EFD_007_whatever_is_changed_in_a_result_is_found(path, value):
    assert faults_of_result(changed(path, value))


def test_EFD_007_an_entry_is_held_to_its_digest():
    entries, _, _ = example()
    body = result_of_example()
    before = bytes(32)
    for entry in entries:
        before = entry.digest(body["session_id"], before)
        assert is_in_chain(body, before.hex())
    assert not is_in_chain(body, "00" * 32)


@pytest.mark.parametrize("body", [{}, {"format": "x"}, {"format": "wellhead efd 1"}])
def test_EFD_007_what_is_no_result_is_told(body):
    with pytest.raises(ValueError, match="published form"):
        faults_of_result(body)


def test_the_most_of_a_leg_is_within_one_transfer():
    from matching.limits import PRICE_BITS_DEFAULT, TRANSFER_USD_MICROS_MAX

    assert 64 * NODE_LOTS < LOTS_MAX
    most = usd_micros_per_lot(1 << PRICE_BITS_DEFAULT, 1_000, HOURS)
    assert 64 * NODE_LOTS * most < TRANSFER_USD_MICROS_MAX
