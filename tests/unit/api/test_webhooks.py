from exchange.rules.webhooks import HOOKS_MAX
from tests.support.api_world import running
from tests.support.memory_webhooks import FIRST_ID

NEW = {"url": "https://hooks.example.com/wellhead?a=1", "events": ["fill", "margin_call"]}


async def test_a_hook_is_its_accounts_and_shows_its_secret_when_it_is_made_and_rotated():
    async with running() as world:
        made = await world.call("alice", "POST", "/webhooks", {**NEW, "label": "mine"})
        assert made.status_code == 201, made.text
        hook = made.json()["webhook"]
        assert made.json()["secret"].startswith("whs_") and "secret" not in hook
        assert (hook["status"], hook["events"], hook["label"]) == (
            "active",
            NEW["events"][:],
            "mine",
        )
        path = f"/webhooks/{hook['webhook_id']}"
        assert (await world.call("alice", "GET", path)).json()["webhook"] == hook
        for method, what in (("GET", ""), ("POST", "/ping"), ("POST", "/rotate"), ("DELETE", ""),
                             ("POST", "/resume"), ("GET", "/deliveries")):  # fmt: skip
            hidden = await world.call("bob", method, f"{path}{what}")
            assert (hidden.status_code, hidden.json()["code"]) == (404, "webhook_unknown")
        again = (await world.call("alice", "POST", f"{path}/rotate")).json()
        assert again["secret"] != made.json()["secret"] and again["webhook"]["rotated_ts"]
        number = (await world.call("alice", "POST", f"{path}/ping")).json()["delivery_id"]
        (one,) = (await world.call("alice", "GET", f"{path}/deliveries")).json()["deliveries"]
        assert (one["delivery_id"], one["event"], one["status"]) == (number, "ping", "waiting")
        busy = await world.call("alice", "POST", f"{path}/ping")
        assert (busy.status_code, busy.json()["code"]) == (409, "webhook_busy")
        assert (await world.call("alice", "DELETE", path)).json()["webhook_id"] in path
        assert (await world.call("alice", "GET", "/webhooks")).json()["webhooks"] == []


async def test_what_cannot_be_told_is_refused_with_its_field():
    urls = (
        "http://hooks.example.com/", "https://10.0.0.1/", "https://localhost/", "https://[::1]/",
        "https://hooks.example.com:8443/", "https://me:it@hooks.example.com/", "ftp://x.example.com",
        "https://hooks.example.com/#x", "https://hooks.example.com/a b", "hooks.example.com",
        "https://hooks.example.com/\r\nX: y", "https://2130706433/", "https://x.example.com:99999/",
    )  # fmt: skip
    wrong = [({"url": url}, "url") for url in urls]
    wrong += [({"events": names}, "events") for names in (["nothing"], ["fill", "fill"], ["ping"])]
    async with running() as world:
        for change, field in wrong:
            answer = await world.call("alice", "POST", "/webhooks", {**NEW, **change})
            found = (answer.status_code, answer.json()["code"], answer.json().get("field"))
            assert found == (422, "field_invalid", field), (change, answer.text)
        for path in ("x", "wh_", "wh_" + "a" * 999, FIRST_ID):
            answer = await world.call("alice", "GET", f"/webhooks/{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "webhook_unknown")


async def test_alerts_are_for_operators_and_hosts_inside_for_who_the_operator_allows():
    async with running() as world:
        alert = {**NEW, "events": ["alert"]}
        refused = await world.call("alice", "POST", "/webhooks", alert)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert (await world.call("operator", "POST", "/webhooks", alert)).status_code == 201
        inside = {**NEW, "url": "https://localhost:8443/in"}
        edge = world.services.edge
        object.__setattr__(edge, "webhook_hosts", frozenset({"localhost:8443"}))
        assert (await world.call("alice", "POST", "/webhooks", inside)).status_code == 201
        other = {**NEW, "url": "https://localhost:8444/in"}
        assert (await world.call("alice", "POST", "/webhooks", other)).status_code == 422


async def test_an_account_has_few_and_a_key_that_only_reads_makes_none():
    async with running() as world:
        for _ in range(HOOKS_MAX):
            assert (await world.call("bob", "POST", "/webhooks", NEW)).status_code == 201
        full = await world.call("bob", "POST", "/webhooks", NEW)
        assert (full.status_code, full.json()["code"]) == (409, "too_many_webhooks")
