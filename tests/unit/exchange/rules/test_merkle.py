"""Merkle trees over receipt events: CDR_016."""

import hashlib

import pytest

from exchange.rules.delivery.merkle import EMPTY_ROOT, Root, leaf, path_of, root_by, root_of

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


def test_a_root_is_signed_with_all_that_it_says():
    one = Root(20_000, 1, 9, root_of(LEAVES), bytes(32))
    texts = {one.signed_text} | {
        one._replace(**change).signed_text
        for change in ({"day": 1}, {"first_number": 2}, {"last_number": 8},
                       {"root": bytes(32)}, {"before": bytes([1] * 32)})
    }  # fmt: skip
    assert len(texts) == 6
