"""Limits of an account by who allows them: an operator, its member; the stricter of both holds."""

from typing import Any, Final

from api import protect
from api.auth import Principal
from api.deps import Services
from api.memberships import members_of
from api.orders import account_of
from exchange.io.registry import Account
from exchange.rules.protections import Limits, stricter

TRIES: Final = 8  # others may set limits of the same account at the same time
BEFORE: Final = "journal"  # who said limits that the core has from before they were kept by whom


async def allow(
    services: Services, who: Principal, account: Account, member_idx: int | None, limits: Limits
) -> dict[str, Any]:
    """Write what an operator, or a member, allows; tell the core; return what holds then.

    Errors:
        Problem: nothing is taken now.
    """
    services.gateway.check_open(reduces=True)
    rows, account_idx = members_of(services), account.account_idx
    now_ns = services.gateway.mirror.ts_ns
    if not await rows.knows_limits(account_idx):
        await services.gateway.barrier()
        old = account_of(services.gateway.mirror, account_idx).protections.limits
        if any(old):
            await rows.note_limits(account_idx, None, old, BEFORE, now_ns)
    await rows.note_limits(account_idx, member_idx, limits, who.key_id, now_ns)
    await tell_limits(services, account_idx)
    return await limits_shown(services, account)


async def tell_limits(services: Services, account_idx: int) -> None:
    """Tell the core what holds now; again where somebody else allowed something meanwhile."""
    said: Limits | None = None
    for _ in range(TRIES):
        holds = stricter(*await members_of(services).limits_of(account_idx))
        if holds == said:
            return
        (await services.gateway.send(protect.limits_row(account_idx, holds))).raise_refused()
        said = holds


async def limits_shown(services: Services, account: Account) -> dict[str, Any]:
    """Return the limits that hold in the core, and what either side allows; None is no limit."""
    by_operator, by_member = await members_of(services).limits_of(account.account_idx)
    own = account_of(services.gateway.mirror, account.account_idx).protections.limits
    return {
        "account_id": account.account_id,
        "limits": protect.limits_out(own),
        "by_operator": protect.limits_out(by_operator),
        "by_member": protect.limits_out(by_member),
    }
