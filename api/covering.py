"""Receipts pledged as cover, as the API says them: for which contract, and what that is worth."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

from api.deps import Services
from api.errors import Problem
from exchange.io.covers import Covers
from exchange.rules.delivery import deeds
from exchange.rules.delivery.cover import contract_for, covers, find_in
from exchange.rules.delivery.deeds import Deed
from exchange.rules.delivery.receipts import NS_PER_HOUR, Receipt
from exchange.rules.margin import exposures_of, tail_of
from exchange.rules.mirror import Mirror
from exchange.rules.money import usd_text
from exchange.rules.requirement import requirement_of


def pledge_act(
    services: Services, escrow_idx: int | None, actor_idx: int, symbol: str
) -> Callable[[Receipt], Deed]:
    """Return the pledge of a receipt to the clearing house (CDR_017)."""
    if escrow_idx is None:
        raise Problem("receipt_unknown", "there is no receipt yet")
    now_hour, find = services.now_ns() // NS_PER_HOUR, find_in(services.gateway.mirror)

    def act(receipt: Receipt) -> Deed:
        covered = contract_for(receipt, symbol, now_hour, find)
        return deeds.pledge(receipt, actor_idx, escrow_idx, covered)

    return act


class Worth(NamedTuple):
    """What an account is asked for as its pledges stand, and without any, micro-dollars."""

    with_usd_micros: int
    without_usd_micros: int


def worth_of(mirror: Mirror, account_idx: int, due: dict[int, int]) -> Worth:
    """Return the requirement with covers by contract, and with none."""
    account, tail = mirror.accounts[account_idx], tail_of(mirror)
    held = exposures_of(mirror, account_idx)
    found = [
        requirement_of(
            [replace(one, cover_lots=lots.get(one.contract_idx, 0)) for one in held], tail,
            account.level_bps, account.profile,
        ).required_usd_micros
        for lots in (due, {})
    ]  # fmt: skip
    return Worth(*found)


async def cover_out(services: Services, door: Covers, account_idx: int) -> dict[str, Any]:
    """Return what an account's pledges cover, contract by contract, and what that saves it."""
    mirror, now_hour = services.gateway.mirror, services.now_ns() // NS_PER_HOUR
    seen = await door.seen(now_hour)
    due = {
        contract_idx: lots
        for (idx, contract_idx), lots in covers(
            seen.pledges, seen.spans, find_in(mirror), now_hour
        ).items()
        if idx == account_idx
    }
    worth = worth_of(mirror, account_idx, due)
    rows = []
    for contract_idx, lots in sorted(due.items()):
        position = mirror.position(account_idx, contract_idx)
        short = max(0, -position.qty_lots)
        rows.append({
            "symbol": mirror.contracts[contract_idx].symbol, "quantity": str(lots),
            "told": str(position.cover_lots), "short": str(short),
            "counts": str(min(short, lots)),
        })  # fmt: skip
    return {
        "covers": rows,
        "required": usd_text(worth.with_usd_micros),
        "required_without": usd_text(worth.without_usd_micros),
        "saved": usd_text(worth.without_usd_micros - worth.with_usd_micros),
    }
