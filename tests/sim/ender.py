"""What follows the end of trading, drawn so that most of it may be done."""

from random import Random

from matching.codes import Kind, TradingState
from matching.wire_life import pack_children
from tests.oracle import life
from tests.oracle.state import Exchange
from tests.sim.house import Fields, House


class Ender:
    """Draws cascades, and settlements of contracts in delivery."""

    def __init__(self, rng: Random, ex: Exchange, house: House) -> None:
        self.rng = rng
        self.ex = ex
        self.house = house
        self.waiting: list[Fields] = []  # what ends a contract, the next one last

    def cascade(self) -> Fields:
        """Let living contracts follow an expired one, mostly those that are worth as much."""
        rng, contracts = self.rng, self.ex.contracts
        plain = [idx for idx, one in enumerate(contracts) if not one.legs]
        ended = [idx for idx in plain if contracts[idx].state == TradingState.EXPIRED]
        held = [idx for idx in ended if life.interest(self.ex, idx)]
        idx = rng.choice(held or ended) if ended and rng.random() < 0.95 else self.house.contract()
        wanted = contracts[idx].tick_value_usd_micros if idx < len(contracts) else 1
        left = [one for one in plain if one not in ended] if rng.random() < 0.95 else plain
        rng.shuffle(left)
        children: list[int] = []
        for one in left:
            if contracts[one].tick_value_usd_micros <= wanted:
                wanted -= contracts[one].tick_value_usd_micros
                children.append(one)
        if rng.random() < 0.97:
            children.sort()
        return {"kind": Kind.CASCADE, "contract_idx": idx, **pack_children(children)}

    def accrue(self) -> Fields:
        """Settle a contract whose trading has ended; seldom out of turn, or one that trades."""
        rng, contracts = self.rng, self.ex.contracts
        ended = [i for i, one in enumerate(contracts) if one.ended and one.state < 5]
        if not ended:
            self._end_one()
        going = [i for i in ended if contracts[i].delivers == 1]
        idx = rng.choice(going or ended) if ended and rng.random() < 0.95 else self.house.contract()
        if idx >= len(contracts):
            return {"kind": Kind.ACCRUE, "contract_idx": idx}
        contract, days = contracts[idx], rng.randint(0, 4)
        worth = contract.tick_value_usd_micros * (contract.mark_ticks + rng.randint(-4, 4))
        return {
            "kind": Kind.ACCRUE,
            "contract_idx": idx,
            "order_id": contract.accruals + rng.choice((1,) * 5 + (0, 2)),
            "amount_usd_micros": worth + rng.randrange(contract.tick_value_usd_micros),
            "ref_id": days,
            "qty_lots": rng.choice((days, 4, 4, 4)),
            "state": rng.choice((0, 0, 0, 1)),
        }

    def _end_one(self) -> None:
        """End the trading of a contract for good, where enough others are left to trade."""
        plain = [
            idx
            for idx, one in enumerate(self.ex.contracts)
            if not one.legs and one.state != TradingState.EXPIRED
        ]
        if len(plain) >= 2:
            last_trade = {"contract_idx": self.rng.choice(plain), "expires_ns": self.ex.now_ns}
            self.waiting = [
                {"kind": Kind.TICK},
                {"kind": Kind.SET_LAST_TRADE, **last_trade},
            ]
