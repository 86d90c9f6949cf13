"""Final settlements under signed roots: a proof needs nobody, and no other bit of it passes."""

import json

import pytest

from api.routes.proofs import proof_out
from exchange.io.settlement_roots import wrong_roots
from exchange.rules.settlement_tree import faults_of_proof, leaf_of, leaf_out
from exchange.rules.tenors import NS_PER_DAY
from tests.support.memory_roots import DAY, KEY, final_leaf, proof_of, sealed

SYMBOLS = [f"H100-USE-2027M03D{day:02d}" for day in range(1, 8)]
LEAVES = [final_leaf(at + 1, symbol) for at, symbol in enumerate(SYMBOLS)]
PUBLIC = KEY.public_key().public_bytes_raw().hex()


def published(at: int):
    return json.loads(json.dumps(proof_out(proof_of(LEAVES, at))))


def test_FNST_006_every_settlement_of_a_day_has_its_way_to_the_signed_root():
    for at, symbol in enumerate(SYMBOLS):
        assert faults_of_proof(published(at), symbol, PUBLIC) == []
    assert leaf_of(leaf_out(LEAVES[0])) == LEAVES[0]


def test_what_is_changed_anywhere_is_found():
    changes = {
        ("settlement", "worth"): "202.74", ("settlement", "settled_seq"): 92,
        ("settlement", "digest"): "0" * 64, ("settlement", "paid"): "0.01",
        ("settlement", "final_price"): "2.8158", ("settlement", "number"): "2",
        ("settlement", "settled_ts_ns"): str((DAY + 1) * NS_PER_DAY),
        ("root", "root"): "0" * 64, ("root", "day"): DAY + 1, ("root", "last_number"): "6",
        ("root", "before"): "1" * 64, ("root", "signature"): "0" * 128,
        ("root", "public_key"): "0" * 64,
    }  # fmt: skip
    for (part, name), value in changes.items():
        proof = published(0)
        assert proof[part][name] != value
        proof[part][name] = value
        assert faults_of_proof(proof, SYMBOLS[0], PUBLIC) != [], (part, name)
    proof = published(0)
    for path in (proof["path"][:-1], [*proof["path"], "00" * 32], proof["path"][::-1], ["00"] * 65):
        assert faults_of_proof({**proof, "path": path}, SYMBOLS[0]) != []


def test_another_contract_another_key_and_an_open_day_do_not_pass():
    assert faults_of_proof(published(0), SYMBOLS[1]) == [f"a settlement of {SYMBOLS[0]}"]
    assert "signed by another key" in faults_of_proof(published(0), SYMBOLS[0], "0" * 64)[0]
    open_day = {**published(0), "root": None, "path": []}
    assert faults_of_proof(open_day, SYMBOLS[0]) == ["its day is not sealed yet"]


@pytest.mark.parametrize(
    "proof",
    [
        {}, {"settlement": None}, {**published(0), "path": None},
        {**published(0), "root": []}, {**published(0), "path": ["x"]},
        {**published(0), "settlement": {**published(0)["settlement"], "worth": "1e3"}},
        {**published(0), "settlement": {**published(0)["settlement"], "days": 0}},
    ],
)  # fmt: skip
def test_what_has_not_the_published_form_is_named_so(proof):
    with pytest.raises(ValueError, match=r"published form|hexadecimal"):
        faults_of_proof(proof, SYMBOLS[0])


def test_verify_names_roots_that_are_not_over_the_settlements_there_are():
    later = [final_leaf(8, "H100-USE-2027M03D08", (DAY + 1) * NS_PER_DAY)]
    first = sealed(LEAVES)
    roots, finals = [first, sealed(later, first.root.root)], [*LEAVES, *later]
    assert list(wrong_roots(roots, finals)) == []
    other = [LEAVES[0]._replace(worth_usd_micros=1), *finals[1:]]
    assert [one.field for one in wrong_roots(roots, other)] == ["root"]
    assert "last_number" in [one.field for one in wrong_roots(roots, finals[:-1])]
    forged = [first._replace(signature=bytes(64)), roots[1]]
    assert [one.field for one in wrong_roots(forged, finals)] == ["signature"]
    assert {one.field for one in wrong_roots(roots[1:], finals)} == {
        "first_number", "last_number", "before",
    }  # fmt: skip
