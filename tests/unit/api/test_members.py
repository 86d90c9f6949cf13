"""Members, their clients and ports over REST."""

from contextlib import asynccontextmanager

from api.protect import limits_row
from exchange.io.registry import Scope
from exchange.rules.protections import Limits, limits_command
from matching.codes import Kind
from tests.support.api_world import SYMBOL, running
from tests.support.rows import command

PORT = {"account_id": "alice", "to": "beta", "reason": "alpha fails", "port_id": "p1"}


@asynccontextmanager
async def house():
    """Give a world with two members; alice is a client of the first."""
    async with running() as world:
        for name in ("alpha", "beta"):
            body = {"name": name, "account_id": name, "kind": "member"}
            assert (
                await world.call("operator", "POST", "/admin/accounts", body)
            ).status_code == 201
            account = await world.accounts.get(name)
            world.secrets[name] = await world.keys.create(
                account_idx=account.account_idx, scopes=frozenset({Scope.READ, Scope.TRADE})
            )
        put = await world.call(
            "operator", "PUT", "/admin/accounts/alice/member", {"member": "alpha"}
        )
        assert put.json()["membership"]["member"] == "alpha", put.text
        yield world


async def test_a_member_reads_and_stops_its_clients_and_no_other_account():
    async with house() as world:
        await world.place("alice", "buy", "1.990", "3")
        seen = (await world.call("alpha", "GET", "/member/clients")).json()["clients"]
        assert [(one["account_id"], one["member"]) for one in seen] == [("alice", "alpha")]
        one = (await world.call("alpha", "GET", "/member/clients/alice")).json()
        assert one["positions"][0]["symbol"] == SYMBOL and one["balances"][0]["asset"] == "USD"
        for name in ("bob", "beta", "alpha", "nobody", "A%00"):
            for method, tail in (("GET", ""), ("POST", "/kill")):
                refused = await world.call("alpha", method, f"/member/clients/{name}{tail}")
                assert (refused.status_code, refused.json()["code"]) == (404, "client_unknown")
        strange = await world.call("beta", "POST", "/member/clients/alice/kill")
        assert strange.json()["code"] == "client_unknown"
        none = await world.call("alice", "GET", "/member/clients")
        assert (none.status_code, none.json()["code"]) == (403, "not_a_member")
        killed = (await world.call("alpha", "POST", "/member/clients/alice/kill")).json()["killed"]
        assert killed == {"account_id": "alice", "cancelled_count": 1}
        stopped = await world.place("alice", "buy", "1.990", "3")
        assert stopped["code"] == "account_frozen"
        for method, path, body in (
            ("PATCH", "/admin/accounts/alice", {"state": "active"}),
            ("POST", "/admin/accounts/alice/withdrawals", {"amount": "1"}),
            ("POST", "/admin/accounts/alice/keys", {}),
        ):
            assert (await world.call("alpha", method, path, body)).json()["code"] == "scope_missing"


async def test_a_member_key_that_only_reads_stops_nobody():
    async with house() as world:
        account = await world.accounts.get("alpha")
        world.secrets["reader"] = await world.keys.create(
            account_idx=account.account_idx, scopes=frozenset({Scope.READ})
        )
        assert (await world.call("reader", "GET", "/member/clients/alice")).status_code == 200
        refused = await world.call("reader", "POST", "/member/clients/alice/kill")
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")


async def test_a_client_goes_to_the_member_that_accepts_with_all_it_has_where_it_is():
    async with house() as world:
        await world.place("bob", "sell", "2.000", "4")
        await world.place("alice", "buy", "2.000", "4")
        before = world.mirror.accounts[0]
        held, cash, seq = before.positions[0].qty_lots, before.cash_usd_micros, world.mirror.seq
        made = await world.call("operator", "POST", "/admin/ports", PORT)
        assert made.status_code == 201, made.text
        number = made.json()["port"]["port_id"]
        again = await world.call("operator", "POST", "/admin/ports", PORT)
        assert (again.status_code, again.json()["port"]["port_id"]) == (200, number)
        twice = await world.call("operator", "POST", "/admin/ports", {**PORT, "port_id": "p2"})
        assert (twice.status_code, twice.json()["code"]) == (409, "port_going")
        hidden = await world.call("alpha", "POST", f"/member/ports/{number}/accept")
        assert (hidden.status_code, hidden.json()["code"]) == (404, "port_unknown")
        for _ in range(2):
            taken = await world.call("beta", "POST", f"/member/ports/{number}/accept")
            assert taken.json()["port"]["status"] == "done", taken.text
        assert [said["status"] for said in taken.json()["trail"]] == ["proposed", "done"]
        late = await world.call("operator", "DELETE", f"/admin/ports/{number}")
        assert (late.status_code, late.json()["code"]) == (409, "port_ended")
        own = (await world.call("alice", "GET", "/membership")).json()["membership"]
        assert [row["member"] for row in own["history"]] == ["alpha", "beta"]
        assert own["history"][1]["port_id"] == number
        gone = await world.call("alpha", "GET", "/member/clients/alice")
        assert gone.json()["code"] == "client_unknown"
        assert (await world.call("beta", "GET", "/member/clients/alice")).status_code == 200
        after = world.mirror.accounts[0]
        assert (after.positions[0].qty_lots, after.cash_usd_micros) == (held, cash) == (4, cash)
        assert world.mirror.seq == seq  # no command at all


async def test_what_makes_no_sense_is_refused_with_its_field():
    wrong = (
        ({"account_id": "bob"}, 409, "client_has_no_member", "account_id"),
        ({"account_id": "nobody"}, 404, "account_unknown", None),
        ({"account_id": "beta"}, 409, "client_not_allowed", None),
        ({"to": "alpha"}, 409, "client_has_no_member", "account_id"),
        ({"to": "bob"}, 409, "member_not_allowed", "to"),
        ({"to": 5}, 422, "field_type", "to"),
        ({"reason": "x" * 65}, 422, "field_invalid", "reason"),
        ({"port_id": "a b"}, 422, "field_invalid", "port_id"),
        ({"expires_ms": 0}, 422, "field_invalid", "expires_ms"),
        ({"expires_ms": 1 << 42}, 422, "field_invalid", "expires_ms"),
    )
    async with house() as world:
        for change, status, code, field in wrong:
            answer = await world.call("operator", "POST", "/admin/ports", {**PORT, **change})
            found = answer.json()
            assert (answer.status_code, found["code"]) == (status, code), (change, answer.text)
            assert found.get("field") == field, (change, answer.text)
        elsewhere = await world.call(
            "operator", "PUT", "/admin/accounts/alice/member", {"member": "beta"}
        )
        assert (elsewhere.status_code, elsewhere.json()["code"]) == (409, "client_has_member")
        for name, member, code in (
            ("beta", "alpha", "client_not_allowed"), ("bob", "alice", "member_not_allowed"),
        ):  # fmt: skip
            path = f"/admin/accounts/{name}/member"
            refused = await world.call("operator", "PUT", path, {"member": member})
            assert refused.json()["code"] == code
        for path in ("/admin/ports/0", "/admin/ports/x", "/admin/ports/99999999999999999999"):
            assert (await world.call("operator", "GET", path)).status_code == 422
        born = {"name": "Carol", "account_id": "carol", "member": "bob"}
        refused = await world.call("operator", "POST", "/admin/accounts", born)
        assert refused.json()["code"] == "member_not_allowed"
        assert await world.accounts.get("carol") is None  # judged before anything is written
        made = await world.call("operator", "POST", "/admin/accounts", {**born, "member": "beta"})
        assert made.json()["account"]["member"] == "beta"


async def test_a_port_waits_until_receiver_and_client_are_fit_for_it():
    async with house() as world:
        made = await world.call("operator", "POST", "/admin/ports", PORT)
        path = f"/member/ports/{made.json()['port']['port_id']}"
        await world.call("operator", "PATCH", "/admin/accounts/beta", {"state": "frozen"})
        refused = await world.call("beta", "POST", f"{path}/accept")
        assert (refused.status_code, refused.json()["code"]) == (409, "port_not_now")
        assert (await world.call("beta", "GET", path)).json()["port"]["status"] == "proposed"
        declined = await world.call("beta", "POST", f"{path}/decline")
        assert declined.json()["port"]["status"] == "declined"
        own = (await world.call("alice", "GET", "/membership")).json()["membership"]
        assert own["member"] == "alpha"


async def test_CRED_001_of_an_operators_limits_and_the_members_the_stricter_holds():
    async with house() as world:
        own, theirs = "/admin/accounts/alice/limits", "/member/clients/alice/limits"
        await world.call("operator", "PUT", own, {"order_quantity": "5", "open_orders": 9})
        body = {"order_quantity": "7", "position": "4", "order_notional": "9999"}
        said = (await world.call("alpha", "PUT", theirs, body)).json()
        assert said["limits"] == {
            "order_quantity": "5", "order_notional": "9999.00", "position": "4",
            "orders_per_second": None, "open_orders": 9,
        }  # fmt: skip
        assert (said["by_operator"]["order_quantity"], said["by_member"]["position"]) == ("5", "4")
        for lots, code in (("6", "order_size_limit"), ("5", "position_limit"), ("4", None)):
            assert (await world.place("alice", "buy", "1.990", lots)).get("code") == code
        none = (await world.call("operator", "PUT", own, {})).json()
        assert none["limits"] == none["by_member"], "an operator loosens nothing of the member's"
        assert (await world.call("operator", "GET", own)).json()["limits"] == none["limits"]
        assert (await world.call("alpha", "GET", theirs)).json()["limits"] == none["limits"]


async def test_CRED_002_limits_of_a_member_hold_for_its_clients_and_end_with_them():
    async with house() as world:
        path = "/member/clients/alice/limits"
        for who, code in (("beta", "client_unknown"), ("alice", "not_a_member")):
            for method, body in (("GET", None), ("PUT", {"position": "1"})):
                refused = await world.call(who, method, path, body)
                assert refused.json()["code"] == code
        bad = await world.call("alpha", "PUT", path, {"order_notional": "-1"})
        assert bad.status_code == 422
        await world.call("alpha", "PUT", path, {"position": "3"})
        await world.call("operator", "POST", "/admin/ports", PORT)
        accepted = await world.call("beta", "POST", "/member/ports/1/accept")
        assert accepted.status_code == 200, accepted.text
        shown = (await world.call("beta", "GET", path)).json()
        assert shown["limits"]["position"] is shown["by_member"]["position"] is None
        await world.call("beta", "PUT", path, {"position": "2"})
        await world.call("operator", "PUT", "/admin/accounts/alice/member", {"member": None})
        shown = (await world.call("operator", "GET", "/admin/accounts/alice/limits")).json()
        assert shown["limits"]["position"] is None


async def test_CRED_003_limits_from_before_they_had_an_owner_are_an_operators():
    async with house() as world:
        account = await world.accounts.get("alice")
        await world.command(command(Kind.SET_LIMITS, account_idx=account.account_idx, qty_lots=3))
        said = await world.call("alpha", "PUT", "/member/clients/alice/limits", {"position": "9"})
        assert said.json()["by_operator"]["order_quantity"] == "3"
        assert said.json()["limits"]["order_quantity"] == "3"


def test_CRED_008_a_service_says_limits_in_the_very_bytes_of_the_api():
    limits = Limits(5, 6, 7, 8, 9)
    row = limits_row(3, limits)  # without who asks, which the gateway adds
    assert len(row) == 112 and limits_command(3, limits).tobytes()[:112] == row
