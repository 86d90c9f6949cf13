"""Webhooks through a real Postgres: told in order, again after a kill, parked, resumed."""

import asyncio
import json
from hashlib import sha256

import asyncpg
import pytest

from exchange.io.db import queries
from exchange.io.defaults import Defaults
from exchange.io.errors import NotFound
from exchange.io.fetching import FetchRefused
from exchange.io.restraints import Restraints
from exchange.io.secret_box import SecretBox
from exchange.io.stored import Stored
from exchange.io.webhook_queue import Queue
from exchange.io.webhooks import NewHook, TooManyHooks, Webhooks
from exchange.rules import webhooks as rules
from exchange.rules.margin_calls import acknowledge, issue, pass_time
from exchange.rules.restraints import NoticeKind
from exchange.rules.webhooks import HOOKS_MAX, NS_PER_S, PARK_AFTER, backoff_ns
from exchange.services.verify.guards import webhook_differences
from exchange.services.webhooks.sending import Sender
from wellhead.webhooks import verify

NOW = 1_800_000_000 * NS_PER_S
BOX = SecretBox("x" * 32)
URL = "https://hooks.example.com/in?x=1"


class World:
    """Two accounts, receivers that answer what they are told to, and a clock that is set."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self.pool, self.now_ns = pool, NOW
        self.hooks, self.queue = Webhooks(pool, BOX), Queue(pool, BOX)
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, int | Exception] = {}
        self.stuck = asyncio.Event()
        self.begin()

    def begin(self) -> None:
        """Begin as a process does that knows nothing."""
        self.sender = Sender(self.queue, lambda: self.now_ns, (), self.post)

    async def post(self, address, headers, body) -> int:
        self.heard.append((f"{address.host}{address.target}", dict(headers), body))
        answer = self.answers.get(address.host, 204)
        if answer == 0:
            await self.stuck.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def make(self, account_idx: int, *events: str, url: str = URL) -> tuple[str, str]:
        hook = NewHook(
            account_idx=account_idx, url=url, events=events, label="mine", created_by="wk_1"
        )
        return await self.hooks.create(hook, self.now_ns)

    async def turn(self) -> None:
        while await self.queue.fill(self.now_ns):
            pass
        await self.sender.start()
        await self.sender.rest()

    def said(self) -> list[tuple[str, str]]:
        """Return event and stage of what was heard."""
        bodies = [json.loads(body) for _, _, body in self.heard]
        return [(body["event"], body["data"].get("event", "")) for body in bodies]


@pytest.fixture
async def world(pool: asyncpg.Pool) -> World:
    for idx, (name, kind) in enumerate((("insurance", "house"), ("alice", "member"))):
        await pool.execute(
            "INSERT INTO account (account_idx, account_id, name, kind) VALUES ($1, $2, $2, $3)",
            idx, name, kind,
        )  # fmt: skip
    return World(pool)


async def clear(pool: asyncpg.Pool, seq: int) -> None:
    await pool.execute("UPDATE follower SET last_seq = $1 WHERE name = 'clearing'", seq)


async def test_each_stage_of_a_margin_call_is_told_in_order_signed_and_once(pool, world):
    webhook_id, secret = await world.make(1, "margin_call")
    await world.make(0, "margin_call", url="https://other.example.com/")
    rows = Defaults(pool)
    await rows.issue(issue(0, 1, 1_500_000, NOW))
    (call,) = await rows.open_calls()
    assert await rows.change(call, acknowledge(call), NOW + 1)
    (call,) = await rows.open_calls()
    await pool.execute("UPDATE margin_call SET reminders = 1")
    await pool.execute("UPDATE margin_call SET updated_ns = updated_ns + 1")  # nothing to tell
    (call,) = await rows.open_calls()
    await rows.change(call, pass_time(call, call.due_ns), call.due_ns)
    await world.turn()
    await world.turn()
    stages = ["issued", "acknowledged", "reminder", "breached"]
    assert world.said() == [("margin_call", stage) for stage in stages]
    for (where, headers, body), number in zip(world.heard, range(4), strict=True):
        event = verify(secret, headers, body, now_ms=NOW // 1_000_000)
        assert (where, headers["WH-WEBHOOK"]) == ("hooks.example.com/in?x=1", webhook_id)
        assert (event.id, event.account_id) == (headers["WH-DELIVERY"], "alice")
        assert event.data["amount"] == "1.50" and event.data["call_id"] == "1"
        assert number == 0 or event.id > json.loads(world.heard[number - 1][2])["id"]
    log = await world.hooks.deliveries(1, webhook_id)
    assert {(one.status, one.http_status, one.attempts) for one in log} == {("delivered", 204, 1)}
    assert await pool.fetchval("SELECT count(*) FROM webhook_note") == 0


async def test_notices_are_told_to_their_account_as_the_api_says_them(pool, world):
    await world.make(1, "notice")
    await world.make(0, "notice", url="https://other.example.com/")
    rows = Restraints(pool)
    why = {"reasons": ["member_failed"], "imposed": True, "seen": {"member_failed": []}}
    for _ in range(2):  # said again it is one notice
        await rows.tell(1, NoticeKind.RESTRAINED, "0", why, NOW)
    await rows.tell(1, NoticeKind.FUND_CALL, "1", {"amount": "5.00", "due_ts": 7}, NOW)
    await world.turn()
    assert [where for where, _, _ in world.heard] == ["hooks.example.com/in?x=1"] * 2
    first, second = (json.loads(body)["data"] for _, _, body in world.heard)
    assert first == {"notice_id": "1", "kind": "restrained", "ts": NOW // 1_000_000,
                     "reasons": ["member_failed"], "seen": {"member_failed": []}}  # fmt: skip
    assert (second["kind"], second["amount"], second["due_ts"]) == ("fund_call", "5.00", 7)


async def test_what_a_kill_left_open_is_told_again_the_same(world):
    webhook_id, _ = await world.make(1, "fill")
    first = await world.hooks.ping(1, webhook_id, NOW)
    await world.hooks.ping(1, webhook_id, NOW)
    world.answers["hooks.example.com"] = 0  # never answers
    await world.sender.start()
    while not world.heard:
        await asyncio.sleep(0)
    await world.sender.start()  # it is at it: nobody else begins
    await world.sender.end()
    world.answers.clear()
    world.begin()
    world.now_ns += 9 * NS_PER_S
    await world.turn()
    ids = [headers["WH-DELIVERY"] for _, headers, _ in world.heard]
    assert ids == [str(first), str(first), str(first + 1)]
    assert world.heard[0][2] == world.heard[1][2]
    assert world.heard[0][1]["WH-SIGN"] != world.heard[1][1]["WH-SIGN"]


async def test_a_receiver_that_fails_is_asked_later_and_later_then_parked_until_resumed(world):
    webhook_id, _ = await world.make(1, "fill")
    well_id, _ = await world.make(1, "fill", url="https://well.example.com/")
    await world.hooks.ping(1, webhook_id, NOW)
    world.answers["hooks.example.com"] = FetchRefused("it leads to 10.0.0.1")
    for failures in range(1, PARK_AFTER + 1):
        await world.turn()
        hook = await world.hooks.get(1, webhook_id)
        assert (hook.failures, hook.retry_ns) == (failures, world.now_ns + backoff_ns(failures))
        world.now_ns += backoff_ns(failures) - 1
        await world.turn()  # not yet
        world.now_ns += 1
        assert len(world.heard) == failures
    assert hook.status == "parked" and "12 failures in a row" in hook.why
    assert "10.0.0.1" in hook.why
    await world.hooks.ping(1, webhook_id, NOW)
    await world.hooks.ping(1, well_id, NOW)
    await world.turn()
    assert len(world.heard) == PARK_AFTER + 1  # the other one is served
    world.answers.clear()
    await world.hooks.resume(1, webhook_id)
    await world.turn()
    (second, first) = await world.hooks.deliveries(1, webhook_id)
    assert (first.status, first.attempts, first.error) == ("delivered", PARK_AFTER + 1, "")
    assert second.status == "delivered"
    assert (await world.hooks.get(1, webhook_id)).failures == 0


async def test_an_answer_of_410_parks_at_once_and_other_answers_do_not(world):
    webhook_id, _ = await world.make(1, "fill")
    await world.hooks.ping(1, webhook_id, NOW)
    for status, state in ((302, "active"), (500, "active"), (410, "parked")):
        world.answers["hooks.example.com"] = status
        await world.turn()
        world.now_ns += backoff_ns(5)
        hook = await world.hooks.get(1, webhook_id)
        assert hook.status == state
    (one,) = await world.hooks.deliveries(1, webhook_id)
    assert (one.http_status, one.error) == (410, "answered 410")


async def test_what_clearing_wrote_is_told_from_the_hooks_begin_on_and_once(pool, world):
    await pool.execute(
        "INSERT INTO contract VALUES (0, 'H100-USE-2027M03', 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1)"
    )
    insert = (
        "INSERT INTO position_event (account_idx, seq, leg, side, is_maker, contract_idx,"
        " order_id, price_ticks, qty_lots, position_lots, realised_usd_micros, ts_ns)"
        " VALUES ($1, $2, 0, 0, true, 0, 9, 2150, 3, 3, 0, $3)"
    )
    await pool.execute(insert, 1, 5, NOW)
    await clear(pool, 5)
    await world.make(1, "fill", "settlement", "liquidation", "default")
    for seq in (7, 8):
        await pool.execute(insert, 1, seq, NOW)
    await pool.execute(insert, 0, 8, NOW)
    await pool.execute("INSERT INTO variation VALUES (1, 9, 0, 3, 2100, -150000, $1)", NOW)
    await pool.execute(
        "INSERT INTO liquidation_event VALUES (10, 10, 1, 1, -5, 100, 80, 2, $1)", NOW
    )
    await pool.execute("INSERT INTO waterfall_use VALUES (11, 10, 3, 0, 1, 5, $1)", NOW)
    await clear(pool, 10)
    await world.turn()
    await clear(pool, 12)
    await world.turn()
    await world.turn()
    bodies = {json.loads(body)["event"]: json.loads(body)["data"] for _, _, body in world.heard}
    assert len(world.heard) == 4 and set(bodies) == {
        "fill", "settlement", "liquidation", "default",
    }  # fmt: skip
    assert [one["trade_id"] for one in bodies["fill"]["fills"]] == ["7-0", "8-0"]
    assert bodies["fill"]["fills"][0]["price"] == "2.150"
    assert bodies["settlement"]["settlements"][0]["amount"] == "-0.15"
    assert bodies["liquidation"]["event"] == "begins"
    assert (bodies["default"]["role"], bodies["default"]["layer"]) == ("defaulter", "house_first")


async def test_a_hook_misses_no_fill_behind_its_begin_and_verify_sees_a_change(
    pool, world, database
):
    await pool.execute(
        "INSERT INTO contract VALUES (0, 'H100-USE-2027M03', 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1)"
    )
    await world.make(1, "fill", url="https://first.example.com/")
    for seq in range(1, 10):
        await pool.execute(
            "INSERT INTO position_event (account_idx, seq, leg, side, is_maker, contract_idx,"
            " order_id, price_ticks, qty_lots, position_lots, realised_usd_micros, ts_ns)"
            " VALUES (1, $1, 0, 0, true, 0, 9, 2150, 3, 3, 0, $2)", seq, NOW,
        )  # fmt: skip
        if seq == 5:  # clearing is ahead of what was told
            await clear(pool, 5)
            await world.make(1, "fill", url="https://second.example.com/")
    await clear(pool, 9)
    await world.turn()
    heard: dict[str, list[int]] = {}
    for where, _, body in world.heard:
        fills = json.loads(body)["data"]["fills"]
        heard.setdefault(where, []).extend(one["seq"] for one in fills)
    assert heard["first.example.com/"] == list(range(1, 10))
    assert heard["second.example.com/"] == [6, 7, 8, 9]
    connection = await database.connect()
    assert await webhook_differences(Stored(connection)) == []
    (told,) = await pool.fetch(
        "SELECT delivery_id, data FROM webhook_delivery ORDER BY delivery_id DESC LIMIT 1"
    )
    change = "UPDATE webhook_delivery SET data = $2 WHERE delivery_id = $1"
    await pool.execute(change, told[0], told[1].replace('"quantity":"3"', '"quantity":"4"', 1))
    owner = await database.connect_owner()
    await owner.execute("ALTER TABLE margin_call DISABLE TRIGGER webhook_noted")
    found = await webhook_differences(Stored(connection))
    assert [(one.table, one.field) for one in found] == [
        ("margin_call", "webhook_noted"), ("webhook_delivery", "fill"), ("webhook_delivery", "fill")
    ]  # fmt: skip
    assert '"quantity":"4"' in found[1].found and '"quantity":"3"' in found[2].expected
    await pool.execute(change, *told)
    await owner.execute("ALTER TABLE margin_call ENABLE TRIGGER webhook_noted")
    await owner.close()
    await pool.execute(  # told twice
        "INSERT INTO webhook_delivery (webhook_id, event, data, created_ns)"
        " SELECT webhook_id, event, data, 1 FROM webhook_delivery WHERE delivery_id = $1", told[0],
    )  # fmt: skip
    assert len(await webhook_differences(Stored(connection))) == len(json.loads(told[1])["fills"])
    await connection.close()


async def test_a_hook_that_is_being_made_is_waited_for(pool, world):
    await world.make(1, "fill")
    await clear(pool, 5)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(queries("webhooks")["lock_place"])
        filling = asyncio.create_task(world.queue.fill(NOW))
        done, _ = await asyncio.wait([filling], timeout=0.2)
        assert not done
    assert await filling is False
    figures = await world.queue.figures()
    assert (figures.active, figures.parked, figures.behind) == (1, 0, 0)
    await world.hooks.ping(1, (await world.hooks.of_account(1))[0].webhook_id, NOW)
    await clear(pool, 9)
    figures = await world.queue.figures()
    assert (figures.waiting, figures.oldest_ns, figures.behind) == (1, NOW, 4)


async def test_who_does_not_take_has_a_full_queue_and_no_more(pool, world, monkeypatch):
    monkeypatch.setattr(rules, "WAITING_MAX", 2)
    webhook_id, _ = await world.make(1, "withdrawal", "deposit")
    insert = (
        "INSERT INTO transfer_request (account_idx, amount_usd_micros, client_key)"
        " VALUES (1, $1, $2)"
    )
    for number in range(4):
        await pool.execute(insert, 5 if number else -5, str(number))
    await world.queue.fill(NOW)
    hook = await world.hooks.get(1, webhook_id)
    assert (hook.status, hook.waiting_count, hook.dropped) == ("parked", 2, 2)
    await world.hooks.resume(1, webhook_id)
    await world.turn()
    assert world.said() == [("withdrawal", ""), ("deposit", "")]


async def test_hooks_are_their_accounts_alone_few_and_removed_for_good(pool, world):
    webhook_id, secret = await world.make(1, "fill")
    for idx, name in ((0, webhook_id), (1, "wh_" + "b" * 16)):
        with pytest.raises(NotFound):
            await world.hooks.get(idx, name)
        with pytest.raises(NotFound):
            await world.hooks.rotate(idx, name, NOW)
    another = await world.hooks.rotate(1, webhook_id, NOW)
    await world.hooks.ping(1, webhook_id, NOW)
    await world.turn()
    world.now_ns += rules.OLD_SECRET_NS + 1
    await world.hooks.ping(1, webhook_id, NOW)
    await world.turn()
    signed = [headers["WH-SIGN"].count(",") + 1 for _, headers, _ in world.heard]
    assert signed == [2, 1]
    for one in (secret, another):
        verify(one, world.heard[0][1], world.heard[0][2], now_ms=NOW // 1_000_000)
    sealed = await pool.fetchval("SELECT secret FROM webhook")
    assert another.encode() not in sealed
    await world.queue.forget(world.now_ns + 1)
    assert await world.hooks.deliveries(1, webhook_id) == []
    await world.hooks.ping(1, webhook_id, NOW)
    await world.hooks.remove(1, webhook_id)
    assert not await world.queue.any()
    with pytest.raises(NotFound):
        await world.hooks.ping(1, webhook_id, NOW)
    await world.turn()
    assert len(world.heard) == 2
    await world.pool.execute(  # by who had read the hooks before it was removed
        "INSERT INTO webhook_delivery (webhook_id, event, data, created_ns)"
        " VALUES ($1, 'fill', '{}', 1)", webhook_id,
    )  # fmt: skip
    await world.queue.forget(0)
    waits = "SELECT count(*) FROM webhook_delivery WHERE status = 'waiting'"
    assert await world.pool.fetchval(waits) == 0
    for _ in range(HOOKS_MAX):
        await world.make(1, "fill")
    with pytest.raises(TooManyHooks):
        await world.make(1, "fill")


async def test_every_kind_of_note_is_told_in_words(pool, world):
    await pool.execute(
        "INSERT INTO contract VALUES (0, 'H100-USE-2027M03', 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1)"
    )
    await world.make(1, "withdrawal", "delivery", "giveup", "alert")
    await pool.execute(
        "INSERT INTO asset_request (account_idx, asset, move, units, client_key)"
        " VALUES (1, 5, 2, 150000000, 'w')"
    )
    await pool.execute(
        "INSERT INTO giveup (giver_idx, taker_idx, client_key, seq, leg, side, contract_idx,"
        " price_ticks, qty_lots, expires_ns, created_ns, updated_ns)"
        " VALUES (0, 1, 'g', 7, 0, 1, 0, 2150, 3, 9, 1, 1)"
    )
    await pool.execute("INSERT INTO giveup_event VALUES (1, 'offered', 'k', $1)", NOW)
    await pool.execute(
        "INSERT INTO alert (pattern, subject, contract_idx, seqs, last_seq, first_ns, last_ns,"
        " figures) VALUES ('wash', 'alice', 0, '{7}', 7, 1, $1, '{\"lots\": 3}')",
        NOW,
    )
    body = '{"buyer_idx":-1,"holder_idx":1,"issuer_idx":1,"pledgee_idx":-1,"status":"active"}'
    receipt = "cdr_" + "a" * 16
    cells = ("wellhead cdr event 1", 1, receipt, "issued", NOW, "", body, "")
    digest = sha256(bytes(32) + "\n".join(map(str, cells)).encode()).digest()
    await pool.execute(
        "INSERT INTO cdr_event VALUES (1, $1, 'issued', $2, '', $3, $4)",
        receipt, NOW, body, digest,
    )  # fmt: skip
    await world.turn()
    found = {json.loads(body)["event"]: json.loads(body)["data"] for _, _, body in world.heard}
    assert len(world.heard) == 4
    assert (found["withdrawal"]["asset"], found["withdrawal"]["amount"]) == ("BTC", "1.5")
    assert (found["giveup"]["role"], found["giveup"]["from_account_id"]) == ("taker", "insurance")
    assert (found["giveup"]["status"], found["giveup"]["ts"]) == ("offered", NOW // 1_000_000)
    assert (found["alert"]["symbol"], found["alert"]["figures"]) == (
        "H100-USE-2027M03",
        {"lots": 3},
    )
    assert (found["delivery"]["receipt_id"], found["delivery"]["status"]) == (receipt, "active")
