"""What each layer of the waterfall has for a default now, and which account gives it.

Every layer's money is cash of accounts in the core and the ledger: a member's share of the
default fund and the house's two layers have accounts of their own, kept by nobody else.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, NamedTuple

from exchange.rules.adl import tag_of
from exchange.rules.loss_proof import LossProof, Round, proof_of
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.mirror_state import MirrorState
from exchange.rules.standing import required_of, settled_usd_micros
from exchange.rules.waterfall import PLACE_OF, LayerName, assessments_of

FUND_KIND: Final = "fund"  # of accounts: a member's share of the default fund
HOUSE_KIND: Final = "house"
FIRST_ID: Final = "insurance"
SECOND_ID: Final = "house-second"
SHARE_ID: Final = "fund.{}"  # of the account_idx of its member
SHARE_NAME: Final = "Default fund, account {}"

_FUND_OTHERS: Final = PLACE_OF[LayerName.FUND_OF_OTHERS]
_ASSESSED: Final = PLACE_OF[LayerName.ASSESSMENTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funds:
    """The accounts that hold what is not the defaulter's."""

    first_idx: int  # the house's first layer, the insurance fund; it takes positions over
    second_idx: int | None = None
    shares: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    guarantors: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))  # GUAR_001

    @property
    def accounts(self) -> frozenset[int]:
        """Return all of them: they are never called, liquidated or deleveraged."""
        second = () if self.second_idx is None else (self.second_idx,)
        return frozenset((self.first_idx, *second, *self.shares.values()))


NO_FUNDS: Final = Funds(first_idx=-1)  # where no account of a layer is open


def funds_of(first_idx: int, accounts: Iterable[tuple[int, str, str]], count: int) -> Funds:
    """Return the funds among accounts (slot, public id, kind), as far as the core has them."""
    shares: dict[int, int] = {}
    second_idx = None
    for account_idx, account_id, kind in accounts:
        if account_idx >= count:
            continue
        owner = account_id.removeprefix(SHARE_ID.format(""))
        if kind == FUND_KIND and owner.isdecimal() and account_id == SHARE_ID.format(owner):
            shares[int(owner)] = account_idx
        if kind == HOUSE_KIND and account_id == SECOND_ID:
            second_idx = account_idx
    return Funds(first_idx=first_idx, second_idx=second_idx, shares=MappingProxyType(shares))


def funds_among(accounts: Iterable[tuple[int, str, str]], count: int) -> Funds | None:
    """Return the funds among accounts (slot, public id, kind); None while the house has none."""
    every = list(accounts)
    first = next((idx for idx, name, _ in every if name == FIRST_ID and idx < count), None)
    return None if first is None else funds_of(first, every, count)


class Part(NamedTuple):
    """What one party of one layer has."""

    layer: LayerName
    giver_idx: int  # the account that the money is taken from
    party_idx: int  # whose it is
    available_usd_micros: int


def bear_default(
    state: Mirror,
    account_idx: int,
    going: Liquidation,
    funds: Funds,
    juniors: Collection[int] = (),
) -> tuple[LossProof, list[tuple[int, int, int]]]:
    """Return how others bear what an account lacks: the proof, and (giver, usd micros, place).

    Args:
        juniors: members whose shares of the fund go before others' (AUCT_007).
    """
    missing = max(0, -settled_usd_micros(state, account_idx) - _counted(state, account_idx))
    parts = [part for part in parts_of(state, account_idx, going, funds) if part[3] > 0]
    tagged = [
        (part.layer, tag_of(part.party_idx, going.liquidation_id), part.available_usd_micros)
        for part in parts
    ]
    head = Round(
        liquidation_id=going.liquidation_id, round_no=state.seq, loss_usd_micros=missing,
    )  # fmt: skip
    junior = {(LayerName.FUND_OF_OTHERS, tag_of(idx, going.liquidation_id)) for idx in juniors}
    proof = proof_of(head, tagged, junior & {(layer, tag) for layer, tag, _ in tagged})
    givers = {
        (PLACE_OF[part.layer], tag): part.giver_idx
        for part, (_, tag, _) in zip(parts, tagged, strict=True)
    }
    pays = [
        (givers[row.place, row.tag], row.used_usd_micros, row.place)
        for row in proof.rows
        if row.used_usd_micros
    ]
    return proof, pays


def _counted(state: Mirror, account_idx: int) -> int:
    return state.accounts[account_idx].collateral.counted_usd_micros


def parts_of(state: Mirror, account_idx: int, going: Liquidation, funds: Funds) -> list[Part]:
    """Return what every party has for a default, layer by layer.

    For a client its member stands in: with its cash, then with its share of the fund (GUAR_001).
    """
    used = state.layer_uses.get(going.liquidation_id, {})
    liable = funds.guarantors.get(account_idx, account_idx)
    stands = frozenset((account_idx, liable))
    others = {idx: share for idx, share in sorted(funds.shares.items()) if idx not in stands}
    parts = [Part(LayerName.HOUSE_FIRST, funds.first_idx, funds.first_idx,
                  has_usd_micros(state, funds.first_idx))]  # fmt: skip
    if liable != account_idx:
        cash = guaranteed_usd_micros(state, liable)
        parts.append(Part(LayerName.MEMBER_GUARANTEE, liable, liable, cash))
    own = funds.shares.get(liable)
    if own is not None:
        parts.append(Part(LayerName.DEFAULTER_FUND, own, liable, has_usd_micros(state, own)))
    if funds.second_idx is not None:
        second = funds.second_idx
        parts.append(Part(LayerName.HOUSE_SECOND, second, second, has_usd_micros(state, second)))
    contributions: dict[str, int] = {}
    for member_idx, share in others.items():
        has = has_usd_micros(state, share)
        parts.append(Part(LayerName.FUND_OF_OTHERS, share, member_idx, has))
        contributions[str(member_idx)] = has + used.get((_FUND_OTHERS, share), 0)
    for member, most in assessments_of(contributions).items():
        due = most - used.get((_ASSESSED, int(member)), 0)
        free = free_usd_micros(state, int(member))
        parts.append(Part(LayerName.ASSESSMENTS, int(member), int(member), min(due, free)))
    gains = gains_of(state, funds.accounts | stands)
    parts += [Part(LayerName.GAINS_HAIRCUT, idx, idx, gain) for idx, gain in gains.items()]
    return parts


def has_usd_micros(state: MirrorState, account_idx: int) -> int:
    """Return what the account of a layer can pay now."""
    cash = state.accounts[account_idx].cash_usd_micros
    return max(0, min(cash, settled_usd_micros(state, account_idx)))


def guaranteed_usd_micros(state: Mirror, member_idx: int) -> int:
    """Return what a member answers with for a client now (GUAR_002).

    All its cash, also what its own positions need: it is called for that then (DEF-2). While it is
    closed out itself, no more than they leave free.
    """
    if member_idx in state.liquidations:
        return free_usd_micros(state, member_idx)
    return has_usd_micros(state, member_idx)


def stands_behind_usd_micros(state: Mirror, account_idx: int, funds: Funds) -> int:
    """Return what answers for an account beside itself before the house: guarantee and share."""
    liable = funds.guarantors.get(account_idx, account_idx)
    share = funds.shares.get(liable)
    share_usd = has_usd_micros(state, share) if share is not None else 0
    return share_usd + (guaranteed_usd_micros(state, liable) if liable != account_idx else 0)


def owes_usd_micros(state: MirrorState, account_idx: int) -> int:
    """Return what the account of a layer lacks: it took over what was worth less (DEF-14)."""
    return max(0, -settled_usd_micros(state, account_idx))


def free_usd_micros(state: Mirror, account_idx: int) -> int:
    """Return the cash of a member that its positions do not need: what may be assessed."""
    need = required_of(state, account_idx).initial_usd_micros - _counted(state, account_idx)
    free = settled_usd_micros(state, account_idx) - max(0, need)
    return max(0, min(state.accounts[account_idx].cash_usd_micros, free))


def most_cut_usd_micros(gain: int, cut_before: int, cash: int) -> int:
    """Return how much of a gain may be cut: no more than the gain, and no cash that is not there.

    Args:
        cut_before: of the same gain, for other losses.
    """
    return max(0, min(gain - cut_before, cash))


def gains_of(state: Mirror, without: frozenset[int]) -> dict[int, int]:
    """Return the gains not yet paid of who holds positions, less what was taken of them."""
    found: dict[int, int] = {}
    for account in state.accounts:
        idx = account.account_idx
        if idx in without or idx in state.liquidations or account.unsettled_usd_micros <= 0:
            continue
        if not any(position.qty_lots for position in account.positions.values()):
            continue  # who is flat is not touched
        found[idx] = most_cut_usd_micros(
            account.unsettled_usd_micros, state.haircuts.get(idx, 0), account.cash_usd_micros
        )
    return {idx: gain for idx, gain in found.items() if gain > 0}
