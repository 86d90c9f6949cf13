"""Owners, what can be delivered, credit and notices over REST and the websocket."""

from exchange.rules.restraints import NoticeKind
from tests.support.api_world import SYMBOL, running
from tests.support.memory_restraints import HELD
from tests.unit.api.test_members import house

SAID = {"sku": "H100", "hub": "USE", "gpus": 1000, "source": "an audit"}


async def test_an_owner_sees_what_all_its_accounts_hold_and_may():
    async with running() as world:
        put = await world.call("operator", "PUT", "/admin/capacity", SAID)
        assert put.json()["capacity"][0]["account_id"] is None, put.text
        await world.place("bob", "sell", "2.000", "60")
        await world.place("alice", "buy", "2.000", "60")
        sub = await world.call(
            "operator", "PUT", "/admin/accounts/operator/owner", {"owner": "alice"}
        )
        assert sub.json()["ownership"]["accounts"] == ["alice", "operator"], sub.text
        own = (await world.call("alice", "GET", "/position-limits")).json()["position_limits"]
        held = {one["scope"]: one for one in own["holdings"]}[SYMBOL]
        assert own["owner"] == "alice" and own["accounts"] == ["alice", "operator"]
        assert held == {
            "scope": SYMBOL, "side": "long", "level": "accountable", "used_gpu_hours": "44640",
            "limit_gpu_hours": "74400", "accountable_gpu_hours": "37200",
        }  # fmt: skip
        seen = (await world.call("operator", "GET", "/admin/position-limits")).json()["owners"]
        assert [one["owner"] for one in seen] == ["alice", "bob"]
        none = await world.call(
            "operator", "PUT", "/admin/accounts/operator/owner", {"owner": None}
        )
        assert none.json()["ownership"]["owner"] == "operator"


async def test_what_makes_no_sense_is_refused_with_its_field():
    wrong = (
        ("/admin/capacity", {**SAID, "sku": "H999"}, 422, "field_invalid", "sku"),
        ("/admin/capacity", {**SAID, "hub": "MARS"}, 422, "field_invalid", "hub"),
        ("/admin/capacity", {**SAID, "gpus": -1}, 422, "field_invalid", "gpus"),
        ("/admin/capacity", {**SAID, "source": ""}, 422, "field_invalid", "source"),
        ("/admin/capacity", {**SAID, "source": "a\u0000b"}, 422, "field_invalid", "source"),
        ("/admin/capacity", {**SAID, "account_id": "nobody"}, 404, "account_unknown", None),
        ("/admin/accounts/alice/owner", {"owner": "nobody"}, 404, "account_unknown", None),
        ("/admin/accounts/alice/owner", {"owner": 5}, 422, "field_type", "owner"),
        ("/admin/accounts/alice/credit", {"initial_margin": "-1"}, 422, None, "initial_margin"),
        ("/admin/accounts/alice/credit", {"turnover_gpu_hours": -1}, 422, "field_invalid",
         "turnover_gpu_hours"),
    )  # fmt: skip
    async with running() as world:
        for path, body, status, code, field in wrong:
            answer = await world.call("operator", "PUT", path, body)
            found = answer.json()
            assert answer.status_code == status, (path, body, answer.text)
            assert code in (None, found["code"]) and found.get("field") == field, answer.text
            if path.startswith("/admin"):
                refused = await world.call("alice", "PUT", path, body)
                assert refused.json()["code"] == "scope_missing"
        await world.call("operator", "PUT", "/admin/accounts/bob/owner", {"owner": "alice"})
        body = {"name": "House", "account_id": "second", "kind": "house"}
        await world.call("operator", "POST", "/admin/accounts", body)
        ours = await world.call(
            "operator", "PUT", "/admin/accounts/second/owner", {"owner": "alice"}
        )
        assert (ours.status_code, ours.json()["code"]) == (409, "owner_not_allowed")
        chain = await world.call(
            "operator", "PUT", "/admin/accounts/operator/owner", {"owner": "bob"}
        )
        assert (chain.status_code, chain.json()["code"]) == (409, "owner_not_allowed")


async def test_a_member_trusts_its_client_with_so_much_and_no_other_account():
    async with house() as world:
        body = {"initial_margin": "100", "turnover_gpu_hours": 5000}
        put = await world.call("alpha", "PUT", "/member/clients/alice/credit", body)
        assert put.json()["by_member"] == {
            "initial_margin": "100.00",
            "turnover_gpu_hours": 5000,
            "clients_margin": None,
        }
        both = await world.call("operator", "PUT", "/admin/accounts/alice/credit",
                                {"turnover_gpu_hours": 10})  # fmt: skip
        assert both.json()["credit"] == {
            "initial_margin": "100.00", "turnover_gpu_hours": 10, "clients_margin": None,
        }  # fmt: skip
        seen = (await world.call("alpha", "GET", "/member/clients/alice/credit")).json()
        assert seen["reasons"] == [] and seen["turnover_gpu_hours"] == 0
        for name in ("beta", "alice"):
            refused = await world.call(name, "PUT", "/member/clients/alice/credit", body)
            assert refused.status_code in (403, 404)


async def test_CRED_007_an_operator_limits_all_clients_of_a_member_and_nobody_else_does():
    async with house() as world:
        await world.place("alice", "buy", "1.990", "3")
        body = {"clients_margin": "2000000"}
        put = await world.call("operator", "PUT", "/admin/accounts/alpha/credit", body)
        assert put.json()["credit"]["clients_margin"] == "2000000.00"
        alone = await world.call("alpha", "GET", "/member/clients/alice/credit")
        assert put.json()["clients_margin"] == alone.json()["initial_margin"] == "0.00"
        assert alone.json()["clients_margin"] is None
        for name, path in (("operator", "/admin/accounts/alice/credit"),
                           ("alpha", "/member/clients/alice/credit")):  # fmt: skip
            refused = await world.call(name, "PUT", path, body)
            assert (refused.status_code, refused.json()["code"]) == (409, "member_not_allowed")
        for wrong in ("-1", "x", "1e5", 7):
            refused = await world.call(
                "operator", "PUT", "/admin/accounts/alpha/credit", {"clients_margin": wrong}
            )
            assert refused.status_code in (400, 422), refused.text


async def test_notices_of_ports_say_who_and_until_when():
    async with running() as world:
        rows = world.services.restraints
        offer = {"client": "bob", "member": "alpha", "port_id": "7", "amount": "5.00", "due_ts": 9}
        await rows.tell(0, NoticeKind.PORT_OFFER, "7", offer, 10**18)
        (seen,) = (await world.call("alice", "GET", "/notices")).json()["notices"]
        assert seen.items() >= offer.items() and seen["kind"] == "port_offer"


async def test_notices_are_shown_to_their_account_page_by_page_and_told_on_its_channel():
    async with running() as world:
        rows = world.services.restraints
        told: list[tuple[str, int, str]] = []
        channel = world.hub.notices
        channel._private.tell = lambda name, idx, data: told.append((name, idx, data[0]["kind"]))  # type: ignore[method-assign]
        await rows.tell(0, NoticeKind.FUND_REMINDER, "0", {"amount": "5.0", "due_ts": 5}, 10**18)
        await channel.turn()  # what is there at the start is not told
        await rows.tell(0, NoticeKind.ACCOUNTABILITY, "1", HELD, 10**18)
        why = {"reasons": ["position_limit"], "imposed": True, "seen": {}}
        await rows.tell(0, NoticeKind.RESTRAINED, "2", why, 10**18)
        await rows.tell(1, NoticeKind.FUND_CALL, "3", {"amount": "5.0", "due_ts": 5}, 10**18)
        for _ in range(2):
            channel.changed()
            await channel.turn()
        assert told == [
            ("notices", 0, "accountability"), ("notices", 0, "restrained"),
            ("notices", 1, "fund_call"),
        ]  # fmt: skip
        first = (await world.call("alice", "GET", "/notices?limit=1")).json()
        assert [one["kind"] for one in first["notices"]] == ["restrained"]
        rest = (await world.call("alice", "GET", f"/notices?cursor={first['next_cursor']}")).json()
        assert [one.get("holding") for one in rest["notices"]] == [HELD, None]
        every = (await world.call("operator", "GET", "/admin/notices")).json()["notices"]
        assert [one["account_id"] for one in every] == ["bob", "alice", "alice", "alice"]
