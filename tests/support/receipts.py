"""Receipts for tests: a small one, and telemetry of its nodes."""

from dataclasses import replace

from exchange.rules.delivery.metering import Reading
from exchange.rules.delivery.receipts import (
    NS_PER_HOUR,
    Receipt,
    Status,
    bond_min_usd_micros,
    receipt_id_of,
)

START = 500_000  # hours since 1970: in 2027
ISSUER, BUYER, OTHER = 0, 1, 2
PRICE = 2_000_000


def receipt(**change) -> Receipt:
    """Return an active receipt: 2 nodes of 8 GPUs for 48 hours at 2 USD."""
    made = Receipt(
        receipt_id=receipt_id_of("test"), parent_id="", sku="H100-SXM", grade="N", hub="USE",
        nodes=("n1", "n2"), gpus_per_node=8, start_hour=START, end_hour=START + 48,
        sla_bps=9_900, load_factor_bps=0, kwh_per_gpu_hour_milli=0, price_usd_micros=PRICE,
        bond_usd_micros=0, bond_left_usd_micros=0, issuer_idx=ISSUER, holder_idx=ISSUER,
        status=Status.ACTIVE,
    )  # fmt: skip
    made = replace(made, **change)
    bond = bond_min_usd_micros(made.value_usd_micros)
    bonds = {"bond_usd_micros": bond, "bond_left_usd_micros": bond}
    return replace(made, **(bonds | change))


def redeemed(**change) -> Receipt:
    """Return one that the buyer takes delivery of, from its first hour on."""
    more = {"redeemed_hour": START, "assessed_hour": START, "holder_idx": BUYER} | change
    return receipt(status=Status.REDEEMED, **more)


def reading(node="n1", hour=START, uptime_s=3_600, counter=0, load=9_000) -> Reading:
    """Return what a node of 8 GPUs reports of an hour."""
    gpu_hours_milli = 8 * uptime_s * 1000 // 3600
    counter = counter or hour - START + 1
    return Reading(node, hour, counter, uptime_s, load, gpu_hours_milli, gpu_hours_milli // 2)


def at(hour: int) -> int:
    """Return the moment that an hour begins at."""
    return hour * NS_PER_HOUR
