"""The rows that clearing writes of contracts in delivery; see `clearing_rows.py`."""

from typing import NamedTuple


class AccrualRow(NamedTuple):
    """A settlement of a contract in delivery: what a lot is worth, days of it fixed."""

    contract_idx: int
    seq: int
    ordinal: int  # 1 for the first of the contract
    settled_ns: int
    days_fixed: int
    days: int
    is_final: bool
    worth_usd_micros: int  # of one lot
    open_interest_lots: int
    paid_usd_micros: int  # sum of what the gaining accounts received
    digest: str  # of the prints it was reached from, see final_settlement.py
