"""The channels `margin_call`, `liquidation` and `settlements`: what there is, then each change."""

from dataclasses import replace

from exchange.rules.margin_calls import CallState, issue
from exchange.rules.operations import settle_command
from exchange.rules.settlement import PriceRule
from exchange.rules.settlement_run import Settled
from matching.codes import AccountState, Kind, LiquidationStep
from tests.support.api_world import SYMBOL, World, running
from tests.support.rows import command

MINUTE_NS = 60 * 10**9


async def called(world: World, who: str) -> int:
    """Issue a call of 5 USD; return the slot of whom it is for."""
    account = await world.accounts.get(who)
    assert account is not None
    world.defaults.names[account.account_idx] = who
    await world.defaults.issue(issue(0, account.account_idx, 5_000_000, world.mirror.ts_ns))
    world.hub.calls.changed()
    return account.account_idx


async def test_a_margin_call_is_in_the_snapshot_then_each_change_and_reminder_is_told() -> None:
    async with running() as world, world.serving() as url:
        await called(world, "alice")
        await world.hub.calls.turn()
        async with world.socket(url, "alice") as alice, world.socket(url, "bob") as bob:
            for socket in (alice, bob):
                assert (await socket.ask("subscribe", channels=["margin_call"]))["ok"]
            (first,) = (await alice.push("margin_call"))["data"]
            assert (first["event"], first["amount"], first["reminders"]) == ("issued", "5.00", 0)
            assert (await bob.push("margin_call"))["data"] == []
            calls = world.defaults.all_calls
            told = []
            for change in (
                {"reminders": 1}, {"state": CallState.ACKNOWLEDGED}, {"state": CallState.BREACHED},
                {"state": CallState.CURED, "met_usd_micros": 5_000_000},
            ):  # fmt: skip
                calls[0] = replace(calls[0], **change)
                world.hub.calls.changed()
                push = await alice.push("margin_call")
                told.append(push["data"][0]["event"])
            assert told == ["reminder", "acknowledged", "breached", "cured"]
            await alice.ask("resync", channel="margin_call")
            assert (await alice.push("margin_call"))["data"] == []  # it has ended
            await called(world, "bob")  # bob heard nothing of alice's
            (own,) = (await bob.push("margin_call"))["data"]
            assert (own["account_id"], own["event"]) == ("bob", "issued")


async def test_a_look_that_finds_nothing_new_tells_nobody() -> None:
    async with running() as world:
        idx = await called(world, "alice")
        told: list[object] = []
        world.hub.private.tell = lambda *args: told.append(args)  # type: ignore[method-assign]
        for _ in range(3):
            world.hub.calls.changed()
            await world.hub.calls.turn()
        assert told == []
        assert len(world.hub.calls.open_of(idx)) == 1


async def test_a_liquidation_is_told_as_it_begins_and_ends() -> None:
    async with running() as world, world.serving() as url:
        account = await world.accounts.get("alice")
        assert account is not None
        async with world.socket(url, "alice") as alice:
            await alice.ask("subscribe", channels=["liquidation"])
            assert (await alice.push("liquidation"))["data"] == []
            row = command(
                Kind.SET_ACCOUNT, account_idx=account.account_idx, state=AccountState.REDUCE_ONLY,
                order_id=LiquidationStep.BEGINS, amount_usd_micros=7_000_000, qty_lots=9_000_000,
                expires_ns=8_000_000,
            )  # fmt: skip
            await world.sequencer.submit(row)
            (begun,) = (await alice.push("liquidation"))["data"]
            assert (begun["event"], begun["equity"]) == ("begins", "7.00")
            assert (begun["initial_margin"], begun["maintenance_margin"]) == ("9.00", "8.00")
            await alice.ask("resync", channel="liquidation")
            (going,) = (await alice.push("liquidation"))["data"]
            assert going["liquidation_id"] == begun["liquidation_id"] == str(begun["seq"])
            row["order_id"], row["ref_id"] = LiquidationStep.ENDS, begun["seq"]
            row["state"] = AccountState.ACTIVE
            await world.sequencer.submit(row)
            (ended,) = (await alice.push("liquidation"))["data"]
            assert (ended["event"], ended["liquidation_id"]) == ("ends", begun["liquidation_id"])


async def test_settlement_prices_are_told_with_their_rule_and_run() -> None:
    async with running() as world, world.serving() as url, world.socket(url) as anybody:
        await anybody.ask("subscribe", channels=["settlements"])
        prices = {
            row["symbol"]: row["price"] for row in (await anybody.push("settlements"))["data"]
        }
        contract = world.mirror.contract(SYMBOL)
        assert contract is not None and prices[SYMBOL] == f"{contract.settle_ticks / 1000:.3f}"
        one = Settled(contract.contract_idx, 2_011, PriceRule.STRIP, -1)
        await world.sequencer.submit(settle_command(one, 1_700_000_000 * 10**9, "ab" * 32))
        (told,) = (await anybody.push("settlements"))["data"]
        assert (told["symbol"], told["price"], told["rule"]) == (SYMBOL, "2.011", "strip")
        assert (told["run"], told["date"], told["cycle"]) == ("ab" * 32, "2023-11-14", "daily")
