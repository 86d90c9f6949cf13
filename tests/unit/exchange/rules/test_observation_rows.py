"""Rows of sources: what they become, and why not."""

import pytest

from exchange.rules.observation_rows import RAW_MAX, Bad, Given, read_row
from exchange.rules.observations import NS_PER_DAY, Draft, Reason

NOW_NS = 1_795_000_000_000_000_000
GIVEN = Given(now_ns=NOW_NS, source="test", licence="MIT")
ROW = {
    "date": "2026-08-22", "provider": "GCP", "region": "us-east1", "sku": "H100-SXM",
    "gpus_per_instance": "8", "usd_per_gpu_hour": "2.5", "kind": "on-demand",
    "instance": "a3-highgpu-8g",
}  # fmt: skip


def test_a_row_of_the_shipped_form_is_an_observation():
    assert read_row(ROW, GIVEN) == Draft(
        provider="gcp", region="us-east1", sku="H100-SXM", hub="USE", grade="N", size_gpus=8,
        price_usd_micros=2_500_000, kind="rate_card", ts_ns=20_687 * NS_PER_DAY, source="test",
        licence="MIT", term_months=0, instance="a3-highgpu-8g",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"kind": "spot"}, {"kind": "spot", "grade": "X"}),
        ({"kind": "community"}, {"kind": "offer", "grade": "I"}),
        ({"kind": "reserved-3y"}, {"kind": "reserved", "term_months": 36}),
        ({"kind": "reserved", "term_months": "6"}, {"kind": "reserved", "term_months": 6}),
        ({"grade": "T"}, {"grade": "T"}),
        ({"region": "unspecified"}, {"region": "", "hub": ""}),
        ({"region": "australia-southeast1"}, {"region": "australia-southeast1", "hub": ""}),
        ({"sku": "H200"}, {"sku": "H200-SXM"}),
        ({"provider": "runpod.io"}, {"provider": "runpod"}),
        ({"gpus_per_instance": ""}, {"size_gpus": 1}),
        ({"source": "ccir-cri-h100"}, {"source": "ccir-cri-h100", "licence": "MIT"}),
        ({"ts": "2026-08-22T02:30:00.000001+02:00"}, {"ts_ns": 20_687 * NS_PER_DAY
                                                      + 1_800_000_001_000}),
    ],
)  # fmt: skip
def test_words_of_sources_are_understood(change, expected):
    found = read_row(ROW | change, GIVEN)
    assert isinstance(found, Draft)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sku": "H100"}, Reason.SKU_UNKNOWN),
        ({"sku": ""}, Reason.FIELD_MISSING),
        ({"date": ""}, Reason.FIELD_MISSING),
        ({"date": "22.08.2026"}, Reason.TIME_INVALID),
        ({"ts": "2026-08-22T02:30:00"}, Reason.TIME_INVALID),
        ({"ts": "9999-12-31T23:59:59-23:59"}, Reason.TIME_IN_FUTURE),
        ({"ts": "0001-01-01T00:00:00+23:59"}, Reason.TIME_TOO_OLD),
        ({"date": "2027-08-22"}, Reason.TIME_IN_FUTURE),
        ({"date": "1999-01-01"}, Reason.TIME_TOO_OLD),
        ({"usd_per_gpu_hour": "0"}, Reason.PRICE_NOT_POSITIVE),
        ({"usd_per_gpu_hour": "-2"}, Reason.PRICE_NOT_POSITIVE),
        ({"usd_per_gpu_hour": "250"}, Reason.PRICE_TOO_HIGH),
        ({"usd_per_gpu_hour": "1" + "0" * 30}, Reason.PRICE_TOO_HIGH),
        ({"usd_per_gpu_hour": "nan"}, Reason.PRICE_INVALID),
        ({"usd_per_gpu_hour": "2.1234567"}, Reason.PRICE_INVALID),
        ({"usd_per_gpu_hour": "2e0"}, Reason.PRICE_INVALID),
        ({"gpus_per_instance": "0"}, Reason.SIZE_INVALID),
        ({"gpus_per_instance": "1.5"}, Reason.SIZE_INVALID),
        ({"kind": "rumour"}, Reason.KIND_UNKNOWN),
        ({"kind": "trade"}, Reason.KIND_NOT_ALLOWED),
        ({"kind": "reserved"}, Reason.TERM_INVALID),
        ({"term_months": "12"}, Reason.TERM_INVALID),
        ({"grade": "Q"}, Reason.GRADE_UNKNOWN),
        ({"region": "a\x00b"}, Reason.TEXT_INVALID),
        ({"provider": 7}, Reason.NOT_A_ROW),
        ({None: ["more"]}, Reason.NOT_A_ROW),
    ],
)
def test_what_cannot_be_recorded_says_why_and_keeps_the_row(change, reason):
    found = read_row(ROW | change, GIVEN)
    assert isinstance(found, Bad)
    assert (found.reason, found.source) == (reason, "test")
    assert "a3-highgpu-8g" in found.raw and found.raw.isascii() and found.detail.isascii()


def test_a_row_without_a_licence_is_not_recorded():
    found = read_row(ROW, Given(now_ns=NOW_NS, source="test"))
    assert isinstance(found, Bad) and (found.reason, found.detail) == (
        Reason.FIELD_MISSING, "licence",
    )  # fmt: skip


def test_a_provider_speaks_for_itself_alone_and_of_the_last_days():
    own = Given(now_ns=NOW_NS, source="s", licence="own", provider="gcp", age_ns_max=NS_PER_DAY)
    today = {"date": "", "ts": "2026-11-18T11:00:00Z"}
    assert isinstance(read_row(ROW | today | {"provider": ""}, own), Draft)
    other, old = read_row(ROW | today | {"provider": "aws"}, own), read_row(ROW, own)
    assert (other.reason, old.reason) == (Reason.PROVIDER_NOT_YOURS, Reason.TIME_TOO_OLD)


def test_two_long_rows_that_differ_at_their_end_are_told_apart():
    long = "x" * (2 * RAW_MAX)
    first, second = (read_row(ROW | {"instance": long + end}, GIVEN) for end in "ab")
    assert len(first.raw) < 2 * RAW_MAX and first.digest != second.digest
