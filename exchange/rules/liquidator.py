"""What liquidation does next: a pure function of the mirrored state, so it resumes anywhere.

For each account in liquidation one step at a time: cancel its orders; send the slice that
lowers the requirement most for each dollar lost; end when equity is enough again. When the
time is up, or equity is gone, what is left is auctioned where somebody may bid, and the house
takes what nobody won. What is missing is borne by the
layers of the waterfall in their order, after the account's collateral was sold; once the house
has nothing more, or no layer bears the rest, the other side of its positions is deleveraged.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from exchange.rules import liquidation_rows as rows
from exchange.rules.adl import Candidate, Closing, may_deleverage, plan
from exchange.rules.auction_steps import Auctions, auction_step
from exchange.rules.disposal import disposal_lots
from exchange.rules.layers import Funds, has_usd_micros
from exchange.rules.liquidation import (
    TAKE_OVER_NS,
    Held,
    Slice,
    bankruptcy_price_ticks,
    best_slice,
    is_done,
    is_due,
    least_lots,
    limit_price_ticks,
    relief_usd_micros,
    slice_lots,
)
from exchange.rules.liquidation_steps import Step, hold_rows, pay_step, sale_step
from exchange.rules.mirror import Mirror
from exchange.rules.mirror_moves import Liquidation
from exchange.rules.money import BPS
from exchange.rules.records import Contract
from exchange.rules.standing import (
    Shocks,
    Standing,
    held_of,
    settled_usd_micros,
    shock_arrays,
    standing_of,
)
from matching.codes import AccountState, MoveReason, Side, TradingState

DEPTH_LEVELS: Final = 50
DISPOSAL_BAND_BPS: Final = 100  # off the mark, the farthest the house sells at


class Liquidator:
    """Plans against the mirror it is given; keeps nothing but the shocks as arrays."""

    def __init__(
        self,
        mirror: Mirror,
        house_idx: int,
        funds: Funds | None = None,
        auctions: Auctions | None = None,
    ) -> None:
        """Plan for the exchange that `mirror` follows; `house_idx` is the insurance fund."""
        self.mirror = mirror
        self.house_idx = house_idx
        self.funds = funds or Funds(first_idx=house_idx)
        self.auctions = auctions or Auctions()
        self.shocks: Shocks = {}
        self._shocks_of: object = None

    def refresh(self) -> None:
        """Take over the shocks when they were swapped, or contracts were listed."""
        key = (id(self.mirror.shocks), len(self.mirror.contracts))
        if key != self._shocks_of:
            self.shocks, self._shocks_of = shock_arrays(self.mirror), key

    def standing(self, account_idx: int) -> Standing:
        """Return where an account stands."""
        return standing_of(self.mirror, account_idx)

    def look(self, account_idx: int) -> Step | None:
        """Return what to do about an account now; None for nothing."""
        if account_idx in self.funds.accounts:
            return None
        going = self.mirror.liquidations.get(account_idx)
        standing = self.standing(account_idx)
        if going is None:
            return self._begin(standing)
        return self._go_on(standing, going)

    def _begin(self, standing: Standing) -> Step | None:
        """Begin when equity is below maintenance; less than nothing is below it too."""
        if not is_due(standing.equity_usd_micros, standing.maintenance_usd_micros):
            return None
        before = self.mirror.accounts[standing.account_idx].state
        # In one go with what holds the fund: a return behind it is refused by the core.
        held = hold_rows(self.mirror, self.funds, held=True)
        begin = np.concatenate([*held, rows.begin_row(standing, before)])
        return Step(commands=begin, story="begins")

    def _go_on(self, standing: Standing, going: Liquidation) -> Step | None:
        account_idx = standing.account_idx
        account = self.mirror.accounts[account_idx]
        if account.orders or account.stops:
            return Step(commands=rows.cancel_row(account_idx), story="cancels orders")
        held = held_of(self.mirror, account_idx, self.shocks)
        equity = standing.equity_usd_micros
        if not held or equity <= 0:
            sale = sale_step(self.mirror, account_idx, going, self.funds, whole=bool(held))
            if sale is not None:
                return sale
        if is_done(equity, standing.initial_usd_micros) or (not held and equity >= 0):
            # Who was stopped meanwhile, by an operator or its member, stays so.
            is_ours = account.state == AccountState.REDUCE_ONLY
            state = going.state_before if is_ours else account.state
            end = rows.end_row(standing, going.liquidation_id, state)
            return Step(commands=end, story="ends")
        elapsed_ns = self.mirror.ts_ns - going.begun_ns
        begun = going.liquidation_id in self.auctions.going
        if equity > 0 and elapsed_ns < TAKE_OVER_NS and not begun:
            return self._slice(standing, going, held, elapsed_ns)
        if held:
            goes_on, step = auction_step(
                self.mirror, self.auctions, standing, going, held, self.funds
            )
            if goes_on:
                return step
        if equity <= 0:
            return self._bankrupt(standing, going, held)
        return self._take_over(standing, going, held)

    # Slices

    def _slice(
        self, standing: Standing, going: Liquidation, held: list[Held], elapsed_ns: int
    ) -> Step | None:
        """Send the best slice that can trade within the band; None when none can."""
        offers = [
            offer
            for one in held
            if (offer := self._offer(standing, one, held, elapsed_ns)) is not None
        ]
        best = best_slice(offers)
        if best is None:
            return None
        name = f"liq-{going.liquidation_id}-{self.mirror.seq}"
        return Step(
            commands=rows.slice_row(standing.account_idx, best, name),
            story=f"slice of {best.lots} lots",
            is_order=True,
        )

    def _offer(
        self, standing: Standing, held: Held, every: list[Held], elapsed_ns: int
    ) -> Slice | None:
        """Return the slice of one position, priced at what stands in the book."""
        contract = self.mirror.contracts[held.contract_idx]
        if contract.state != TradingState.CONTINUOUS:
            return None
        total = sum(one.maintenance_usd_micros for one in every)
        equity = standing.equity_usd_micros
        limit = limit_price_ticks(held, equity, total, elapsed_ns, self.mirror.price_ticks_max)
        limit = within_band_ticks(contract, limit)
        offered, cost_of = self._against(held, limit)
        most = slice_lots(held.qty_lots, offered)
        if most == 0:
            return None
        room = equity - cost_of(most)
        lots = least_lots(standing.losses_usd_micros, held, most, self.mirror.worst_count, room)
        return Slice(
            contract_idx=held.contract_idx, side_sign=-held.sign, lots=lots, limit_ticks=limit,
            cost_usd_micros=max(1, cost_of(lots)),
            relief_usd_micros=relief_usd_micros(
                standing.losses_usd_micros, held, lots, self.mirror.worst_count
            ),
        )  # fmt: skip

    def _against(self, held: Held, limit_ticks: int) -> tuple[int, Callable[[int], int]]:
        """Return the lots within the limit, and what so many of them cost against the mark."""
        side = Side.BUY if held.sign > 0 else Side.SELL
        levels = [
            (price, lots)
            for price, lots, _ in self.mirror.depth(held.contract_idx, side, DEPTH_LEVELS)
            if (price - limit_ticks) * held.sign >= 0
        ]

        def cost_of(lots: int) -> int:
            cost = 0
            for price, there in levels:
                taken = min(lots, there)
                cost += taken * held.sign * (held.mark_ticks - price) * held.tick_value_usd_micros
                lots -= taken
            return cost

        return sum(lots for _, lots in levels), cost_of

    # What is left

    def _take_over(self, standing: Standing, going: Liquidation, held: list[Held]) -> Step:
        """Let the house take all that is left, at bankruptcy prices."""
        total = sum(one.maintenance_usd_micros for one in held)
        moves = [
            rows.move_row(
                MoveReason.TAKE_OVER, standing.account_idx, self.house_idx, one.contract_idx,
                one.qty_lots,
                bankruptcy_price_ticks(
                    one, standing.equity_usd_micros, total, self.mirror.price_ticks_max
                ),
                going.liquidation_id,
            )
            for one in held
        ]  # fmt: skip
        return Step(commands=np.concatenate(moves), story="the house takes over")

    def _bankrupt(self, standing: Standing, going: Liquidation, held: list[Held]) -> Step | None:
        """Let the layers bear what is missing, in their order; deleverage for what none bears."""
        if may_deleverage(standing.equity_usd_micros):
            juniors = self.auctions.juniors_of(going.liquidation_id)
            paid = pay_step(self.mirror, standing.account_idx, going, self.funds, juniors)
            if paid is not None:
                return paid
        elif held and self.fund_usd_micros() > 0:
            return self._take_over(standing, going, held)
        return self._deleverage(standing, going, held[0], held) if held else None

    def fund_usd_micros(self) -> int:
        """Return what the insurance fund can pay now."""
        return has_usd_micros(self.mirror, self.house_idx)

    def _deleverage(
        self, standing: Standing, going: Liquidation, held: Held, every: list[Held]
    ) -> Step:
        """Close one position against the accounts on the other side, in rank order."""
        state = self.mirror
        total = sum(one.maintenance_usd_micros for one in every)
        price = bankruptcy_price_ticks(
            held, standing.equity_usd_micros, total, state.price_ticks_max
        )
        contract = state.contracts[held.contract_idx]
        closing = Closing(
            liquidation_id=going.liquidation_id, round_no=state.seq, symbol=contract.symbol,
            qty_lots=held.qty_lots, price_ticks=price, mark_ticks=held.mark_ticks,
            tick_value_usd_micros=held.tick_value_usd_micros, state_seq=state.seq,
        )  # fmt: skip
        proof, shares = plan(closing, self.candidates(held, standing.account_idx))
        moves = [
            rows.move_row(
                MoveReason.DELEVERAGE, standing.account_idx, other_idx, held.contract_idx,
                held.sign * lots, price, going.liquidation_id,
            )
            for other_idx, lots in shares.items()
        ]  # fmt: skip
        if proof.left_lots:  # nobody is left who could: the house holds it
            moves.append(
                rows.move_row(
                    MoveReason.TAKE_OVER, standing.account_idx, self.house_idx, held.contract_idx,
                    held.sign * proof.left_lots, price, going.liquidation_id,
                )
            )  # fmt: skip
        return Step(
            commands=np.concatenate(moves), story="deleverages", proofs=(proof,),
            contracts=(held.contract_idx,),
        )  # fmt: skip

    def candidates(self, held: Held, own_idx: int) -> list[Candidate]:
        """Return who holds the other side of a position, but the house and the account itself."""
        contract = self.mirror.contracts[held.contract_idx]
        return [
            Candidate(
                account_id=position.account_idx, qty_lots=position.qty_lots,
                entry_usd_micros=position.entry_usd_micros,
                value_usd_micros=contract.worth_usd_micros * position.qty_lots,
                equity_usd_micros=settled_usd_micros(self.mirror, position.account_idx),
            )
            for position in contract.positions
            if position.qty_lots * held.qty_lots < 0
            and position.account_idx not in self.funds.accounts | {own_idx}
        ]  # fmt: skip

    # What the house holds

    def dispose(self, account_idx: int, name: str = "house") -> Step | None:
        """Return the orders by which the house, or a client that nobody took, sells some."""
        orders = [
            rows.slice_row(account_idx, one, f"{name}-{one.contract_idx}-{self.mirror.seq}")
            for held in held_of(self.mirror, account_idx, self.shocks)
            if (one := self._disposal(held)) is not None
        ]
        if not orders:
            return None
        return Step(commands=np.concatenate(orders), story="the house sells", is_order=True)

    def _disposal(self, held: Held) -> Slice | None:
        contract = self.mirror.contracts[held.contract_idx]
        away = max(1, held.mark_ticks * DISPOSAL_BAND_BPS // BPS)
        limit = within_band_ticks(contract, held.mark_ticks - held.sign * away)
        offered, _ = self._against(held, limit)
        continuous = contract.state == TradingState.CONTINUOUS
        lots = disposal_lots(held.qty_lots, offered, continuous=continuous)
        if lots == 0:
            return None
        return Slice(
            contract_idx=held.contract_idx, side_sign=-held.sign, lots=lots, limit_ticks=limit,
            cost_usd_micros=1, relief_usd_micros=1,
        )  # fmt: skip


def within_band_ticks(contract: Contract, price_ticks: int) -> int:
    """Return a price that the contract's band takes: beyond it an order would be refused."""
    return min(max(contract.band_low_ticks, price_ticks), contract.band_high_ticks)
