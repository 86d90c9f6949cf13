"""The ladder: price levels of one side of one contract, and the way to the next best.

A book is `contract_idx * 2 + side`. Its keys are mirrored prices, lower is better on both sides,
so nothing here knows a buy from a sell. A 3-level bitmap, 64 bits a step, finds the next level
that is not empty. Words are signed like everything else: only their bits mean something.
"""

import numpy as np

from matching._jit import kernel, trailing_zeros
from matching._raw import put_either, put_word
from matching.limits import PRICE_BITS_MAX
from matching.peg_list import wake_pegs

ONE = np.int64(1)
ALL_BITS = np.int64(-1)
assert PRICE_BITS_MAX <= 32  # key_of


@kernel
def key_of(s, side, price_ticks):
    """Return the mirrored price; given a key, return the price."""
    # Shifted by 0 or 32 bits. Masked by `side - 1` it became a branch in the path of a
    # cancellation, wrong every other time (docs/benchmarks-path.md).
    return price_ticks ^ (s.meta[0]["price_top"] >> ((side & 1) << 5))


@kernel
def opposite_key(s, key):
    """Return the key of the same price on the other side."""
    return s.meta[0]["price_top"] - key


@kernel
def level_of(s, book_idx, key):
    """Return the level record at a key."""
    return s.levels[level_place(s, book_idx, key)]


@kernel
def level_place(s, book_idx, key):
    """Return where the level at a key lies; its bit is in the word at a 64th of that."""
    return book_idx * s.meta[0]["book_stride"] + key


@kernel
def first_word(s, book_idx):
    """Return where the book's words start."""
    return level_place(s, book_idx, 0) >> 6


@kernel
def first_group(s, book_idx):
    """Return where the book's groups start."""
    return book_idx << (s.meta[0]["price_bits"] - 12)


@kernel
def open_level(s, book_idx, key):
    """Mark a level as holding orders."""
    book = s.books[book_idx]
    word = key >> 6
    group = key >> 12
    s.words[first_word(s, book_idx) + word] |= ONE << (key & 63)
    s.groups[first_group(s, book_idx) + group] |= ONE << (word & 63)
    book["top_bits"] |= ONE << group
    if key < book["best_key"]:
        book["best_key"] = key


@kernel
def close_level(s, book_idx, key):
    """Mark a level as empty."""
    book = s.books[book_idx]
    word = key >> 6
    group = key >> 12
    word_place = first_word(s, book_idx) + word
    bits = s.words[word_place] & ~(ONE << (key & 63))
    s.words[word_place] = bits
    if bits == 0:
        group_place = first_group(s, book_idx) + group
        group_bits = s.groups[group_place] & ~(ONE << (word & 63))
        s.groups[group_place] = group_bits
        if group_bits == 0:
            book["top_bits"] &= ~(ONE << group)
    if key == book["best_key"]:
        book["best_key"] = next_key(s, book_idx, key)


@kernel
def next_key(s, book_idx, key):
    """Return the first key at or behind `key` with orders, or the count of prices for none."""
    words = first_word(s, book_idx)
    word = key >> 6
    bits = s.words[words + word] & (ALL_BITS << (key & 63))
    if bits == 0:
        group = word >> 6
        groups = first_group(s, book_idx)
        group_bits = s.groups[groups + group] & ((ALL_BITS << (word & 63)) << 1)
        if group_bits == 0:
            top_bits = s.books[book_idx]["top_bits"] & ((ALL_BITS << group) << 1)
            if top_bits == 0:
                return s.meta[0]["price_top"] + 1
            group = trailing_zeros(top_bits)
            group_bits = s.groups[groups + group]
        word = (group << 6) + trailing_zeros(group_bits)
        bits = s.words[words + word]
    return (word << 6) + trailing_zeros(bits)


@kernel
def link_last(s, order_idx, book_idx, key):
    """Put an order at the back of its level."""
    order = s.orders[order_idx]
    level = level_of(s, book_idx, key)
    tail = level["tail"]
    put_word(order, "next", np.int64(tail) << 32)  # none behind it
    level["tail"] = order_idx
    if tail != 0:
        s.orders[tail]["next"] = order_idx
    else:
        level["head"] = order_idx
        open_level(s, book_idx, key)
    if s.books[book_idx]["pegs"] != 0:
        wake_pegs(s, book_idx >> 1)


@kernel
def unlink(s, order_idx, book_idx, key):
    """Take an order without lots out of its level."""
    order = s.orders[order_idx]
    level = level_of(s, book_idx, key)
    following = order["next"]
    before = order["prev"]
    put_either(before != 0, s.orders[before], "next", level, "head", following)
    put_either(following != 0, s.orders[following], "prev", level, "tail", before)
    if (before | following) == 0:
        close_level(s, book_idx, key)
    if s.books[book_idx]["pegs"] != 0:
        wake_pegs(s, book_idx >> 1)
