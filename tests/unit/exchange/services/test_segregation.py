"""A client's money pays for nobody else: neither its member's house account nor another client.

Alice is the house account of a member, with a share of the default fund; carol and the flat one
are its clients, and have none. Bob is a stranger on the other side.
"""

import pytest

from exchange.rules.waterfall import PLACE_OF, LayerName
from tests.unit.exchange.services.test_liquidation import ALICE, BOB, CAROL, FLAT, HOUSE
from tests.unit.exchange.services.test_waterfall_runs import OF_ALICE, SECOND, given, stage_of

HAIRCUT = PLACE_OF[LayerName.GAINS_HAIRCUT]
NAMES = [(HOUSE, "insurance", "house"), (SECOND, "house-second", "house"),
         (OF_ALICE, f"fund.{ALICE}", "fund")]  # fmt: skip


def stage_with_clients():
    """Return the stage; carol holds five lots on the side of its member."""
    stage = stage_of()
    stage.rows.of_funds = NAMES
    stage.place(CAROL, 0, 1_000, 5)
    stage.place(BOB, 1, 1_000, 5)
    return stage


@pytest.mark.parametrize("price", [695, 690, 600])
async def test_port_002_clients_of_a_member_that_fails_lose_what_their_own_positions_lose(price):
    stage = stage_with_clients()
    before = {idx: stage.world.mirror.accounts[idx].cash_usd_micros for idx in (CAROL, FLAT)}
    own_loss = 5 * (1_000 - price)
    stage.mark(price)
    await stage.steps(3)
    assert stage.lots(ALICE) == 0 and stage.lots(CAROL) == 5
    assert stage.equity(CAROL) == before[CAROL] - own_loss
    assert stage.equity(FLAT) == before[FLAT] == 77
    assert stage.world.mirror.accounts[CAROL].cash_usd_micros == before[CAROL]


async def test_port_002_the_last_layers_cut_gains_not_settled_and_never_what_was_there_before():
    stage = stage_with_clients()
    cash = stage.world.mirror.accounts[BOB].cash_usd_micros
    stage.mark(600)
    await stage.steps(3)
    cut = given(stage)[HAIRCUT]
    assert cut > 0 and stage.equity(BOB) >= cash  # of 6,000 gained
