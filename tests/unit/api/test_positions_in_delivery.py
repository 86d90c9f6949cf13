"""What a position is worth in delivery: its mark, and the part of a tick that days have fixed."""

from decimal import Decimal

from api.answers_account import position
from exchange.rules.records import Contract, Position


def test_the_part_of_a_tick_counts_in_value_and_gain():
    contract = Contract(0, "H100-USE-2027M01")
    contract.tick_value_usd_micros, contract.mark_ticks = 744_000, 2_000
    held = Position(0, 0)
    held.qty_lots, held.entry_usd_micros = -3, -3 * 744_000 * 2_000
    assert position(contract, held)["unrealised_pnl"] == "0.00"
    contract.fine_usd_micros = 700_000
    said = position(contract, held)
    assert Decimal(said["unrealised_pnl"]) == Decimal("-2.10")
    assert Decimal(said["value"]) == Decimal("-4466.10")
