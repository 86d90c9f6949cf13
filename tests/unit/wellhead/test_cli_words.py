"""What the command line says to somebody who does not know their way yet."""

import json
import warnings
from importlib.resources import files
from types import SimpleNamespace

import pytest
from numba.core.errors import NumbaExperimentalFeatureWarning

from exchange.io.price_data import ATTRIBUTION
from tests.unit.wellhead.fakes import FakeRest, wellhead
from wellhead.cli import measuring, quiet_the_compiler
from wellhead.cli.app import run
from wellhead.cli.exits import Exit
from wellhead.cli.starting import STAGES
from wellhead.credentials import default_url, write_profile
from wellhead.signing import Credentials

pytestmark = pytest.mark.usefixtures("clean")


def test_an_unknown_symbol_leads_to_the_command_that_lists_them(trader, capsys):
    problem = {"status": 404, "code": "contract_unknown", "detail": "see /api/v1/instruments"}
    with FakeRest((404, problem), (404, problem)) as fake:
        assert wellhead(fake, "order", "buy", "NOPE", "3", "2.150") == Exit.REFUSED
        assert "see `wellhead contracts`" in capsys.readouterr().err
        wellhead(fake, "order", "buy", "NOPE", "3", "2.150", "--json")
        assert json.loads(capsys.readouterr().out)["error"]["detail"] == problem["detail"]


def test_without_any_profile_the_message_names_the_folders_looked_in(tmp_path, capsys):
    assert run(["positions"]) == Exit.KEY
    said = capsys.readouterr().err.replace("\n", "")
    assert ".wellhead/profiles" in said
    assert str(tmp_path / "config/wellhead") in said


@pytest.mark.parametrize(("port", "asked"), [("9", 9), ("0", 8080), ("", 8080), ("x", 8080)])
def test_the_port_of_the_environment_is_where_a_node_is_looked_for(port, asked, monkeypatch):
    monkeypatch.setenv("WELLHEAD_PORT", port)
    assert default_url() == f"http://127.0.0.1:{asked}"


def test_a_command_asks_at_the_port_of_the_environment(monkeypatch):
    with FakeRest((200, {"mode": "normal", "seq": 1})) as fake:
        monkeypatch.setenv("WELLHEAD_PORT", fake.url.rpartition(":")[2])
        assert run(["status"]) == Exit.OK


def test_the_catalogue_names_whose_prices_it_shows(capsys):
    assert run(["contracts", "--sku", "L40S"]) == Exit.OK
    said = " ".join(capsys.readouterr().err.split())
    page = (files("exchange") / "rules/data/gpu_prices/README.md").read_text()
    for source in ATTRIBUTION:
        assert source in said
        name, _, licence = source.rpartition(", ")
        assert any(name in line and licence in line for line in page.splitlines())
    assert len(ATTRIBUTION) == page.count("| MIT |") + page.count("| Apache") + page.count(
        "| CC BY"
    )
    run(["contracts", "--sku", "L40S", "--json"])
    assert json.loads(capsys.readouterr().out)["attribution"] == list(ATTRIBUTION)


@pytest.mark.parametrize("hashes", [0, 3])
def test_verification_says_when_there_was_no_hash_to_compare(hashes, monkeypatch, capsys):
    report = SimpleNamespace(
        findings=[], journal_seq=9, cleared_seq=9, replayed_seq=9, batches=1, events=9,
        hashes=hashes, snapshots=0, state_hash=bytes(16), seconds=0.1, is_sound=True,
    )  # fmt: skip
    monkeypatch.setattr(measuring, "_verified", lambda settings, tell: report)
    assert run(["verify"]) == Exit.OK
    said = capsys.readouterr().out
    assert ("no state hash is recorded yet" in said) == (hashes == 0)
    assert "sound:" in said


def test_progress_is_one_line_a_stage_where_nobody_sees_bars(capsys):
    with measuring.bars(quiet=False) as tell:
        for done in range(3):
            tell("kernels", done, 3)
        tell("commands", 1, 1)
    assert capsys.readouterr().err.splitlines() == [STAGES["kernels"], "commands"]
    with measuring.bars(quiet=True) as tell:
        tell("kernels", 0, 3)
    assert capsys.readouterr().err == ""


def test_the_compilers_remarks_stay_away_and_other_warnings_do_not():
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        quiet_the_compiler()
        warnings.warn(
            NumbaExperimentalFeatureWarning(
                "Record(seq[type=int64]) has been considered a subtype of Record(..)"
            ),
            stacklevel=1,
        )
        warnings.warn("the sky falls", stacklevel=1)
    assert [str(one.message) for one in heard] == ["the sky falls"]


@pytest.mark.parametrize("extra", [(), ("--json",)])
def test_watching_an_unknown_symbol_says_that_the_symbol_is_unknown(extra, capsys):
    problem = {"status": 404, "code": "contract_unknown", "detail": "NOPE: see /api/v1/instruments"}
    with FakeRest((404, problem)) as fake:
        assert wellhead(fake, "book", "NOPE", "--watch", *extra) == Exit.REFUSED
    said = capsys.readouterr()
    assert "contract_unknown" in said.out + said.err and "channel" not in said.out + said.err


@pytest.mark.parametrize(
    ("arguments", "code", "there"),
    [
        (("--sku", "FOO"), "sku_unknown", "A100, B200, H100"),
        (("--hub", "MOON"), "hub_unknown", "EUW"),
        (("--tenor", "year"), "tenor_unknown", "month, quarter"),
        (("--sku", "L40S", "--hub", "EUN"), "no_contract", "--sku L40S --hub EUN"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_choice_without_contracts_says_what_there_is(arguments, code, there, as_json, capsys):
    assert run(["contracts", *arguments, *["--json"] * as_json]) == Exit.USAGE
    said = capsys.readouterr()
    if as_json:
        error = json.loads(said.out)["error"]
        assert error["code"] == code and there in error["detail"]
    else:
        assert said.out == "" and there in " ".join(said.err.split())


def test_a_live_choice_without_contracts_says_what_there_is(capsys):
    row = {"symbol": "H100-USE-2027M03", "sku": "H100-SXM", "hub": "USE", "tenor": "month"}
    with FakeRest((200, {"tickers": []}), (200, {"instruments": [row]})) as fake:
        assert wellhead(fake, "contracts", "--live", "--sku", "FOO") == Exit.USAGE
    assert "no sku FOO: there are H100" in capsys.readouterr().err


def test_an_account_that_exists_already_is_said_to(tmp_path, capsys):
    write_profile(tmp_path / ".wellhead/admin.json", Credentials("ADMIN", "S2"))
    text = "the account carol exists already, with another name or kind"
    problem = {"status": 409, "code": "idempotency_conflict", "detail": text}
    with FakeRest((409, problem)) as fake:
        assert wellhead(fake, "accounts", "create", "carol", "--name", "Other") == Exit.REFUSED
    assert text in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "1e300"])
@pytest.mark.parametrize(
    ("words", "option"),
    [
        (("begin", "H100-USE-2027M03"), "--seconds"),
        (("begin", "H100-USE-2027M03", "--seconds", "5"), "--window"),
        (("guards", "H100-USE-2027M03"), "--velocity-seconds"),
        (("guards", "H100-USE-2027M03"), "--auction-seconds"),
        (("guards", "H100-USE-2027M03"), "--window"),
    ],
)
def test_a_time_that_is_none_is_refused_in_a_line(words, option, value, capsys):
    assert run(["auctions", *words, f"{option}={value}"]) == Exit.USAGE
    assert f"{option}: at least 0" in capsys.readouterr().err


def test_a_window_of_an_auction_without_an_end_is_refused(capsys):
    assert run(["auctions", "begin", "H100-USE-2027M03", "--window", "3"]) == Exit.USAGE
    assert "--window is behind --seconds" in capsys.readouterr().err


@pytest.mark.parametrize("pace", ["nan", "inf", "0"])
def test_a_pace_of_the_demo_that_is_none_is_refused(pace, tmp_path, capsys):
    assert run(["demo", "--orders-per-second", pace, "--data", str(tmp_path)]) == Exit.USAGE
    assert "a number above zero" in capsys.readouterr().err
