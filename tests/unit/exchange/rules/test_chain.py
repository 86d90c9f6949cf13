"""The chain over the ledger: a head a closed day, and any change of a posting changes it."""

from hypothesis import given
from hypothesis import strategies as st

from exchange.rules.chain import NS_PER_DAY, ChainRow, heads

NUMBERS = st.integers(-(1 << 60), 1 << 60)


def rows_of(days: list[int]) -> list[ChainRow]:
    return [
        ChainRow(n, n, 0, "deposit", n, day * NS_PER_DAY + n, account, n, 5 * n, 6 * n)
        for n, day in enumerate(sorted(days), 1)
        for account in (1, 2)
    ]


def test_the_last_day_stays_open_and_the_others_have_a_head():
    found = list(heads(rows_of([3, 3, 4, 6])))
    assert [(head.day, head.last_transfer_id) for head in found] == [(3, 2), (4, 3)]
    assert list(heads([])) == [] and list(heads(rows_of([3, 3]))) == []


@given(st.lists(st.integers(1, 9), min_size=2), st.data())
def test_the_chain_goes_on_from_any_head(days, data):
    rows = rows_of(days)
    whole = list(heads(rows))
    if whole:
        at = data.draw(st.sampled_from(whole))
        later = [row for row in rows if row.transfer_id > at.last_transfer_id]
        assert list(heads(later, at.digest)) == whole[whole.index(at) + 1 :]


@given(st.data(), NUMBERS)
def test_a_changed_number_changes_every_head_from_its_day_on(data, value):
    rows = rows_of([1, 1, 2, 3, 4])
    place = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(["version", "amount_usd_micros", "balance_usd_micros"]))
    changed = rows[place]._replace(**{name: value})
    if changed == rows[place]:
        return
    before, after = list(heads(rows)), list(heads([*rows[:place], changed, *rows[place + 1 :]]))
    day = rows[place].ts_ns // NS_PER_DAY
    for one, other in zip(before, after, strict=True):
        assert (one == other) == (one.day < day)
