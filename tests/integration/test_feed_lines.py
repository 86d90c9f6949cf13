"""Feeds of lines: the trades of the binary form, every kind of command, errors with their place."""

import json
from pathlib import Path

import pytest

from exchange.rules.feed_lines import KINDS, LineError, Names, decoded, row_of
from exchange.services.replay import FeedError, replay_feed
from exchange.services.replay_lines import LineRunner, replay_lines, write_lines
from matching.codes import Kind
from matching.state import Sizes

FEED = Path(__file__).parent / "feeds" / "synthetic_20k.bin.xz"
SIZES = Sizes(price_bits=12, accounts=8, contracts=4, positions=64, orders=256, client_ids=64,
              scenarios=8)  # fmt: skip
OPENING = (
    {"kind": "open_account", "account": "alice"},
    {"kind": "deposit", "account": "alice", "amount": "1000000.00"},
    {"kind": "open_account", "account": "bob"},
    {"kind": "deposit", "account": "bob", "amount": "1000000.00"},
    {"kind": "list", "symbol": "M3", "price": "2.150", "tick_value": "0.744", "quantity": "100",
     "state": "continuous", "band_bps": 0, "blocks": {"min_quantity": "5", "range_bps": 200}},
    {"kind": "list", "symbol": "M4", "price": "2.150", "tick_value": "0.744", "quantity": "100",
     "state": "continuous"},
)  # fmt: skip


def test_a_binary_feed_as_lines_gives_the_same_trades(tmp_path: Path) -> None:
    lines, binary_csv, lines_csv = (tmp_path / name for name in ("f.jsonl", "b.csv", "l.csv"))
    count = write_lines(FEED, lines, accounts=100)
    binary = replay_feed(FEED, accounts=100, trades_path=binary_csv)
    found = replay_lines(lines, trades_path=lines_csv)
    same = ("trades", "qty", "trade_hash", "refused")
    assert {name: found[name] for name in same} == {name: binary[name] for name in same}
    assert found["commands"] == count > binary["commands"]
    assert [row.split(",")[1:] for row in lines_csv.read_text().splitlines()] == [
        row.split(",")[1:] for row in binary_csv.read_text().splitlines()
    ]


def run(*lines: dict[str, object]) -> LineRunner:
    runner = LineRunner(SIZES)
    for line in (*OPENING, *lines):
        runner.run(json.dumps(line))
    return runner


def test_orders_and_deals_are_named_by_the_ids_of_their_lines() -> None:
    runner = run(
        {"kind": "place", "id": "s1", "account": "alice", "symbol": "M3", "side": "sell",
         "price": "2.150", "quantity": "9", "client_order_id": "mine"},
        {"kind": "amend", "account": "alice", "order": "s1", "open_quantity": "7"},
        {"kind": "place", "account": "bob", "symbol": "M3", "side": "buy", "price": "2.150",
         "quantity": "2", "tif": "IOC", "stp": "cancel_newest"},
        {"kind": "propose", "id": "p1", "account": "alice", "counterparty": "bob", "symbol": "M3",
         "side": "buy", "price": "2.160", "quantity": "5", "state": "efp", "expires_at": 60},
        {"kind": "accept", "account": "bob", "order": "p1"},
        {"kind": "request_quotes", "id": "r1", "account": "bob", "symbol": "M4", "side": "buy",
         "quantity": "1", "expires_at": 60},
        {"kind": "decline", "account": "bob", "order": "r1"},
        {"kind": "list_combination", "symbol": "M3M4", "legs": [["M3", 1], ["M4", -1]],
         "quantity": "10", "state": "continuous"},
        {"kind": "cancel", "account": "alice", "order": "s1"},
        {"kind": "tick", "ts_ns": 2_000},
    )  # fmt: skip
    assert (runner.refused, runner.trades, runner.qty_lots) == (0, 1, 2)
    assert runner.engine.position(0, 0)[:3] == (3, 0, 0)
    assert runner.engine.now_ns == 2_000
    runner.engine.check()


def test_every_kind_of_command_is_a_kind_of_line() -> None:
    assert set(KINDS.values()) == set(map(int, Kind))
    for name, kind in KINDS.items():
        assert int(row_of({"kind": name, "flags": 0}, Names())[0]["kind"]) == kind


def test_shocks_and_parameters_reach_their_words() -> None:
    runner = run(
        {"kind": "stage_shocks", "symbol": "M3", "first": 0, "shocks": [-5, 7]},
        {"kind": "swap_scenarios", "scenarios": 2, "worst": 1},
        {"kind": "set_band", "symbol": "M3", "band_bps": 100},
        {"kind": "set_blocks", "symbol": "M4", "blocks": {"min_quantity": "3", "range_bps": 50}},
        {"kind": "mark", "symbol": "M3", "price": "2.000"},
        {"kind": "settle", "symbol": "M3", "price": "2.001"},
        {"kind": "set_state", "symbol": "M4", "state": "halt"},
        {"kind": "set_account", "account": "bob", "state": "reduce_only"},
        {"kind": "mass_cancel", "account": "bob", "side": "buy"},
    )
    assert runner.refused == 0
    assert runner.engine.state.shocks[:2].tolist() == [-5, 7]
    assert runner.engine.contract_row(0)["settle_ticks"] == 2001
    assert runner.engine.state.days[1]["block_min_lots"] == 3


PLACE = {"kind": "place", "account": "alice", "symbol": "M3", "side": "buy", "price": "2.150",
         "quantity": "1"}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("{", ""),
        ("[1]", ""),
        ('{"kind": "place", "kind": "place"}', "kind"),
        ('{"kind": "leap"}', "kind"),
        (PLACE | {"colour": 1}, "colour"),
        (PLACE | {"price": 2.15}, "price"),
        (PLACE | {"price": "2.1501"}, "price"),
        (PLACE | {"quantity": "-1"}, "quantity"),
        (PLACE | {"side": "up"}, "side"),
        (PLACE | {"tif": "gtc"}, "tif"),
        (PLACE | {"post_only": 1}, "post_only"),
        (PLACE | {"account": "carol"}, "account"),
        (PLACE | {"symbol": "M9"}, "symbol"),
        (PLACE | {"client_order_id": "x" * 33}, "client_order_id"),
        (PLACE | {"ref_id": 1 << 63}, "ref_id"),
        (PLACE | {"flags": True}, "flags"),
        ({"kind": "cancel", "account": "alice", "order": "nothing"}, "order"),
        ({"kind": "set_state", "symbol": "M3", "state": "asleep"}, "state"),
        ({"kind": "list_combination", "symbol": "X", "legs": [["M3", 2]]}, "legs"),
        ({"kind": "stage_shocks", "symbol": "M3", "shocks": [1] * 9}, "shocks"),
        ({"kind": "tick", "ts_ns": 1, "seq": 4}, "seq"),
    ],
)
def test_a_line_that_cannot_be_read_names_its_field(line: object, field: str) -> None:
    runner = run()
    with pytest.raises(LineError) as found:
        runner.run(line if isinstance(line, str) else json.dumps(line))
    assert found.value.field == field


def test_the_feed_error_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    bad = json.dumps(PLACE | {"price": "two"})
    path.write_text("\n".join([*map(json.dumps, OPENING), "", bad]) + "\n")
    with pytest.raises(FeedError, match=r"^line 8: price: "):
        replay_lines(path, sizes=SIZES)


def test_time_never_goes_back() -> None:
    runner = run({"kind": "tick", "ts_ns": 9})
    with pytest.raises(LineError, match="ts_ns"):
        runner.run('{"kind": "tick", "ts_ns": 8}')


def test_a_decoded_line_keeps_its_fields() -> None:
    assert decoded('{"kind": "tick"}') == {"kind": "tick"}
