"""The invariants of books and ladders: levels, their lists, and the bitmaps over them."""

from collections import defaultdict

import numpy as np

from matching.check_stops import IN_LADDER, ladder_of, waits
from matching.state import STOP_BOOKS, State


def levels_of(s: State, live: list[int]) -> dict[tuple[int, int], list[int]]:
    """Return the slots of each (book, key) that has any, in no order; ladders are books too."""
    found: dict[tuple[int, int], list[int]] = defaultdict(list)
    for idx in live:
        book_idx = int(s.orders[idx]["book_idx"])
        if waits(s, idx):
            if s.details[idx]["place"] != IN_LADDER:
                continue
            book_idx = ladder_of(s, idx)
        found[book_idx, int(s.orders[idx]["key"])].append(idx)
    return found


def check_levels(s: State, live: list[int]) -> None:
    """Each level's list holds its orders, and points back as it points forth."""
    stride = int(s.meta[0]["book_stride"])
    for (book_idx, key), members in levels_of(s, live).items():
        level = s.levels[stride * book_idx + key]
        where = f"level {key} of book {book_idx}"
        listed: list[int] = []
        before, idx = 0, int(level["head"])
        while idx and len(listed) <= len(members):
            assert s.orders[idx]["prev"] == before, f"{where}: order {idx} points back wrongly"
            listed.append(idx)
            before, idx = idx, int(s.orders[idx]["next"])
        assert level["tail"] == before, f"{where}: its last order"
        assert sorted(listed) == sorted(members), f"{where}: its orders"


def check_bitmaps(s: State, live: list[int]) -> None:
    """A bit is set where a level has orders, and nowhere else; the best key is the lowest."""
    bits, top = int(s.meta[0]["price_bits"]), int(s.meta[0]["price_top"])
    stride = int(s.meta[0]["book_stride"])
    keys: dict[int, set[int]] = defaultdict(set)
    for book_idx, key in levels_of(s, live):
        keys[book_idx].add(key)
    contracts, ladders = int(s.meta[0]["contracts_count"]), 2 * int(s.meta[0]["contracts_max"])
    books = [*range(2 * contracts), *range(ladders, ladders + STOP_BOOKS * contracts)]
    for book_idx in books:
        book, held = s.books[book_idx], keys[book_idx]
        first, groups = stride * book_idx, book_idx << (bits - 12)
        where = f"book {book_idx}"
        assert book["best_key"] == min(held, default=top + 1), f"{where}: best key"
        assert set_bits(s.words[first >> 6 : (first + top + 1) >> 6]) == held, f"{where}: words"
        assert set_bits(s.groups[groups : groups + (1 << (bits - 12))]) == {
            key >> 6 for key in held
        }, f"{where}: groups"
        assert set_bits(book["top_bits"].reshape(1)) == {key >> 12 for key in held}, f"{where}: top"
        levels = s.levels[first : first + top + 1]
        assert set(np.flatnonzero(levels["head"]).tolist()) == held, f"{where}: heads"
        assert set(np.flatnonzero(levels["tail"]).tolist()) == held, f"{where}: tails"
        gap = slice(first + top + 1, first + stride)
        assert not s.levels[gap].view("<i4").any(), f"{where}: a level behind its last"
        assert not s.words[gap.start >> 6 : gap.stop >> 6].any(), f"{where}: a word behind its last"


def set_bits(words: np.ndarray) -> set[int]:
    """Return the places of the bits that are set in a row of 64-bit words."""
    used = np.flatnonzero(words)
    return {64 * int(w) + bit for w in used for bit in range(64) if (int(words[w]) >> bit) & 1}
