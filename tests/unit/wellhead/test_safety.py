"""The emergency stops, quotes and protections of client and command line."""

import json

import pytest

from tests.unit.wellhead.fakes import KEY, SECRET, FakeRest
from wellhead.cli.app import run
from wellhead.cli.exits import Exit
from wellhead.client import Client
from wellhead.protect_calls import quote_of

KILLED = {"accounts": [{"account_id": "alice", "cancelled_count": 7}]}
GROUP = {"group": 1, "window_ms": 100, "quantity": 5, "delta": 0, "fills": 0, "frozen": True}
SIDE = {"status": "open", "order_id": "77", "open_quantity": "5", "filled_quantity": "0"}


@pytest.fixture(autouse=True)
def _key(tmp_path, monkeypatch):
    for name in ("URL", "PROFILE", "DATA_DIR", "PORT"):
        monkeypatch.delenv(f"WELLHEAD_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("WELLHEAD_KEY", KEY)
    monkeypatch.setenv("WELLHEAD_SECRET", SECRET)
    monkeypatch.chdir(tmp_path)


def sent(answer, *arguments):
    """Run a command; return its exit code, and method, path and body of its request."""
    with FakeRest((200, {"seq": 1, "ts": 5, **answer})) as fake:
        code = run([*arguments, "--url", fake.url])
        method, path, body, _ = fake.seen[0]
    return code, method, path, json.loads(body) if body else None


@pytest.mark.parametrize(
    ("arguments", "killed", "body"),
    [
        (("account", "alice"), KILLED, {"account_id": "alice"}),
        (("member", "Alice"), KILLED, {"member": "Alice"}),
        (("key", "K9"), {"key": {"key": "K9"}, "cancelled_count": 2}, {"key": "K9"}),
        (("exchange",), {"halted": True, "cancelled_count": 9, "commands": 3}, {"exchange": True}),
    ],
)
def test_kill_says_what_it_killed(capsys, arguments, killed, body):
    code, *request = sent({"killed": killed}, "kill", *arguments)
    assert (code, request) == (Exit.OK, ["POST", "/api/v1/admin/kill", body])
    assert "orders cancelled" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["halt", "resume"])
def test_halt_and_resume_say_what_is_taken_now(capsys, word):
    code, *request = sent({"halted": word == "halt"}, word)
    assert (code, request) == (Exit.OK, ["POST", f"/api/v1/admin/{word}", None])
    assert ("halted" in capsys.readouterr().out) == (word == "halt")


def test_limits_are_sent_whole(capsys):
    answer = {"limits": {"order_quantity": 5, "order_notional": "99.50"}}
    code, _, path, body = sent(
        answer, "limits", "alice", "--order-quantity", "5", "--order-notional", "99.50"
    )
    assert (code, path) == (Exit.OK, "/api/v1/admin/accounts/alice/limits")
    assert body == {
        "order_quantity": "5", "order_notional": "99.50", "position": "0", "orders_per_second": 0,
        "open_orders": 0,
    }  # fmt: skip
    assert "5 lots in one order, 99.50 USD in one order" in capsys.readouterr().out


def test_a_quote_is_both_sides_at_once(capsys):
    result = {"ok": True, "symbol": "X", "bid": SIDE, "ask": None}
    code, _, path, body = sent(
        {"results": [result]}, "quote", "X", "--bid", "5@1.99", "--group", "1"
    )
    assert (code, path) == (Exit.OK, "/api/v1/quotes")
    quote = {"symbol": "X", "bid_price": "1.99", "bid_quantity": "5"}
    assert body == {"quotes": [quote], "group": 1, "post_only": True}
    assert "bid: open 77\nask: none" in capsys.readouterr().out


def test_a_refused_quote_ends_with_its_code(capsys):
    refused = {"ok": False, "error": {"code": "mmp_frozen", "detail": "reset it"}}
    code, *_ = sent({"results": [refused]}, "quote", "X", "--bid", "5@1.99")
    assert code == Exit.REFUSED
    assert "reset it" in capsys.readouterr().err
    assert run(["quote", "X", "--bid", "5"]) == Exit.USAGE


def test_groups_and_timers_are_set_and_shown(capsys):
    code, method, path, body = sent(
        {"group": GROUP}, "protect", "group", "1", "--window-ms", "100", "--quantity", "5"
    )
    assert (code, method, path) == (Exit.OK, "PUT", "/api/v1/quotes/groups/1")
    assert body == {"window_ms": 100, "quantity": "5", "delta": "0", "fills": 0}
    assert "frozen" in capsys.readouterr().out
    assert sent({"group": GROUP}, "protect", "reset", "1")[2].endswith("/groups/1/reset")
    code, _, path, body = sent({"due_ts": None}, "protect", "cancel-after", "0")
    assert (code, path, body) == (Exit.OK, "/api/v1/orders/cancel_all_after", {"timeout_ms": 0})
    shown = {"halted": False, "limits": {}, "cancel_all_due_ts": None, "groups": [GROUP]}
    assert sent(shown, "protect", "show")[0] == Exit.OK
    assert "no limits" in capsys.readouterr().out


def test_the_client_takes_the_same_calls():
    with (
        FakeRest(
            (200, {"seq": 1, "ts": 5, "results": [{"ok": True}]}),
            (200, {"seq": 1, "ts": 5, "due_ts": 9}),
            (200, {"seq": 1, "ts": 5, "killed": KILLED}),
        ) as fake,
        Client(fake.url, KEY, SECRET) as client,
    ):
        quotes = [quote_of("X", ("1.99", 5), ("2.01", 5))]
        assert client.protect.quote_mass(quotes) == [{"ok": True}]
        assert client.protect.cancel_all_after(1000).due_ts == 9
        assert client.protect.kill(account_id="alice").accounts[0].cancelled_count == 7
