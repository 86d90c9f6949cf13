"""Looking ahead changes nothing, whatever the commands to come say."""

import numpy as np
import pytest

from matching import foresight
from matching._jit import entry_kernel
from matching._memory import handle_of
from matching.apply import Batch, view_batch
from matching.codes import Kind
from matching.foresight import look_at_one, look_at_three
from matching.state import view_state
from matching.wire import COMMAND
from tests.unit.matching.small import Market, random_run

WILD = (-(1 << 31), -1, 0, 1, 7, (1 << 31) - 1)


@entry_kernel
def look(state, batch):
    """Look at the commands of a batch, as if its first were next."""
    s, commands = view_state(state), view_batch(batch).commands
    look_at_three(s, commands, 0)
    look_at_one(s, commands, 0)


def wild_commands(seed: int) -> np.ndarray:
    """Return commands whose words name nothing that exists, and some that do."""
    chance = np.random.default_rng(seed)
    rows = np.zeros(foresight.FAR + 1, COMMAND)
    rows["kind"] = chance.choice([Kind.PLACE, Kind.CANCEL, Kind.AMEND], len(rows))
    rows["side"] = chance.integers(-128, 128, len(rows))
    for name in ("account_idx", "contract_idx"):
        rows[name] = chance.choice(WILD, len(rows))
    for name in ("order_id", "price_ticks"):
        rows[name] = chance.choice([*WILD, -(1 << 63), (1 << 63) - 1], len(rows))
    return rows


@pytest.mark.parametrize("seed", range(20))
def test_any_words_may_be_looked_at(seed: int):
    market = Market()
    for row in random_run(60, seed):
        row["seq"] = market.engine.last_seq + 1
        row["ts_ns"] = max(market.engine.now_ns, row["ts_ns"][0])
        market.engine.apply(row)
    before = market.engine.state_hash()
    batch = handle_of(Batch(wild_commands(seed)))
    look(market.engine._handle.value, batch.value)
    assert market.engine.state_hash() == before
    market.engine.check()


def test_each_look_comes_before_the_next():
    assert foresight.FAR > foresight.NEAR > foresight.NEXT > 0
    assert foresight.FAR > foresight.SOON > 0
