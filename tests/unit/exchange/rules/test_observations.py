"""The record of an observation, its chain, and what is refused."""

import hashlib

import pytest

from exchange.rules.observations import (
    AHEAD_NS_MAX,
    FIRST,
    PRICE_USD_MICROS_MAX,
    SIZE_GPUS_MAX,
    TS_MIN_NS,
    Draft,
    Head,
    Offer,
    Reason,
    breaks,
    canonical,
    chained,
    fault,
)

NOW_NS = TS_MIN_NS + 1_000_000_000_000
DRAFT = Draft(
    provider="gcp",
    region="us-east1",
    sku="H100-SXM",
    hub="USE",
    grade="N",
    size_gpus=8,
    price_usd_micros=2_500_000,
    kind="rate_card",
    ts_ns=TS_MIN_NS,
    source="cyclenerd-gcp",
    licence="Apache-2.0",
    instance="a3-highgpu-8g",
)


def rows(count: int = 6) -> list[Offer]:
    return list(chained(DRAFT._replace(size_gpus=size) for size in range(1, count + 1)))


def test_canonical_bytes_are_one_line_a_field():
    assert canonical(7, DRAFT) == (
        b"wellhead observation 1\n7\ngcp\nus-east1\nH100-SXM\nUSE\nN\n8\n2500000\nrate_card\n"
        b"1420070400000000000\ncyclenerd-gcp\nApache-2.0\n0\na3-highgpu-8g\n"
    )


def test_digest_is_sha256_of_the_one_before_and_the_canonical_bytes():
    first, second = rows(2)
    assert first.digest == hashlib.sha256(FIRST + canonical(1, first.draft)).digest()
    assert second.digest == hashlib.sha256(first.digest + canonical(2, second.draft)).digest()


def test_a_chain_goes_on_from_its_head():
    whole = rows(6)
    head = Head(whole[2].number, whole[2].digest)
    assert list(chained((one.draft for one in whole[3:]), head)) == whole[3:]
    assert list(breaks(whole)) == list(breaks(whole[3:], head)) == []


@pytest.mark.parametrize("field", list(Draft._fields))
def test_one_changed_field_is_located_at_its_row(field):
    found = rows()
    was = getattr(found[2], field)
    found[2] = found[2]._replace(**{field: was + 1 if isinstance(was, int) else was + "x"})
    assert [(b.number, b.what) for b in breaks(found)] == [(3, "content")]


@pytest.mark.parametrize(("number", "what"), [(1, "digest"), (3, "digest"),
                                              (6, "content or digest")])  # fmt: skip
def test_a_changed_digest_is_located_at_its_row(number, what):
    found = rows()
    found[number - 1] = found[number - 1]._replace(digest=bytes(32))
    assert [(b.number, b.what) for b in breaks(found)] == [(number, what)]


def test_a_missing_row_is_located():
    found = rows()
    del found[2]
    assert [(b.number, b.what) for b in breaks(found)] == [(3, "row")]


def test_two_changed_rows_are_both_located():
    found = rows()
    for at in (1, 4):
        found[at] = found[at]._replace(price_usd_micros=1)
    assert [b.number for b in breaks(found)] == [2, 5]


def test_a_sound_observation_has_no_fault():
    assert fault(DRAFT, NOW_NS) is None
    assert fault(DRAFT._replace(kind="reserved", term_months=12), NOW_NS) is None
    assert fault(DRAFT._replace(hub="", region=""), NOW_NS) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"provider": ""}, Reason.FIELD_MISSING),
        ({"licence": ""}, Reason.FIELD_MISSING),
        ({"provider": "a\nb"}, Reason.TEXT_INVALID),
        ({"region": "\ud800"}, Reason.TEXT_INVALID),
        ({"instance": "x" * 65}, Reason.TEXT_INVALID),
        ({"sku": "RTX-5090"}, Reason.SKU_UNKNOWN),
        ({"hub": "MOON"}, Reason.HUB_UNKNOWN),
        ({"grade": "Z"}, Reason.GRADE_UNKNOWN),
        ({"kind": "rumour"}, Reason.KIND_UNKNOWN),
        ({"price_usd_micros": 0}, Reason.PRICE_NOT_POSITIVE),
        ({"price_usd_micros": -1}, Reason.PRICE_NOT_POSITIVE),
        ({"price_usd_micros": PRICE_USD_MICROS_MAX + 1}, Reason.PRICE_TOO_HIGH),
        ({"size_gpus": 0}, Reason.SIZE_INVALID),
        ({"size_gpus": SIZE_GPUS_MAX + 1}, Reason.SIZE_INVALID),
        ({"term_months": 12}, Reason.TERM_INVALID),
        ({"kind": "reserved"}, Reason.TERM_INVALID),
        ({"ts_ns": TS_MIN_NS - 1}, Reason.TIME_TOO_OLD),
        ({"ts_ns": NOW_NS + AHEAD_NS_MAX + 1}, Reason.TIME_IN_FUTURE),
    ],
)
def test_each_fault_has_its_own_reason(change, reason):
    found = fault(DRAFT._replace(**change), NOW_NS)
    assert found is not None
    assert found.reason == reason
