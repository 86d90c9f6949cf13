"""The invariants of calls and guards, taken from scratch; `checks.py` says how."""

import numpy as np

from matching.check_stops import waits
from matching.codes import DETAILED, MARKET_ORDER, Tif, TradingState
from matching.lifetimes import OVER
from matching.limits import LIVES
from matching.state import LIFE_LISTS, State


def check_calls(s: State, live: list[int]) -> None:
    """A call runs in its state only, will be woken for, and holds what is for it alone."""
    due: list[int] = []
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        call, state = s.calls[contract_idx], s.contracts[contract_idx]["state"]
        where = f"call of contract {contract_idx}"
        assert (call["phase"] != 0) == (state == TradingState.AUCTION), f"{where}: state {state}"
        times = [int(call[name]) for name in ("ends_after_ns", "ends_ns", "indicative_due_ns")]
        assert call["phase"] != 0 or times == [0, 0, 0], f"{where}: over, with times"
        assert times[0] <= times[1], f"{where}: ends before its earliest end"
        assert times[1] <= call["ends_before_ns"], f"{where}: ends after its latest end"
        assert call["phase"] != 0 or call["ends_before_ns"] == 0, f"{where}: over, with an end"
        due += [ts_ns for ts_ns in times[1:] if ts_ns]
        check_ending(s, contract_idx)
        check_guard(s, contract_idx)
    check_lives(s, live)
    if due:
        assert 0 < s.meta[0]["next_call_ns"] <= min(due), "nobody is woken for a call"
    for idx in live:
        order = s.orders[idx]
        if waits(s, idx):
            continue  # it stands nowhere yet
        calling = s.calls[order["book_idx"] >> 1]["phase"] != 0
        assert calling or order["tif"] != Tif.GFA, f"order {idx} outlives its call"
        over = s.meta[0]["aftermath"] & LIVES
        assert over or not (calling and order["tif"] == Tif.GFN), f"order {idx} stands in a call"
        in_line = bool(order["flags"] & MARKET_ORDER)
        assert not in_line or order["tif"] == Tif.GFA, f"market order {idx} without a call"


def check_lives(s: State, live: list[int]) -> None:
    """Who ends with a call or a day is in a list of its contract, once; what is over is ended."""
    listed: dict[int, int] = {}
    for which in range(LIFE_LISTS * int(s.meta[0]["contracts_count"])):
        row, before = s.life_lists[which], 0
        contract_idx, place = divmod(which, LIFE_LISTS)
        base = which - OVER if place > OVER else which
        idx = int(row["head"])
        assert not (idx and place > OVER) or s.meta[0]["aftermath"] & LIVES, "who is over stays"
        while idx:
            life, order = s.lives[idx], s.orders[idx]
            where = f"order {idx} in list {which}"
            assert idx not in listed and life["prev"] == before, f"{where}: links"
            assert life["which"] == base + 1 and order["flags"] & DETAILED, f"{where}: {life}"
            kind = (int(order["book_idx"]) >> 1, int(order["tif"]))
            assert kind == (contract_idx, base % LIFE_LISTS + Tif.GFA), f"{where}: {kind}"
            listed[idx], before, idx = which, idx, int(life["next"])
        assert row["tail"] == before, f"tail of list {which}"
    for idx in live:
        tif = int(s.orders[idx]["tif"])
        wanted = tif == Tif.DAY or (tif > Tif.GTD and not waits(s, idx))
        assert (idx in listed) == wanted, f"nobody looks for order {idx}"
    used = s.lives[: s.meta[0]["orders_used"] + 1]
    assert np.count_nonzero(used["which"]) == len(listed), "who is gone is listed"


def check_ending(s: State, contract_idx: int) -> None:
    """A contract whose trading has ended does not trade; one that will is woken for."""
    contract, where = s.contracts[contract_idx], f"end of contract {contract_idx}"
    timed, ended, state = bool(contract["timed"]), bool(contract["ended"]), contract["state"]
    assert not ended or state in (TradingState.HALT, TradingState.EXPIRED), f"{where}: {state}"
    assert not (timed or ended) or not contract["legs_count"], f"{where}: a combination's"
    assert ended or not contract["delivers"], f"{where}: delivers and trades"
    worth = contract["fine_usd_micros"]
    assert 0 <= worth < contract["tick_value_usd_micros"] or contract["legs_count"], (
        f"{where}: {worth}"
    )
    assert contract["delivers"] or not worth, f"{where}: a part of a tick"
    assert timed or not ended, f"{where}: ended without a time"
    if timed and not ended and state != TradingState.EXPIRED:
        assert 0 < s.meta[0]["next_end_ns"] <= contract["last_trade_ns"], f"{where}: nobody wakes"


def check_guard(s: State, contract_idx: int) -> None:
    """The keys of both books say what the guards allow."""
    call, contract = s.calls[contract_idx], s.contracts[contract_idx]
    top = int(s.meta[0]["price_top"])
    daily = (call["daily_bps"], call["daily_next_bps"], 0)[int(call["daily_stage"])]
    limits = [(0, top)]
    for centre, bps in (
        (int(call["guard_ticks"]), int(call["velocity_bps"])),
        (int(contract["settle_ticks"]), int(daily)),
    ):
        width = max(1, centre * bps // 10_000)
        limits += [(centre - width, centre + width)] * (bps != 0)
    low, high = max(a for a, _ in limits), min(b for _, b in limits)
    buys, sells = s.books[2 * contract_idx], s.books[2 * contract_idx + 1]
    where = f"guard of contract {contract_idx}"
    assert (sells["guard_best_key"], sells["guard_key"]) == (low, high), f"{where}: sells"
    assert (buys["guard_key"], buys["guard_best_key"]) == (top - low, top - high), f"{where}: buys"
