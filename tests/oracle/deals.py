"""Blocks and requests for quotes: plain lists, and every sum taken anew."""

from matching.codes import AccountState, Code, DealKind, EventKind, Kind, Side
from matching.limits import (
    BLOCK_RANGE_BPS_MAX,
    DEAL_TTL_NS_MAX,
    DEALS_PER_ACCOUNT_MAX,
    QTY_LOTS_MAX,
    REQUEST_WINDOW_NS,
    REQUESTS_PER_WINDOW_MAX,
)
from tests.oracle import entry, risk
from tests.oracle.events import Log
from tests.oracle.state import (
    NO_WORDS,
    Command,
    Deal,
    Exchange,
    Position,
    opposite,
    signed,
)

INITIATORS = {
    Code.GROSS_LIMIT: Code.INITIATOR_LIMIT,
    Code.ACCOUNT_MONEY_LIMIT: Code.INITIATOR_LIMIT,
    Code.POSITION_LIMIT: Code.INITIATOR_LIMIT,
    Code.MARGIN_INSUFFICIENT: Code.INITIATOR_MARGIN_INSUFFICIENT,
}


def by_end(ex: Exchange) -> list[Deal]:
    """Return the open deals, what ends first in front."""
    return sorted(ex.deals, key=lambda deal: (deal.expires_ns, deal.deal_id))


def due(ex: Exchange) -> list[Deal]:
    return [deal for deal in by_end(ex) if deal.expires_ns <= ex.now_ns]


def asked_now(ex: Exchange, account_idx: int) -> int:
    """Return how often an account asked for quotes in the window of now."""
    window = ex.now_ns // REQUEST_WINDOW_NS
    asked = ex.asked_ns.get(account_idx, [])
    return sum(asked_ns // REQUEST_WINDOW_NS == window for asked_ns in asked)


def sound_rule(min_lots: int, range_bps: int) -> bool:
    return 0 <= min_lots <= QTY_LOTS_MAX and 0 <= range_bps <= BLOCK_RANGE_BPS_MAX


def find(ex: Exchange, deal_id: int) -> Deal | None:
    return next((deal for deal in ex.deals if deal.deal_id == deal_id), None)


def tell(log: Log, kind: EventKind, deal: Deal, code: int = Code.OK) -> None:
    log.add(
        kind,
        code=code,
        account_idx=deal.account_idx,
        contract_idx=deal.contract_idx,
        side=deal.side,
        order_id=deal.deal_id,
        maker_order_id=deal.request_id,
        maker_account_idx=deal.counterparty_idx,
        price_ticks=deal.price_ticks,
        qty_lots=deal.qty_lots,
    )


def end(ex: Exchange, log: Log, deal: Deal, code: int) -> None:
    tell(log, EventKind.DEAL_ENDED, deal, code)
    forget(ex, deal)


def forget(ex: Exchange, deal: Deal) -> None:
    ex.deals.remove(deal)
    ex.deal_slots_free.append(deal.slot)


def set_blocks(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        log.refuse(cmd, Code.CONTRACT_UNKNOWN)
    elif ex.contracts[cmd.contract_idx].legs:
        log.refuse(cmd, Code.COMBINATION_FOLLOWS_LEGS)
    elif not sound_rule(cmd.qty_lots, cmd.order_id):
        log.refuse(cmd, Code.BLOCK_RULE_INVALID)
    else:
        contract = ex.contracts[cmd.contract_idx]
        contract.block_min_lots, contract.block_range_bps = cmd.qty_lots, cmd.order_id
        log.add(EventKind.BLOCKS_SET, contract_idx=cmd.contract_idx)


# Before a block


def body_of(cmd: Command) -> tuple[int, ...]:
    """Return what makes two commands with one client id the same."""
    whom = 0 if cmd.order_id else cmd.ref_id
    side = 0 if cmd.kind == Kind.REQUEST_QUOTES else cmd.side
    return (cmd.kind, cmd.contract_idx, side, cmd.state, cmd.price_ticks, cmd.qty_lots,
            cmd.expires_ns, 0 if cmd.kind == Kind.REQUEST_QUOTES else cmd.order_id,
            0 if cmd.kind == Kind.REQUEST_QUOTES else whom)  # fmt: skip


def judge_who(ex: Exchange, cmd: Command) -> tuple[int, int]:
    """Return a code, and the deal that has the client id already."""
    if not 0 <= cmd.account_idx < len(ex.accounts):
        return Code.ACCOUNT_UNKNOWN, 0
    if ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN, 0
    if not 0 <= cmd.contract_idx < len(ex.contracts):
        return Code.CONTRACT_UNKNOWN, 0
    for deal in ex.deals:
        same_key = (deal.account_idx, deal.words) == (cmd.account_idx, cmd.words)
        if same_key and cmd.words != NO_WORDS:
            if deal.body == body_of(cmd):
                return Code.CLIENT_ORDER_ID_REPEATED, deal.deal_id
            return Code.CLIENT_ORDER_ID_CONFLICT, deal.deal_id
    return Code.OK, 0


def judge_words(ex: Exchange, cmd: Command, prices: range) -> int:
    if cmd.qty_lots <= 0:
        return Code.QTY_NOT_POSITIVE
    if cmd.qty_lots > QTY_LOTS_MAX:
        return Code.QTY_TOO_LARGE
    if cmd.price_ticks not in prices:
        return Code.PRICE_INVALID
    if not 0 < cmd.expires_ns - ex.now_ns <= DEAL_TTL_NS_MAX:
        return Code.EXPIRY_INVALID
    return Code.OK


def judge_room(ex: Exchange, cmd: Command) -> int:
    if len(ex.deals) >= ex.capacity.deals - 1:
        return Code.DEALS_FULL
    if sum(deal.account_idx == cmd.account_idx for deal in ex.deals) >= DEALS_PER_ACCOUNT_MAX:
        return Code.DEAL_LIMIT
    return Code.OK


def open_deal(ex: Exchange, cmd: Command, kind: int, side: int, counterparty: int) -> Deal:
    if ex.deal_slots_free:
        slot = ex.deal_slots_free.pop()
    else:
        ex.deal_slots_used += 1
        slot = ex.deal_slots_used
    deal = Deal(
        deal_id=cmd.seq * (1 << 20) + slot,
        slot=slot,
        kind=kind,
        account_idx=cmd.account_idx,
        counterparty_idx=counterparty,
        contract_idx=cmd.contract_idx,
        side=side,
        price_ticks=cmd.price_ticks,
        qty_lots=cmd.qty_lots,
        expires_ns=cmd.expires_ns,
        request_id=0 if kind == DealKind.QUOTES else cmd.order_id,
        body=body_of(cmd),
        words=cmd.words,
    )
    ex.deals.append(deal)
    return deal


def request_quotes(ex: Exchange, log: Log, cmd: Command) -> None:
    code, known_id = judge_who(ex, cmd)
    if code == Code.OK and cmd.state not in (0, 1, 2):
        code = Code.SIDE_INVALID
    if code == Code.OK:
        code = judge_words(ex, cmd, range(1))
    if code == Code.OK:
        code = judge_open(ex, cmd.contract_idx)
    if code == Code.OK:
        code = judge_room(ex, cmd)
    if code == Code.OK and asked_now(ex, cmd.account_idx) >= REQUESTS_PER_WINDOW_MAX:
        code = Code.REQUEST_RATE_LIMIT
    if code != Code.OK:
        log.refuse(cmd, code, known_id)
        return
    ex.asked_ns.setdefault(cmd.account_idx, []).append(ex.now_ns)
    deal = open_deal(ex, cmd, DealKind.QUOTES, cmd.state, -1)
    tell(log, EventKind.QUOTES_REQUESTED, deal)


def counterparty_of(ex: Exchange, cmd: Command) -> tuple[int, int]:
    """Return a code, and whom a proposal is for."""
    if cmd.order_id == 0:
        known = 0 <= cmd.ref_id < len(ex.accounts)
        return (Code.OK if known else Code.COUNTERPARTY_UNKNOWN), cmd.ref_id
    request = find(ex, cmd.order_id)
    if request is None or request.kind != DealKind.QUOTES or request.expires_ns <= ex.now_ns:
        return Code.REQUEST_UNKNOWN, 0
    wanted = {1: Side.SELL, 2: Side.BUY}.get(request.side, cmd.side)
    fits = (request.contract_idx, wanted) == (cmd.contract_idx, cmd.side)
    if not fits or cmd.qty_lots > request.qty_lots:
        return Code.REQUEST_MISMATCH, 0
    return Code.OK, request.account_idx


def judge_open(ex: Exchange, contract_idx: int) -> int:
    if ex.halted:
        return Code.EXCHANGE_HALTED
    return entry.not_trading(ex, contract_idx)


def judge_block(ex: Exchange, contract_idx: int, price_ticks: int, lots: int) -> int:
    """Judge what the contract takes now."""
    contract = ex.contracts[contract_idx]
    code = judge_open(ex, contract_idx)
    if code != Code.OK:
        return code
    if contract.block_min_lots == 0:
        return Code.BLOCKS_NOT_ALLOWED
    if lots < contract.block_min_lots:
        return Code.BLOCK_TOO_SMALL
    prices = contract.day_prices or [contract.mark_ticks]
    least = min(prices) - min(prices) * contract.block_range_bps // 10_000
    most = max(prices) + max(prices) * contract.block_range_bps // 10_000
    return Code.OK if least <= price_ticks <= most else Code.BLOCK_PRICE_OUT_OF_RANGE


def propose(ex: Exchange, log: Log, cmd: Command) -> None:
    code, known_id = judge_who(ex, cmd)
    whom = -1
    if code == Code.OK and cmd.side not in set(Side):
        code = Code.SIDE_INVALID
    if code == Code.OK and cmd.state not in (DealKind.BLOCK, DealKind.EFP):
        code = Code.BLOCK_KIND_INVALID
    if code == Code.OK:
        code = judge_words(ex, cmd, range(1, 1 << ex.capacity.price_bits))
    if code == Code.OK:
        code, whom = counterparty_of(ex, cmd)
    if code == Code.OK and whom == cmd.account_idx:
        code = Code.COUNTERPARTY_IS_SELF
    if code == Code.OK:
        code = judge_block(ex, cmd.contract_idx, cmd.price_ticks, cmd.qty_lots)
    if code == Code.OK:
        code = judge_room(ex, cmd)
    if code != Code.OK:
        log.refuse(cmd, code, known_id)
        return
    tell(log, EventKind.PROPOSED, open_deal(ex, cmd, cmd.state, cmd.side, whom))


def decline(ex: Exchange, log: Log, cmd: Command) -> None:
    if not 0 <= cmd.account_idx < len(ex.accounts):
        log.refuse(cmd, Code.ACCOUNT_UNKNOWN)
        return
    deal = find(ex, cmd.order_id)
    if deal is not None and deal.account_idx == cmd.account_idx:
        end(ex, log, deal, Code.DEAL_WITHDRAWN)
    elif deal is not None and deal.counterparty_idx == cmd.account_idx:
        end(ex, log, deal, Code.DEAL_DECLINED)
    else:
        log.refuse(cmd, Code.DEAL_UNKNOWN)


# A block


def accept(ex: Exchange, log: Log, cmd: Command) -> None:
    code, named, deal = Code.OK, 0, find(ex, cmd.order_id)
    if not 0 <= cmd.account_idx < len(ex.accounts):
        code = Code.ACCOUNT_UNKNOWN
    elif ex.accounts[cmd.account_idx].state == AccountState.FROZEN:
        code = Code.ACCOUNT_FROZEN
    elif deal is None or deal.counterparty_idx != cmd.account_idx:
        code = Code.DEAL_UNKNOWN
    else:
        named, code = deal.deal_id, judge_acceptance(ex, deal)
    if code != Code.OK or deal is None:
        log.refuse(cmd, code, named)
        return
    log.add(
        EventKind.EFP_TRADE if deal.kind == DealKind.EFP else EventKind.BLOCK_TRADE,
        side=opposite(deal.side),
        account_idx=deal.counterparty_idx,
        maker_account_idx=deal.account_idx,
        order_id=deal.deal_id,
        maker_order_id=deal.deal_id,
        contract_idx=deal.contract_idx,
        price_ticks=deal.price_ticks,
        qty_lots=deal.qty_lots,
    )
    for account_idx, side in sides(deal):
        book(ex, deal, account_idx, side)
    forget(ex, deal)


def sides(deal: Deal) -> list[tuple[int, int]]:
    """Return who accepts and who proposed, each with the side it takes."""
    return [(deal.counterparty_idx, opposite(deal.side)), (deal.account_idx, deal.side)]


def judge_acceptance(ex: Exchange, deal: Deal) -> int:
    if deal.expires_ns <= ex.now_ns:
        return Code.DEAL_EXPIRED
    code = judge_block(ex, deal.contract_idx, deal.price_ticks, deal.qty_lots)
    if code != Code.OK:
        return code
    missing = sum(ex.position(idx, deal.contract_idx) is None for idx, _ in sides(deal))
    if len(ex.positions) + missing > ex.capacity.positions - 1:
        return Code.POSITIONS_FULL
    for account_idx, side in sides(deal):
        code = judge_side(ex, deal, account_idx, side)
        if code != Code.OK and account_idx == deal.account_idx:
            return INITIATORS.get(Code(code), Code.INITIATOR_NOT_ALLOWED)
        if code != Code.OK:
            return code
    return Code.OK


def judge_side(ex: Exchange, deal: Deal, account_idx: int, side: int) -> int:
    """Judge one side: what it would have free is found by booking it, and taking it back."""
    wish = risk.Wish(account_idx, deal.contract_idx, side, deal.price_ticks, deal.qty_lots)
    state, only_reduces = ex.accounts[account_idx].state, risk.reduces(ex, wish)
    if state == AccountState.FROZEN:
        return Code.ACCOUNT_FROZEN
    if entry.is_close_only(ex, deal.contract_idx) and not only_reduces:
        return Code.CONTRACT_CLOSE_ONLY
    if state == AccountState.REDUCE_ONLY and not only_reduces:
        return Code.ACCOUNT_REDUCE_ONLY
    code = entry.judge_bounds(ex, wish)
    if code != Code.OK:
        return code
    position = ex.position(account_idx, deal.contract_idx)
    resting = position.resting_lots(side) if position else 0
    held = signed(side, ex.lots(account_idx, deal.contract_idx))
    if ex.accounts[account_idx].limits_by_legs:
        held, resting = max(risk.lots_of_legs(ex, wish)), 0
    limit = ex.accounts[account_idx].limits.position
    if limit and held + resting + deal.qty_lots > limit:
        return Code.POSITION_LIMIT
    is_new = position is None
    risk.know_losses(ex, account_idx)
    before = risk.free_usd_micros(ex, account_idx)
    book(ex, deal, account_idx, side)
    after = risk.free_usd_micros(ex, account_idx)
    book(ex, deal, account_idx, opposite(side))
    if is_new:
        ex.positions.pop()
    if after >= 0 or (only_reduces and after >= before):
        return Code.OK
    return Code.MARGIN_INSUFFICIENT


def book(ex: Exchange, deal: Deal, account_idx: int, side: int) -> None:
    """Book lots bought or sold at the deal's price."""
    position = ex.position(account_idx, deal.contract_idx)
    if position is None:
        position = Position(account_idx, deal.contract_idx)
        ex.positions.append(position)
    contract = ex.contracts[deal.contract_idx]
    bought = signed(side, deal.qty_lots)
    gain = contract.tick_value_usd_micros * bought * (contract.mark_ticks - deal.price_ticks)
    position.qty_lots += bought
    position.unsettled_usd_micros += gain
    ex.accounts[account_idx].unsettled_usd_micros += gain
