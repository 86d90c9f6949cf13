"""Blocks and requests for quotes as they are asked for, the same for REST and websocket."""

from typing import Any, NamedTuple

from msgspec import UNSET

from api import codec, deals
from api.account_ids import account_by
from api.auth import Principal
from api.deps import Services
from api.errors import Problem, core_problem
from api.replies import Reply
from api.schemas_deals import BlockNew, RfqNew
from exchange.rules.deals import Deal
from exchange.rules.membership import may_deal
from matching.codes import Code, Kind


class Dealt(NamedTuple):
    """What came of a request about a deal."""

    reply: Reply
    answer: dict[str, Any]
    duplicate: bool


async def name_of(services: Services, deal: Deal, account_idx: int) -> str | None:
    """Return the public id of the other side, None where it stays unnamed."""
    whom = deals.other_side(deal, account_idx)
    account = None if whom is None else await services.accounts.by_idx(whom)
    return None if account is None else account.account_id


async def _block(services: Services, who: Principal, reply: Reply) -> Dealt:
    """Return the answer to a proposal, an acceptance or an end."""
    state = services.gateway.mirror
    deal, duplicate = deals.deal_of(state, reply)
    name = await name_of(services, deal, who.account_idx)
    block = deals.block_out(state, deal, who.account_idx, name)
    return Dealt(reply, {"block": block, "duplicate": duplicate}, duplicate)


def _rfq(services: Services, reply: Reply) -> Dealt:
    state = services.gateway.mirror
    deal, duplicate = deals.deal_of(state, reply)
    answer = {"rfq": deals.rfq_out(state, deal), "duplicate": duplicate}
    return Dealt(reply, answer, duplicate)


async def propose(services: Services, who: Principal, block: BlockNew) -> Dealt:
    """Propose a block or an EFP to one other account, or in answer to a request for quotes.

    Errors:
        Problem: it was refused, or makes no sense.
    """
    services.gateway.check_open()
    if (block.counterparty is UNSET) == (block.rfq_id is UNSET):
        code = "field_missing" if block.rfq_id is UNSET else "field_invalid"
        raise Problem(code, "either counterparty or rfq_id", field="counterparty")
    whom_idx = deals.NOBODY
    if block.counterparty is not UNSET:
        whom_idx = await _counterparty(services, block.counterparty)
    row = deals.propose_row(services.gateway.mirror, block, who.account_idx, whom_idx)
    return await _block(services, who, await services.gateway.send(row))


async def _counterparty(services: Services, account_id: str) -> int:
    """Return whom a block is for.

    Errors:
        Problem: there is nobody of that name, or it is an account of the exchange's own.
    """
    try:
        account = await account_by(services, account_id)
    except Problem:
        raise core_problem(Code.COUNTERPARTY_UNKNOWN) from None
    if not may_deal(account.kind):
        raise core_problem(Code.COUNTERPARTY_UNKNOWN)
    return account.account_idx


async def accept(services: Services, who: Principal, block_id: str) -> Dealt:
    """Accept what was proposed: the margin of both sides is judged, and the trade is booked.

    Errors:
        Problem: it was refused.
    """
    services.gateway.check_open()
    deal_id = codec.order_id(block_id, "block_id")
    row = deals.named_row(Kind.ACCEPT, who.account_idx, deal_id)
    return await _block(services, who, await services.gateway.send(row))


async def decline(services: Services, who: Principal, block_id: str) -> Dealt:
    """Decline what was proposed to the account, or withdraw what it proposed.

    Errors:
        Problem: it was refused.
    """
    services.gateway.check_open(reduces=True)
    deal_id = codec.order_id(block_id, "block_id")
    row = deals.named_row(Kind.DECLINE, who.account_idx, deal_id)
    return await _block(services, who, await services.gateway.send(row))


async def ask(services: Services, who: Principal, rfq: RfqNew) -> Dealt:
    """Ask everybody for quotes; nobody is told who asks.

    Errors:
        Problem: it was refused.
    """
    services.gateway.check_open()
    row = deals.request_row(services.gateway.mirror, rfq, who.account_idx)
    return _rfq(services, await services.gateway.send(row))


async def withdraw(services: Services, who: Principal, rfq_id: str) -> Dealt:
    """Withdraw a request; what was proposed in answer stays until it ends.

    Errors:
        Problem: it was refused.
    """
    services.gateway.check_open(reduces=True)
    deal_id = codec.order_id(rfq_id, "rfq_id")
    known = services.gateway.mirror.deals.find(deal_id)
    if known is not None and not known.is_request:
        raise core_problem(Code.DEAL_UNKNOWN)
    row = deals.named_row(Kind.DECLINE, who.account_idx, deal_id)
    return _rfq(services, await services.gateway.send(row))
