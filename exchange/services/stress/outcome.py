"""How large a stress run is, and what came of it."""

from dataclasses import dataclass, field

from exchange.services.stress.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How large a run is."""

    seed: int = 20_251_010
    traders: int = 1_200
    makers: int = 24
    flat: int = 60
    fund_usd: int = 60_000
    second_usd: int = 20_000  # the house's second layer
    members: int = 8  # makers that are clearing members
    share_usd: int = 5_000  # of each in the default fund


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of a run."""

    profile: Profile
    seconds: list[int] = field(default_factory=list)
    compute_bps: list[int] = field(default_factory=list)
    btc_bps: list[int] = field(default_factory=list)
    in_liquidation: list[int] = field(default_factory=list)
    insolvent: list[int] = field(default_factory=list)
    fund_usd_micros: list[int] = field(default_factory=list)
    commands: int = 0
    accounts: int = 0
    liquidations: int = 0
    slices_lots: int = 0
    taken_over_lots: int = 0
    deleveraged_lots: int = 0
    deleveraged_accounts: int = 0
    auctions: int = 0
    auctioned_lots: int = 0
    auction_cost_usd_micros: int = 0  # against the marks at the close
    juniors: int = 0  # member by member and auction
    layers_usd_micros: dict[int, int] = field(default_factory=dict)  # by place
    proofs: int = 0
    loss_proofs: int = 0
    state_hash: str = ""
    checks: list[tuple[str, bool]] = field(default_factory=list)


def paid_in_auctions(world: World) -> list[tuple[int, int, int, int]]:
    """Return signed lots, mark, price and tick value of all that was awarded."""
    return [
        (award.qty_lots, piece.mark_ticks, award.price_ticks, piece.tick_value_usd_micros)
        for result in world.results
        for award in result.awards
        for lot in result.lots
        for piece in lot.lot.pieces
        if piece.symbol == award.symbol
    ]
