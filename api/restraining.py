"""Limits by owner, credit and notices, as routes find and show them."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final

from msgspec import UNSET

from api import answers, codec
from api.auth import Principal
from api.deps import Services
from api.errors import Problem
from api.memberships import members_of
from api.schemas_restraints import HUB_NAMES, SKU_NAMES, CapacityNew, CreditChange
from exchange.io.registry import Account
from exchange.io.restraints import Capacity, Notice, Restraints
from exchange.rules.fund_sizing import day_of
from exchange.rules.margin import margin_of
from exchange.rules.membership import is_member
from exchange.rules.money import usd_text
from exchange.rules.position_limits import (
    Holding,
    Level,
    Owners,
    Supply,
    owner_holdings,
    with_interest,
)
from exchange.rules.restraints import Credit, Word, said_of, stricter_credit

TOGETHER: Final = 32  # owners looked at before others have their turn


def restraints_of(services: Services) -> Restraints:
    """Return the door to owners, capacity, credit and notices."""
    if services.restraints is None:
        raise Problem("unavailable", "this process does not serve it")
    return services.restraints


async def name_of(services: Services, account_idx: int) -> str:
    """Return the public id of an account."""
    account = await services.accounts.by_idx(account_idx)
    assert account is not None, "accounts are never removed"
    return account.account_id


# What owners hold


def holding_out(one: Holding) -> dict[str, Any]:
    """Return what an owner holds within a scope."""
    return {
        "scope": one.scope,
        "side": "long" if one.long else "short",
        "level": one.level.value,
        "used_gpu_hours": str(one.used_gpu_hours),
        "limit_gpu_hours": str(one.limit_gpu_hours),
        "accountable_gpu_hours": str(one.accountable_gpu_hours),
    }


async def known_of(services: Services) -> tuple[Owners, Supply, dict[int, Word]]:
    """Return whose accounts are, what can be delivered, and who is restrained."""
    rows = restraints_of(services)
    kinds: dict[int, str] = {}
    supply = with_interest(await rows.supply(), services.gateway.mirror)
    for account_idx, _, _ in supply.registered:
        account = await services.accounts.by_idx(account_idx)
        assert account is not None, "accounts are never removed"
        kinds[account_idx] = account.kind
    return Owners(await rows.owners(), kinds), supply, await rows.words()


async def owner_out(
    services: Services, known: tuple[Owners, Supply, dict[int, Word]], head: int
) -> dict[str, Any]:
    """Return what one owner holds, and why it is restrained."""
    owners, supply, words = known
    accounts = owners.accounts(head)
    found = owner_holdings(services.gateway.mirror, owners, supply, head)
    reasons = {reason for idx in accounts for reason in words.get(idx, Word()).reasons}
    return {
        "owner": await name_of(services, head),
        "accounts": [await name_of(services, idx) for idx in accounts],
        "reasons": sorted(reasons),
        "holdings": [holding_out(one) for one in found],
    }


async def owners_out(services: Services) -> list[dict[str, Any]]:
    """Return the owners that operators look at: accountable, beyond, or restrained."""
    known = await known_of(services)
    owners, supply, words = known
    state = services.gateway.mirror
    found = []
    heads = sorted({owners.head(idx) for idx in range(len(state.accounts))})
    for place, head in enumerate(heads):
        if place % TOGETHER == 0:
            await asyncio.sleep(0)
        held = any(words.get(idx, Word()).reasons for idx in owners.accounts(head))
        levels = {one.level for one in owner_holdings(state, owners, supply, head)}
        if held or levels - {Level.OK}:
            found.append(await owner_out(services, known, head))
    return found


async def ownership_out(services: Services, account: Account) -> dict[str, Any]:
    """Return whose an account is, and all accounts of that owner."""
    owners = Owners(await restraints_of(services).owners(), {})
    head = owners.head(account.account_idx)
    return {
        "account_id": account.account_id,
        "owner": await name_of(services, head),
        "accounts": [await name_of(services, idx) for idx in owners.accounts(head)],
    }


# What can be delivered


def capacity_of(body: CapacityNew, account: Account | None, who: str, now_ns: int) -> Capacity:
    """Return what a body says.

    Errors:
        Problem: there is no such model or hub, or no source is named.
    """
    for text, names, field in ((body.sku, SKU_NAMES, "sku"), (body.hub, HUB_NAMES, "hub")):
        if text not in names:
            raise Problem("field_invalid", f"one of {', '.join(names)}", field=field)
    if not body.source or not body.source.isprintable():
        raise Problem("field_invalid", "where the number is from", field="source")
    idx = None if account is None else account.account_idx
    return Capacity(idx, body.sku, body.hub, body.gpus, body.source, who, now_ns)


async def capacities_out(services: Services) -> list[dict[str, Any]]:
    """Return what can be delivered, by whom."""
    return [
        {
            "account_id": None if one.account_idx is None
            else await name_of(services, one.account_idx),
            "sku": one.sku, "hub": one.hub, "gpus": one.gpus, "source": one.source,
            "ts": answers.millis(one.ts_ns),
        }
        for one in await restraints_of(services).capacities()
        if one.gpus
    ]  # fmt: skip


# Credit


def credit_in(body: CreditChange) -> Credit:
    """Return the limits that a body says."""
    text = body.initial_margin
    margin = 0 if text is UNSET or text == "0" else codec.usd_micros(text, "initial_margin")
    text = body.clients_margin
    clients = 0 if text is UNSET or text == "0" else codec.usd_micros(text, "clients_margin")
    return Credit(margin, body.turnover_gpu_hours, clients)


def need_member_for(credit: Credit, kind: str) -> None:
    """Raise `member_not_allowed` where an account that has no clients is to be limited by them."""
    if credit.clients_margin_max_usd_micros and not is_member(kind):
        raise Problem("member_not_allowed", "only an account of kind member has clients",
                      field="clients_margin")  # fmt: skip


def _credit_out(credit: Credit) -> dict[str, Any]:
    margin, hours, clients = credit
    return {
        "initial_margin": usd_text(margin) if margin else None,
        "turnover_gpu_hours": hours or None,
        "clients_margin": usd_text(clients) if clients else None,
    }


async def clients_margin(services: Services, account: Account) -> int:
    """Return the initial margin of all clients of a member together."""
    state, total, after = services.gateway.mirror, 0, -1
    while True:
        found = await members_of(services).clients(account.account_idx, after_idx=after)
        if not found:
            return total
        known = [idx for idx in found if idx < len(state.accounts)]
        total += sum(margin_of(state, idx).initial_usd_micros for idx in known)
        after = found[-1]


async def credit_out(services: Services, account: Account) -> dict[str, Any]:
    """Return what an account is trusted with, by whom, and what it uses."""
    rows, state, idx = restraints_of(services), services.gateway.mirror, account.account_idx
    by_operator, by_member = (await rows.credits(idx)).get(idx, (Credit(), Credit()))
    traded = await rows.turnover(day_of(state.ts_ns), [idx])
    known = idx < len(state.accounts)
    clients = await clients_margin(services, account) if is_member(account.kind) else None
    return {
        "account_id": account.account_id,
        "credit": _credit_out(stricter_credit(by_operator, by_member)),
        "by_operator": _credit_out(by_operator),
        "by_member": _credit_out(by_member),
        "initial_margin": usd_text(margin_of(state, idx).initial_usd_micros if known else 0),
        "turnover_gpu_hours": traded.get(idx, 0),
        "clients_margin": None if clients is None else usd_text(clients),
        "reasons": list((await rows.words()).get(idx, Word()).reasons),
    }


async def allow_credit(
    services: Services, who: Principal, account: Account, member_idx: int | None, credit: Credit
) -> dict[str, Any]:
    """Write what an operator, or a member, trusts an account with; return what holds then."""
    now_ns = services.gateway.mirror.ts_ns
    await restraints_of(services).set_credit(
        account.account_idx, member_idx, credit, who.key_id, now_ns
    )
    return await credit_out(services, account)


# Notices


def notice_out(one: Notice, account_id: str) -> dict[str, Any]:
    """Return a notice."""
    head = {
        "notice_id": str(one.notice_id), "account_id": account_id, "kind": one.kind,
        "ts": answers.millis(one.ts_ns),
    }  # fmt: skip
    return {**head, **said_of(one.kind, one.body)}


async def notices_out(services: Services, found: Iterable[Notice]) -> list[dict[str, Any]]:
    """Return notices, each with its account."""
    return [notice_out(one, await name_of(services, one.account_idx)) for one in found]
