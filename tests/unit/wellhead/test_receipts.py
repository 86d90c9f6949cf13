"""`wellhead receipts`, `telemetry`, `efd`, `proof receipt`: what is asked, told, how it ends."""

import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exchange.rules.contracts import parse_symbol
from exchange.rules.delivery.exchange import (
    Entry,
    body_of,
    called,
    result_fields,
    session_of,
    usd_micros_per_lot,
)
from exchange.rules.delivery.merkle import Root, leaf, root_of
from exchange.rules.delivery.metering import Reading
from exchange.rules.delivery.receipts import EMPTY, NS_PER_HOUR, Change, chained
from tests.support.receipts import receipt
from tests.unit.wellhead.fakes import FakeRest, wellhead
from wellhead.cli.app import run
from wellhead.cli.exits import Exit
from wellhead.metering import MS_PER_HOUR, Metered, MeteringError, read_metering

pytestmark = pytest.mark.usefixtures("trader")

ID = "cdr_aaaaaaaaaaaaaaaa"
ONE = {
    "receipt_id": ID, "status": "active", "sku": "H100-SXM", "hub": "USE", "grade": "N",
    "nodes": ["n1"], "gpus_per_node": 8, "start_ts": 0, "end_ts": 0, "gpu_hours": 8, "bond": "1",
    "bond_left": "1", "issuer": 1, "holder": 2,
}  # fmt: skip
CSV = """node,hour,uptime_s,load_factor,gpu_hours,kwh
n1,2027-03-02T00:00Z,3600,0.95,8,5.6
n1,2027-03-02T01:00Z,1800,0.5,4.000,2.801
n1,2027-03-02T03:00Z,3600,1,8,6
"""


def test_an_operator_pays_a_claim_and_sees_who_gives(capsys):
    parts = [{"layer": "house_first", "account": 0, "amount": "12.5"}]
    with FakeRest((200, {"seq": 1, "receipt": ONE, "parts": parts})) as fake:
        assert wellhead(fake, "receipts", "pay-claim", ID, "--reason", "bond gone") == Exit.OK
    assert "house_first" in capsys.readouterr().out
    method, path, sent, _ = fake.seen[0]
    assert (method, path) == ("POST", f"/api/v1/admin/delivery/claims/{ID}/pay")
    assert json.loads(sent) == {"reason": "bond gone"}


COVER = {
    "seq": 1, "required": "500", "required_without": "2500", "saved": "2000",
    "covers": [{"symbol": "H100-USE-2027M03", "quantity": "13", "told": "13", "short": "10",
                "counts": "10"}],
}  # fmt: skip


@pytest.mark.parametrize("more", [[], ["--symbol", "H100-USE-2027M03"]])
def test_a_pledge_without_a_pledgee_is_cover_and_says_what_it_saves(more, capsys):
    with FakeRest((200, {"seq": 1, "receipt": ONE}), (200, COVER), (200, COVER)) as fake:
        assert wellhead(fake, "receipts", "pledge", ID, *more) == Exit.OK
        assert "2,000" in capsys.readouterr().out
        assert wellhead(fake, "receipts", "cover") == Exit.OK
    said = capsys.readouterr().out
    assert "H100-USE-2027M03" in said and "without: 2,000" in said
    body = {"action": "pledge"} | ({"symbol": more[1]} if more else {})
    assert json.loads(fake.seen[0][2]) == body


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (["transfer", ID, "--to", "bob"], {"action": "transfer", "to": "bob"}),
        (["pledge", ID, "--to", "bob"], {"action": "pledge", "to": "bob"}),
        (["release", ID], {"action": "unpledge"}),
        (["redeem", ID], {"action": "redeem"}),
        (["offer", ID, "9.5"], {"action": "offer", "price": "9.5"}),
        (["buy", ID, "9.5"], {"action": "buy", "price": "9.5"}),
        (["withdraw", ID], {"action": "withdraw"}),
        (["split", ID, "--nodes", "n1"], {"action": "split", "nodes": ["n1"]}),
        (
            ["split", ID, "--at", "2027-03-02T00:00Z"],
            {"action": "split", "at_ts": 1_803_945_600_000},
        ),
    ],
)
def test_each_deed_has_its_command(words, body, capsys):
    with FakeRest((200, {"seq": 1, "receipt": ONE})) as fake:
        assert wellhead(fake, "receipts", *words, "--json") == Exit.OK
    method, path, sent, _ = fake.seen[0]
    assert (method, path) == ("POST", f"/api/v1/delivery/receipts/{ID}/actions")
    assert json.loads(sent) == body
    assert json.loads(capsys.readouterr().out)["receipt"]["receipt_id"] == ID


@pytest.mark.parametrize("words", [[], ["--nodes", "n1", "--at", "2027-03-02T00:00Z"]])
def test_a_split_says_where(words):
    assert run(["receipts", "split", ID, *words]) == Exit.USAGE


def key_and_signed(tmp_path, capsys, text=CSV):
    """Make a key and sign a metering file; return the public key and the signed file."""
    key, plain, signed = (tmp_path / name for name in ("key", "plain.csv", "signed.jsonl"))
    plain.write_text(text)
    assert run(["telemetry", "keygen", str(key)]) == Exit.OK
    public = capsys.readouterr().out.strip()
    words = ["--account", "cloud", "--key-file", str(key), "--to", str(signed)]
    assert run(["telemetry", "sign", str(plain), *words]) == Exit.OK
    return public, signed


def test_what_is_signed_is_what_the_exchange_checks(tmp_path, capsys):
    public, signed = key_and_signed(tmp_path, capsys)
    assert "1 gaps" in capsys.readouterr().out
    row = json.loads(signed.read_text().splitlines()[1])
    hour = row["hour_ts"] // MS_PER_HOUR
    reading = Reading("n1", hour, hour, 1800, 5000, 4000, 2801)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    key.verify(bytes.fromhex(row["signature"]), reading.message("cloud"))
    assert (tmp_path / "key").stat().st_mode & 0o77 == 0


def test_a_check_needs_no_network_and_finds_replays_and_forgeries(tmp_path, capsys):
    public, signed = key_and_signed(tmp_path, capsys)
    words = ["telemetry", "check", str(signed), "--account", "cloud", "--public-key"]
    assert run([*words, public]) == Exit.OK
    assert "gap: n1 from 2027-03-02 02:00" in capsys.readouterr().out
    assert run([*words, Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()]) == 5
    assert run([*words, "xx"]) == Exit.USAGE
    lines = signed.read_text().splitlines()
    signed.write_text("\n".join([*lines, lines[0]]) + "\n")
    assert run([*words, public, "--json"]) == Exit.DAMAGE
    assert "the same hour twice" in capsys.readouterr().out
    older = {**json.loads(lines[2]), "counter": 1}
    signed.write_text("\n".join([lines[0], json.dumps(older)]))
    assert run([*words, public]) == Exit.DAMAGE
    assert "does not rise" in capsys.readouterr().err


def test_what_is_sent_is_told_line_by_line_and_a_refusal_ends_it(tmp_path, capsys):
    _, signed = key_and_signed(tmp_path, capsys)
    good = {"status": "accepted", "reason": None}
    bad = {"status": "quarantined", "reason": "hour_reported"}
    with FakeRest((200, {"seq": 1, "results": [good, good, bad]})) as fake:
        assert wellhead(fake, "telemetry", "send", str(signed)) == Exit.REFUSED
        assert "hour_reported" in capsys.readouterr().out
        assert len(json.loads(fake.seen[0][2])["readings"]) == 3 and fake.signed()
    with FakeRest((200, {"seq": 1, "results": [good, good, good]})) as fake:
        assert wellhead(fake, "telemetry", "send", str(signed), "--json") == Exit.OK
    assert len(json.loads(capsys.readouterr().out)["results"]) == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (CSV.replace("T00:00Z", "T00:30Z"), "hour is a whole hour with its zone, like"),
        (CSV.replace("T00:00Z", "T00:00"), "hour is a whole hour with its zone, like"),
        (CSV.replace("5.6", "5.6001"), "kwh is a number in steps of 0.001"),
        (CSV.replace("5.6", "NaN"), "kwh is a number in steps of 0.001"),
        (CSV.replace("0.95", "-1"), "load_factor is a number in steps of 0.0001"),
        (CSV.replace("5.6", ""), "no kwh"),
        ('{"node": 1', "line 1"),
        ("{}", "no node"),
    ],
)
def test_a_line_that_is_no_metering_is_named(tmp_path, text, says):
    path = tmp_path / "plain"
    path.write_text(text)
    with pytest.raises(MeteringError, match=says):
        read_metering(path)


def test_lines_of_json_say_the_same_as_a_table(tmp_path):
    row = {"node": "n1", "hour": "2027-03-02T00:00Z", "uptime_s": 3600, "load_factor": 0.95,
           "gpu_hours": 8, "kwh": 5.6, "counter": 7}  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row) + "\n\n")
    assert read_metering(path) == [Metered("n1", 1_803_945_600_000, 7, 3600, 9500, 8000, 5600)]


@pytest.mark.parametrize("text", ["{}", '{"node": 1}', "node\n1", '{"signature": null}', "[]"])
def test_a_file_that_is_not_signed_telemetry_is_told(tmp_path, text):
    path = tmp_path / "x"
    path.write_text(text)
    assert run(["telemetry", "send", str(path)]) == Exit.USAGE


def proved():
    """Return the published proof of a receipt with one event, and the key of its root."""
    key = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
    (event,) = chained([Change("issued", receipt())], 20_000 * 24 * NS_PER_HOUR, EMPTY)
    root = Root(20_000, 1, 1, root_of([leaf(event.digest)]), bytes(32))
    public = key.public_key().public_bytes_raw().hex()
    said = {"day": root.day, "first_number": "1", "last_number": "1", "root": root.root.hex(),
            "before": root.before.hex(), "public_key": public,
            "signature": key.sign(root.signed_text).hex()}  # fmt: skip
    one = {"number": "1", "receipt_id": event.receipt_id, "kind": event.kind, "note": event.note,
           "event_ts_ns": str(event.ts_ns), "body": event.body, "before": bytes(32).hex(),
           "digest": event.digest.hex(), "path": [], "root": said}  # fmt: skip
    return event.receipt_id, public, {"seq": 1, "proofs": [one]}


def test_a_kept_proof_is_checked_without_a_network(tmp_path, capsys):
    receipt_id, public, answer = proved()
    path = tmp_path / "proof.json"
    with FakeRest((200, answer)) as fake:
        words = ["proof", "receipt", receipt_id, "--save", str(path)]
        assert wellhead(fake, *words) == Exit.OK
    kept = ["proof", "receipt", receipt_id, "--file", str(path)]
    assert run([*kept, "--key", public]) == Exit.OK
    assert "1 events, 0 faults" in capsys.readouterr().out
    assert run([*kept, "--key", "00" * 32]) == Exit.DAMAGE
    answer["proofs"][0]["kind"] = "sold"
    path.write_text(json.dumps(answer))
    assert run(kept) == Exit.DAMAGE
    for text, exit_code in (("[]", Exit.DAMAGE), ("{}", Exit.DAMAGE), ("x", Exit.USAGE)):
        path.write_text(text)
        assert run(kept) == exit_code


def called_session():
    """Return what the exchange publishes of a call of two entries, and the digest of the second."""
    session = session_of(parse_symbol("H100-USE-2027M03"), 0)
    entries = [Entry(1, 5, "main", 1, 16, -50, 1), Entry(2, 6, "main", 0, 16, 30, 1)]
    lots = dict.fromkeys((1, 2), 16)
    outcome = called(entries, lots)
    fields = result_fields(session, entries, lots, outcome, settle_ticks=2_000, hours=744, seq=7)
    price = usd_micros_per_lot(2_000, outcome.price.price, 744)
    fields["legs"] = [
        {"place": 0, "buyer_idx": 6, "seller_idx": 5, "receipt_id": ID, "lots": 16,
         "amount_usd_micros": 16 * price}
    ]  # fmt: skip
    body = body_of(fields)
    said = {"session_id": session.session_id, "symbol": session.symbol, "status": "called",
            "opens_ts": 1, "call_ts": 2, "said_by": "calendar", "differential": "-0.050",
            "settlement_price": "2.000", "quantity": "16"}  # fmt: skip
    leg = {"place": 0, "receipt_id": ID, "outcome": "exchanged", "code": None, "move_seq": 9}
    digest = hashlib.sha256(body.encode()).hexdigest()
    answer = {"seq": 1, "session": said, "body": body, "digest": digest, "legs": [leg]}
    own = entries[1].digest(session.session_id, entries[0].digest(session.session_id, bytes(32)))
    return session.session_id, answer, own.hex()


def test_a_call_is_computed_again_from_what_was_published(tmp_path, capsys):
    name, answer, own = called_session()
    path = tmp_path / "call.json"
    with FakeRest((200, answer), (200, answer)) as fake:
        assert wellhead(fake, "efd", "prove", name, "--save", str(path)) == Exit.OK
        assert wellhead(fake, "efd", "result", name) == Exit.OK
    shown = capsys.readouterr().out
    assert "sound" in shown and "23,808.00" in shown and "exchanged" in shown
    kept = ["efd", "prove", name, "--file", str(path)]
    assert run([*kept, "--digest", own]) == Exit.OK
    assert run([*kept, "--digest", "00" * 32]) == Exit.DAMAGE
    assert "not in the chain" in capsys.readouterr().err
    assert run(["efd", "prove", "other", "--file", str(path)]) == Exit.DAMAGE
    for change in ({"body": answer["body"].replace("-50", "-51")}, {"body": "{}"}, {"body": 7},
                   {"digest": "00"}):  # fmt: skip
        path.write_text(json.dumps({**answer, **change}))
        assert run(kept) == Exit.DAMAGE, change


def test_an_interest_is_said_in_words_and_listed(capsys):
    entry = {"session_id": "s", "entry_id": "main", "side": "buy", "quantity": "16",
             "differential": "-0.050", "said_ts": 1, "digest": "ab", "stands": True}  # fmt: skip
    with FakeRest((201, {"seq": 1, "entry": entry}), (200, {"seq": 1, "entries": [entry]})) as fake:
        assert wellhead(fake, "efd", "enter", "s", "buy", "16", "-0.050") == Exit.OK
        assert json.loads(fake.seen[0][2]) == {
            "side": "buy", "quantity": "16", "differential": "-0.050", "entry_id": "main",
        }  # fmt: skip
        assert wellhead(fake, "efd", "entries") == Exit.OK
    assert capsys.readouterr().out.count("-0.050") == 2
