"""The command line: what it sends, what it prints, and how it ends."""

import errno
import json
import os
import signal
import subprocess
import sys

import pytest

from tests.unit.wellhead.fakes import KEY, SECRET, FakeRest, order_of, wellhead
from wellhead.cli.app import COMMANDS, run
from wellhead.cli.exits import Exit
from wellhead.credentials import write_profile
from wellhead.signing import Credentials

ORDER = order_of({"symbol": "X", "side": "buy", "quantity": "3", "price": "2.150"})
MAIN = (sys.executable, "-c", "from wellhead.cli import main; main()")
PLACED = {"order": ORDER, "trades": [], "duplicate": False, "seq": 11, "ts": 5}


pytestmark = pytest.mark.usefixtures("clean")


def test_an_order_is_sent_signed_and_shown(trader, capsys):
    with FakeRest((201, PLACED)) as fake:
        code = wellhead(
            fake, "order", "buy", "X", "3", "2.150", "--client-id", "a-1", "--tif", "GTC"
        )
        assert code == Exit.OK
        body = json.loads(fake.seen[0][2])
        assert fake.signed()
    assert body == {
        "symbol": "X",
        "side": "buy",
        "quantity": "3",
        "price": "2.150",
        "client_order_id": "a-1",
        "tif": "GTC",
    }
    shown = capsys.readouterr().out
    assert "1048577" in shown and "open" in shown


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (
            "X 9 2.150 --display 2 --tif DAY",
            {"price": "2.150", "display_quantity": "2", "tif": "DAY"},
        ),
        ("X 9 --market --min-quantity 3", {"type": "market", "min_quantity": "3"}),
        ("X 9 --to-limit", {"type": "market_to_limit"}),
        (
            "X 9 --peg mid --peg-offset=-0.002",
            {"type": "pegged", "peg": "mid", "peg_offset": "-0.002"},
        ),
        (
            "X 9 --stop 2.10 --trigger mark --oco 7",
            {"type": "stop", "trigger_price": "2.10", "trigger_by": "mark", "oco_with": "7"},
        ),
        (
            "X 9 2.150 --stop 2.10",
            {"type": "stop_limit", "price": "2.150", "trigger_price": "2.10"},
        ),
        ("X 9 --if-touched 2.10", {"type": "take_profit", "trigger_price": "2.10"}),
        (
            "X 9 2 --if-touched 2.10",
            {"type": "take_profit_limit", "price": "2", "trigger_price": "2.10"},
        ),
        ("X 9 --trail 0.05", {"type": "trailing_stop", "trail_offset": "0.05"}),
        ("X 9 --trail-bps 100", {"type": "trailing_stop", "trail_bps": 100}),
        (
            "X 9 2 --take-profit 2.3 --stop-loss 1.9",
            {"price": "2", "take_profit": "2.3", "stop_loss": "1.9"},
        ),
    ],
)
def test_an_order_that_says_more_is_sent_so(words, fields, trader):
    with FakeRest((201, PLACED)) as fake:
        assert wellhead(fake, "order", "buy", *words.split(), "--client-id", "a") == Exit.OK
        body = json.loads(fake.seen[0][2])
    known = {"symbol": "X", "side": "buy", "quantity": "9", "client_order_id": "a"}
    assert body == known | fields


def test_orders_shows_what_an_order_waits_for(trader, capsys):
    waiting = ORDER | {"status": "untriggered", "trigger_price": "2.100", "trigger_by": "mark"}
    answer = {"orders": [waiting], "next_cursor": None, "seq": 11, "ts": 5}
    with FakeRest((200, answer)) as fake:
        assert wellhead(fake, "orders") == Exit.OK
    assert "mark 2.100" in capsys.readouterr().out.replace("\n", " ")


def test_orders_shows_what_an_order_follows_and_how_much_of_it(trader, capsys):
    pegged = ORDER | {"peg": "bid", "peg_offset": "-0.002", "type": "pegged"}
    iceberg = ORDER | {"display_quantity": "5"}
    said = []
    for rows in ([pegged, iceberg], [ORDER]):
        with FakeRest((200, {"orders": rows, "next_cursor": None, "seq": 11, "ts": 5})) as fake:
            assert wellhead(fake, "orders") == Exit.OK
        said.append(capsys.readouterr().out)
    assert "bid -0.002" in said[0] and "pegged to" in said[0] and "shows" in said[0]
    assert "pegged" not in said[1] and "shows" not in said[1]


def test_the_operator_sets_an_index(trader, capsys):
    contract = {"symbol": "X", "state": "continuous", "tick_size": "0.001", "lot_size": "1",
                "lot_gpu_hours": "744", "tick_value": "0.744"}  # fmt: skip
    with FakeRest((200, {"instrument": contract})) as fake:
        assert wellhead(fake, "index", "set", "X", "2.100") == Exit.OK
        assert fake.seen[0][:2] == ("PUT", "/api/v1/admin/contracts/X/index")
        assert json.loads(fake.seen[0][2]) == {"price": "2.100"}
    assert "X" in capsys.readouterr().out


def test_an_amendment_names_what_changes(trader):
    words = ["7", "--display", "0", "--tif", "GTC", "--post-only", "no", "--peg-offset", "0.001"]
    with FakeRest((200, PLACED)) as fake:
        assert wellhead(fake, "amend", *words) == Exit.OK
        body = json.loads(fake.seen[0][2])
    assert body == {
        "display_quantity": "0", "tif": "GTC", "post_only": False, "peg_offset": "0.001",
    }  # fmt: skip


def test_json_is_the_exchanges_answer_and_nothing_else(trader, capsys):
    with FakeRest((201, PLACED)) as fake:
        assert wellhead(fake, "order", "sell", "X", "3", "2.150", "--json") == Exit.OK
    assert json.loads(capsys.readouterr().out) == PLACED


@pytest.mark.parametrize(
    "arguments",
    [
        ("order", "buy", "X", "3"),
        ("order", "buy", "X", "3", "2.1", "--market"),
        ("order", "buy", "X", "3", "--market", "--to-limit"),
        ("order", "buy", "X", "3", "2.1", "--peg", "bid"),
        ("order", "buy", "X", "3", "--stop", "2", "--market"),
        ("order", "buy", "X", "3", "2.1", "--trail", "0.1"),
        ("order", "buy", "X", "3", "--stop", "2", "--if-touched", "2"),
        ("order", "buy", "X"),
        ("order", "hold", "X", "1", "2"),
        ("cancel",),
        ("cancel", "7", "--client-id", "a"),
        ("amend",),
        ("orders", "--status", "lost"),
        ("book",),
        ("book", "X", "--depth", "many"),
        ("frobnicate",),
        ("status", "--url", "ftp://x"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_wrong_command_line_says_so_and_ends_with_2(arguments, as_json, trader, capsys):
    assert run([*arguments, *["--json"] * as_json]) == Exit.USAGE
    said = capsys.readouterr()
    if as_json:
        assert json.loads(said.out)["error"]["code"] == "usage"
    else:
        assert said.out == "" and said.err


def test_a_refusal_shows_its_code_and_ends_with_1(trader, capsys):
    problem = {"status": 422, "code": "margin_insufficient", "detail": "too little"}
    with FakeRest((422, problem | {"field": "quantity"})) as fake:
        assert wellhead(fake, "order", "buy", "X", "3", "2.150") == Exit.REFUSED
    assert "margin_insufficient: too little (field quantity)" in capsys.readouterr().err


def test_a_refusal_as_json_is_one_document(trader, capsys):
    problem = {"status": 404, "code": "order_unknown", "request_id": "r"}
    with FakeRest((404, problem)) as fake:
        assert wellhead(fake, "cancel", "7", "--json") == Exit.REFUSED
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {"code": "order_unknown", "status": 404, "request_id": "r"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((401, {"status": 401, "code": "auth_failed"}), Exit.KEY),
        ((403, {"status": 403, "code": "scope_missing"}), Exit.KEY),
        ((503, {"status": 503, "code": "halted"}, {"Retry-After": "60"}), Exit.UNAVAILABLE),
        ((429, {"status": 429, "code": "rate_limited"}, {"Retry-After": "60"}), Exit.UNAVAILABLE),
        ((200, b"<html>"), Exit.UNAVAILABLE),
        ((500, b"oops"), Exit.REFUSED),
    ],
    ids=["key", "scope", "halted", "limited", "stranger", "broken"],
)
def test_each_kind_of_failure_has_its_exit_code(trader, answer, code):
    with FakeRest(answer) as fake:
        assert wellhead(fake, "balances") == code


def test_nobody_there_ends_with_3(trader, capsys):
    assert run(["status", "--url", "http://127.0.0.1:9"]) == Exit.UNAVAILABLE
    assert "no answer from http://127.0.0.1:9" in capsys.readouterr().err


def test_without_a_key_the_message_names_the_profiles_there_are(tmp_path, capsys):
    write_profile(tmp_path / ".wellhead/profiles/alice.json", Credentials("K", "S"))
    assert run(["positions"]) == Exit.KEY
    assert "--profile NAME (known: alice)" in capsys.readouterr().err


def test_a_profile_gives_key_and_address(tmp_path):
    with FakeRest((200, {"positions": [], "seq": 1})) as fake:
        path = tmp_path / ".wellhead/profiles/alice.json"
        write_profile(path, Credentials(KEY, SECRET), url=fake.url)
        assert run(["positions", "--profile", "alice"]) == Exit.OK
        assert fake.signed()


def test_the_address_of_a_running_node_is_found_in_its_data_folder(tmp_path):
    with FakeRest((200, {"mode": "normal", "seq": 1})) as fake:
        (tmp_path / "here").mkdir()
        (tmp_path / "here/instance.lock").write_text(json.dumps({"pid": 1, "api_url": fake.url}))
        assert run(["status", "--data", "here"]) == Exit.OK


def test_the_operator_signs_with_the_key_of_the_data_folder(tmp_path, trader, capsys):
    account = {"account": {"account_id": "carol", "kind": "customer", "state": "active"}}
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    with FakeRest((201, account)) as fake:
        assert wellhead(fake, "accounts", "create", "carol", "--name", "Carol") == Exit.OK
        assert fake.seen[0][3]["WH-KEY"] == "ADMIN" and fake.signed(secret="S2")
        assert json.loads(fake.seen[0][2]) == {"name": "Carol", "account_id": "carol"}
    assert "carol: customer, active" in capsys.readouterr().out


def test_an_operator_without_a_key_is_told_where_it_would_be(capsys):
    assert run(["accounts", "list"]) == Exit.KEY
    assert ".wellhead/admin.json" in capsys.readouterr().err


def test_a_new_key_is_shown_once_as_exports(tmp_path, capsys):
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    key = {"key": {"key": "K9", "secret": "S9", "account_id": "carol", "scopes": ["read"]}}
    with FakeRest((201, key)) as fake:
        assert wellhead(fake, "keys", "create", "carol", "--scope", "read") == Exit.OK
        assert json.loads(fake.seen[0][2])["scopes"] == ["read"]
    assert "export WELLHEAD_KEY=K9\nexport WELLHEAD_SECRET=S9" in capsys.readouterr().out


@pytest.mark.parametrize("as_json", [False, True])
def test_a_saved_key_is_in_a_private_file_and_nowhere_else(tmp_path, as_json, capsys):
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    key = {"key": {"key": "K9", "secret": "S9", "account_id": "carol", "scopes": ["read"]}}
    with FakeRest((201, key), (200, {"balances": [], "seq": 1})) as fake:
        extra = ["--json"] * as_json
        assert wellhead(fake, "keys", "create", "carol", "--save", "carol", *extra) == Exit.OK
        said = capsys.readouterr()
        assert "S9" not in said.out + said.err
        path = tmp_path / ".wellhead/profiles/carol.json"
        assert path.stat().st_mode & 0o777 == 0o600
        assert run(["balances", "--profile", "carol"]) == Exit.OK
        assert fake.seen[1][3]["WH-KEY"] == "K9"


def test_no_key_is_made_that_could_not_be_saved(tmp_path, capsys):
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    write_profile(tmp_path / ".wellhead/profiles/carol.json", Credentials("K1", "S1"))
    with FakeRest() as fake:
        assert wellhead(fake, "keys", "create", "carol", "--save", "carol") == Exit.KEY
        assert fake.seen == []
    assert "no key was made" in capsys.readouterr().err


def test_a_book_is_a_ladder_with_the_spread_between(capsys):
    book = {"symbol": "X", "seq": 7, "bids": [["2.149", "5"]], "asks": [["2.151", "3"]]}
    with FakeRest((200, book)) as fake:
        assert wellhead(fake, "book", "X") == Exit.OK
    lines = capsys.readouterr().out.splitlines()
    assert "2.151" in lines[1] and "spread 0.002" in lines[2] and "2.149" in lines[3]


def test_an_empty_book_says_so(capsys):
    with FakeRest((200, {"symbol": "X", "seq": 7, "bids": [], "asks": []})) as fake:
        assert wellhead(fake, "book", "X") == Exit.OK
    assert "no orders" in capsys.readouterr().out


def test_a_text_of_the_exchange_is_never_taken_for_markup(trader, capsys):
    order = ORDER | {"client_order_id": "[red]x[/red]"}
    with FakeRest((200, {"orders": [order], "seq": 1})) as fake:
        assert wellhead(fake, "orders") == Exit.OK
    assert "[red]x[/red]" in capsys.readouterr().out


def test_cancel_all_names_symbol_and_side(trader, capsys):
    with FakeRest((200, {"cancelled_count": 2, "order_ids": ["1", "2"], "seq": 1})) as fake:
        code = wellhead(fake, "cancel", "--all", "--symbol", "X", "--side", "buy")
        assert code == Exit.OK
        assert fake.seen[0][:2] == ("DELETE", "/api/v1/orders?symbol=X&side=buy")
    assert "2 cancelled" in capsys.readouterr().out


def test_the_catalogue_needs_no_running_exchange(capsys):
    assert run(["contracts", "--sku", "H100", "--hub", "use", "--tenor", "month", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["contracts"]
    assert len(rows) == 12 and all(row["symbol"].startswith("H100-USE-") for row in rows)
    assert all(row["reference_price"] for row in rows)


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_every_command_has_help(name, capsys):
    assert run([name, "--help"]) == Exit.OK
    assert f"Usage: wellhead {name}" in capsys.readouterr().out


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "import sys; from wellhead.cli import main; main()"
    command = [sys.executable, "-c", code, "contracts"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == Exit.OK
    assert b"Traceback" not in process.stderr.read()


def test_the_command_line_starts_without_loading_the_exchange():
    code = (
        "import sys; from wellhead.cli.app import run; run(['--help']);"
        "heavy = {'numpy', 'numba', 'exchange', 'api', 'matching'};"
        "print(heavy & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("set()\n"), done.stdout + done.stderr


def test_no_place_for_compiled_kernels_is_said_in_one_line(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    ended = subprocess.run(
        [*MAIN, "replay", str(in_the_way)],
        env=os.environ | {"WELLHEAD_CACHE_DIR": str(in_the_way), "NUMBA_DISABLE_JIT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == Exit.UNAVAILABLE
    said = " ".join(ended.stderr.split())
    assert said.startswith("system: no folder for compiled kernels can be written")
    assert "WELLHEAD_CACHE_DIR" in said


def test_a_full_disk_is_said_with_the_file_it_was_for(monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device", "/cache/kernel.nbi")

    monkeypatch.setattr("wellhead.cli.app.build", lambda: full)
    assert run(["serve", "--json"]) == Exit.UNAVAILABLE
    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {"code": "system", "detail": "No space left on device: /cache/kernel.nbi"}


def test_an_interrupt_while_modules_load_shows_no_traceback(tmp_path):
    # A module that the command line loads waits until it is interrupted, as a slow disk would.
    (tmp_path / "cyclopts.py").write_text(
        "print('loading', flush=True)\nimport time; time.sleep(60)"
    )
    process = subprocess.Popen(
        [*MAIN, "status"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "loading\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30)[1] == ""
    assert process.returncode == Exit.INTERRUPTED
