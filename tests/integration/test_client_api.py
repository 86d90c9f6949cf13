"""The client and the command line against the real API on the real sequencer."""

import asyncio
import json
import subprocess
import sys
from decimal import Decimal

import pytest

from tests.support.api_world import OTHER, SYMBOL, World, running
from tests.support.waiting import until
from wellhead import AsyncClient, AuthFailed, Client, NotFound, Refused
from wellhead.credentials import write_profile
from wellhead.signing import Credentials


@pytest.fixture
async def world():
    async with running() as one, one.serving():
        yield one


def credentials(world: World, who: str) -> Credentials:
    made = world.secrets[who]
    return Credentials(made.key.key_id, made.secret_text or "")


def client_of(world: World, who: str) -> AsyncClient:
    found = credentials(world, who)
    return AsyncClient(world.url, found.key, found.secret)


async def test_an_orders_whole_life_over_rest(world: World):
    async with client_of(world, "alice") as alice, client_of(world, "bob") as bob:
        one = await alice.instrument(SYMBOL)
        assert (one.tick_size, one.lot_gpu_hours, one.sku) == (Decimal("0.001"), 744, "H100-SXM")
        assert one.price_band is not None and one.fees is not None
        placed = await alice.place(SYMBOL, "buy", 3, "1.990", client_order_id="a-1")
        again = await alice.place(SYMBOL, "buy", 3, "1.990", client_order_id="a-1")
        assert again.duplicate and again.order.order_id == placed.order.order_id
        moved = await alice.amend(client_order_id="a-1", price="1.995")
        assert moved.order.price == Decimal("1.995")
        sold = await bob.place(SYMBOL, "sell", 2, "1.990")
        assert [(t.price, t.quantity) for t in sold.trades] == [(Decimal("1.995"), 2)]
        found = await alice.order(client_order_id="a-1")
        assert (found.filled_quantity, found.remaining_quantity) == (2, 1)
        assert [o.order_id for o in await alice.orders()] == [found.order_id]
        gone = await alice.cancel(found.order_id)
        assert (gone.status, gone.reason) == ("cancelled", "cancelled_by_user")
        (position,) = await alice.positions()
        assert (position.quantity, position.average_entry_price) == (2, Decimal("1.995"))
        (balance,) = await alice.balances()
        assert balance.asset == "USD" and balance.free is not None
        assert (await alice.margin()).contracts[0].symbol == SYMBOL
        assert (await alice.keys())[0].scopes == ["read", "trade", "transfer"]
        with pytest.raises(NotFound, match="order_unknown"):
            await alice.cancel(found.order_id)
        with pytest.raises(Refused) as caught:
            await alice.place(SYMBOL, "buy", 3, "0")
        assert caught.value.field == "price"


async def test_public_reads_need_no_key(world: World):
    async with AsyncClient(world.url) as anybody:
        assert (await anybody.status()).mode == "normal"
        assert {i.symbol for i in await anybody.instruments()} == {SYMBOL, OTHER}
        assert (await anybody.tickers(SYMBOL))[0].mark_price == 2
        assert (await anybody.orderbook(SYMBOL)).bids == []
        assert len(await anybody.trades(SYMBOL)) == 0
        assert (await anybody.time()).ts > 0


async def test_the_stream_trades_and_sees_it_on_every_channel(world: World):
    async with (
        client_of(world, "alice") as alice,
        client_of(world, "bob") as bob,
        alice.stream() as mine,
        bob.stream() as his,
    ):
        fills, orders = mine.fills(), mine.orders()
        next_fill, next_order = (asyncio.create_task(anext(each)) for each in (fills, orders))
        trades = asyncio.create_task(anext(his.trades(SYMBOL)))
        private, public = world.hub.private._channels, f"trades.{SYMBOL}"
        await until(lambda: private["fills"] and private["orders"])
        await until(lambda: any(public in one.channels for one in world.hub.sessions))
        placed = await mine.place(SYMBOL, "sell", 5, "2.010", post_only=True)
        assert (await next_order).order_id == placed.order.order_id
        await his.place(SYMBOL, "buy", 2, "2.010", tif="IOC")
        assert ((await next_fill).role, (await trades).quantity) == ("maker", 2)
        moved = await mine.amend(placed.order.order_id, open_quantity=1)
        assert moved.order.remaining_quantity == 1
        results = await mine.batch(
            [
                {"op": "new", "symbol": SYMBOL, "side": "buy", "price": "1.900", "quantity": "1"},
                {"op": "cancel", "order_id": "1"},
            ]
        )
        assert [r["ok"] for r in results] == [True, False]
        assert (await mine.cancel_all(symbol=SYMBOL)).cancelled_count == 2


@pytest.mark.parametrize("speed", ["raw", "100ms"])
async def test_a_live_book_equals_the_rest_snapshot_while_others_trade(world: World, speed: str):
    async with (
        client_of(world, "alice") as alice,
        client_of(world, "bob") as bob,
        bob.stream() as his,
    ):
        book = await his.book(SYMBOL, speed)
        for number in range(60):
            side = "buy" if number % 2 else "sell"
            price = f"{Decimal(1990 + number * 7 % 20) / 1000}"
            await alice.place(SYMBOL, side, 1 + number % 3, price)
        snapshot = await alice.orderbook(SYMBOL)
        await until(lambda: book.seq >= snapshot.seq)
        assert [tuple(level) for level in book.bids] == snapshot.bids
        assert [tuple(level) for level in book.asks] == snapshot.asks
        assert book.checksum() == snapshot.checksum and book.gaps == 0
        book.mark_stale()
        await book.fresh()
        assert [tuple(level) for level in book.bids] == snapshot.bids


async def test_orders_go_with_the_connection_that_asked_for_it(world: World):
    async with client_of(world, "alice") as alice:
        async with alice.stream(cancel_on_disconnect=True) as mine:
            await mine.place(SYMBOL, "buy", 1, "1.900")
            assert len(await alice.orders()) == 1
        await until(lambda: not world.mirror.accounts[0].orders)


async def test_an_operator_opens_funds_and_closes(world: World):
    async with client_of(world, "operator") as operator:
        made = await operator.create_account("Carol", account_id="carol", kind="simulated")
        assert (made.kind, made.state) == ("simulated", "active")
        assert (await operator.deposit("carol", "250.5", transfer_id="t1")).status == "done"
        await operator.deposit("carol", "250.5", transfer_id="t1")
        assert (await operator.account("carol")).cash == Decimal("250.5")
        with pytest.raises(Refused, match="withdrawal_exceeds_free"):
            await operator.withdraw("carol", 1000)
        key = await operator.create_key("carol", scopes=["read"], label="x")
        async with AsyncClient(world.url, key.key, key.secret) as carol:
            assert (await carol.balances())[0].cash == Decimal("250.5")
            with pytest.raises(AuthFailed, match="scope_missing"):
                await carol.place(SYMBOL, "buy", 1, "1.9")
            await operator.revoke_key(key.key)
            with pytest.raises(AuthFailed):
                await carol.balances()
        assert (await operator.account_keys("carol"))[0].revoked
        frozen = await operator.set_account_state("carol", "frozen")
        assert frozen.state == "frozen"
        halted = await operator.set_contract(SYMBOL, state="halt")
        assert halted.state == "halt"


async def run_cli(world: World, cwd, *arguments: str) -> tuple[int, str, str]:
    code = "from wellhead.cli import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    work = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(work.communicate(), 60)
    return work.returncode or 0, out.decode(), err.decode()


async def test_the_command_line_does_an_operators_and_a_traders_first_steps(
    world: World, tmp_path, monkeypatch
):
    for name in ("URL", "KEY", "SECRET", "PROFILE", "DATA_DIR"):
        monkeypatch.delenv(f"WELLHEAD_{name}", raising=False)
    data = tmp_path / ".wellhead"
    write_profile(data / "admin.json", credentials(world, "operator"))
    (data / "instance.lock").write_text(json.dumps({"pid": 1, "api_url": world.url}))

    async def ok(*arguments: str) -> str:
        code, out, err = await run_cli(world, tmp_path, *arguments)
        assert code == 0, (arguments, out, err)
        return out

    await ok("accounts", "create", "carol")
    await ok("accounts", "deposit", "carol", "10000")
    assert "carol" in await ok("accounts", "list")
    await ok("keys", "create", "carol", "--save", "carol")
    as_carol = ("--profile", "carol")
    order = json.loads(await ok("order", "buy", SYMBOL, "1", "1.99", *as_carol, "--json"))["order"]
    assert "1.99" in await ok("amend", order["order_id"], "--price", "1.991", *as_carol)
    assert "1.991" in await ok("book", SYMBOL)
    assert order["order_id"] in await ok("orders", *as_carol)
    await ok("cancel", order["order_id"], *as_carol)
    assert "10,000.00" in await ok("balances", *as_carol)
    assert SYMBOL in await ok("contracts", "--live")
    assert json.loads(await ok("status", "--json"))["mode"] == "normal"
    code, out, _ = await run_cli(world, tmp_path, "cancel", "12", *as_carol, "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "order_unknown")


async def test_the_client_without_asyncio_does_the_same(world: World):
    found = credentials(world, "alice")

    def work() -> None:
        with Client(world.url, found.key, found.secret) as client, client.stream() as stream:
            book = stream.book(SYMBOL)
            placed = client.place(SYMBOL, "buy", 2, Decimal("1.990"))
            for state in book.changes():
                if state.seq >= placed.seq:
                    break
            assert [tuple(level) for level in state.bids] == [(Decimal("1.990"), 2)]
            assert stream.cancel(placed.order.order_id).status == "cancelled"

    await asyncio.to_thread(work)
