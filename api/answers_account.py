"""What the exchange answers about accounts and history, as JSON; see `answers.py`."""

from typing import Any, Final

from api import codec
from api.answers import times
from exchange.io.views import Fill, LedgerEntry
from exchange.rules.margin import Margin
from exchange.rules.money import div_half_even, usd_text
from exchange.rules.records import BLOCK_NAMES, Account, Contract, Position

NS_PER_S: Final = 1_000_000_000


def fill_row(contract: Contract, row: Fill) -> dict[str, Any]:
    """Return a fill of the views, with the position and the profit it made."""
    return {
        "trade_id": row.trade_id,
        "order_id": str(row.order_id),
        "client_order_id": row.client_order_id,
        "symbol": contract.symbol,
        "side": codec.SIDE_NAMES[row.side],
        "price": codec.price_out(contract.shown(row.price_ticks)),
        "quantity": str(abs(row.qty_lots)),
        "role": "maker" if row.is_maker else "taker",
        "fee": usd_text(row.fee_usd_micros),
        "block": BLOCK_NAMES[row.block],
        "position_quantity": str(row.position_lots),
        "realised_pnl": usd_text(row.realised_usd_micros),
        "seq": row.seq,
        **times(row.ts_ns),
    }


def ledger_entry(entry: LedgerEntry) -> dict[str, Any]:
    """Return a posting on an account's cash."""
    return {
        "entry_id": f"{entry.transfer_id}-{entry.version}",
        "account": "cash",
        "amount": usd_text(entry.amount_usd_micros),
        "balance": usd_text(entry.balance_usd_micros),
        "reason": entry.reason,
        "seq": entry.seq,
        **times(entry.ts_ns),
    }


def position(contract: Contract, one: Position) -> dict[str, Any]:
    """Return a position; `quantity` is signed, short is negative."""
    lots = one.qty_lots
    value_usd_micros = lots * contract.worth_usd_micros
    return {
        "symbol": contract.symbol,
        "quantity": str(lots),
        "side": "flat" if not lots else "long" if lots > 0 else "short",
        "average_entry_price": entry_price(contract, one),
        "mark_price": codec.price_out(contract.shown(contract.mark_ticks)),
        "value": usd_text(value_usd_micros),
        "open_buy_quantity": str(one.buy_lots),
        "open_sell_quantity": str(one.sell_lots),
        "unsettled_pnl": usd_text(one.unsettled_usd_micros),
        "unrealised_pnl": usd_text(value_usd_micros - one.entry_usd_micros),
        "realised_pnl": usd_text(one.realised_usd_micros),
    }


def entry_price(contract: Contract, one: Position) -> str | None:
    """Return what a lot was entered at on average, in USD per GPU-hour; None when flat."""
    if not one.qty_lots:
        return None
    # Value and lots have one sign, so the price is above zero.
    ticks_usd_micros = codec.USD_MICROS_PER_TICK * abs(one.entry_usd_micros)
    lots_tick_value = contract.tick_value_usd_micros * abs(one.qty_lots)
    return usd_text(div_half_even(ticks_usd_micros, lots_tick_value))


def balance(margin: Margin) -> dict[str, Any]:
    """Return the one balance there is today: USD."""
    return {
        "asset": "USD",
        "cash": usd_text(margin.cash_usd_micros),
        "unsettled_pnl": usd_text(margin.unsettled_usd_micros),
        "collateral": usd_text(margin.collateral_usd_micros),
        "equity": usd_text(margin.equity_usd_micros),
        "initial_margin": usd_text(margin.initial_usd_micros),
        "price_loss": usd_text(margin.price_loss_usd_micros),
        "free": usd_text(margin.free_usd_micros),
    }


def account_state(one: Account) -> str:
    """Return the state of an account as a word."""
    return codec.ACCOUNT_STATE_NAMES[one.state]
