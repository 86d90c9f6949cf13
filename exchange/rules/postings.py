"""Double entry: every movement of money as a transfer whose postings sum to zero.

A posting is positive when the owner of the ledger account has more. Members'
cash is what the house owes them, so `deposits:usd`, the bank, runs negative by
what it holds. `settlement:usd` is passed through by variation margin and is
zero before and after: collected from the losers first, then paid to the winners.

An asset that is no cash is counted in its own smallest units, and sums to zero by itself:
`asset:BTC:7` is what the house owes account 7, `leaving:BTC:7` what it is about to pay out, and
`custody:BTC` runs negative by what the custodian holds. No transfer has two assets.
"""

from collections.abc import Iterable
from typing import Final

from exchange.rules.assets import asset_code
from exchange.rules.clearing_rows import (
    DEPOSIT,
    MOVE,
    VARIATION_COLLECT,
    VARIATION_PAY,
    WITHDRAWAL,
    BalanceRow,
    LedgerAccountRow,
    PostingRow,
    TransferRow,
)
from matching.codes import AssetMove, Charge

CASH: Final = "cash:"
FEES: Final = "fees:usd"
TRANSFER: Final = "transfer"
CHARGES: Final[dict[int, str]] = {
    Charge.TRADING_FEE: "trading_fee",
    Charge.CLEARING_FEE: "clearing_fee",
    Charge.DELIVERY_FEE: "delivery_fee",
    Charge.REBATE: "rebate",
}
# Reason, where units come from and where they go; the account's index joins the first two names.
MOVES: Final[dict[int, tuple[str, str, str]]] = {
    AssetMove.DEPOSIT: ("asset_deposit", "custody", "asset"),
    AssetMove.RESERVE: ("asset_reserve", "asset", "leaving"),
    AssetMove.PAID: ("asset_paid", "leaving", "custody"),
    AssetMove.RETURN: ("asset_return", "leaving", "asset"),
}

DEPOSITS_ID: Final = 1
SETTLEMENT_ID: Final = 2
HOUSE_ACCOUNTS: Final = (
    LedgerAccountRow(DEPOSITS_ID, "deposits:usd", None),
    LedgerAccountRow(SETTLEMENT_ID, "settlement:usd", None),
)


class Books:
    """The ledger accounts and their balances; postings are appended, never changed.

    Variation margin is netted per account until `flush`, which comes before any
    other movement of money and at the end of each journal batch.
    """

    def __init__(
        self, accounts: Iterable[LedgerAccountRow] = HOUSE_ACCOUNTS, transfer_id: int = 0
    ) -> None:
        self.transfer_id = transfer_id  # the last one given
        self.cash_ids: dict[int, int] = {}  # account_idx -> ledger_account_id
        self._ids: dict[str, int] = {}  # of all others, by their code
        self._balances: dict[int, tuple[int, int]] = {}  # id -> version, usd micros
        self._pending: dict[int, int] = {}  # ledger_account_id -> net variation margin
        self._pending_at = (0, 0)  # seq and time of the last settlement in it
        self._touched: dict[int, int] = {}  # ledger_account_id -> seq
        self.opened: list[LedgerAccountRow] = []
        self.transfers: list[TransferRow] = []
        self.postings: list[PostingRow] = []
        for account in accounts:
            self._add(account)

    def set_balance(self, row: BalanceRow) -> None:
        """Take over a stored balance."""
        self._balances[row.ledger_account_id] = (row.version, row.balance_usd_micros)

    def open_cash(self, account_idx: int) -> None:
        """Open the cash account of a new exchange account."""
        row = LedgerAccountRow(len(self._balances) + 1, f"cash:{account_idx}", account_idx)
        self._add(row)
        self.opened.append(row)

    def cash_usd_micros(self, account_idx: int) -> int:
        """Return what the ledger says an account has in cash, pending netting included."""
        ledger_id = self.cash_ids[account_idx]
        return self._balances[ledger_id][1] + self._pending.get(ledger_id, 0)

    def move_cash(
        self, seq: int, account_idx: int, amount_usd_micros: int, ref_id: int, ts_ns: int
    ) -> None:
        """Post a deposit (positive) or a withdrawal (negative)."""
        self.flush()
        reason = DEPOSIT if amount_usd_micros > 0 else WITHDRAWAL
        lines = {DEPOSITS_ID: -amount_usd_micros, self.cash_ids[account_idx]: amount_usd_micros}
        self._post(TransferRow(self.transfer_id + 1, seq, 0, reason, ref_id, ts_ns), lines)

    def shift_cash(
        self,
        seq: int,
        giver_idx: int,
        receiver_idx: int,
        amount_usd_micros: int,
        ref_id: int,
        ts_ns: int,
    ) -> None:
        """Post money that goes from one account to another."""
        self.flush()
        lines = {
            self.cash_ids[giver_idx]: -amount_usd_micros,
            self.cash_ids[receiver_idx]: amount_usd_micros,
        }
        self._post(TransferRow(self.transfer_id + 1, seq, 0, MOVE, ref_id, ts_ns), lines)

    def charge(
        self, seq: int, account_idx: int, amount_usd_micros: int, kind: int, ref_id: int, ts_ns: int
    ) -> None:
        """Post a fee (positive) into the house's income, or a rebate (negative) out of it."""
        self.flush()
        lines = {
            self.cash_ids[account_idx]: -amount_usd_micros,
            self._opened(FEES, None): amount_usd_micros,
        }
        self._post(TransferRow(self.transfer_id + 1, seq, 0, CHARGES[kind], ref_id, ts_ns), lines)

    def send_cash(
        self, seq: int, giver_idx: int, receiver_idx: int, amount: int, ref_id: int, ts_ns: int
    ) -> None:
        """Post cash from one account to another."""
        self.flush()
        lines = {self.cash_ids[giver_idx]: -amount, self.cash_ids[receiver_idx]: amount}
        self._post(TransferRow(self.transfer_id + 1, seq, 0, TRANSFER, ref_id, ts_ns), lines)

    def move_asset(
        self, seq: int, account_idx: int, asset: int, move: int, units: int, ref_id: int, ts_ns: int
    ) -> None:
        """Post units of an asset in, aside, out or back."""
        self.flush()
        reason, *places = MOVES[move]
        symbol = asset_code(asset)
        ids = []
        for place in places:
            owner = None if place == "custody" else account_idx
            code = f"{place}:{symbol}" if owner is None else f"{place}:{symbol}:{owner}"
            ids.append(self._opened(code, owner))
        lines = {ids[0]: -units, ids[1]: units}
        self._post(TransferRow(self.transfer_id + 1, seq, 0, reason, ref_id, ts_ns), lines)

    def sell_asset(
        self,
        seq: int,
        parties: tuple[int, int],
        asset: int,
        units: int,
        amount: int,
        ref_id: int,
        ts_ns: int,
    ) -> None:
        """Post units from the first of two accounts to the second, then the cash for them."""
        self.flush()
        symbol, (seller, buyer) = asset_code(asset), parties
        ids = [self._opened(f"asset:{symbol}:{idx}", idx) for idx in parties]
        sold = TransferRow(self.transfer_id + 1, seq, 0, MOVE, ref_id, ts_ns)
        self._post(sold, {ids[0]: -units, ids[1]: units})
        paid = TransferRow(self.transfer_id + 1, seq, 1, MOVE, ref_id, ts_ns)
        self._post(paid, {self.cash_ids[buyer]: -amount, self.cash_ids[seller]: amount})

    def all_units(self) -> dict[tuple[int, str], int]:
        """Return units by account and asset, those that are leaving included."""
        units: dict[tuple[int, str], int] = {}
        for code, ledger_id in self._ids.items():
            place, _, rest = code.partition(":")
            symbol, _, owner = rest.partition(":")
            if place in ("asset", "leaving"):
                key = (int(owner), symbol)
                units[key] = units.get(key, 0) + self._balances[ledger_id][1]
        return units

    def add_variation(self, seq: int, account_idx: int, amount_usd_micros: int, ts_ns: int) -> None:
        """Add one account's variation margin to what is posted at the next `flush`."""
        ledger_id = self.cash_ids[account_idx]
        self._pending[ledger_id] = self._pending.get(ledger_id, 0) + amount_usd_micros
        self._pending_at = (seq, ts_ns)

    def flush(self) -> None:
        """Post the netted variation margin: collect, then pay."""
        if not self._pending:
            return
        seq, ts_ns = self._pending_at
        lines = sorted(self._pending.items())
        self._pending = {}
        assert sum(amount for _, amount in lines) == 0, "variation margin does not sum to zero"
        collected = {ledger_id: amount for ledger_id, amount in lines if amount < 0}
        if not collected:
            return  # everything netted away
        paid = {ledger_id: amount for ledger_id, amount in lines if amount > 0}
        for leg, (reason, side) in enumerate(
            ((VARIATION_COLLECT, collected), (VARIATION_PAY, paid))
        ):
            side[SETTLEMENT_ID] = -sum(side.values())
            self._post(TransferRow(self.transfer_id + 1, seq, leg, reason, 0, ts_ns), side)
        assert self._balances[SETTLEMENT_ID][1] == 0, "the settlement account keeps money"

    def balances(self) -> list[BalanceRow]:
        """Return the balances that changed since the last `clear`."""
        return [
            BalanceRow(ledger_id, *self._balances[ledger_id], seq)
            for ledger_id, seq in self._touched.items()
        ]

    def all_balances(self) -> dict[int, tuple[int, int]]:
        """Return version and balance of every ledger account by its id."""
        return dict(self._balances)

    def clear(self) -> None:
        """Forget the rows that were written."""
        self._touched = {}
        self.opened = []
        self.transfers = []
        self.postings = []

    def _add(self, row: LedgerAccountRow) -> None:
        assert row.ledger_account_id not in self._balances
        self._balances[row.ledger_account_id] = (0, 0)
        if row.account_idx is not None and row.code.startswith(CASH):
            self.cash_ids[row.account_idx] = row.ledger_account_id
        else:
            self._ids[row.code] = row.ledger_account_id

    def _opened(self, code: str, account_idx: int | None) -> int:
        """Return the ledger account of a code, opened when it is used first."""
        if code not in self._ids:
            row = LedgerAccountRow(len(self._balances) + 1, code, account_idx)
            self._add(row)
            self.opened.append(row)
        return self._ids[code]

    def _post(self, transfer: TransferRow, lines: dict[int, int]) -> None:
        assert sum(lines.values()) == 0
        self.transfer_id = transfer.transfer_id
        self.transfers.append(transfer)
        for ledger_id, amount_usd_micros in sorted(lines.items()):
            version, balance_usd_micros = self._balances[ledger_id]
            after = (version + 1, balance_usd_micros + amount_usd_micros)
            self._balances[ledger_id] = after
            self._touched[ledger_id] = transfer.seq
            posting = (transfer.transfer_id, ledger_id, after[0], amount_usd_micros, after[1])
            self.postings.append(PostingRow(*posting, transfer.ts_ns))
