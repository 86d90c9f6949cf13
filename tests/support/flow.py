"""Realistic batches from the naive engine: accounts, money, orders, marks, settlements."""

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from exchange.io.batch import Batch
from matching.codes import EventKind, Flag, Kind, OrderType, Side, Stp, Tif, TradingState
from matching.limits import PRICE_BITS_DEFAULT
from matching.wire import COMMAND, pack_halves, pack_legs, spread_base_ticks
from tests.oracle.engine import Oracle
from tests.support.rows import SECOND_NS, command

PRICE_TICKS = 2000
TICK_VALUE_USD_MICROS = 730_000
START_NS = 1_700_000_000 * SECOND_NS


class Flow:
    """A small market with a seed: the same seed gives the same journal."""

    def __init__(
        self,
        seed: int = 1,
        accounts: int = 12,
        contracts: int = 3,
        engine: Any = None,
        *,
        combinations: bool = False,
        implied: bool = False,
    ) -> None:
        self.random = Random(seed)
        self.engine = engine or Oracle()
        self.accounts, self.contracts = accounts, contracts
        self.combinations = combinations  # the spread of the first two, and the strip of all
        self.implied = int(implied)  # their orders trade with those of their legs
        self.seq, self.ts_ns, self.ref_id = 0, START_NS, 0
        self.open_ids: list[tuple[int, int]] = []  # account_idx, order_id
        self.deals: list[tuple[int, int]] = []  # to whom it was proposed, deal_id
        self.moves: dict[int, int] = {}  # the last move of assets of each account

    def batch(self, rows: list[np.ndarray], gap_ns: int = SECOND_NS) -> Batch:
        """Stamp, apply, and return as the journal would hold it."""
        commands = np.concatenate([np.zeros(0, COMMAND), *rows])
        self.ts_ns += gap_ns
        commands["seq"] = np.arange(self.seq + 1, self.seq + 1 + len(commands))
        commands["ts_ns"] = self.ts_ns
        events = self.engine.apply(commands)
        first_seq, self.seq = self.seq + 1, self.seq + len(commands)
        self.open_ids += [
            (int(e["account_idx"]), int(e["order_id"]))
            for e in events[(events["kind"] == 20) & (events["leaves_lots"] > 0)]
        ]
        self.deals += [
            (int(e["maker_account_idx"]), int(e["order_id"]))
            for e in events[events["kind"] == EventKind.PROPOSED]
        ]
        for event in events[events["kind"] == EventKind.ASSET_MOVED]:
            self.moves[int(event["account_idx"])] = int(event["maker_order_id"])
        return Batch(first_seq, commands, events)

    def opening(self) -> Batch:
        """Return the batch that opens and funds the accounts and lists the contracts."""
        rows = [command(Kind.OPEN_ACCOUNT, account_idx=idx) for idx in range(self.accounts)]
        rows += [self.deposit(idx, 50_000_000_000_000) for idx in range(self.accounts)]
        rows += [
            command(
                Kind.LIST, symbol=f"H100-USE-2027M{idx + 1:02}", contract_idx=idx,
                price_ticks=PRICE_TICKS, qty_lots=1000, state=TradingState.CONTINUOUS,
                amount_usd_micros=TICK_VALUE_USD_MICROS + idx, ref_id=pack_halves(1, 1000),
            )
            for idx in range(self.contracts)
        ]  # fmt: skip
        if self.combinations:
            for place, legs in enumerate(([(0, 1), (1, -1)], [(i, 1) for i in range(3)])):
                rows.append(
                    command(
                        Kind.LIST_COMBINATION, symbol=f"K{place}", qty_lots=1000,
                        contract_idx=self.contracts + place, state=TradingState.CONTINUOUS,
                        ref_id=self.implied, **pack_legs(legs),
                    )
                )  # fmt: skip
        return self.batch(rows)

    def deposit(self, account_idx: int, amount_usd_micros: int) -> np.ndarray:
        """Return a deposit, or a withdrawal when negative."""
        self.ref_id += 1
        return command(
            Kind.DEPOSIT if amount_usd_micros > 0 else Kind.WITHDRAW,
            account_idx=account_idx, amount_usd_micros=abs(amount_usd_micros), ref_id=self.ref_id,
        )  # fmt: skip

    def batches(self, count: int, size: int = 20) -> Iterator[Batch]:
        """Yield the opening and `count` batches of at most `size` commands."""
        yield self.opening()
        for _ in range(count):
            rows = [self.any() for _ in range(self.random.randint(1, size))]
            yield self.batch(rows, self.random.choice((0, SECOND_NS, 40 * SECOND_NS)))

    def any(self) -> np.ndarray:
        """Return a command of a mixed flow."""
        dice = self.random.random()
        if dice < 0.62:
            return self.place()
        if dice < 0.74 and self.open_ids:
            return self.change()
        if dice < 0.8:
            account_idx = self.random.randrange(self.accounts)
            return self.deposit(account_idx, self.random.randint(-90_000_000, 100_000_000) or 1)
        if dice < 0.88:
            return self.price(Kind.MARK)
        if dice < 0.94:
            return self.price(Kind.SETTLE)
        if dice < 0.95:
            idx = self.random.randrange(2)
            return command(Kind.COLLECT, contract_idx=idx, state=self.random.randint(1, 3))
        if dice < 0.96:
            return command(Kind.TICK)
        if dice < 0.97:
            return self.collateral()
        if dice < 0.985:
            return self.deal()
        return command(
            Kind.MASS_CANCEL, account_idx=self.random.randrange(self.accounts), contract_idx=-1
        )

    def collateral(self) -> np.ndarray:
        """Return a command about collateral, charges or cash between accounts; some are refused."""
        pick = self.random
        account_idx, asset = pick.randrange(self.accounts), pick.choice((2, 5))
        self.ref_id += 1
        self.moves.setdefault(account_idx, 0)
        dice = pick.randrange(7)
        if dice < 2:
            move = pick.choice((1, 1, 2, 3, 4))
            fields = {"price_ticks": pick.randint(1, 50) * (4 if move == 1 else 1), "state": move}
            return command(
                Kind.MOVE_ASSET, account_idx=account_idx, order_id=asset,
                ref_id=self.moves[account_idx] + 1, **fields,
            )  # fmt: skip
        amount = pick.randint(1, 900_000)
        fields = {"account_idx": account_idx, "amount_usd_micros": amount}
        if dice == 2:
            return command(Kind.SET_COLLATERAL, **fields)
        if dice == 3:
            return command(Kind.CHARGE, state=pick.randint(1, 4), ref_id=self.ref_id, **fields)
        if dice == 5:
            whom = (account_idx + 1) % self.accounts
            return command(
                Kind.TAKE_ASSET, ref_id=whom, state=asset, price_ticks=pick.randint(1, 20), **fields
            )
        if dice == 4:
            whom = pick.randrange(self.accounts)
            return command(Kind.SEND_CASH, order_id=whom, ref_id=self.ref_id, **fields)
        return command(
            Kind.PRICE_ASSET, order_id=asset, price_ticks=amount, state=2, expires_ns=self.ts_ns
        )

    def deal(self) -> np.ndarray:
        """Return the acceptance of an open proposal, or a new one."""
        if self.deals and self.random.random() < 0.8:
            whom, deal_id = self.deals.pop(0)
            return command(Kind.ACCEPT, account_idx=whom, order_id=deal_id)
        account_idx = self.random.randrange(self.accounts)
        return command(
            Kind.PROPOSE, account_idx=account_idx, ref_id=(account_idx + 1) % self.accounts,
            contract_idx=self.random.randrange(self.contracts),
            side=self.random.choice((Side.BUY, Side.SELL)), state=self.random.choice((0, 1)),
            price_ticks=PRICE_TICKS + self.random.randint(-20, 20),
            qty_lots=self.random.randint(1, 50),
            expires_ns=self.ts_ns + 3600 * SECOND_NS,
        )  # fmt: skip

    def price(self, kind: Kind) -> np.ndarray:
        """Return a mark or a settlement near the first price."""
        price_ticks = PRICE_TICKS + self.random.randint(-40, 40)
        contract_idx = self.random.randrange(self.contracts)
        return command(kind, contract_idx=contract_idx, price_ticks=price_ticks)

    def place(self) -> np.ndarray:
        """Return an order around the first price; about half of them trade."""
        row = self.order()
        if self.combinations and self.random.random() < 0.4:
            place = self.random.randrange(2)
            row["contract_idx"] = self.contracts + place
            if place == 0 and row["order_type"][0] == OrderType.LIMIT:
                row["price_ticks"] += spread_base_ticks(PRICE_BITS_DEFAULT) - PRICE_TICKS
        return row

    def order(self) -> np.ndarray:
        """Return an order of a single contract."""
        pick = self.random
        market = pick.random() < 0.1
        tif = pick.choice((Tif.IOC, Tif.FOK)) if market or pick.random() < 0.1 else Tif.GTC
        side = pick.choice((Side.BUY, Side.SELL))
        away_ticks = pick.randint(-12, 15) * (-1 if side == Side.BUY else 1)
        client = f"c{self.seq}-{pick.randrange(10**9)}" if pick.random() < 0.5 else ""
        return command(
            Kind.PLACE, client=client, account_idx=pick.randrange(self.accounts),
            contract_idx=pick.randrange(self.contracts), side=side, tif=tif,
            order_type=OrderType.MARKET if market else OrderType.LIMIT,
            stp=pick.choice(tuple(Stp)), qty_lots=pick.randint(1, 30),
            flags=Flag.REDUCE_ONLY if pick.random() < 0.15 else 0,
            price_ticks=0 if market else PRICE_TICKS + away_ticks,
        )  # fmt: skip

    def change(self) -> np.ndarray:
        """Return a cancel or an amendment of an order that may still be open."""
        account_idx, order_id = self.random.choice(self.open_ids[-60:])
        fields = {"account_idx": account_idx, "order_id": order_id}
        if self.random.random() < 0.4:
            return command(Kind.CANCEL, **fields)
        price_ticks = self.random.choice((0, PRICE_TICKS + self.random.randint(-10, 10)))
        qty_lots = self.random.choice((-1, 0, self.random.randint(1, 30)))
        return command(Kind.AMEND, price_ticks=price_ticks, qty_lots=qty_lots, **fields)
