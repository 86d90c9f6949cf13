"""Merkle trees over receipt events: CDR_016."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api import delivering
from exchange.io.delivery_proofs import Proof, SignedRoot
from exchange.rules.delivery.checked import faults_of_proofs
from exchange.rules.delivery.merkle import EMPTY_ROOT, Root, leaf, path_of, root_by, root_of
from exchange.rules.delivery.receipts import EMPTY, Change, chained
from tests.support.receipts import receipt

KEY = Ed25519PrivateKey.from_private_bytes(bytes([9] * 32))
LEAVES = [leaf(bytes([at])) for at in range(9)]


def test_the_tree_is_that_of_rfc_6962():
    # Leaves and roots of the test tree of the reference implementation of RFC 6962.
    data = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f"]  # fmt: skip
    leaves = [leaf(bytes.fromhex(one)) for one in data]
    assert leaves[0].hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert root_of([]) == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("count", range(1, 10))
def test_every_leaf_has_a_path_and_any_change_fails(count):
    leaves = LEAVES[:count]
    root = root_of(leaves)
    for place in range(count):
        path = path_of(leaves, place)
        assert root_by(leaves[place], place, count, path) == root
        for other in range(256):
            if other != place:
                assert root_by(leaf(bytes([other])), place, count, path) != root
        for wrong_place in set(range(-1, count + 1)) - {place}:
            assert root_by(leaves[place], wrong_place, count, path) != root
        assert root_by(leaves[place], place, count, [*path, bytes(32)]) != root
        assert not path or root_by(leaves[place], place, count, path[:-1]) != root
        for at in range(len(path)):
            bent = [bytes(32) if at == here else one for here, one in enumerate(path)]
            assert root_by(leaves[place], place, count, bent) != root


def test_a_published_proof_is_checked_and_any_change_of_it_is_found():
    events = chained([Change("issued", receipt()) for _ in range(5)], 5, EMPTY)
    leaves = [leaf(one.digest) for one in events]
    root = Root(1, 1, 5, root_of(leaves), bytes(32))
    said = delivering.root_out(
        SignedRoot(root, KEY.public_key().public_bytes_raw(), KEY.sign(root.signed_text))
    )
    before = [bytes(32), *(one.digest for one in events)]
    proofs = [
        delivering.proof_out(Proof(one, before[at], path_of(leaves, at), None)) | {"root": said}
        for at, one in enumerate(events)
    ]
    receipt_id = events[0].receipt_id
    assert faults_of_proofs(proofs, receipt_id) == []
    assert faults_of_proofs(proofs, receipt_id, said["public_key"]) == []
    assert faults_of_proofs(proofs, receipt_id, "00" * 32)
    assert faults_of_proofs(proofs, "cdr_other")
    one = proofs[2]
    for name, value in (
        ("number", "2"), ("kind", "sold"), ("event_ts_ns", "6"), ("note", "x"), ("body", "{}"),
        ("before", "00" * 32), ("digest", "00" * 32), ("path", one["path"][1:]), ("root", None),
    ):  # fmt: skip
        assert faults_of_proofs([one | {name: value}], receipt_id), name
    for name, value in (
        ("day", 2), ("first_number", "2"), ("last_number", "6"), ("root", "00" * 32),
        ("before", "11" * 32), ("signature", "00" * 64),
    ):  # fmt: skip
        assert faults_of_proofs([one | {"root": said | {name: value}}], receipt_id), name
    for wrong in ({}, one | {"path": 1}, one | {"before": "x"}):
        with pytest.raises(ValueError):
            faults_of_proofs([wrong], receipt_id)


def test_a_root_is_signed_with_all_that_it_says():
    one = Root(20_000, 1, 9, root_of(LEAVES), bytes(32))
    texts = {one.signed_text} | {
        one._replace(**change).signed_text
        for change in ({"day": 1}, {"first_number": 2}, {"last_number": 8},
                       {"root": bytes(32)}, {"before": bytes([1] * 32)})
    }  # fmt: skip
    assert len(texts) == 6
