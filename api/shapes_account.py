"""What the exchange answers about accounts, as shapes; see `shapes.py`."""

from api.shapes import Answer, Part


class Position(Part):
    """A position; `quantity` is signed, short is negative."""

    symbol: str
    quantity: str
    side: str
    average_entry_price: str | None
    mark_price: str
    value: str
    open_buy_quantity: str
    open_sell_quantity: str
    unsettled_pnl: str
    unrealised_pnl: str
    realised_pnl: str


class Balance(Part):
    """Money of one asset: what is there, what is required of it, what is free."""

    asset: str
    cash: str
    unsettled_pnl: str
    collateral: str
    equity: str
    initial_margin: str
    price_loss: str
    free: str


class Fill(Part):
    """A trade from the side of its owner; a block's order id is its proposal's, and the one who
    proposed is the maker.
    """

    trade_id: str
    order_id: str
    client_order_id: str | None
    symbol: str
    side: str
    price: str
    quantity: str
    role: str
    fee: str
    block: str | None
    position_quantity: str
    realised_pnl: str
    seq: int
    ts: int
    ts_ns: str


class LedgerEntry(Part):
    """A posting on the account's cash, and the balance after it."""

    entry_id: str
    account: str
    amount: str
    balance: str
    reason: str
    seq: int
    ts: int
    ts_ns: str


class Key(Part):
    """An API key; its `secret` is there once, when it is made."""

    key: str
    account_id: str
    label: str
    scopes: list[str]
    ip_allow: list[str]
    expires_at: int | None
    revoked: bool
    created_ts: int | None
    kind: str
    secret: str | None = None


class Account(Part):
    """An account."""

    account_id: str
    name: str
    kind: str
    state: str
    member: str | None
    cash: str
    created_ts: int | None


class Transfer(Part):
    """A deposit (above zero) or a withdrawal (below), and what became of it."""

    transfer_id: str
    account_id: str
    amount: str
    status: str
    code: str | None
    created_ts: int | None


class PositionsAnswer(Answer):
    """Positions that are not flat, or that have open orders."""

    positions: list[Position]


class BalancesAnswer(Answer):
    """Balances, one an asset."""

    balances: list[Balance]


class FillsAnswer(Answer):
    """Fills, oldest first."""

    fills: list[Fill]
    next_cursor: str | None


class LedgerAnswer(Answer):
    """Ledger entries, oldest first."""

    entries: list[LedgerEntry]
    next_cursor: str | None


class KeysAnswer(Answer):
    """Keys, without their secrets."""

    keys: list[Key]
    next_cursor: str | None = None


class KeyAnswer(Answer):
    """A key."""

    key: Key


class AccountAnswer(Answer):
    """An account."""

    account: Account


class AccountsAnswer(Answer):
    """Accounts, oldest first."""

    accounts: list[Account]
    next_cursor: str | None


class TransferAnswer(Answer):
    """A transfer."""

    transfer: Transfer
