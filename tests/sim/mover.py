"""What the clearing house moves between accounts, drawn so that most of it may be moved."""

from random import Random

from matching.codes import Kind, MoveReason, Side
from matching.limits import LAYERS_MAX, TRANSFER_USD_MICROS_MAX
from tests.oracle.state import Exchange
from tests.sim.house import Fields, House

REASONS = (*MoveReason, MoveReason.DELEVERAGE, MoveReason.TAKE_OVER, len(MoveReason))


class Mover:
    """Draws moves of positions and of money."""

    def __init__(self, rng: Random, ex: Exchange, house: House) -> None:
        self.rng = rng
        self.ex = ex
        self.house = house

    def _parties(self) -> Fields:
        rng = self.rng
        receiver = self.house.account()
        if rng.random() < 0.05:
            receiver = rng.choice((-1, len(self.ex.accounts)))
        return {
            "account_idx": self.house.account(), "ref_id": receiver, "order_id": rng.choice((0, 7)),
        }  # fmt: skip

    def cash(self) -> Fields:
        rng, fields = self.rng, self._parties()
        amount = rng.choice((1, 1, 0, -1, TRANSFER_USD_MICROS_MAX + 1))
        giver = fields["account_idx"]
        if giver < len(self.ex.accounts) and rng.random() < 0.8:
            part = self.ex.accounts[giver].cash_usd_micros // rng.choice((1, 2, 9))
            amount = part + rng.choice((0, 0, 1))
        layer = rng.choice((0, 0, 1, LAYERS_MAX, LAYERS_MAX + 1, -1))
        return {"kind": Kind.TRANSFER_CASH, "amount_usd_micros": amount, "state": layer, **fields}

    def units(self) -> Fields:
        """Sell units, most of them there, for cash that is there."""
        rng, fields, accounts = self.rng, self._parties(), self.ex.accounts
        asset, units = rng.choice((1, 2, 3, 0)), rng.choice((1, 0, -1))
        owners = [idx for idx, one in enumerate(accounts) if any(map(sum, one.holdings.values()))]
        if owners and rng.random() < 0.9:
            fields["account_idx"] = rng.choice(owners)
            asset, (units, _) = rng.choice(list(accounts[fields["account_idx"]].holdings.items()))
            units += rng.choice((0, 0, 1, -units // 2))
        taker = fields["ref_id"]
        cash = accounts[taker].cash_usd_micros if 0 <= taker < len(accounts) else 1
        amount = rng.choice((cash // 9, cash, cash + 1, 0, TRANSFER_USD_MICROS_MAX + 1))
        return {
            "kind": Kind.TAKE_ASSET, "state": asset, "price_ticks": units,
            "amount_usd_micros": amount, **fields,
        }  # fmt: skip

    def lots(self) -> Fields:
        rng, ex, fields = self.rng, self.ex, self._parties()
        held = [position for position in ex.positions if position.qty_lots]
        idx, side, lots = self.house.contract(), rng.choice(tuple(Side)), 1
        if held and rng.random() < 0.9:
            position = rng.choice(held)
            fields["account_idx"], idx = position.account_idx, position.contract_idx
            side = Side.SELL if position.qty_lots > 0 else Side.BUY
            lots = rng.choice((1, abs(position.qty_lots), abs(position.qty_lots) + 1))
            others = [
                one
                for one in held
                if one.contract_idx == idx and one.qty_lots * position.qty_lots < 0
            ]
            if others and rng.random() < 0.7:
                other = rng.choice(others)
                fields["ref_id"] = other.account_idx
                lots = min(lots, abs(other.qty_lots) + rng.choice((0, 0, 1)))
        mark = ex.contracts[idx].mark_ticks if idx < len(ex.contracts) else 0
        return {
            "kind": Kind.TRANSFER_POSITION, "contract_idx": idx, "side": side, "qty_lots": lots,
            "price_ticks": mark + rng.choice((0, 0, -1, 1, -mark, 1 - mark, mark, 5, -9)),
            "state": rng.choice(REASONS), **fields,
        }  # fmt: skip
