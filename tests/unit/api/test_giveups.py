from tests.support.api_world import running

FILL = {"trade_id": "7-0", "to": "bob", "quantity": "4", "giveup_id": "mine"}


async def test_an_offer_is_answered_by_the_taker_alone_and_again_is_the_same():
    async with running() as world:
        made = await world.call("alice", "POST", "/giveups", FILL)
        assert made.status_code == 201, made.text
        one = made.json()["giveup"]
        assert (one["role"], one["side"], one["quantity"]) == ("giver", "buy", "4")
        again = await world.call("alice", "POST", "/giveups", FILL)
        assert (again.status_code, again.json()["giveup"]["giveup_id"]) == (200, one["giveup_id"])
        path = f"/giveups/{one['giveup_id']}"
        own = await world.call("alice", "POST", f"{path}/accept")
        assert (own.status_code, own.json()["code"]) == (409, "giveup_ended")
        taken = await world.call("bob", "POST", f"{path}/accept")
        assert taken.json()["giveup"]["status"] == "accepted"
        assert (await world.call("bob", "POST", f"{path}/accept")).status_code == 200
        late = await world.call("alice", "DELETE", path)
        assert (late.status_code, late.json()["code"]) == (409, "giveup_ended")
        trail = (await world.call("bob", "GET", path)).json()["trail"]
        assert [said["status"] for said in trail] == ["offered", "accepted"]
        hidden = await world.call("operator", "GET", path)
        assert (hidden.status_code, hidden.json()["code"]) == (404, "giveup_unknown")


async def test_what_cannot_be_given_up_is_refused_with_its_field():
    wrong = (
        ({"trade_id": "8-0"}, 404, "fill_unknown", "trade_id"),
        ({"trade_id": "x"}, 422, "field_invalid", "trade_id"),
        ({"trade_id": "9" * 40 + "-0"}, 422, "field_invalid", "trade_id"),
        ({"quantity": "11"}, 409, "fill_too_small", "quantity"),
        ({"quantity": "0"}, 422, "field_invalid", "quantity"),
        ({"to": "alice"}, 422, "field_invalid", "to"),
        ({"to": "nobody"}, 404, "account_unknown", None),
        ({"side": "up"}, 422, "field_invalid", "side"),
        ({"expires_ms": 0}, 422, "field_invalid", "expires_ms"),
        ({"giveup_id": "a b"}, 422, "field_invalid", "giveup_id"),
    )
    async with running() as world:
        for change, status, code, field in wrong:
            answer = await world.call("alice", "POST", "/giveups", {**FILL, **change})
            found = answer.json()
            assert (answer.status_code, found["code"]) == (status, code), (change, answer.text)
            assert found.get("field") == field, (change, answer.text)
        for path in ("/giveups/0", "/giveups/x", "/giveups/99999999999999999999"):
            assert (await world.call("alice", "GET", path)).status_code == 422
