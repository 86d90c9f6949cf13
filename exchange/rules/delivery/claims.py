"""Claims that neither a bond nor its seller could pay: from the default fund, layer by layer.

Layers 2 to 5 of the waterfall (DEF-10), in their order; within one in proportion to what each has.
Members are not assessed for deliveries. Two accounts that agree could miss a delivery to each
other for a multiple of its bond, so that nothing is paid without an operator (CDR_018).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from exchange.rules.delivery.deeds import Deed, Payment, Purpose, Refused
from exchange.rules.delivery.receipts import Change, Receipt
from exchange.rules.layers import Funds
from exchange.rules.shares import pro_rata_capped
from exchange.rules.waterfall import LayerName


class Part(NamedTuple):
    """What one account of a layer pays."""

    layer: LayerName
    giver_idx: int
    amount_usd_micros: int


def parts_of(
    owed_usd_micros: int, issuer_idx: int, funds: Funds, has: Callable[[int], int]
) -> list[Part]:
    """Return who pays a claim, the layers in their order; what nobody has stays open.

    Args:
        has: what an account of a layer can pay now.
    """
    own = [share for idx, share in funds.shares.items() if idx == issuer_idx]
    others = [share for idx, share in sorted(funds.shares.items()) if idx != issuer_idx]
    first = [] if funds.first_idx < 0 else [funds.first_idx]
    second = [] if funds.second_idx is None else [funds.second_idx]
    layers = (
        (LayerName.DEFAULTER_FUND, own), (LayerName.HOUSE_FIRST, first),
        (LayerName.FUND_OF_OTHERS, others), (LayerName.HOUSE_SECOND, second),
    )  # fmt: skip
    parts, left = [], owed_usd_micros
    for layer, givers in layers:
        amounts = pro_rata_capped(left, [has(idx) for idx in givers])
        found = [Part(layer, idx, amount) for idx, amount in zip(givers, amounts, strict=True)]
        parts += [part for part in found if part.amount_usd_micros]
        left -= sum(amounts)
    return parts


def pay(receipt: Receipt, parts: list[Part], reason: str) -> Deed:
    """Ask for what the parts come to, for who was not delivered to (CDR_018)."""
    total = sum(part.amount_usd_micros for part in parts)
    assert total <= receipt.claim_open_usd_micros, "no more than is owed"
    if not receipt.claim_open_usd_micros:
        raise Refused("claim_none", "nothing of it is open")
    if not total:
        raise Refused("claim_unfunded", "no layer of the default fund has anything now")
    asked = replace(
        receipt, claim_rounds=receipt.claim_rounds + 1,
        claim_asked_usd_micros=receipt.claim_asked_usd_micros + total,
    )  # fmt: skip
    payments = tuple(
        Payment(
            Purpose.CLAIM, asked.claim_rounds * 100_000 + at, part.giver_idx, receipt.holder_idx,
            part.amount_usd_micros,
        )
        for at, part in enumerate(parts)
    )  # fmt: skip
    return Deed((Change("claim_asked", asked, f"{total} {reason}"[:200]),), payments)
