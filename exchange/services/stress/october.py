"""October 2025 again: a leverage cascade in crypto, and compute cut by 44 % overnight.

On 10 and 11 October 2025 bitcoin fell by about 15 % within hours and the largest liquidation
of leveraged positions so far followed. On 5 June 2025 AWS had cut H100 by 44 % in one step. The run
puts both into one night: accounts whose collateral is in part bitcoin, most of them long
compute with leverage, makers with thin books, and a gap that no order trades through.
"""

import random
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from exchange.io.price_data import load_price_data
from exchange.rules.contracts import parse_symbol
from exchange.rules.default_auction import Bid, Terms
from exchange.rules.layers import Funds
from exchange.rules.money import BPS, USD_MICROS
from exchange.rules.operations import (
    list_command,
    mark_command,
    settle_command,
    stage_commands,
    swap_command,
)
from exchange.rules.scenarios import SCENARIO_COUNT, WORST_COUNT, MarginModel
from exchange.rules.settlement import PriceRule
from exchange.rules.settlement_run import Settled
from exchange.rules.standing import Maintenances, equity_usd_micros
from exchange.services.stress.checks import FLAT_USD, checks_of
from exchange.services.stress.outcome import Outcome, Profile, paid_in_auctions
from exchange.services.stress.world import World, row
from matching.codes import EventKind, Kind, MoveReason, Side, Tif, TradingState
from matching.sizes import Sizes
from matching.wire import EVENT

DAY: Final = date(2025, 10, 10)
START_NS: Final = 1_760_129_400_000_000_000  # 2025-10-10 20:50 UTC
SYMBOLS: Final = ("H100-USE-2025M11", "H100-USE-2025M12", "H100-USE-2026M01", "B200-USE-2025M12")
PRICES: Final = (2_550, 2_500, 2_450, 4_100)  # ticks
BTC_HAIRCUT_BPS: Final = 4_500
ROUNDS_MAX: Final = 400
ANSWER_NS: Final = 5_000_000_000  # after so long all members have answered an auction
# Second of the run, bitcoin and compute in basis points of their start: the real steps.
PATH: Final = (
    (0, 10_000, 10_000), (20, 9_700, 9_950), (30, 9_300, 9_800), (36, 8_700, 9_500),
    (40, 8_500, 9_300), (41, 8_500, 7_400), (42, 8_500, 5_600), (60, 8_600, 5_600),
    (100, 8_800, 5_900), (160, 8_900, 6_100),
)  # fmt: skip


class October:
    """One run, second by second."""

    def __init__(self, profile: Profile) -> None:
        self.chance = random.Random(profile.seed)
        self.profile = profile
        self.house_idx = 0
        self.bank_idx = 1  # lends against bitcoin: what its haircut value loses, goes back there
        self.second_idx = 2
        first = 3
        self.flat = range(first, first + profile.flat)
        self.makers = range(self.flat.stop, self.flat.stop + profile.makers)
        self.traders = range(self.makers.stop, self.makers.stop + profile.traders)
        self.shares = range(self.traders.stop, self.traders.stop + profile.members)
        accounts = self.shares.stop
        funds = Funds(
            first_idx=self.house_idx, second_idx=self.second_idx,
            shares=dict(zip(self.makers, self.shares, strict=False)),
        )  # fmt: skip
        sizes = Sizes(
            accounts=accounts, contracts=8, positions=8 * accounts, orders=1 << 14,
            client_ids=1 << 14, scenarios=SCENARIO_COUNT,
        )  # fmt: skip
        self.world = World(sizes, START_NS, self.house_idx, funds)
        self.fair = list(PRICES)
        self.btc: dict[int, int] = {}  # counted value of bitcoin at the start, by account
        self.btc_lent: dict[int, int] = {}
        self.deposited = 0
        self.maintenances = Maintenances()
        self.outcome = Outcome(profile=profile, accounts=accounts)

    # Before

    def open(self) -> None:
        """Open accounts and contracts, and let positions come about by trading."""
        world, profile, chance = self.world, self.profile, self.chance
        funds = {self.house_idx: profile.fund_usd, self.bank_idx: 50_000_000}
        funds[self.second_idx] = profile.second_usd
        funds |= dict.fromkeys(self.shares, profile.share_usd)
        funds |= dict.fromkeys(self.flat, FLAT_USD)
        funds |= dict.fromkeys(self.makers, 4_000_000)
        funds |= {idx: int(chance.lognormvariate(10.4, 0.9)) + 4_000 for idx in self.traders}
        for idx, usd in sorted(funds.items()):
            amount = usd * USD_MICROS
            world.say(row(Kind.OPEN_ACCOUNT, account_idx=idx))
            world.say(row(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=amount))
            self.deposited += amount
        model = MarginModel(load_price_data().steps)
        for idx, (symbol, ticks) in enumerate(zip(SYMBOLS, PRICES, strict=True)):
            contract = parse_symbol(symbol)
            listed = list_command(idx, contract, ticks, DAY, TradingState.CONTINUOUS)
            listed["order_id"] = 0  # no band: the gap is the point
            world.say(listed, stage_commands(idx, model.shocks(contract, ticks, DAY)))
        world.say(swap_command(SCENARIO_COUNT, WORST_COUNT))
        world.flush()
        members = self.makers[: profile.members]
        world.liquidator.auctions.bidders = frozenset(members)
        world.liquidator.refresh()
        self._trade_up()
        for idx in self.traders:
            if chance.random() < 0.3:  # part of the money was lent against bitcoin
                cash = world.mirror.accounts[idx].cash_usd_micros
                self.btc[idx] = cash * chance.randrange(20, 60) // 100

    def _trade_up(self) -> None:
        """Let each trader take what it wants of what makers and each other show."""
        world, chance = self.world, self.chance
        for idx in self.traders:
            self._quote(lots=60, away=4)
            contract_idx = chance.choices(range(len(SYMBOLS)), (5, 3, 2, 2))[0]
            side = Side.BUY if chance.random() < 0.72 else Side.SELL
            equity = equity_usd_micros(world.mirror, idx)
            value = world.mirror.contracts[contract_idx].tick_value_usd_micros
            lot = value * self.fair[contract_idx]
            use = chance.betavariate(6, 1.5)  # most use much of what they may
            lots = max(1, int(equity * use * 2.85 / lot))
            price = self.fair[contract_idx] * (102 if side == Side.BUY else 98) // 100
            fields = {"account_idx": idx, "contract_idx": contract_idx, "side": side}
            world.send(row(Kind.PLACE, tif=Tif.IOC, price_ticks=price, qty_lots=lots, **fields))
        self._cancel_quotes()

    def _cancel_quotes(self) -> None:
        for idx in self.makers:
            self.world.say(row(Kind.MASS_CANCEL, account_idx=idx, contract_idx=-1))
        self.world.flush()

    def _quote(self, lots: int, away: int) -> None:
        """Let one maker quote around fair: it lays off what it holds by where it stands."""
        idx = self.chance.choice(self.makers)
        world = self.world
        world.say(row(Kind.MASS_CANCEL, account_idx=idx, contract_idx=-1))
        for contract_idx, fair in enumerate(self.fair):
            for step in (1, 2, 3):
                for side, sign in ((Side.BUY, -1), (Side.SELL, 1)):
                    price = fair + sign * away * step
                    world.say(
                        row(
                            Kind.PLACE, account_idx=idx, contract_idx=contract_idx, side=side,
                            price_ticks=price, qty_lots=lots,
                        )
                    )  # fmt: skip
        world.flush()

    # The night

    def second(self, at: int, btc_bps: int, compute_bps: int) -> None:
        """Play one second: prices, collateral, quotes, liquidation."""
        world = self.world
        world.pass_time()
        self.fair = [
            max(1, price * (compute_bps if "H100" in symbol else (BPS + compute_bps) // 2) // BPS)
            for symbol, price in zip(SYMBOLS, PRICES, strict=True)
        ]
        calm = compute_bps > 9_400
        self._cancel_quotes()
        world.say(*(mark_command(idx, fair) for idx, fair in enumerate(self.fair)))
        self._revalue(btc_bps)
        world.flush()
        for _ in range(6 if calm else 2):
            self._quote(lots=40 if calm else 12, away=3 if calm else 40)
        world.close_auctions(self._bids, ANSWER_NS)
        self._liquidate()
        self._note(at, btc_bps, compute_bps)

    def _revalue(self, btc_bps: int) -> None:
        """Take from accounts what their bitcoin, after its haircut, is worth less."""
        for idx, value in self.btc.items():
            due = value * (BPS - btc_bps) // BPS
            change = due - self.btc_lent.get(idx, 0)
            cash = self.world.mirror.accounts[idx].cash_usd_micros
            amount = min(abs(change), max(0, cash)) if change > 0 else abs(change)
            if amount:
                giver, taker = (idx, self.bank_idx) if change > 0 else (self.bank_idx, idx)
                self.world.say(
                    row(Kind.TRANSFER_CASH, account_idx=giver, ref_id=taker,
                        amount_usd_micros=amount)
                )  # fmt: skip
                signed = amount if change > 0 else -amount
                self.btc_lent[idx] = self.btc_lent.get(idx, 0) + signed

    def _bids(self, terms: Terms) -> list[Bid]:
        """Return what members bid: most a part, some pass, the dearer the wilder the market."""
        chance, found = self.chance, []
        for lot in terms.lots:
            for idx in terms.bidders:
                share = chance.choice((0, 0, 1_250, 2_500, 5_000))
                found.append(Bid(lot.lot_no, idx, chance.randrange(5, 120), share))
        return found

    def _liquidate(self) -> None:
        """Look once at everybody who is due or on their way, as the service does each second."""
        world = self.world
        liquidator, mirror = world.liquidator, world.mirror
        todo = set(self.maintenances.due(mirror)) | set(mirror.liquidations)
        for idx in sorted(todo - {self.house_idx, self.bank_idx}):
            for _ in range(ROUNDS_MAX):
                before = world.stories.get("slices", 0)
                step = liquidator.look(idx)
                if step is None:
                    break
                world.do(step)
                if world.stories.get("slices", 0) > before:
                    break  # one slice a second
        sold = liquidator.dispose(liquidator.house_idx)
        if sold is not None:
            world.do(sold)

    def _note(self, at: int, btc_bps: int, compute_bps: int) -> None:
        out, mirror = self.outcome, self.world.mirror
        out.seconds.append(at)
        out.btc_bps.append(btc_bps)
        out.compute_bps.append(compute_bps)
        out.in_liquidation.append(len(mirror.liquidations))
        out.insolvent.append(
            sum(equity_usd_micros(mirror, idx) < 0 for idx in range(len(mirror.accounts)))
        )
        out.fund_usd_micros.append(equity_usd_micros(mirror, self.house_idx))

    # After

    def close(self) -> Outcome:
        """Settle everything, and hold the end against what must be."""
        world, out = self.world, self.outcome
        world.send(
            *(
                settle_command(Settled(idx, fair, PriceRule.MARK, -1))
                for idx, fair in enumerate(self.fair)
            )
        )
        moves = np.concatenate(world.moves or [np.zeros(0, EVENT)])
        lots = moves[moves["kind"] == EventKind.POSITION_MOVED]
        adl = lots[lots["code"] == MoveReason.DELEVERAGE]
        paid = moves[(moves["kind"] == EventKind.CASH_TRANSFERRED) & (moves["code"] > 0)]
        out.commands = world.engine.last_seq
        out.liquidations = world.stories.get("begins", 0)
        out.slices_lots = world.slice_lots
        out.taken_over_lots = int(lots["qty_lots"][lots["code"] == MoveReason.TAKE_OVER].sum())
        out.deleveraged_lots = int(adl["qty_lots"].sum())
        out.deleveraged_accounts = len(set(adl["maker_account_idx"].tolist()))
        for place in sorted(set(paid["code"].tolist())):
            amounts = paid["amount_usd_micros"][paid["code"] == place]
            out.layers_usd_micros[place] = int(amounts.sum())
        auctioned = lots[lots["code"] == MoveReason.AUCTION]
        out.auctions = len(world.results)
        out.auctioned_lots = int(auctioned["qty_lots"].sum())
        out.auction_cost_usd_micros = sum(
            lots * (mark - price) * value for lots, mark, price, value in paid_in_auctions(world)
        )
        out.juniors = sum(one.junior for result in world.results for one in result.dues)
        out.proofs, out.loss_proofs = len(world.proofs), len(world.losses)
        out.state_hash = world.engine.state_hash().hex()
        out.checks = checks_of(world, self.deposited, self.flat, out.layers_usd_micros)
        return out


def prices_at(second: int) -> tuple[int, int]:
    """Return bitcoin and compute at a second, between the points of the path."""
    for (at, btc, compute), (then, btc_then, compute_then) in pairwise(PATH):
        if second <= then:
            part, whole = second - at, then - at
            return btc + (btc_then - btc) * part // whole, (
                compute + (compute_then - compute) * part // whole
            )
    return PATH[-1][1], PATH[-1][2]


def play(profile: Profile | None = None) -> Outcome:
    """Play the night; the same profile gives the same outcome, to the bit."""
    run = October(profile or Profile())
    run.open()
    for second in range(PATH[-1][0] + 1):
        run.second(second, *prices_at(second))
    return run.close()
