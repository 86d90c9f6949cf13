"""Cases of kinds `fees` and `fees_account`: components of a fee, and what accounts pay.

A fee of so much a lot is one of our rows for a lot of one GPU-hour. The trades run on the engine,
the bill is made by the rules and charged by a command.
"""

from datetime import date

from exchange.rules.fees import FeeRow
from exchange.rules.money import div_ceil, scaled_of
from matching.codes import Charge, Kind, Tif
from tests.support.bills import Bill, Fill, bill_of
from tests.vectors.cases import Failed, Json, Skipped, known, same
from tests.vectors.market import SIDES, Core, Market

RATE_DIGITS = 6
RATE_ONE = 10**RATE_DIGITS
STEP = frozenset({"op", "user", "side", "size", "price", "tif", "expect"})
EXPECT = frozenset(
    {"balances", "fees_total", "clients_total", "open_interest", "pending", "positions"}
)


def run_rates(case: Json, core: Core) -> None:
    """Run a case of rates: each component of each trade is rounded up."""
    setup = case["setup"]
    known("setup", setup, frozenset({"rates", "rounding"}))
    if setup["rounding"] != "ceil_per_trade":
        raise Skipped(f"rounding {setup['rounding']}")
    rates = {name: scaled_of(rate, RATE_DIGITS) for name, rate in setup["rates"].items()}
    fees = {name: [] for name in rates}
    for step in case["steps"]:
        if step["op"] != "fill":
            raise Skipped(f"step {step['op']} not known here")
        known("step", step, frozenset({"op", "qty", "price"}))
        for name, rate in rates.items():
            fees[name].append(div_ceil(step["qty"] * step["price"] * rate, RATE_ONE))
    known("expect", case["expect"], frozenset({"fees", "per_fill_maker"}))
    for name, amount in case["expect"]["fees"].items():
        same(f"fee {name}", amount, sum(fees[name]))
    same("makers", case["expect"].get("per_fill_maker", fees["maker"]), fees["maker"])


def run_accounts(case: Json, core: Core) -> None:
    """Run a case of fees a lot, with margin a lot and the balances left."""
    setup = case["setup"]
    known("setup", setup, frozenset({"per_lot", "margin", "balances"}))
    known("expect", case["expect"], EXPECT)
    price = case["steps"][0]["price"]
    market = Market(core, mark_ticks=price)
    margin = setup["margin"]
    market.send(Kind.STAGE_SHOCKS, price_ticks=-margin["buy"], qty_lots=margin["sell"])
    market.send(Kind.SWAP_SCENARIOS, qty_lots=2, order_id=1)
    for user, balance in setup["balances"].items():
        market.users[user] = idx = len(market.users)
        market.send(Kind.OPEN_ACCOUNT, account_idx=idx)
        market.send(Kind.DEPOSIT, account_idx=idx, amount_usd_micros=balance)
    for step in case["steps"]:
        _step(market, step)
    row = FeeRow(
        tier="case", effective_from=date(2026, 1, 1), clearing_usd_micros_per_gpu_hour=0,
        maker_usd_micros_per_gpu_hour=setup["per_lot"]["maker"],
        taker_usd_micros_per_gpu_hour=setup["per_lot"]["taker"],
    )  # fmt: skip
    _charge(market, row)
    _check(market, case["expect"], setup["balances"])


def _step(market: Market, step: Json) -> None:
    if step["op"] not in ("rest", "take"):
        raise Skipped(f"step {step['op']} not known here")
    known("step", step, STEP)
    tif = Tif.IOC if step.get("tif") == "IOC" else Tif.GTC
    said = market.send(
        Kind.PLACE, account_idx=market.users[step["user"]], side=SIDES[step["side"]],
        price_ticks=step["price"], qty_lots=step["size"], tif=tif,
    )  # fmt: skip
    same("result", step["expect"]["result"], "rejected" if said.refused else "accepted")


def _charge(market: Market, row: FeeRow) -> None:
    """Bill every account for what it traded, and charge it."""
    fills: dict[int, list[Fill]] = {}
    for trade in market.mirror.contracts[0].trades:
        fills.setdefault(trade.account_idx, []).append(Fill(trade.qty_lots, 1, False))
        fills.setdefault(trade.maker_account_idx, []).append(Fill(trade.qty_lots, 1, True))
    for account_idx, own in fills.items():
        bill: Bill = bill_of(own, row)
        said = market.send(
            Kind.CHARGE, account_idx=account_idx, state=Charge.TRADING_FEE,
            amount_usd_micros=bill.trading_usd_micros, ref_id=1,
        )  # fmt: skip
        if said.refused:
            raise Failed(f"the charge was refused: {said.refused}")


def _check(market: Market, expect: Json, before: Json) -> None:
    accounts = market.mirror.accounts
    cash = {user: accounts[idx].cash_usd_micros for user, idx in market.users.items()}
    for user, balance in expect["balances"].items():
        same(f"balance of {user}", balance, cash[user])
    same("clients", expect["clients_total"], sum(cash.values()))
    same("fees", expect["fees_total"], sum(before.values()) - sum(cash.values()))
    same("open interest", expect["open_interest"], market.mirror.contracts[0].open_interest_lots)
    for user, lots in expect["positions"].items():
        same(f"position of {user}", lots, market.position(user))
    for user, lots in expect["pending"].items():
        held = market.mirror.position(market.users[user], 0)
        same(f"pending of {user}", lots, held.buy_lots + held.sell_lots)
