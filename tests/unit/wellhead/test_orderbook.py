"""The book heals itself: whatever is lost, doubled or reordered, fresh means right."""

import random
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from wellhead.orderbook import BookMessage, Level, OrderBook, checksum


def snapshot(seq, bids=(), asks=(), crc=None):
    return BookMessage(seq, None, list(bids), list(asks), crc)


def delta(prev_seq, seq, bids=(), asks=(), crc=None):
    return BookMessage(seq, prev_seq, list(bids), list(asks), crc)


def test_a_new_book_is_stale_until_its_first_snapshot():
    book = OrderBook("X")
    assert book.stale and book.best_bid is None and book.mid is None
    assert book.apply(snapshot(7, [("2.149", "5")], [("2.151", "3")]))
    assert (book.seq, book.stale, book.mid) == (7, False, Decimal("2.150"))


def test_deltas_set_absolute_sizes_and_zero_deletes():
    book = OrderBook("X")
    book.apply(snapshot(1, [("2.149", "5"), ("2.148", "9")]))
    assert book.apply(delta(1, 4, bids=[("2.149", "0"), ("2.147", "2")], asks=[("2.2", "1")]))
    assert book.bids == [Level(Decimal("2.148"), 9), Level(Decimal("2.147"), 2)]
    assert book.best_ask == (Decimal("2.2"), 1)


def test_a_delta_seen_before_changes_nothing():
    book = OrderBook("X")
    book.apply(snapshot(1, [("2", "5")]))
    book.apply(delta(1, 2, bids=[("2", "6")]))
    assert book.apply(delta(1, 2, bids=[("2", "99")]))
    assert book.best_bid == (2, 6)


def test_a_gap_makes_it_stale_and_the_missing_piece_heals_it():
    book = OrderBook("X")
    book.apply(snapshot(1))
    assert not book.apply(delta(2, 3, bids=[("2", "7")]))
    assert book.stale and book.gaps == 1
    assert book.apply(delta(1, 2, bids=[("2", "6")]))
    assert book.best_bid == (2, 7) and book.seq == 3


def test_a_snapshot_heals_and_later_deltas_kept_meanwhile_are_applied():
    book = OrderBook("X")
    book.apply(snapshot(1))
    book.apply(delta(5, 6, bids=[("2", "6")]))
    book.apply(delta(6, 7, bids=[("3", "1")]))
    assert book.apply(snapshot(6, [("2", "6")]))
    assert book.seq == 7 and book.best_bid == (3, 1)


def test_an_overtaken_snapshot_is_ignored():
    book = OrderBook("X")
    book.apply(snapshot(9, [("2", "6")]))
    assert book.apply(snapshot(3, [("1", "1")]))
    assert book.seq == 9 and book.best_bid == (2, 6)


def test_a_delta_that_spans_the_snapshot_is_applied_whole():
    book = OrderBook("X")
    book.apply(snapshot(5, [("2", "6")]))
    assert book.apply(delta(3, 8, bids=[("2", "4")]))
    assert book.best_bid == (2, 4)


def test_after_a_lost_connection_only_a_snapshot_makes_it_fresh():
    book = OrderBook("X")
    book.apply(snapshot(5))
    book.mark_stale()
    assert not book.apply(delta(5, 6))
    assert book.apply(snapshot(6))


def test_a_wrong_checksum_makes_it_stale():
    book = OrderBook("X")
    right = checksum([Level(Decimal("2.10"), Decimal("5"))], [])
    assert book.apply(snapshot(1, [("2.10", "5")], crc=right))
    assert not book.apply(delta(1, 2, bids=[("2.09", "1")], crc=right))
    assert book.apply(snapshot(2, [("2.10", "5"), ("2.09", "1")]))


def test_kept_deltas_are_bounded():
    book = OrderBook("X")
    book.apply(snapshot(1))
    for seq in range(10, 5_000):
        book.apply(delta(seq - 1, seq))
    assert book.stale
    assert book.apply(snapshot(5_000))


@given(st.integers(0, 2**32), st.floats(0, 0.3), st.floats(0, 0.3), st.integers(0, 6))
def test_a_fresh_book_equals_the_truth_at_its_seq_whatever_the_channel_does(
    seed, loss, doubling, shuffle
):
    rng = random.Random(seed)
    truth: dict[int, dict[str, dict[str, str]]] = {}
    now = {"bids": {}, "asks": {}}
    sent, seq = [], 100
    truth[seq] = {k: dict(v) for k, v in now.items()}
    for _ in range(60):
        prev, seq = seq, seq + rng.randint(1, 3)
        side, price = rng.choice(["bids", "asks"]), str(rng.randint(1, 12))
        quantity = str(rng.randint(0, 3))
        if quantity == "0":
            now[side].pop(price, None)
        else:
            now[side][price] = quantity
        truth[seq] = {k: dict(v) for k, v in now.items()}
        changes = {"bids": [], "asks": [], side: [(price, quantity)]}
        sent.append(BookMessage(seq, prev, changes["bids"], changes["asks"]))
    wire = [m for m in sent if rng.random() >= loss]
    wire += [m for m in wire if rng.random() < doubling]
    wire.sort(key=lambda m: m.seq + rng.uniform(0, shuffle))
    book = OrderBook("X")
    for i, message in enumerate([snapshot(100), *wire]):
        if not book.apply(message) and i % 5 == 0:  # a resync that takes its time
            at = message.seq
            book.apply(snapshot(at, truth[at]["bids"].items(), truth[at]["asks"].items()))
        if not book.stale:
            for side, want in truth[book.seq].items():
                have = {str(p): str(q) for p, q in getattr(book, side)}
                assert have == want
    book.apply(snapshot(seq, truth[seq]["bids"].items(), truth[seq]["asks"].items()))
    assert not book.stale and book.seq == seq
