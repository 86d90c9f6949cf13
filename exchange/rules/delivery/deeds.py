"""What may be done with a receipt, and what that moves: a receipt in, changes and payments out.

Every deed says who may do it and when; nothing here touches the world. Money goes through an
escrow: the bond from the issuer to it and back, a price from the buyer to it and on to the seller
and to those who share in what the issuer earns.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple

from exchange.rules.delivery.receipts import (
    ENDED,
    NOBODY,
    Change,
    Receipt,
    Status,
    receipt_id_of,
)
from exchange.rules.money import BPS
from exchange.rules.shares import pro_rata

ESCROW: Final = -2  # stands for the account of the registry


class Purpose(StrEnum):
    """What a payment is for."""

    BOND = "bond"
    PRICE = "price"
    SHARE = "share"
    PENALTY_BOND = "penalty-bond"
    PENALTY_CASH = "penalty-cash"
    RELEASE = "release"
    REFUND = "refund"
    CLAIM = "claim"


class Payment(NamedTuple):
    """Cash to move, once: purpose and place name it among the payments of a receipt."""

    purpose: Purpose
    place: int  # which sale, which hour
    from_idx: int
    to_idx: int
    amount_usd_micros: int


@dataclass(frozen=True, slots=True)
class Deed:
    """What a deed changes and moves."""

    changes: tuple[Change, ...]
    payments: tuple[Payment, ...] = ()


class Refused(Exception):
    """The rules say no: `code` is stable, the message says why."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def _need(receipt: Receipt, actor_idx: int, status: Status) -> None:
    """See that a deed is the holder's, and the receipt in the state it begins from (CDR_004)."""
    if actor_idx != receipt.holder_idx:
        raise Refused("receipt_not_yours", "only who holds a receipt may do that with it")
    if receipt.status != status:
        raise Refused("receipt_state", f"the receipt is {receipt.status}, not {status}")


def issue(receipt: Receipt, others: Iterable[Receipt]) -> Deed:
    """Begin a receipt: it is active once its bond is there (CDR_002, CDR_003).

    Args:
        others: of the same issuer; a node's hour is on one receipt alone.
    """
    nodes = set(receipt.nodes)
    for other in others:
        if (
            other.status not in ENDED
            and nodes & set(other.nodes)
            and other.start_hour < receipt.end_hour
            and receipt.start_hour < other.end_hour
        ):
            raise Refused("receipt_overlaps", f"{other.receipt_id} has a node of it in these hours")
    bond = Payment(Purpose.BOND, 0, receipt.issuer_idx, ESCROW, receipt.bond_usd_micros)
    return Deed((Change("issued", receipt),), (bond,))


def transfer(receipt: Receipt, actor_idx: int, to_idx: int) -> Deed:
    """Give it to another account for nothing that is seen here (CDR_005)."""
    _need(receipt, actor_idx, Status.ACTIVE)
    if to_idx == actor_idx:
        raise Refused("receiver_is_self", "a receipt goes to another account")
    return Deed((Change("transferred", replace(receipt, holder_idx=to_idx)),))


def pledge(receipt: Receipt, actor_idx: int, to_idx: int, covers: str = "") -> Deed:
    """Pledge it: to an account, which alone frees it (CDR_007), or as cover (CDR_017).

    Args:
        covers: the contract, when `to_idx` is the clearing house's.
    """
    _need(receipt, actor_idx, Status.ACTIVE)
    if to_idx == actor_idx:
        raise Refused("receiver_is_self", "a receipt is pledged to another account")
    held = replace(receipt, status=Status.PLEDGED, pledgee_idx=to_idx, covers=covers)
    return Deed((Change("covering" if covers else "pledged", held, covers),))


def unpledge(receipt: Receipt, actor_idx: int) -> Deed:
    """Free it: the pledgee does; a cover its holder asks for, and margin decides."""
    if receipt.covers:
        _need(receipt, actor_idx, Status.PLEDGED)
        return Deed((Change("releasing", replace(receipt, status=Status.RELEASING)),))
    if actor_idx != receipt.pledgee_idx:
        raise Refused("receipt_not_yours", "only who holds the pledge may free it")
    return Deed((Change("unpledged", unpledged(receipt)),))


def unpledged(receipt: Receipt) -> Receipt:
    """Return it as it is without a pledge."""
    return replace(receipt, status=Status.ACTIVE, pledgee_idx=NOBODY, covers="")


def released(receipt: Receipt, code: str) -> Deed:
    """Free a cover, or leave it pledged because margin needs it: `code` says so (CDR_017)."""
    assert receipt.status == Status.RELEASING, "nobody wants it back"
    if code:
        held = replace(receipt, status=Status.PLEDGED)
        return Deed((Change("release_refused", held, code),))
    return Deed((Change("unpledged", unpledged(receipt), receipt.covers),))


def offer(receipt: Receipt, actor_idx: int, buyer_idx: int, ask_usd_micros: int) -> Deed:
    """Offer it for money, to one buyer or to anybody (CDR_008)."""
    _need(receipt, actor_idx, Status.ACTIVE)
    if buyer_idx == actor_idx:
        raise Refused("receiver_is_self", "a receipt is sold to another account")
    if ask_usd_micros <= 0:
        raise Refused("amount_not_positive", "more than nothing: what costs nothing is transferred")
    offered = replace(
        receipt, status=Status.OFFERED, buyer_idx=buyer_idx, is_open_offer=buyer_idx == NOBODY,
        ask_usd_micros=ask_usd_micros,
    )  # fmt: skip
    return Deed((Change("offered", offered, str(ask_usd_micros)),))


def withdraw(receipt: Receipt, actor_idx: int) -> Deed:
    """Take an offer back."""
    _need(receipt, actor_idx, Status.OFFERED)
    return Deed((Change("withdrawn", _unoffered(receipt)),))


def _unoffered(receipt: Receipt) -> Receipt:
    return replace(
        receipt, status=Status.ACTIVE, buyer_idx=NOBODY, is_open_offer=False, ask_usd_micros=0,
        exchange="",
    )  # fmt: skip


def buy(receipt: Receipt, actor_idx: int, ask_usd_micros: int, now_hour: int) -> Deed:
    """Pay what is asked: the receipt is locked until the money is there or refused (CDR_008)."""
    if now_hour >= receipt.end_hour:
        raise Refused("receipt_over", "no hour of its window is left")
    if receipt.status != Status.OFFERED:
        raise Refused("receipt_state", f"the receipt is {receipt.status}, not offered")
    if actor_idx == receipt.holder_idx or (
        not receipt.is_open_offer and actor_idx != receipt.buyer_idx
    ):
        raise Refused("receipt_not_offered", "it is offered to another account")
    if ask_usd_micros != receipt.ask_usd_micros:
        raise Refused("receipt_price_differs", "another price is asked now")
    sale = receipt.sales + 1
    paying = replace(receipt, status=Status.PAYING, buyer_idx=actor_idx, sales=sale)
    payment = Payment(Purpose.PRICE, sale, actor_idx, ESCROW, ask_usd_micros)
    return Deed((Change("paying", paying, str(ask_usd_micros)),), (payment,))


def sold(receipt: Receipt) -> Deed:
    """Hand over: the price is in escrow, so that paying it out cannot fail (CDR_008, CDR_009)."""
    price, seller_idx = receipt.ask_usd_micros, receipt.holder_idx
    shares = receipt.shares if seller_idx == receipt.issuer_idx else ()
    left = BPS - sum(bps for _, bps in shares)
    parts = ((seller_idx, left), *shares)
    amounts = pro_rata(price, [bps for _, bps in parts])
    payments = tuple(
        Payment(Purpose.SHARE, receipt.sales * 100 + at, ESCROW, idx, amount)
        for at, ((idx, _), amount) in enumerate(zip(parts, amounts, strict=True))
        if amount
    )
    held = replace(_unoffered(receipt), holder_idx=receipt.buyer_idx)
    return Deed((Change("sold", held, str(price)),), payments)


def exchange(receipt: Receipt, buyer_idx: int, price_usd_micros: int, name: str, note: str) -> Deed:
    """Lock it for an exchange for delivery: the price first, then the position (EFD_006).

    Args:
        name: the session and the leg's place in it.
    """
    _need(receipt, receipt.holder_idx, Status.ACTIVE)
    sale = receipt.sales + 1
    locked = replace(
        receipt, status=Status.PAYING, buyer_idx=buyer_idx, ask_usd_micros=price_usd_micros,
        sales=sale, exchange=name,
    )  # fmt: skip
    payment = Payment(Purpose.PRICE, sale, buyer_idx, ESCROW, price_usd_micros)
    return Deed((Change("exchange", locked, note),), (payment,))


def _exchange_answered(receipt: Receipt, is_done: bool) -> Deed:
    """Wait for the position once the price is there; give up where it is not."""
    if is_done:
        return Deed((Change("exchanging", replace(receipt, status=Status.EXCHANGING)),))
    return Deed((Change("exchange_unpaid", _unoffered(receipt), receipt.exchange),))


def exchanged(receipt: Receipt, is_moved: bool) -> Deed:
    """Hand over when the position has moved; else the price goes back (EFD_006)."""
    assert receipt.status == Status.EXCHANGING, "its price is not there"
    if is_moved:
        return sold(receipt)
    back = Payment(Purpose.REFUND, receipt.sales, ESCROW, receipt.buyer_idx, receipt.ask_usd_micros)
    return Deed((Change("exchange_refused", _unoffered(receipt), receipt.exchange),), (back,))


def split_hours(receipt: Receipt, actor_idx: int, at_hour: int) -> Deed:
    """Cut the window in two at an hour (CDR_006)."""
    _need(receipt, actor_idx, Status.ACTIVE)
    if not receipt.start_hour < at_hour < receipt.end_hour:
        raise Refused("split_invalid", "an hour inside the window, so that both have some")
    return _split(receipt, replace(receipt, end_hour=at_hour), replace(receipt, start_hour=at_hour))


def split_nodes(receipt: Receipt, actor_idx: int, nodes: Sequence[str]) -> Deed:
    """Put some of the nodes on a receipt of their own (CDR_006)."""
    _need(receipt, actor_idx, Status.ACTIVE)
    wanted = set(nodes)
    first = tuple(node for node in receipt.nodes if node in wanted)
    rest = tuple(node for node in receipt.nodes if node not in wanted)
    if len(first) != len(nodes) or not first or not rest:
        raise Refused("split_invalid", "some of its nodes, each once, and not all")
    return _split(receipt, replace(receipt, nodes=first), replace(receipt, nodes=rest))


def _split(receipt: Receipt, *parts: Receipt) -> Deed:
    """Divide bond and GPU-hours: the parts are together what the receipt was, exactly."""
    weights = [part.gpu_hours for part in parts]
    assert sum(weights) == receipt.gpu_hours, "a split keeps every GPU-hour"
    bonds = pro_rata(receipt.bond_usd_micros, weights)
    made = [
        replace(
            part, receipt_id=receipt_id_of(receipt.receipt_id, at), parent_id=receipt.receipt_id,
            bond_usd_micros=bond, bond_left_usd_micros=bond, sales=0,
        )
        for at, (part, bond) in enumerate(zip(parts, bonds, strict=True))
    ]  # fmt: skip
    ids = " ".join(one.receipt_id for one in made)
    gone = replace(receipt, status=Status.SPLIT, bond_left_usd_micros=0)
    split_off = tuple(Change("split_off", one, receipt.receipt_id) for one in made)
    return Deed((Change("split", gone, ids), *split_off))


def redeem(receipt: Receipt, actor_idx: int, now_hour: int) -> Deed:
    """Take delivery: hours that begin from now on are owed on every node (CDR_010)."""
    _need(receipt, actor_idx, Status.ACTIVE)
    if actor_idx == receipt.issuer_idx:
        raise Refused("receipt_issuer_holds", "who issued a receipt delivers to nobody")
    first = max(receipt.start_hour, now_hour + 1)
    if first >= receipt.end_hour:
        raise Refused("receipt_over", "no hour of its window is left")
    taken = replace(receipt, status=Status.REDEEMED, redeemed_hour=first, assessed_hour=first)
    return Deed((Change("redeemed", taken, str(first)),))


def close(receipt: Receipt) -> Deed:
    """End it: the window is over and judged; what is left of the bond goes back (CDR_015)."""
    assert receipt.status not in ENDED, "it has ended"
    left = receipt.bond_left_usd_micros
    release = Payment(Purpose.RELEASE, 0, ESCROW, receipt.issuer_idx, left)
    closed = replace(receipt, status=Status.CLOSED, bond_left_usd_micros=0)
    return Deed((Change("closed", closed, str(left)),), (release,) if left else ())


def answered(receipt: Receipt, payment: Payment, is_done: bool) -> Deed:
    """Return what follows from a payment that was made, or refused by the core."""
    note = f"{payment.purpose} {payment.place} {payment.amount_usd_micros}"
    match payment.purpose, is_done:
        case Purpose.BOND, True:
            return Deed((Change("bonded", replace(receipt, status=Status.ACTIVE), note),))
        case Purpose.BOND, False:
            void = replace(receipt, status=Status.VOID, bond_left_usd_micros=0)
            return Deed((Change("void", void, note),))
        case Purpose.PRICE, _ if receipt.exchange:
            return _exchange_answered(receipt, is_done)
        case Purpose.PRICE, True:
            return sold(receipt)
        case Purpose.PRICE, False:
            again = NOBODY if receipt.is_open_offer else receipt.buyer_idx
            offered = replace(receipt, status=Status.OFFERED, buyer_idx=again)
            return Deed((Change("sale_refused", offered, note),))
        case Purpose.CLAIM, _:
            asked = receipt.claim_asked_usd_micros - payment.amount_usd_micros
            paid = receipt.claim_paid_usd_micros + payment.amount_usd_micros * is_done
            left = replace(receipt, claim_asked_usd_micros=asked, claim_paid_usd_micros=paid)
            return Deed((Change("claim_paid" if is_done else "claim_refused", left, note),))
        case _, True:
            return Deed((Change("paid", receipt, note),))
        case _:
            claimed = receipt.claimed_usd_micros + payment.amount_usd_micros
            owed = replace(receipt, claimed_usd_micros=claimed)
            return Deed((Change("claimed", owed, note),))
