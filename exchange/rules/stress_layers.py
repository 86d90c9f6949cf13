"""What each layer of the waterfall would have after a story, and who would give what.

STRS_5: layers are those of a default, in their order: what members answer with for their clients
(GUAR_001); the defaulters' own shares of the fund, each for its own loss and its clients'; the
house's first layer; the shares of others, and what is left of the defaulters' own; the house's
second; assessments of members that stand, up to 2.75 times what their shares had and no more than
they have above their initial margin; the story's gains of who stands. What is left then is torn up.
"""

from collections.abc import Mapping

from exchange.rules.layers import Funds
from exchange.rules.waterfall import LayerName, Parts, assessments_of


def parts_after(
    after: Mapping[int, int], initial: Mapping[int, int], gains: Mapping[int, int], funds: Funds
) -> Parts:
    """Return what each party of each layer has for all losses together.

    Args:
        after: what accounts have after the story, by slot, usd micros.
        initial: what their positions require.
        gains: what their positions gained in the story.
    """
    lost = {idx: -usd for idx, usd in after.items() if usd < 0 and idx not in funds.accounts}
    owed = _owed_of_clients(lost, funds)
    guaranteed = {member: min(usd, max(0, after.get(member, 0))) for member, usd in owed.items()}
    shares = {member: max(0, after.get(idx, 0)) for member, idx in funds.shares.items()}
    own = {
        member: min(
            has, lost.get(member, 0) + owed.get(member, 0) - guaranteed.get(member, 0)
        )
        for member, has in shares.items()
    }  # fmt: skip
    most = assessments_of(
        {str(member): has for member, has in shares.items() if member not in lost}
    )
    house = {LayerName.HOUSE_FIRST: funds.first_idx, LayerName.HOUSE_SECOND: funds.second_idx}
    return {
        LayerName.MEMBER_GUARANTEE: {str(member): usd for member, usd in guaranteed.items()},
        LayerName.DEFAULTER_FUND: {str(member): usd for member, usd in own.items()},
        LayerName.FUND_OF_OTHERS: {
            str(member): has - own[member] for member, has in shares.items()
        },
        **{
            layer: {str(idx): max(0, after.get(idx, 0))}
            for layer, idx in house.items()
            if idx is not None
        },
        LayerName.ASSESSMENTS: {
            member: min(usd, max(0, after.get(idx, 0) - initial.get(idx, 0) - used))
            for member, usd in most.items()
            for idx, used in ((int(member), guaranteed.get(int(member), 0)),)
        },
        LayerName.GAINS_HAIRCUT: {
            str(idx): usd
            for idx, usd in gains.items()
            if usd > 0 and idx not in lost and idx not in funds.accounts
        },
    }


def _owed_of_clients(lost: Mapping[int, int], funds: Funds) -> dict[int, int]:
    """Return what each member's clients lost beyond all they had."""
    owed: dict[int, int] = {}
    for idx, usd in lost.items():
        member = funds.guarantors.get(idx)
        if member is not None:
            owed[member] = owed.get(member, 0) + usd
    return owed
