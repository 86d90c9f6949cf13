"""What newcomers stumbled over: each says what is wrong, with the right exit code."""

import json

import pytest

from exchange.rules.addresses import AddressInvalid, inside_host
from tests.unit.wellhead.fakes import FakeRest
from wellhead.cli.app import in_commands, run
from wellhead.cli.exits import Exit
from wellhead.cli.receipt_notes import note_text
from wellhead.metering import Metered, MeteringError, ReadingImpossible, read_metering, read_signed

HEADER = "node,hour,uptime_s,load_factor,gpu_hours,kwh\n"
FINE = {"uptime_s": 3600, "load_factor": "1", "gpu_hours": "8", "kwh": "5.6"}

pytestmark = pytest.mark.usefixtures("trader")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"uptime_s": 4000}, "uptime_s is 0 to 3600, the seconds of an hour, not 4000"),
        ({"load_factor": "9.5"}, "load_factor is 0 to 1, not 9.5"),
        ({"uptime_s": 0}, "no GPU-hours without uptime"),
        ({"gpu_hours": "9e20"}, "gpu_hours is below 9007199254740, not 9e20"),
        ({"kwh": "0.00001"}, "kwh is a number in steps of 0.001, not below zero, not 0.00001"),
    ],
)
def test_a_reading_that_cannot_be_is_neither_signed_nor_checked(wrong, said, tmp_path, capsys):
    cells = FINE | wrong
    plain = tmp_path / "metering.csv"
    plain.write_text(HEADER + f"n1,2026-12-01T00:00Z,{','.join(map(str, cells.values()))}\n")
    with pytest.raises(MeteringError, match=said):
        read_metering(plain)
    key = tmp_path / "key"
    assert run(["telemetry", "keygen", str(key)]) == 0
    options = ["--account", "cloud", "--key-file", str(key), "--to", str(tmp_path / "signed")]
    assert run(["telemetry", "sign", str(plain), *options]) == Exit.USAGE
    code = "usage: " if set(wrong) <= {"gpu_hours", "kwh"} else "reading_impossible: "
    assert code in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [{"uptime_s": -1}, {"load_factor_bps": 95_000}, {"counter": -1}])
def test_signed_lines_that_cannot_be_are_refused(wrong, tmp_path):
    row = Metered("n1", 1_796_083_200_000, 5, 3600, 9500, 8000, 5600, "00").as_json()
    path = tmp_path / "signed.jsonl"
    path.write_text(json.dumps(row) + "\n")
    assert len(read_signed(path)) == 1
    path.write_text(json.dumps(row | wrong) + "\n")
    with pytest.raises(ReadingImpossible):
        read_signed(path)


@pytest.mark.parametrize("code", ["not_a_member", "receipt_not_yours", "issuer_unknown"])
def test_a_refusal_that_no_key_mends_is_a_plain_one(code, monkeypatch):
    with FakeRest((403, {"status": 403, "code": code, "detail": "no"})) as fake:
        monkeypatch.setenv("WELLHEAD_URL", fake.url)
        assert run(["member", "clients"]) == Exit.REFUSED


def test_a_key_without_the_scope_is_still_a_matter_of_keys(monkeypatch):
    with FakeRest((403, {"status": 403, "code": "scope_missing", "detail": "no"})) as fake:
        monkeypatch.setenv("WELLHEAD_URL", fake.url)
        assert run(["member", "clients"]) == Exit.KEY


def test_addresses_of_the_api_are_commands_for_people():
    assert in_commands("GET /efd/sessions has them all") == "`wellhead efd sessions` has them all"
    assert "`wellhead risk stress` lists" in in_commands("GET /admin/risk/stress lists them")


def test_days_in_the_wrong_order_and_an_order_that_is_none_are_said(capsys):
    assert run(["calendar", "--first", "2027-03-01", "--last", "2027-01-01"]) == Exit.USAGE
    assert "--last 2027-01-01 is before --first 2027-03-01" in capsys.readouterr().err
    assert run(["margin", "what-if", "--order", "nonsense"]) == Exit.USAGE
    assert "such as buy:H100-USE-2027M03:5:2.150, not 'nonsense'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("start", "until", "said"),
    [
        ("2027-03-02T00:30Z", "2027-03-03T00:00Z", "START is a whole hour of UTC"),
        ("2027-03-02T00:00Z", "2027-03-01T00:00Z", "UNTIL is after START"),
    ],
)
def test_a_grid_order_over_no_hours_is_refused_before_it_is_sent(start, until, said, capsys):
    assert run(["receipts", "curtail", "USE", start, until, "--reference", "x"]) == Exit.USAGE
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "note", "said"),
    [
        ("bonded", "bond 0 38400000", "bond 38.40 USD"),
        ("offered", "200000000", "200.00 USD"),
        ("delivered", "498912", "2026-12-01 00:00"),
        ("missed", "498912 28800 100000000 38400000 61600000 0",
         "2026-12-01 00:00: 8 GPU-hours missing, 100.00 USD: 38.40 USD of the bond, 61.60 USD"
         " in cash"),
        ("claim_asked", "30000000 bond used up", "30.00 USD: bond used up"),
        ("claim_paid", "claim 100000 30000000", "of the default fund 30.00 USD"),
        ("split", "cdr_a cdr_b", "cdr_a cdr_b"),
        ("bonded", "bond x", "bond x"),
        ("sold", "", ""),
    ],
)  # fmt: skip
def test_the_notes_of_a_receipt_are_in_dollars(kind, note, said):
    assert note_text(kind, note) == said


def test_hosts_that_the_operator_allows_are_checked_at_the_start():
    assert inside_host("Receiver.Internal:8443") == "receiver.internal:8443"
    for wrong in ("localhost", "localhost:", "https://x:1", "x:0", "x:65536", "x:8a", ":443", ""):
        with pytest.raises(AddressInvalid, match=r"receiver\.internal:8443"):
            inside_host(wrong)


@pytest.mark.parametrize(
    "words",
    [
        ("hedge", "{}"),
        ("settle", "prove", "H100-USE-2026W33", "--bundle", "{}"),
        ("proof", "receipt", "cdr_aaaaaaaaaaaaaaaa", "--file", "{}"),
        ("efd", "prove", "H100-USE-2027M03_20270225T1630", "--file", "{}"),
        ("receipts", "issue", "{}"),
    ],
)
def test_a_file_that_is_not_there_is_named_once_with_the_reason(words, tmp_path, capsys):
    path = tmp_path / "nothing.here"
    assert run([word.format(path) for word in words]) == Exit.USAGE
    said = capsys.readouterr().err
    assert said.count("nothing.here") == 1 and "No such file or directory" in said, said
    assert "Errno" not in said
