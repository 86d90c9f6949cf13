"""Metering: what a node delivered in an hour, by telemetry that its issuer signed, and what is due.

message   one line a field, signed with the issuer's key of Ed25519 (CDR_011)
missing   3600 s less the uptime, unless the uptime reaches the SLA class; no telemetry: all of
          it; a load factor below the promised one: all of it (CDR_012)
due       missing GPU-seconds x index x 1.25 in the first 24 hours with something missing, then
          x 1.50 (CDR_013); grade X in a curtailed hour: x the receipt's own price (CDR_014)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final, NamedTuple

from exchange.rules.delivery.deeds import ESCROW, Deed, Payment, Purpose
from exchange.rules.delivery.receipts import NS_PER_HOUR, Change, Receipt
from exchange.rules.money import BPS, div_ceil

FORMAT: Final = "wellhead telemetry 1"
HOUR_S: Final = 3_600
GRACE_HOURS: Final = 6  # after the end of an hour: by then its telemetry is here
FIRST_HOURS: Final = 24
FIRST_BPS: Final = 12_500
LATER_BPS: Final = 15_000
INTERRUPTIBLE: Final = "X"
KWH_MILLI_MAX: Final = 10_000  # of one GPU-hour: no accelerator takes 10 kW


class Reading(NamedTuple):
    """What an issuer says of a node in an hour."""

    node: str
    hour: int
    counter: int  # of the node: greater each time
    uptime_s: int
    load_factor_bps: int
    gpu_hours_milli: int
    kwh_milli: int

    def message(self, issuer: str) -> bytes:
        """Return what is signed."""
        return ("\n".join(map(str, (FORMAT, issuer, *self))) + "\n").encode()


def fault(reading: Reading, gpus: int, now_ns: int) -> str | None:
    """Return why a reading cannot be true or comes too early or too late, None if it may be."""
    ends_ns = (reading.hour + 1) * NS_PER_HOUR
    if now_ns < ends_ns:
        return "hour_not_over"
    if now_ns >= ends_ns + GRACE_HOURS * NS_PER_HOUR:
        return "hour_too_old"
    if not 0 <= reading.uptime_s <= HOUR_S:
        return "uptime_invalid"
    if not 0 <= reading.load_factor_bps <= BPS:
        return "load_factor_invalid"
    most_milli = div_ceil(gpus * reading.uptime_s * 1000, HOUR_S)
    if not 0 <= reading.gpu_hours_milli <= most_milli:
        return "gpu_hours_impossible"
    if not 0 <= reading.kwh_milli <= gpus * KWH_MILLI_MAX:
        return "kwh_impossible"
    return None


def is_due(receipt: Receipt, now_ns: int) -> bool:
    """Return whether the next hour of a redeemed receipt is to be judged."""
    ends_ns = (receipt.assessed_hour + 1 + GRACE_HOURS) * NS_PER_HOUR
    return receipt.assessed_hour < receipt.end_hour and now_ns >= ends_ns


def missing_s(receipt: Receipt, reading: Reading | None) -> int:
    """Return the seconds of an hour that a node was not there as promised (CDR_012)."""
    if reading is None or reading.load_factor_bps < receipt.load_factor_bps:
        return HOUR_S
    if reading.uptime_s * BPS >= receipt.sla_bps * HOUR_S:
        return 0
    return HOUR_S - reading.uptime_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """What is known of an hour when it is judged."""

    readings: Mapping[str, Reading]  # by node
    index_usd_micros: int  # a GPU-hour
    is_curtailed: bool = False  # by an order of the grid
    seller_free_usd_micros: int = 0  # what the seller could pay in cash


def due_usd_micros(receipt: Receipt, hour: Hour) -> tuple[int, int]:
    """Return the GPU-seconds that are missing and what they cost, rounded up (CDR_013, CDR_014)."""
    seconds = sum(missing_s(receipt, hour.readings.get(node)) for node in receipt.nodes)
    gpu_s = seconds * receipt.gpus_per_node
    if hour.is_curtailed and receipt.grade == INTERRUPTIBLE:
        return gpu_s, div_ceil(gpu_s * receipt.price_usd_micros, HOUR_S)
    rate_bps = FIRST_BPS if receipt.missed_hours < FIRST_HOURS else LATER_BPS
    return gpu_s, div_ceil(gpu_s * hour.index_usd_micros * rate_bps, HOUR_S * BPS)


def assess(receipt: Receipt, hour: Hour) -> Deed:
    """Judge the next hour: from the bond, then from the seller's cash, then a claim (CDR_013)."""
    at = receipt.assessed_hour
    gpu_s, due = due_usd_micros(receipt, hour)
    if not gpu_s:
        return Deed((Change("delivered", replace(receipt, assessed_hour=at + 1), str(at)),))
    from_bond = min(due, receipt.bond_left_usd_micros)
    from_cash = min(due - from_bond, max(0, hour.seller_free_usd_micros))
    claimed = due - from_bond - from_cash
    judged = replace(
        receipt, assessed_hour=at + 1, missed_hours=receipt.missed_hours + 1,
        bond_left_usd_micros=receipt.bond_left_usd_micros - from_bond,
        penalty_usd_micros=receipt.penalty_usd_micros + due,
        claimed_usd_micros=receipt.claimed_usd_micros + claimed,
    )  # fmt: skip
    note = f"{at} {gpu_s} {due} {from_bond} {from_cash} {claimed}"
    legs = (
        Payment(Purpose.PENALTY_BOND, at, ESCROW, receipt.holder_idx, from_bond),
        Payment(Purpose.PENALTY_CASH, at, receipt.issuer_idx, receipt.holder_idx, from_cash),
    )
    kind = "curtailed" if hour.is_curtailed and receipt.grade == INTERRUPTIBLE else "missed"
    return Deed((Change(kind, judged, note),), tuple(leg for leg in legs if leg.amount_usd_micros))


def gaps(hours: Sequence[int]) -> list[tuple[int, int]]:
    """Return the spans of hours between reported ones that nobody reported: first, first after."""
    known = sorted(set(hours))
    return [(before + 1, after) for before, after in pairwise(known) if after > before + 1]
