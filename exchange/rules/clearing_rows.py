"""The rows that clearing writes: one NamedTuple a table, its fields are the columns in order."""

from typing import Final, NamedTuple

from matching.codes import Side

DEPOSIT: Final = "deposit"
WITHDRAWAL: Final = "withdrawal"
VARIATION_COLLECT: Final = "variation_collect"
VARIATION_PAY: Final = "variation_pay"
MOVE: Final = "move"


class TradeRow(NamedTuple):
    """One match. (seq, leg) is its identity: leg 0 is the first trade of the command."""

    seq: int
    leg: int
    contract_idx: int
    price_ticks: int
    qty_lots: int
    taker_side: int
    taker_account_idx: int
    maker_account_idx: int
    taker_order_id: int
    maker_order_id: int
    ts_ns: int
    block: int  # 0: of the book; 1 a block, 2 an EFP: both order ids are the deal's; 3 moved
    kind: int = 0  # TradeKind
    implied: bool = False  # between an order of a combination and one of each leg


class PositionEventRow(NamedTuple):
    """One side of a trade, after novation: lots bought from the clearing house, or sold to it."""

    account_idx: int
    seq: int
    leg: int
    side: int  # of this account's order
    is_maker: bool
    contract_idx: int
    order_id: int
    price_ticks: int
    qty_lots: int  # signed: positive when bought
    position_lots: int  # after the trade
    realised_usd_micros: int  # by this fill, against the average entry
    ts_ns: int
    fine_usd_micros: int = 0  # of one lot, beyond the price: in delivery alone
    trading_fee_usd_micros: int = 0  # by the rates of then; charged soon after
    clearing_fee_usd_micros: int = 0


class FeeRateRow(NamedTuple):
    """What an account pays from a command on, in micro-dollars per GPU-hour."""

    account_idx: int
    seq: int
    maker: int
    taker: int
    clearing: int
    ts_ns: int


class TransferRow(NamedTuple):
    """One movement of money; its postings sum to zero."""

    transfer_id: int
    seq: int
    leg: int
    reason: str
    ref_id: int
    ts_ns: int


class PostingRow(NamedTuple):
    """One line of a transfer. Positive: the owner of the ledger account has more."""

    transfer_id: int
    ledger_account_id: int
    version: int  # 1, 2, 3, ... of the ledger account, unbroken
    amount_usd_micros: int
    balance_usd_micros: int  # after the posting
    ts_ns: int  # of the transfer: says in which month's partition it is


class OpeningRow(NamedTuple):
    """What a ledger account had at the end of the months that are archived."""

    ledger_account_id: int
    version: int
    balance_usd_micros: int


class LedgerAccountRow(NamedTuple):
    """A place where money is: `cash:7` of account 7, `asset:BTC:7`, or one of the house's own."""

    ledger_account_id: int
    code: str
    account_idx: int | None


class CountRow(NamedTuple):
    """What is counted of an account's collateral, from a command on."""

    account_idx: int
    seq: int
    counted_usd_micros: int
    ts_ns: int


class AssetPriceRow(NamedTuple):
    """What somebody said an asset is worth."""

    asset: int
    seq: int
    price_usd_micros: int  # of one whole
    source: int  # PriceSource
    priced_ns: int
    ts_ns: int


class BalanceRow(NamedTuple):
    """What a ledger account holds now."""

    ledger_account_id: int
    version: int
    balance_usd_micros: int
    updated_seq: int


class VariationRow(NamedTuple):
    """Variation margin of one account in one settlement, before netting."""

    account_idx: int
    seq: int
    contract_idx: int
    qty_lots: int
    price_ticks: int
    amount_usd_micros: int
    ts_ns: int


class SettlementRow(NamedTuple):
    """A settlement price, and what it was reached from."""

    contract_idx: int
    seq: int
    settled_ns: int
    price_ticks: int
    previous_ticks: int
    last_trade_ticks: int
    volume_lots: int  # traded since the settlement before
    open_interest_lots: int
    paid_usd_micros: int  # sum of what the gaining accounts received
    cycle: int  # 0: daily, or the last of a contract; else a Cycle
    due_ns: int  # the moment it is for, 0 where nobody said
    rule: int  # place in `settlement_run.RULES` plus one, 0 where nobody said
    source: int  # contract_idx plus one of whose price it followed, 0 for none
    run: str  # names what it was reached from, "" where nobody said


class ContractRow(NamedTuple):
    """A listed contract as clearing sees it."""

    contract_idx: int
    symbol: str
    tick_value_usd_micros: int
    listed_seq: int
    listed_ns: int
    ends_ns: int  # last trade, 0 for never
    state: int
    mark_ticks: int
    settle_ticks: int
    last_trade_ticks: int  # 0: no trade yet
    volume_lots: int  # since the last settlement
    open_interest_lots: int
    updated_seq: int
    legs: str  # of a combination, see cleared_legs.py
    fine_usd_micros: int  # in delivery: what a lot is worth beyond its mark


class PositionRow(NamedTuple):
    """What one account holds in one contract, against the clearing house."""

    account_idx: int
    contract_idx: int
    qty_lots: int
    entry_usd_micros: int
    realised_usd_micros: int
    carry_usd_micros: int
    updated_seq: int


class OrderRow(NamedTuple):
    """An order from its acceptance to its end."""

    account_idx: int
    order_id: int
    contract_idx: int
    side: int
    order_type: int
    tif: int
    stp: int
    flags: int
    price_ticks: int
    qty_lots: int
    open_lots: int
    filled_lots: int
    filled_tick_lots: int  # sum of price x lots of its fills
    cancelled_lots: int
    code: int  # why it ended, 0 while open or when filled
    client_order_id: str | None
    expires_ns: int
    placed_ns: int
    updated_ns: int
    updated_seq: int
    display_lots: int  # what shows at a time, 0: all
    peg: int  # what it follows, 0: nothing
    offset_ticks: int  # from that; of a trailing stop, how far it trails
    trigger_ticks: int  # of a stop, also once it has entered or ended; 0: no stop
    trigger_bits: int  # which price triggers it, and whether it trails by basis points
    link_id: int  # the order that ends with it
    parent_id: int  # the order whose fills it closes


class OrderChangeRow(NamedTuple):
    """What happened to an order accepted in an earlier transaction. None: unchanged."""

    account_idx: int
    order_id: int
    price_ticks: int | None
    qty_lots: int | None
    open_lots: int | None
    filled_more_lots: int
    filled_more_tick_lots: int
    cancelled_more_lots: int
    code: int
    updated_ns: int
    updated_seq: int
    tif: int | None
    expires_ns: int | None
    flags: int | None
    display_lots: int | None
    offset_ticks: int | None
    trigger_ticks: int | None
    trigger_bits: int | None
    link_id: int | None


class LiquidationEventRow(NamedTuple):
    """A liquidation begins (its id is the seq) or ends, and what it was judged by."""

    seq: int
    liquidation_id: int
    account_idx: int
    step: int  # LiquidationStep
    equity_usd_micros: int
    initial_usd_micros: int
    maintenance_usd_micros: int
    state_before: int  # AccountState
    ts_ns: int


class PositionMoveRow(NamedTuple):
    """Lots that the clearing house moved from one account to another, and why."""

    seq: int
    liquidation_id: int
    reason: int  # MoveReason
    contract_idx: int
    giver_idx: int
    receiver_idx: int
    side: int  # of the giver
    price_ticks: int
    qty_lots: int
    ts_ns: int


class WaterfallUseRow(NamedTuple):
    """Money that the clearing house moved, and which layer of the waterfall it came from."""

    seq: int
    liquidation_id: int
    layer: int  # its place, 0 for none
    giver_idx: int
    receiver_idx: int
    amount_usd_micros: int
    ts_ns: int


class KlineRow(NamedTuple):
    """Trades of one contract in one interval; merged with what is stored already."""

    contract_idx: int
    interval_s: int
    open_ns: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int
    volume_tick_lots: int  # sum of price x lots
    trade_count: int


class MinuteRow(NamedTuple):
    """The first command of a minute: how a time becomes a range of seq."""

    minute_ns: int
    first_seq: int


def signed_lots(side: int, qty_lots: int) -> int:
    """Return the lots as they change a position: positive for a buy."""
    return qty_lots if side == Side.BUY else -qty_lots
