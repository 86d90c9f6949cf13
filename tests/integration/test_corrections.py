"""A settlement corrected before it is final: two operators, one command, once, all of it kept."""

from collections.abc import AsyncIterator

import numpy as np
import pytest

from exchange.io.clock import ManualClock
from exchange.io.ledger import Ledger
from exchange.io.registry import Scope
from exchange.io.settlement_corrections import Corrections
from exchange.io.settlements import SettlementInputs
from exchange.io.stored import stored
from exchange.io.views import Views
from exchange.rules.calendar import settlement_ns
from exchange.rules.clearing_house import ClearingHouse
from exchange.rules.operations import settle_command
from exchange.rules.settlement_correction import corrections
from exchange.rules.settlement_final import final_ns
from exchange.rules.settlement_run import Evidence, SettlementRun
from exchange.rules.tenors import date_of
from exchange.services.corrections import RESEND_NS, CorrectionDesk, run_of
from exchange.services.verify.settlements import settlement_differences
from matching.codes import Code
from tests.support.api_world import ALL_SCOPES, OTHER, SYMBOL, World, running

LIST = "/admin/settlements/corrections"
REASON = "the mark was typed wrongly"
PRICED = ("daily", "correction")


class Settled:
    """A world where two contracts were settled at 2.000, and clearing that follows by hand."""

    def __init__(self, world: World, database, pool) -> None:
        self.world, self.database = world, database
        self.rows, self.runs = Corrections(pool), SettlementInputs(pool)
        world.services.corrections, world.services.settlements = self.rows, self.runs
        world.services.views = Views(pool)
        self.house, self.cleared = ClearingHouse(), 0
        self.due_ns = settlement_ns(date_of(world.now_ns()))
        self.day = date_of(self.due_ns).isoformat()
        self.clock = ManualClock(world.now_ns())
        self.desk = self.new_desk()

    def new_desk(self) -> CorrectionDesk:
        """Start again, with nothing in memory."""
        return CorrectionDesk(
            self.rows, self.runs, self.world.mirror, self.world.command, self.clock
        )

    async def begin(self) -> None:
        account = await self.world.accounts.create(account_id="second", name="Second")
        await self.world.accounts.wait_open(account.account_idx)
        self.world.secrets["second"] = await self.world.keys.create(
            account_idx=account.account_idx, scopes=ALL_SCOPES
        )
        run = SettlementRun(
            self.due_ns,
            tuple(
                Evidence(contract_idx=place, symbol=symbol, settle_ticks=2000, mark_ticks=2000,
                         day_bps=300, lots=20 * place, tick_lots=20 * 2010 * place)
                for place, symbol in enumerate((SYMBOL, OTHER))
            ),
        )  # fmt: skip
        await self.runs.keep(run)
        await self.world.place("alice", "buy", "2.000", "5")
        await self.world.place("bob", "sell", "2.000", "5")
        for one in run.prices():
            await self.world.command(settle_command(one, self.due_ns, run.run_id))
        await self.clear()

    async def clear(self) -> None:
        """Let clearing write what the journal has by now."""
        for batch in self.world.journal.batches:
            if batch.first_seq > self.cleared:
                self.house.apply(batch.commands, batch.events)
                self.cleared = batch.last_seq
        connection = await self.database.connect()
        await Ledger(connection).write(self.house.take())
        connection.terminate()

    async def propose(self, who: str = "operator", **more):
        change = {"symbol": SYMBOL, "price": "2.004"}
        body = {"date": self.day, "reason": REASON, "changes": [change], **more}
        return await self.world.call(who, "POST", LIST, body)

    async def decide(self, who: str, number: str, action: str = "approve"):
        return await self.world.call(who, "POST", f"{LIST}/{number}", {"action": action})

    async def carry_out(self) -> None:
        for _ in range(2):  # the first sends, the second sees that it is done
            await self.desk.step()
        await self.clear()
        await self.desk.step()  # clearing says that it was this run

    def cash(self) -> list[int]:
        return [one.cash_usd_micros - 10**15 for one in self.world.mirror.accounts[:2]]

    async def revisions(self) -> list[tuple[str, int, bool]]:
        path = f"/settlements?date={self.day}&symbol={SYMBOL}"
        found = (await self.world.call("", "GET", path)).json()["settlements"]
        return [(one["price"], one["revision"], one["superseded"]) for one in found]


@pytest.fixture
async def settled(database, pool) -> AsyncIterator[Settled]:
    async with running() as world:
        one = Settled(world, database, pool)
        await one.begin()
        yield one


async def test_CORR_002_two_operators_make_revision_two_and_its_difference_is_paid_once(settled):
    shown = (await settled.propose(dry_run=True)).json()
    assert shown["correction"] is None and shown["prices"][0]["difference"] == "2.976"
    answer = await settled.propose(correction_id="c-1")
    assert answer.status_code == 201, answer.text
    number = answer.json()["correction"]["correction_id"]
    assert (await settled.propose(correction_id="c-1")).json()["correction"][
        "correction_id"
    ] == number
    assert (await settled.propose(correction_id="c-2")).json()["code"] == "correction_going"
    own = await settled.decide("operator", number)
    assert (own.status_code, own.json()["code"]) == (409, "approvals_missing")
    assert (await settled.decide("alice", number)).status_code == 403
    await settled.carry_out()
    assert settled.cash() == [0, 0]  # nobody else has agreed

    assert (await settled.decide("second", number)).json()["correction"]["status"] == "approved"
    assert (await settled.decide("second", number)).status_code == 200  # said again
    assert (await settled.decide("second", number, "withdraw")).json()["code"] == "correction_ended"
    await settled.carry_out()
    settled.desk = settled.new_desk()
    await settled.carry_out()
    assert await settled.revisions() == [("2.004", 2, False), ("2.000", 1, True)]
    assert settled.world.mirror.contracts[0].settle_ticks == 2004
    (shown,) = (await settled.world.call("second", "GET", LIST)).json()["corrections"]
    assert (shown["status"], shown["code"]) == ("done", None)
    note = (await settled.world.call("", "GET", f"/settlements/runs/{shown['run']}")).json()
    assert note["run"]["note"] == {
        "revises": shown["revises"], "reason": REASON, "by": ["operator", "second"]
    }  # fmt: skip
    async with stored(settled.database) as rows:
        assert await settlement_differences(rows) == []


async def test_CORR_004_who_has_closed_since_is_paid_and_owes_like_everybody(settled):
    await settled.world.place("alice", "sell", "1.990", "5")
    await settled.world.place("operator", "buy", "1.990", "5")
    number = (await settled.propose()).json()["correction"]["correction_id"]
    await settled.decide("second", number)
    await settled.carry_out()
    assert settled.world.mirror.accounts[0].positions[0].qty_lots == 0
    assert settled.cash() == [-5 * 10 * 744_000, 0]
    assert all(one.unsettled_usd_micros == 0 for one in settled.world.mirror.accounts)
    assert settled.world.mirror.contracts[0].mark_ticks == 2000  # no mark is moved


async def test_CORR_005_a_process_that_dies_between_steps_corrects_once(settled):
    change = [{"symbol": SYMBOL, "price": "2.004"}, {"symbol": OTHER, "price": "2.020"}]
    number = (await settled.propose(changes=change)).json()["correction"]["correction_id"]
    await settled.decide("second", number)
    sent: list[np.ndarray] = []

    async def lost(rows: np.ndarray) -> None:
        sent.append(rows)

    settled.desk = CorrectionDesk(
        settled.rows, settled.runs, settled.world.mirror, lost, settled.clock
    )
    await settled.carry_out()
    assert [len(rows) for rows in sent] == [2]  # one batch; not again within seconds
    await settled.world.command(sent[0][:1])  # of which one half came through
    settled.clock.advance(RESEND_NS)
    settled.desk = settled.new_desk()
    await settled.carry_out()
    await settled.world.command(sent[0])  # what was lost comes late: both are refused
    await settled.clear()
    ticks = [one.settle_ticks for one in settled.world.mirror.contracts]
    assert ticks == [2004, 2020]
    assert [row[:2] for row in await settled.revisions()] == [("2.004", 2), ("2.000", 1)]


async def test_CORR_006_beyond_a_days_limit_both_operators_say_that_it_is_meant(settled):
    far = [{"symbol": SYMBOL, "price": "2.061"}]  # a day may move it by 3 %
    answer = await settled.propose(changes=far)
    assert (answer.status_code, answer.json()["code"]) == (409, "correction_beyond_limit")
    (shown,) = (await settled.propose(changes=far, dry_run=True)).json()["prices"]
    assert shown["beyond_limit"] is True
    near = await settled.propose(changes=[{"symbol": SYMBOL, "price": "2.060"}], dry_run=True)
    assert near.json()["prices"][0]["beyond_limit"] is False
    made = await settled.propose(changes=far, override=True)
    number = made.json()["correction"]["correction_id"]
    answer = await settled.decide("second", number)
    assert (answer.status_code, answer.json()["code"]) == (409, "correction_beyond_limit")
    path = f"{LIST}/{number}"
    body = {"action": "approve", "override": True}
    for _ in range(2):  # said again it is the same
        answer = await settled.world.call("second", "POST", path, body)
        assert answer.json()["correction"]["status"] == "approved"
    await settled.carry_out()
    assert settled.world.mirror.contracts[0].settle_ticks == 2061


async def test_CORR_005_a_price_that_is_there_by_chance_is_not_a_correction_that_was_made(settled):
    number = (await settled.propose()).json()["correction"]["correction_id"]
    await settled.decide("second", number)
    (one,) = await settled.rows.approved()
    base = await settled.runs.run(one.revises)
    wanted = corrections(base, run_of(base, one))
    by_chance = settle_command(wanted[0].settled, settled.due_ns, base.run_id)
    await settled.world.command(by_chance)  # another settlement says the same price
    for _ in range(3):
        await settled.desk.step()
    assert [each.status for each in await settled.rows.page(None, 1)] == ["approved"], (
        "clearing has not followed yet: it may be ours"
    )
    await settled.clear()
    await settled.desk.step()
    (ended,) = await settled.rows.page(None, 1)
    assert (ended.status, ended.code) == ("refused", Code.SETTLEMENT_MOVED)


async def test_CORR_003_nothing_is_corrected_once_it_is_final(settled):
    number = (await settled.propose()).json()["correction"]["correction_id"]
    await settled.decide("second", number)
    settled.clock.advance(final_ns(settled.due_ns) - settled.clock.now_ns())
    await settled.carry_out()
    (shown,) = (await settled.world.call("second", "GET", LIST)).json()["corrections"]
    assert (shown["status"], shown["code"]) == ("refused", "settlement_final")
    assert await settled.revisions() == [("2.000", 1, False)]
    late_ns = final_ns(settled.due_ns)
    settled.world.services.now_ns = lambda: late_ns
    answer = await settled.propose()
    assert (answer.status_code, answer.json()["code"]) == (409, "settlement_final")


NONSENSE = [
    ({"date": "2026-13-01"}, "query_invalid"),
    ({"reason": "short"}, "field_invalid"),
    ({"reason": "half a pair \ud800 of them"}, "text_invalid"),
    ({"changes": []}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL}]}, "field_missing"),
    ({"changes": [{"symbol": "NONE-USE-2027M03", "price": "2"}]}, "contract_unknown"),
    ({"changes": [{"symbol": SYMBOL, "price": "0"}]}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL, "price": "2.0004"}]}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL, "price": "1e3"}]}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL, "price": "2.000"}] * 2}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL, "price": None}]}, "field_type"),
    ({"changes": [{"symbol": SYMBOL, "window_volume": "7"}]}, "field_invalid"),
    ({"changes": [{"symbol": SYMBOL, "window_vwap": "7"}]}, "field_missing"),
    ({"changes": [{"symbol": SYMBOL, "bid_price": None}]}, "correction_changes_nothing"),
    ({"correction_id": "a b"}, "field_invalid"),
]


async def test_what_makes_no_sense_has_a_code(settled):
    for body, code in NONSENSE:
        answer = await settled.propose(**body)
        assert (answer.status_code < 500, answer.json()["code"]) == (True, code), body


async def test_another_day_was_not_settled_and_a_withdrawn_proposal_makes_room(settled):
    early = date_of(settled.due_ns - 86_400 * 10**9).isoformat()
    assert (await settled.propose(date=early)).json()["code"] in (
        "settlement_final", "settlement_run_unknown",
    )  # fmt: skip
    number = (await settled.propose()).json()["correction"]["correction_id"]
    gone = await settled.decide("operator", number, "withdraw")
    assert gone.json()["correction"]["status"] == "withdrawn"
    assert (await settled.decide("second", number)).json()["code"] == "correction_ended"
    assert (await settled.decide("second", "0")).json()["code"] == "correction_unknown"
    assert (await settled.decide("second", number, "burn")).json()["code"] == "field_invalid"
    assert (await settled.propose()).status_code == 201
    assert Scope.ADMIN in ALL_SCOPES
