"""What a command's events say, in the words of a scenario."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from matching.codes import CallPhase, Code, EventKind

LOW = (1 << 32) - 1  # of an event about a stop: its trigger price


class Named(Protocol):
    """An exchange with names instead of numbers."""

    orders: dict[str, int]
    members: dict[str, int]
    contracts: dict[str, int]

    def deal_part(self, event: np.void) -> str:
        """Return what an event of a block says."""

    def base(self, contract_idx: int) -> int:
        """Return the price of a contract's book that means zero."""


def said(events: np.ndarray, names: Named, more: Callable[[Any, np.void, np.void], str]) -> str:
    """Return the answer to a line; `more` says what is not about orders."""
    if len(events) == 0:
        return "ok"
    reply = events[0]
    if reply["kind"] == EventKind.REFUSED:
        return Code(int(reply["code"])).name.lower()
    own = 0 if reply["kind"] == EventKind.QUOTED else int(reply["order_id"])
    parts = [
        text for event in events if (text := part(event, own, names) or more(names, event, reply))
    ]
    if reply["kind"] in (EventKind.ACCEPTED, EventKind.AMENDED):
        parts.append(f"rests {reply['leaves_lots']}")
    elif (
        reply["kind"] in (EventKind.STOP_ACCEPTED, EventKind.STOP_AMENDED) and reply["leaves_lots"]
    ):
        parts.insert(0, f"waits at {int(reply['amount_usd_micros']) & LOW}")
    return " ".join(["ok", *parts])


def part(event: np.void, own: int, names: Named) -> str:
    """Return what one event says, "" for nothing."""
    kind, lots = event["kind"], event["qty_lots"]
    other = name_of(names.orders, event["order_id"])
    if kind == EventKind.CALL_STARTED:
        return f"call {CallPhase(int(event['order_id'])).name.lower()}"
    if kind in (EventKind.CALL_ENDED, EventKind.INDICATIVE):
        word = "uncross" if kind == EventKind.CALL_ENDED else "indicative"
        imbalance = int(event["leaves_lots"]) * (1 - 2 * int(event["side"]))
        return word + indicated(event["price_ticks"], lots, imbalance)
    if kind == EventKind.TRADE and event["code"] == Code.AUCTION_TRADE:
        return f"meet {other} {name_of(names.orders, event['maker_order_id'])} {lots}"
    if kind == EventKind.TRADE:
        return f"fill {lots}@{event['price_ticks'] - names.base(int(event['contract_idx']))}"
    if kind == EventKind.IMPLIED_TRADE:
        price = event["price_ticks"] - names.base(int(event["contract_idx"]))
        if event["order_id"] == own:
            return f"implied {lots}@{price}"
        named = name_of(names.contracts, event["contract_idx"])
        return f"implied {named} {other} {lots}@{price}"
    if kind == EventKind.IMPLIED_LEG:
        named = name_of(names.contracts, event["contract_idx"])
        return f"{named} {lots}@{event['price_ticks']}"
    if kind == EventKind.LEG_TRADE:
        return f"{name_of(names.contracts, event['contract_idx'])} {lots}@{event['price_ticks']}"
    if kind == EventKind.TRIGGERED:
        return f"enters {'it' if event['order_id'] == own else other} {lots}"
    if kind == EventKind.STOP_MOVED:
        return f"moves {other} {int(event['amount_usd_micros']) & LOW}"
    if kind == EventKind.STOP_GREW:
        return f"grows {other} {lots}"
    if kind == EventKind.CANCELLED:
        code = Code(int(event["code"])).name.lower()
        return f"drop {lots} {code}" if event["order_id"] == own else f"out {other} {lots} {code}"
    if kind in (EventKind.BLOCK_TRADE, EventKind.EFP_TRADE, EventKind.DEAL_ENDED):
        return names.deal_part(event)
    if kind == EventKind.POSITION_MOVED:
        return f"moved {lots}@{event['price_ticks']}"
    if kind == EventKind.CASCADED:
        return f"moves {lots} left {event['leaves_lots']}"
    if kind == EventKind.CASCADE_MOVED:
        return f"{name_of(names.contracts, event['contract_idx'])} {lots}@{event['price_ticks']}"
    if kind == EventKind.ACCRUED:
        return f"accrues {lots} of {event['leaves_lots']}"
    if kind == EventKind.CASH_TRANSFERRED:
        return f"paid {event['amount_usd_micros']}"
    if kind == EventKind.REPRICED:
        return f"moves {other} @{event['price_ticks']}"
    if kind == EventKind.TRADING_ENDED:
        return f"ends {name_of(names.contracts, event['contract_idx'])}"
    if kind == EventKind.POSITIONS_CLOSED:
        return f"closes {lots}@{event['price_ticks']}"
    if kind == EventKind.VARIATION:
        owner = name_of(names.members, event["account_idx"])
        return f"pays {owner} {event['amount_usd_micros']}"
    return ""


def indicated(price_ticks: int, lots: int, imbalance_lots: int) -> str:
    """Say a price of a call: ` 5@2150 imbalance -3`, nothing when nothing would trade."""
    left = f" imbalance {imbalance_lots}" if imbalance_lots else ""
    return f" {lots}@{price_ticks}{left}" if price_ticks else ""


def name_of(numbers: dict[str, int], number: int) -> str:
    """Return the name of a number, "?" for none."""
    return next((name for name, known in numbers.items() if known == number), "?")


def without_rests(found: str, expected: str) -> str:
    """Leave out what rests when the line does not ask for it."""
    if " rests " in found and " rests " not in expected:
        return found[: found.index(" rests ")]
    return found
