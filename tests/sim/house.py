"""What the exchange itself sends: money, listings, states, marks, scenarios, time."""

from random import Random

from matching.codes import AccountState, CallPhase, Cycle, Kind, TradingState
from matching.limits import (
    CONTRACTS_MAX,
    MONEY_USD_MICROS_MAX,
    SHOCK_TICKS_MAX,
    TICK_VALUE_USD_MICROS_MAX,
    TRANSFER_USD_MICROS_MAX,
)
from matching.wire import pack_halves, pack_legs, pack_text
from tests.oracle import risk
from tests.oracle.state import Exchange
from tests.sim.profile import Profile

Fields = dict[str, int]
SECOND_NS = 1_000_000_000
ID_MAX = (1 << 63) - 1  # a spoiled one may have been taken
SHOCK_FIELDS = (
    "price_ticks", "qty_lots", "amount_usd_micros", "expires_ns",
    "client_a", "client_b", "client_c", "client_d",
)  # fmt: skip


def symbol_words(contract_idx: int) -> Fields:
    names = ("client_a", "client_b", "client_c", "client_d")
    return dict(zip(names, pack_text(f"SIM-{contract_idx:04d}"), strict=True))


class House:
    """Draws the operator's and the calendar's commands."""

    def __init__(self, rng: Random, profile: Profile, ex: Exchange) -> None:
        self.rng = rng
        self.profile = profile
        self.ex = ex
        self.refs = 0

    def setting_up(self) -> list[Fields]:
        """Return the commands that open the market."""
        profile = self.profile
        rows: list[Fields] = []
        for idx in range(profile.accounts):
            rows.append({"kind": Kind.OPEN_ACCOUNT, "account_idx": idx})
            rows.append(
                {
                    "kind": Kind.DEPOSIT,
                    "account_idx": idx,
                    "amount_usd_micros": min(profile.funding_usd_micros, TRANSFER_USD_MICROS_MAX),
                }
            )
        if profile.whale:  # as much as an account may have, to the last micro-dollar
            deposit = {"kind": Kind.DEPOSIT, "amount_usd_micros": TRANSFER_USD_MICROS_MAX}
            rows += [deposit] * (MONEY_USD_MICROS_MAX // TRANSFER_USD_MICROS_MAX - 1)
        for idx in range(profile.contracts):
            rows.append(self.list_contract(idx) | {"state": TradingState.CONTINUOUS})
            rows += [self.stage(idx, first) for first in range(0, profile.capacity.scenarios, 8)]
        for idx in range(profile.contracts, profile.contracts + profile.combinations):
            rows.append(self.list_combination(idx) | {"state": TradingState.CONTINUOUS})
        rows.append(
            {"kind": Kind.SWAP_SCENARIOS, "qty_lots": profile.capacity.scenarios, "order_id": 2}
        )
        return rows

    def account(self) -> int:
        return self.rng.randrange(max(1, len(self.ex.accounts)))

    def contract(self) -> int:
        """Draw a contract, seldom one that has ended."""
        alive = [
            idx
            for idx, contract in enumerate(self.ex.contracts)
            if contract.state != TradingState.EXPIRED
        ]
        if alive and self.rng.random() < 0.97:
            return self.rng.choice(alive)
        return self.rng.randrange(max(1, len(self.ex.contracts)))

    def open_account(self) -> Fields:
        return {
            "kind": Kind.OPEN_ACCOUNT,
            "account_idx": len(self.ex.accounts) + self.rng.choice((-1, 0, 0, 1)),
        }

    def set_account(self) -> Fields:
        idx = self.account()
        state = self.rng.choice(tuple(AccountState))
        ends = self.rng.choice((0, 1, 1))
        return {"kind": Kind.SET_ACCOUNT, "account_idx": idx, "state": state, "qty_lots": ends}

    def transfer(self) -> Fields:
        """Deposit or withdraw; withdrawals often aim at exactly what is free."""
        rng, idx = self.rng, self.account()
        fields: Fields = {"kind": rng.choice((Kind.DEPOSIT, Kind.WITHDRAW)), "account_idx": idx}
        usual = max(2, self.profile.funding_usd_micros)
        fields["amount_usd_micros"] = rng.choice((usual, rng.randrange(1, usual)))
        if fields["kind"] == Kind.WITHDRAW and rng.random() < 0.5:
            free = min(self.ex.accounts[idx].cash_usd_micros, risk.free_usd_micros(self.ex, idx))
            off = rng.choice((0, 0, 1, -rng.randrange(usual)))
            fields["amount_usd_micros"] = max(1, free + off)
        if rng.random() < 0.6:
            self.refs += rng.choice((0, 1, 1, 2))
            fields["ref_id"] = self.refs
        return fields

    def collateral(self) -> Fields:
        """Count collateral, move assets or cash, charge; often exactly what margin leaves."""
        rng, idx = self.rng, self.account()
        usual = max(2, self.profile.funding_usd_micros)
        account = self.ex.accounts[idx]
        free = risk.free_usd_micros(self.ex, idx)
        edge = max(0, account.counted_usd_micros - free + rng.choice((0, 0, 1, -1)))
        counted = rng.choice((edge, rng.randrange(usual), 0))
        kind = rng.choice((90, 90, 91, 92, 93, 93, 93, 94))
        fields: Fields = {"kind": kind, "account_idx": idx, "state": rng.randint(1, 4)}
        if kind == Kind.SET_COLLATERAL:
            return fields | {"amount_usd_micros": counted, "state": rng.choice((0, 1))}
        if kind == Kind.CHARGE:
            amount = rng.choice((0, rng.randint(-usual // 9 - 1, usual // 9 + 1)))
            ref_id = min(ID_MAX, account.last_charge_id + 1)
            return fields | {"amount_usd_micros": amount, "ref_id": ref_id}
        if kind == Kind.SEND_CASH:
            amount = max(1, risk.free_cash_usd_micros(self.ex, idx) + rng.choice((0, 1, -usual)))
            return fields | {
                "amount_usd_micros": amount,
                "order_id": self.account() - rng.choice((0, 0, 9)),
            }
        if kind == Kind.PRICE_ASSET:
            said = {"price_ticks": rng.randint(0, 9), "expires_ns": self.ex.now_ns}
            return fields | {"order_id": rng.randint(1, 3), **said, "account_idx": 0}
        ref_id = min(ID_MAX, account.last_move_id + rng.choice((1, 1, 1, 1, 0, 2)))
        return fields | {
            "order_id": rng.randint(1, 3), "price_ticks": rng.randint(1, 20), "ref_id": ref_id,
            "amount_usd_micros": counted,
        }  # fmt: skip

    def list_contract(self, contract_idx: int | None = None) -> Fields:
        rng, profile = self.rng, self.profile
        if contract_idx is None:
            contract_idx = len(self.ex.contracts) + rng.choice((-1, 0, 0, 1))
        tick_value = rng.choice(profile.tick_values)
        if contract_idx >= profile.contracts:  # none of those that open the market
            tick_value = rng.choice((tick_value, tick_value, 0, TICK_VALUE_USD_MICROS_MAX + 1))
        return {
            "kind": Kind.LIST,
            "contract_idx": contract_idx,
            "price_ticks": profile.mark_ticks,
            "amount_usd_micros": tick_value,
            "qty_lots": profile.qty_max_lots,
            "order_id": rng.choice(profile.band_bps),
            "state": rng.choice((TradingState.CONTINUOUS,) * 30 + tuple(TradingState)),
            "expires_ns": rng.choice((0, 1 << 60)),
            "ref_id": pack_halves(rng.choice((0, 1, 2, 10)), rng.choice((0, 200, 1_000))),
            **symbol_words(contract_idx),
        }

    def list_combination(self, contract_idx: int | None = None) -> Fields:
        """List a spread or a strip of contracts there are, seldom of what cannot be one."""
        rng, profile = self.rng, self.profile
        legs = [idx for idx, one in enumerate(self.ex.contracts) if not one.legs]
        if contract_idx is None:
            contract_idx = len(self.ex.contracts) + rng.choice((-1, 0, 0, 1))
        else:  # while the market is set up the oracle has not listed anything yet
            legs = list(range(profile.contracts))
        rng.shuffle(legs)
        if rng.random() < 0.5:
            ratios = [1, -1]
        else:
            ratios = [1] * rng.randint(2, max(2, len(legs)))
        if rng.random() < 0.05:
            ratios[0] = -1
        if rng.random() < 0.05 or len(legs) < len(ratios):
            legs = [rng.randrange(CONTRACTS_MAX) for _ in ratios]
        return {
            "kind": Kind.LIST_COMBINATION,
            "contract_idx": contract_idx,
            "qty_lots": profile.qty_max_lots,
            "order_id": rng.choice(profile.band_bps),
            "state": rng.choice((TradingState.CONTINUOUS,) * 30 + tuple(TradingState)),
            "ref_id": rng.choice((0, 1, 1, 1)),
            **pack_legs(list(zip(legs, ratios, strict=False))),
            **symbol_words(contract_idx),
        }

    def set_implied(self) -> Fields:
        """Let a combination trade with its legs, or no longer; seldom what is none."""
        rng = self.rng
        combined = [idx for idx, one in enumerate(self.ex.contracts) if one.legs]
        idx = rng.choice(combined) if combined and rng.random() < 0.9 else self.contract()
        state = rng.choice((0, 1, 1, 2)) if rng.random() < 0.3 else rng.choice((0, 1, 1, 1))
        return {"kind": Kind.SET_IMPLIED, "contract_idx": idx, "state": state}

    def set_state(self) -> Fields:
        """Mostly back to continuous trading; an expiry is for ever, so one contract stays."""
        rng, idx = self.rng, self.contract()
        contracts = self.ex.contracts
        state = rng.choice(tuple(TradingState)[:-1])
        alive = sum(contract.state != TradingState.EXPIRED for contract in contracts)
        if alive > 1 and rng.random() < 0.05:
            state = TradingState.EXPIRED
        return {"kind": Kind.SET_STATE, "contract_idx": idx, "state": state}

    def start_call(self) -> Fields:
        """Begin a call: half of them end by themselves, some at once."""
        rng = self.rng
        fields: Fields = {
            "kind": Kind.START_CALL,
            "contract_idx": self.contract(),
            "state": rng.choice(tuple(CallPhase)),
            "flags": rng.choice((0, 0, 1)),
        }
        if rng.random() < 0.5:
            fields["expires_ns"] = self.ex.now_ns + rng.choice((0, 500, 20_000, 3 * SECOND_NS))
            fields["amount_usd_micros"] = rng.choice((0, 5_000, 2 * SECOND_NS))
        return fields

    def end_call(self) -> Fields:
        return {"kind": Kind.END_CALL, "contract_idx": self.contract()}

    def set_guard(self) -> Fields:
        """Set guards that are touched often, or none."""
        rng = self.rng
        velocity_bps = rng.choice((0, 1, 100, 500))
        daily_bps = rng.choice((0, 50, 1_000))
        return {
            "kind": Kind.SET_GUARD,
            "contract_idx": self.contract(),
            "price_ticks": velocity_bps,
            "amount_usd_micros": rng.choice((2_000, SECOND_NS)) * (velocity_bps > 0),
            "order_id": pack_halves(daily_bps, rng.choice((0, 2 * daily_bps))),
            "expires_ns": rng.choice((1, 3_000, 2 * SECOND_NS)),
            "qty_lots": rng.choice((0, 5_000)),
        }

    def set_last_trade(self) -> Fields:
        """Let trading end soon, at once, long ago or never."""
        ends_ns = self.ex.now_ns + self.rng.choice((-500, 0, 1, 20_000, 3 * SECOND_NS))
        return {
            "kind": Kind.SET_LAST_TRADE,
            "contract_idx": self.contract(),
            "expires_ns": self.rng.choice((0, ends_ns, ends_ns)),
        }

    def close_out(self) -> Fields:
        """Close the positions of a contract that has expired, seldom of one that has not."""
        ended = [
            idx
            for idx, contract in enumerate(self.ex.contracts)
            if contract.state == TradingState.EXPIRED
        ]
        idx = self.rng.choice(ended) if ended and self.rng.random() < 0.9 else self.contract()
        return {"kind": Kind.CLOSE_OUT, "contract_idx": idx}

    def set_band(self) -> Fields:
        return {
            "kind": Kind.SET_BAND,
            "contract_idx": self.contract(),
            "order_id": self.rng.choice(self.profile.band_bps),
            "state": self.rng.choice((0, 1)),
        }

    def stage(self, contract_idx: int | None = None, first: int | None = None) -> Fields:
        rng = self.rng
        idx = self.contract() if contract_idx is None else contract_idx
        if first is None:
            first = 8 * rng.randrange(-(-self.profile.capacity.scenarios // 8))
        tick_value = 1
        if idx < len(self.ex.contracts):
            tick_value = self.ex.contracts[idx].tick_value_usd_micros
        fields: Fields = {"kind": Kind.STAGE_SHOCKS, "contract_idx": idx, "order_id": first}
        for name in SHOCK_FIELDS:
            shock = rng.randint(-self.profile.shock_ticks, self.profile.shock_ticks) * tick_value
            fields[name] = shock + rng.choice((-1, 0, 1)) * (tick_value > 1)
        if rng.random() < 0.02:
            fields[rng.choice(SHOCK_FIELDS)] = rng.choice((-1, 1)) * (
                tick_value * SHOCK_TICKS_MAX + 1
            )
        return fields

    def swap(self) -> Fields:
        rng = self.rng
        return {
            "kind": Kind.SWAP_SCENARIOS,
            "qty_lots": rng.choice(
                (
                    self.profile.capacity.scenarios,
                    rng.randint(1, self.profile.capacity.scenarios + 1),
                )
            ),
            "order_id": rng.randint(1, 4),
            "price_ticks": rng.choice((0, 0, 1, 3)),
            "amount_usd_micros": rng.choice((0, 0, 2, -1)),
            "ref_id": rng.choice((0, 2_000, 10_000)),
        }

    def stage_addons(self) -> Fields:
        """Stage what closing costs, of a contract that may be large for its market."""
        rng, idx = self.rng, self.contract()
        tick_value = self.ex.contracts[idx].tick_value_usd_micros if self.ex.contracts else 1
        lots = (0, 1, rng.randint(2, 40), rng.randint(100, 100_000))
        return {
            "kind": Kind.STAGE_ADDONS,
            "contract_idx": idx,
            "price_ticks": rng.choice((0, rng.randint(-1, 5) * tick_value)),
            "qty_lots": rng.choice((0, rng.randint(0, 50) * tick_value)),
            "amount_usd_micros": rng.choice((0, tick_value)),
            "expires_ns": rng.choice(lots),
            "client_a": rng.choice(lots),
            "client_b": rng.choice(lots),
        }

    def set_fees(self) -> Fields:
        """Say what an account pays, sometimes what nobody may."""
        rng = self.rng
        return {
            "kind": Kind.SET_FEES,
            "account_idx": self.account(),
            "price_ticks": rng.choice((0, 100, 200, -1)),
            "qty_lots": rng.choice((200, 500, 500, 99, 1 << 20)),
            "amount_usd_micros": rng.choice((0, 100, 100, -1)),
        }

    def set_level(self) -> Fields:
        return {
            "kind": Kind.SET_LEVEL,
            "account_idx": self.account(),
            "order_id": self.rng.choice((10_000, 11_000, 12_500, 15_000, 15_001)),
        }

    def set_profile(self) -> Fields:
        return {
            "kind": Kind.SET_PROFILE,
            "account_idx": self.account(),
            "state": self.rng.choice((0, 0, 1, 1, 2, 2, 3)),
        }

    def set_cover(self) -> Fields:
        rng = self.rng
        fields: Fields = {
            "kind": Kind.SET_COVER,
            "account_idx": self.account(),
            "contract_idx": self.contract(),
            "qty_lots": rng.choice((0, rng.randint(1, 5), rng.randint(1, 200), -1)),
        }
        return fields | {"state": fields["account_idx"] % 2}  # nothing is drawn for it

    def collect(self, idx: int, price: int) -> Fields:
        """Pay variation margin, or correct a settlement; of the first seeds always in vain.

        Nothing is drawn for it: which corrections come too late or of another price follows from
        the price.
        """
        fields: Fields = {
            "kind": Kind.COLLECT,
            "contract_idx": idx,
            "state": self.rng.randint(0, 4),
        }
        corrects = self.profile.corrects
        if corrects and fields["state"] in (0, Cycle.MIDDAY) and price % 6:
            fields["state"] = Cycle.CORRECTION
        if fields["state"] == Cycle.CORRECTION and idx < len(self.ex.contracts):
            wrong = price % 5 == 0 or not corrects
            fields["price_ticks"] = max(1, price)
            fields["qty_lots"] = self.ex.contracts[idx].settle_ticks + wrong
            fields["amount_usd_micros"] = int(price % 7 != 0 if corrects else price % 2) << 62
        return fields

    def mark(self) -> Fields:
        """Mark or settle: a walk, sometimes a jump."""
        rng, idx = self.rng, self.contract()
        highest = (1 << self.ex.capacity.price_bits) - 1
        price = self.profile.mark_ticks
        if idx < len(self.ex.contracts):
            price = self.ex.contracts[idx].mark_ticks + rng.randint(-3, 3)
        if rng.random() < 0.03:
            price = rng.choice((1, highest, rng.randint(1, highest)))
        if rng.random() < 0.1:
            return self.collect(idx, price)
        return {
            "kind": rng.choice((Kind.MARK, Kind.MARK, Kind.SETTLE, Kind.SET_INDEX)),
            "contract_idx": idx,
            "price_ticks": min(highest, max(1, price)),
        }

    def tick(self) -> Fields:
        return {"kind": Kind.TICK}
