"""`wellhead settle export` and `settle prove`: what is asked, what is written, how it ends."""

import gzip
import json
import socket
from pathlib import Path

import pytest

from tests.support.final_week import SYMBOL, Json, whole
from tests.unit.wellhead.fakes import FakeRest, wellhead
from wellhead.cli.app import run
from wellhead.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("clean")


def answers() -> list[tuple[int, Json]]:
    """Return what an exchange answers to an export, in the order in which it is asked."""
    bundle = json.loads(whole())
    chain = bundle["chain"]
    used = [one for one in chain[1:] if (one["name"], one["state"]) == ("H100-USE", "final")]
    explained = [
        (200, {"seq": 1, "explained": {
            "revisions": [revision(one)], "document": bundle["documents"][one["inputs"]]}})
        for one in used
    ]  # fmt: skip
    asked = [one for one in chain if one["position"] > used[0]["position"] - 2]
    return [
        (200, {"seq": 1, "settlement": bundle["settlement"]}), *explained,
        (200, {"seq": 1, "chain": asked[:10]}), (200, {"seq": 1, "chain": asked[10:]}),
    ]  # fmt: skip


def revision(one: Json) -> Json:
    move = dict.fromkeys(("matched", "entry", "exit", "held", "fallback"), "0.00")
    said = {"price": "2", "quorum": True, "days_without_quorum": 0, "providers": 7, "offers": 7,
            "raw_price": "2", "move": move, "limits": [], "published_ts": 1}  # fmt: skip
    return {**one, **said, "observed_to": "1", "position": str(one["position"])}


def test_an_export_has_all_and_proves_without_a_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "week.json.gz"
    with FakeRest(*answers()) as fake:
        assert wellhead(fake, "settle", "export", SYMBOL, "--to", str(path)) == Exit.OK
        assert fake.seen[0][1] == f"/api/v1/settlements/final/{SYMBOL}"
        assert fake.seen[1][1].endswith("/indices/H100-USE/explain?day=2026-03-02")
    assert json.loads(gzip.decompress(path.read_bytes())) == json.loads(whole())

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "create_connection", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    capsys.readouterr()
    assert run(["settle", "prove", SYMBOL, "--bundle", str(path)]) == Exit.OK
    shown = capsys.readouterr().out
    assert "sound: every print and every settlement" in shown
    assert "7 of 7" in shown and "9 of 9" in shown


def test_a_settlement_is_proved_as_it_is_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    with FakeRest(*answers()) as fake:
        assert wellhead(fake, "settle", "prove", SYMBOL, "--json") == Exit.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["sound"], said["faults"], said["state"]) == (True, [], "final")


def written(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    return run(["settle", "prove", SYMBOL, "--bundle", str(path)])


def test_the_first_fault_is_named_and_ends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = json.loads(whole())
    bundle["settlement"]["accruals"][3]["worth"] = "336.50"
    assert written(tmp_path / "x.json", json.dumps(bundle).encode()) == Exit.DAMAGE
    assert "settlement 4, worth of a lot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", Exit.DAMAGE, id="empty"),
        pytest.param(b"[]", Exit.DAMAGE, id="a list"),
        pytest.param(b"{}", Exit.DAMAGE, id="no fields"),
        pytest.param(b"\xff\xfe", Exit.DAMAGE, id="no text"),
        pytest.param(b"[" * 100_000, Exit.DAMAGE, id="too deep"),
        pytest.param(b"\x1f\x8b not packed", Exit.USAGE, id="not packed"),
        pytest.param(gzip.compress(b"{}" * 999)[:-9], Exit.USAGE, id="cut short"),
    ],
)
def test_files_that_are_no_bundles_are_refused(tmp_path: Path, content: bytes, code: int) -> None:
    assert written(tmp_path / "x.json.gz", content) == code


def test_a_bundle_of_another_contract_and_no_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(whole())
    assert run(["settle", "prove", "H100-USE-2026W11", "--bundle", str(path)]) == Exit.USAGE
    assert run(["settle", "prove", SYMBOL, "--bundle", str(tmp_path / "y")]) == Exit.USAGE
