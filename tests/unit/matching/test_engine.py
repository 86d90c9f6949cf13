"""A saved engine comes back as it was, wherever it is cut, and has the same future."""

from dataclasses import replace

import numpy as np
import pytest
from numba import config

from matching.engine import Engine
from tests.unit.matching.small import SIZES, random_run


def test_an_engine_restored_at_any_index_has_the_same_hash_and_future():
    rows = random_run(150, seed=2)
    engine, saves, events = Engine(SIZES), [], []
    for row in rows:
        saves.append((engine.state_hash(), engine.save()))
        events.append(engine.apply(row))
    for idx, (state_hash, blob) in enumerate(saves):
        other = Engine.restore(blob, SIZES)
        assert other.state_hash() == state_hash, idx
        assert other.save() == blob, idx
        future = other.apply(np.concatenate(rows[idx:]))
        assert future.tobytes() == np.concatenate(events[idx:]).tobytes(), idx
        assert other.state_hash() == engine.state_hash(), idx
    engine.check()
    other.check()


@pytest.mark.slow
@pytest.mark.skipif(config.DISABLE_JIT, reason="12 million commands need the JIT")
def test_an_engine_restored_at_any_of_five_thousand_indices_has_the_same_future():
    rows = np.concatenate(random_run(5000, seed=11))
    whole = Engine(SIZES)
    pieces = [whole.apply(rows[at : at + 1]) for at in range(len(rows))]
    events = np.concatenate(pieces)
    firsts = np.cumsum([0, *map(len, pieces)])
    end_hash, engine = whole.state_hash(), Engine(SIZES)
    for idx in range(len(rows)):
        blob = engine.save()
        other = Engine.restore(blob, SIZES)
        assert other.state_hash() == engine.state_hash(), idx
        assert other.save() == blob, idx
        future = other.apply(rows[idx:])
        assert future.tobytes() == events[firsts[idx] :].tobytes(), idx
        assert other.state_hash() == end_hash, idx
        engine.apply(rows[idx : idx + 1])
    assert len(rows) > 5000 and len(np.unique(events["code"])) > 10
    engine.check()


def test_a_restored_engine_passes_its_checks():
    engine = Engine(SIZES)
    engine.apply(np.concatenate(random_run(150, seed=6)))
    Engine.restore(engine.save(), SIZES).check()


@pytest.mark.parametrize(
    "change", [{"accounts": 3}, {"contracts": 1}, {"orders": 2}, {"price_bits": 13}]
)
def test_sizes_that_do_not_fit_are_refused(change: dict[str, int]):
    engine = Engine(SIZES)
    engine.apply(np.concatenate(random_run(60)))
    with pytest.raises(ValueError):
        Engine.restore(engine.save(), replace(SIZES, **change))


@pytest.mark.parametrize(("field", "value"), [("seq", 2), ("ts_ns", 0), ("kind", 99)])
def test_a_row_that_no_sequencer_made_ends_in_an_error(field: str, value: int):
    rows = random_run(1)
    engine = Engine(SIZES)
    engine.apply(rows[0])
    row = rows[1].copy()
    row[field] = value if field != "seq" else row["seq"] + 1
    with pytest.raises(AssertionError):
        engine.apply(row)
