"""Auctions of defaults over REST and the private channel: who is asked, sealed bids, the record."""

import asyncio

from exchange.io.default_auctions import MoveOfAward
from exchange.rules.adl import tag_of
from exchange.rules.default_auction import (
    Ask,
    Lot,
    LotResult,
    Piece,
    Result,
    Terms,
    allocate,
    awards_of,
)
from tests.support.api_world import World, running

NUMBER = 77
LOT = Lot(1, "H100", (Piece(0, "H100-USE-2027M01", 10, 2_000, 744_000),))
BIDS = f"/default-auctions/{NUMBER}/bids"


async def opened(world: World) -> int:
    """Announce an auction to alice; return her slot."""
    alice = next(one for one in world.accounts.rows if one.account_id == "alice").account_idx
    await world.auctions.open(Terms(NUMBER, 99, 5, 1_000_000, 1 << 62, (LOT,), (alice,)))
    return alice


async def test_who_is_asked_bids_and_nobody_else_sees_it():
    async with running() as world:
        await opened(world)
        made = await world.call(
            "alice", "POST", BIDS, {"lot": 1, "premium": "0.025", "share": "0.5"}
        )
        assert made.status_code == 201, made.text
        (lot,) = made.json()["auction"]["lots"]
        assert lot["own_bid"]["premium"] == "0.025" and lot["own_bid"]["share"] == "0.5"
        assert lot["positions"] == [
            {"symbol": "H100-USE-2027M01", "side": "buy", "quantity": "10", "mark": "2.000"}
        ]
        better = await world.call("alice", "POST", BIDS, {"lot": 1, "premium": "-0.001"})
        assert better.json()["auction"]["lots"][0]["own_bid"]["premium"] == "-0.001"
        (own,) = (await world.call("alice", "GET", "/default-auctions")).json()["auctions"]
        assert own["lots"][0]["own_bid"]["share"] == "1"
        assert (await world.call("bob", "GET", "/default-auctions")).json()["auctions"] == []
        for who, method, path, body in (
            ("bob", "GET", f"/default-auctions/{NUMBER}", None),
            ("bob", "POST", BIDS, {"lot": 1, "premium": "1"}),
            ("alice", "GET", "/default-auctions/78", None),
        ):
            hidden = await world.call(who, method, path, body)
            assert (hidden.status_code, hidden.json()["code"]) == (404, "auction_unknown")
        (seen,) = (await world.call("operator", "GET", "/admin/risk/auctions")).json()["auctions"]
        assert seen["lots"][0]["own_bid"] is None
        record = (await world.call("bob", "GET", f"/liquidations/{NUMBER}/auction")).json()
        assert record["result"] is None and record["auction"]["bidders"] == 1
        nothing = (await world.call("bob", "GET", "/liquidations/5/auction")).json()
        assert (nothing["auction"], nothing["moves"]) == (None, [])


async def test_a_bid_that_makes_no_sense_is_refused_with_its_field():
    wrong = (
        ({"lot": 2, "premium": "1"}, 422, "field_invalid", "lot"),
        ({"lot": 0, "premium": "1"}, 422, "field_invalid", "lot"),
        ({"lot": 1}, 422, "field_missing", "premium"),
        ({"lot": 1, "premium": "1", "share": "1.1"}, 422, "field_invalid", "share"),
        ({"lot": 1, "premium": "1", "share": "-1"}, 422, "field_invalid", "share"),
        ({"lot": 1, "premium": "1", "share": "x"}, 422, "field_invalid", "share"),
        ({"lot": 1, "premium": "0.00001"}, 422, "field_invalid", "premium"),
        ({"lot": 1, "premium": "9" * 30}, 422, "field_invalid", "premium"),
        ({"lot": 1, "premium": "1", "bid_id": "a b"}, 422, "field_invalid", "bid_id"),
    )
    async with running() as world:
        await opened(world)
        for body, status, code, field in wrong:
            found = await world.call("alice", "POST", BIDS, body)
            assert (found.status_code, found.json()["code"]) == (status, code), (body, found.text)
            assert found.json().get("field") == field, (body, found.text)
        assert (await world.call("alice", "GET", "/default-auctions/x")).status_code == 422
        one = {"lot": 1, "premium": "1", "bid_id": "mine"}
        for _ in range(2):
            assert (await world.call("alice", "POST", BIDS, one)).status_code == 201
        assert len(world.auctions.said[NUMBER]) == 1
        other = await world.call("alice", "POST", BIDS, one | {"premium": "2"})
        assert other.status_code == 409
        await world.auctions.begin_close(NUMBER, 1)
        late = await world.call("alice", "POST", BIDS, {"lot": 1, "share": "0"})
        assert (late.status_code, late.json()["code"]) == (409, "auction_closed")


async def test_after_the_close_anybody_reads_the_record_with_tags_instead_of_names():
    async with running() as world:
        alice = await opened(world)
        tag = tag_of(alice, NUMBER)
        rows = allocate(LOT, 10**12, [Ask(tag, 5, 10_000)], lambda *_: True)
        lot = LotResult(lot=LOT, reserve_usd_micros=10**12, rows=rows)
        result = Result(liquidation_id=NUMBER, state_seq=9, price_top_ticks=65_535, lots=(lot,),
                        awards=tuple(awards_of(lot, 65_535)), dues=())  # fmt: skip
        await world.auctions.begin_close(NUMBER, 1)
        await world.auctions.decide(result, (), frozenset(), 2)
        world.auctions.moved_lots = [MoveOfAward(12, alice, "H100-USE-2027M01", 10, 1_995)]
        record = (await world.call("bob", "GET", f"/liquidations/{NUMBER}/auction")).json()
        assert record["result"]["awards"][0]["price_ticks"] == 1_995
        assert record["moves"][0]["tag"] == tag and "alice" not in str(record)


async def test_an_operator_admits_and_excludes_bidders():
    async with running() as world:
        path = "/admin/risk/bidders"
        for admitted in (True, False):
            body = {"account_id": "bob", "admitted": admitted}
            said = await world.call("operator", "PUT", path, body)
            assert said.json()["bidders"] == [body], said.text
        unknown = await world.call("operator", "PUT", path, {"account_id": "x", "admitted": True})
        assert unknown.status_code == 404
        assert (await world.call("bob", "GET", path)).status_code == 403


async def test_the_private_channel_tells_who_is_asked_when_an_auction_opens_and_ends():
    async with running() as world:
        alice = await opened(world)
        told: list[tuple[str, int, list[dict[str, object]]]] = []
        channel = world.hub.auctions
        channel._private.tell = lambda *said: told.append(said)  # type: ignore[method-assign, assignment]
        world.auctions.kept.clear()
        await channel.turn()
        await opened(world)
        for status in ("open", "open", "done"):
            world.auctions.status[NUMBER] = status
            channel.changed()
            await channel.turn()
            await asyncio.sleep(0)
        assert [(name, idx, data[0]["status"]) for name, idx, data in told] == [
            ("default_auction", alice, "open"), ("default_auction", alice, "done"),
        ]  # fmt: skip
        assert channel.open_of(alice) == []
