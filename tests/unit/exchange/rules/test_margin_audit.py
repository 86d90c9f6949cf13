"""The running audit of margins: silent on every state of the core, and not on a planted one."""

from random import Random

import pytest

from exchange.rules.margin_audit import margin_differs
from matching.engine import Engine
from matching.saved import unpack
from tests.oracle.engine import Oracle
from tests.sim.engine import sizes_of
from tests.sim.market import Market
from tests.sim.profile import profile_of
from tests.sim.run import rows_of


def state_after(seed: int, count: int) -> dict[str, object]:
    rng = Random(seed)
    profile = profile_of(rng, seed)
    oracle = Oracle(profile.capacity)
    market, engine = Market(rng, profile, oracle.ex), Engine(sizes_of(profile.capacity))
    for _ in range(count):
        row = rows_of([market.next()])
        oracle.apply(row)
        engine.apply(row)
    return unpack(engine.save())


@pytest.mark.parametrize("seed", [2, 3, 7])
def test_no_state_of_the_core_is_laxer_than_the_rule(seed):
    saved = state_after(seed, 600)
    accounts = range(len(saved["accounts"]))
    assert list(margin_differs(saved, accounts)) == []
    rows = saved["accounts"].copy()
    rows["im_bound_usd_micros"] = -1
    planted = list(margin_differs({**saved, "accounts": rows}, accounts))
    said = [line.split(":")[0] for line in planted]
    assert said == [f"margin of account {idx}" for idx in accounts]
    needy = len(accounts) - 1
    worst = saved["worst"].copy()
    worst[needy, 0] += 1
    planted = list(margin_differs({**saved, "worst": worst}, [needy]))
    assert planted == [f"losses of account {needy}: those of the core are not the rule's"]
