"""The invariants of a state, taken from scratch: plain Python and numpy, no kernel is trusted.

Run after simulator steps, in tests, and by audits. Slow by design.
"""

from collections import defaultdict

import numpy as np

from matching.check_stops import check_stops, waits
from matching.checks_books import check_bitmaps, check_levels
from matching.checks_calls import check_calls
from matching.checks_collateral import check_collateral
from matching.checks_deals import check_days, check_deals
from matching.checks_implied import check_implied
from matching.checks_legs import check_combinations, gross_of
from matching.codes import DETAILED, QUOTE_GROUP_SHIFT, Flag, TradingState
from matching.limits import (
    ACCOUNTS_MAX,
    ENDS,
    ORDERS_MAX,
    PEGS_MAX,
    QUOTE_GROUPS,
    SHOCKS_PER_COMMAND,
    TIMERS_PER_ACCOUNT,
)
from matching.losses import LOSSES_UNKNOWN
from matching.state import State

MEETING = (TradingState.CONTINUOUS, TradingState.CLOSE_ONLY)


def check_state(s: State) -> None:
    """Hold every invariant against the state.

    Errors:
        AssertionError: what does not hold, and where.
    """
    live = live_orders(s)
    check_pool(s, live)
    check_details(s, live)
    check_levels(s, live)
    check_bitmaps(s, live)
    check_stops(s, live)
    check_not_crossed(s)
    check_own_lists(s, live)
    check_positions(s, live)
    check_contracts(s)
    check_combinations(s)
    check_implied(s)
    check_accounts(s, live)
    check_worst(s)
    check_client_ids(s)
    check_expiries(s, live)
    check_protections(s, live)
    check_days(s)
    check_deals(s)
    check_calls(s, live)
    check_collateral(s)


def live_orders(s: State) -> list[int]:
    """Return the slots of open orders."""
    return [int(i) for i in np.flatnonzero(s.orders[: s.meta[0]["orders_used"] + 1]["order_id"])]


def check_pool(s: State, live: list[int]) -> None:
    """Every slot is open or free, once; open orders are sound."""
    free: list[int] = []
    order_idx = int(s.meta[0]["orders_free"])
    while order_idx and len(free) <= s.meta[0]["orders_used"]:
        free.append(order_idx)
        order_idx = int(s.orders[order_idx]["next"])
    assert sorted(free + live) == list(range(1, int(s.meta[0]["orders_used"]) + 1)), "order slots"
    assert s.meta[0]["orders_open"] == len(live), "count of open orders"
    for idx in live:
        order = s.orders[idx]
        position = s.positions[order["position_idx"]]
        least = 0 if waits(s, idx) else 1  # a bracket's child sleeps without lots
        assert order["leaves_lots"] >= least and order["filled_lots"] >= 0, f"lots of order {idx}"
        assert order["account_idx"] == position["account_idx"], f"account of order {idx}"
        assert order["book_idx"] >> 1 == position["contract_idx"], f"contract of order {idx}"
        contract = s.contracts[order["book_idx"] >> 1]
        ended = contract["state"] == TradingState.EXPIRED or contract["delivers"]
        going = s.meta[0]["aftermath"] & ENDS or s.details[idx]["listed"]
        assert not ended or going, f"order {idx} after the end"


def check_details(s: State, live: list[int]) -> None:
    """An iceberg shows a part of what it has; whoever has no detail has a blank one."""
    used = s.details[: s.meta[0]["orders_used"] + 1]
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        check_pegs(s, contract_idx, live)
    detailed = [idx for idx in live if s.orders[idx]["flags"] & DETAILED]
    for idx in detailed:
        detail, leaves_lots = used[idx], s.orders[idx]["leaves_lots"]
        if detail["display_lots"]:
            most_lots = min(detail["display_lots"], leaves_lots)
            assert 0 < detail["shown_lots"] <= most_lots, f"what iceberg {idx} shows"
    assert not np.delete(used, detailed).tobytes().strip(b"\0"), "detail of a plain order"


def check_pegs(s: State, contract_idx: int, live: list[int]) -> None:
    """A contract's list of pegs holds its pegged orders, oldest first, and no more than it may."""
    pegged = [idx for idx in live if s.details[idx]["peg"]]
    mine = [idx for idx in pegged if s.orders[idx]["book_idx"] >> 1 == contract_idx]
    mine.sort(key=lambda idx: int(s.orders[idx]["order_id"]))
    listed = s.pegs[contract_idx * PEGS_MAX : (contract_idx + 1) * PEGS_MAX].tolist()
    assert listed[: len(mine)] == mine and not any(listed[len(mine) :]), "list of pegs"
    counts = [s.contracts[contract_idx], *s.books[2 * contract_idx : 2 * contract_idx + 2]]
    assert all(row["pegs"] == len(mine) for row in counts), "count of pegs"


def check_not_crossed(s: State) -> None:
    """No buy rests at or above a sell where orders meet; in a call, or after one, they may."""
    top = int(s.meta[0]["price_top"])
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        buy, sell = (int(s.books[2 * contract_idx + side]["best_key"]) for side in (0, 1))
        if buy <= top and sell <= top and s.contracts[contract_idx]["state"] in MEETING:
            assert top - buy < sell, f"contract {contract_idx} is crossed"


def check_own_lists(s: State, live: list[int]) -> None:
    """Each position's list holds its orders, oldest first; accounts count theirs."""
    members: dict[int, list[int]] = defaultdict(list)
    for idx in live:
        members[int(s.orders[idx]["position_idx"])].append(idx)
    for position_idx in range(1, int(s.meta[0]["positions_count"]) + 1):
        listed: list[int] = []
        before = 0
        idx = int(s.positions[position_idx]["order_head"])
        while idx and len(listed) <= len(live):
            assert s.orders[idx]["prev_own"] == before, f"own list of position {position_idx}"
            listed.append(idx)
            before, idx = idx, int(s.orders[idx]["next_own"])
        assert sorted(listed) == sorted(members[position_idx]), f"orders of position {position_idx}"
        seqs = [int(s.orders[i]["order_id"]) // ORDERS_MAX for i in listed]
        assert seqs == sorted(seqs), f"own list of position {position_idx}: not the oldest first"
        assert s.positions[position_idx]["order_tail"] == before, f"position {position_idx}: tail"


def check_positions(s: State, live: list[int]) -> None:
    """Resting lots are those of the orders; lists by account and by contract hold all."""
    resting: dict[tuple[int, int], int] = defaultdict(int)
    for idx in live:
        order = s.orders[idx]
        if waits(s, idx):
            continue
        resting[int(order["position_idx"]), int(order["book_idx"]) & 1] += int(order["leaves_lots"])
    for idx in range(1, int(s.meta[0]["positions_count"]) + 1):
        position = s.positions[idx]
        assert position["buy_lots"] == resting[idx, 0], f"position {idx}: resting buys"
        assert position["sell_lots"] == resting[idx, 1], f"position {idx}: resting sells"
    check_position_lists(s, "accounts", "account_idx", "next_of_account")
    check_position_lists(s, "contracts", "contract_idx", "next_of_contract")


def check_position_lists(s: State, array: str, key: str, link: str) -> None:
    """Each owner's list holds its positions in order of creation."""
    positions = s.positions[: s.meta[0]["positions_count"] + 1]
    expected: dict[int, list[int]] = defaultdict(list)
    for idx in range(1, len(positions)):
        expected[int(positions[idx][key])].append(idx)
    for owner_idx in range(int(s.meta[0][f"{array}_count"])):
        owner = getattr(s, array)[owner_idx]
        listed: list[int] = []
        idx = int(owner["position_head"])
        while idx and len(listed) < len(positions):
            listed.append(idx)
            idx = int(positions[idx][link])
        assert listed == expected[owner_idx], f"positions of {array}[{owner_idx}]"
        assert owner["position_tail"] == (listed[-1] if listed else 0), f"tail of {array}"


def check_contracts(s: State) -> None:
    """Positions and unsettled money of a contract sum to zero; longs are its open interest."""
    positions = s.positions[1 : s.meta[0]["positions_count"] + 1]
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        held = positions[positions["contract_idx"] == contract_idx]
        lots = [int(q) for q in held["qty_lots"]]
        contract = s.contracts[contract_idx]
        assert sum(lots) == 0, f"contract {contract_idx}: positions sum to {sum(lots)}"
        assert sum(q for q in lots if q > 0) == contract["open_interest_lots"], "open interest"
        assert sum(int(u) for u in held["unsettled_usd_micros"]) == 0, "unsettled money"


def check_accounts(s: State, live: list[int]) -> None:
    """An account's sums are those of its positions and orders."""
    count = int(s.meta[0]["accounts_count"])
    unsettled, gross, losses, opened, stops = ([0] * count for _ in range(5))
    for position in s.positions[1 : s.meta[0]["positions_count"] + 1]:
        account_idx = int(position["account_idx"])
        lots = abs(int(position["qty_lots"])) + int(position["buy_lots"] + position["sell_lots"])
        tick_value = gross_of(s, int(position["contract_idx"]))
        unsettled[account_idx] += int(position["unsettled_usd_micros"])
        gross[account_idx] += lots * tick_value
    for idx in live:
        order = s.orders[idx]
        tick_value = int(s.contracts[order["book_idx"] >> 1]["tick_value_usd_micros"])
        ticks = max(0, int(s.books[order["book_idx"]]["mark_key"]) - int(order["key"]))
        opened[order["account_idx"]] += 1
        if waits(s, idx):
            stops[order["account_idx"]] += 1
        else:
            losses[order["account_idx"]] += int(order["leaves_lots"]) * tick_value * ticks
    rows = s.accounts[:count]
    assert rows["unsettled_usd_micros"].tolist() == unsettled, "unsettled money of accounts"
    assert rows["gross_tick_value"].tolist() == gross, "gross of accounts"
    counted = s.collaterals[:count]["counted_usd_micros"]
    known = rows["limited"] & LOSSES_UNKNOWN == 0
    kept = (rows["claims_usd_micros"] + counted)[known]
    assert np.array_equal(kept, np.array(losses, "<i8")[known]), "price loss of accounts"
    assert rows["open_orders"].tolist() == opened, "open orders of accounts"
    assert rows["stops"].tolist() == stops, "stops of accounts"


def check_worst(s: State) -> None:
    """W is what positions and orders give."""
    meta = s.meta[0]
    count, stride = int(meta["accounts_count"]), int(meta["scenarios_max"])
    assert stride % SHOCKS_PER_COMMAND == 0
    shocks = s.shocks.reshape(-1, stride)
    worst = np.zeros((count, stride), "<i8")
    for position in s.positions[1 : meta["positions_count"] + 1]:
        profit = shocks[position["contract_idx"]]
        row = worst[position["account_idx"]]
        row -= position["qty_lots"] * profit
        row += position["buy_lots"] * np.maximum(0, -profit)
        row += position["sell_lots"] * np.maximum(0, profit)
    kept = s.worst[: count * stride].reshape(count, stride)
    assert np.array_equal(kept, worst), f"W of account {np.argwhere(kept != worst)[:1].tolist()}"


def check_client_ids(s: State) -> None:
    """The ring holds every kept id once, oldest to newest; open ones are counted."""
    meta = s.meta[0]
    ring: list[int] = []
    before, idx = 0, int(meta["client_ids_oldest"])
    while idx and len(ring) <= meta["client_ids_count"]:
        assert s.client_ids[idx]["prev"] == before, f"client id {idx} points back wrongly"
        ring.append(idx)
        before, idx = idx, int(s.client_ids[idx]["next"])
    kept = np.flatnonzero(s.client_ids[: meta["client_ids_used"] + 1]["order_id"]).tolist()
    assert sorted(ring) == kept and len(ring) == meta["client_ids_count"], "ring of client ids"
    assert meta["client_ids_newest"] == before, "newest client id"
    orders = s.orders[: meta["orders_used"] + 1]
    named = orders[(orders["order_id"] != 0) & (orders["client_idx"] != 0)]
    assert len(named) == meta["client_ids_open"], "open client ids"
    ids = s.client_ids[named["client_idx"]]["order_id"]
    assert np.array_equal(ids, named["order_id"]), "orders and their client ids"


def check_expiries(s: State, live: list[int]) -> None:
    """The heap is a heap, and every order with an end is in it."""
    entries = s.expiries[: s.meta[0]["expiries_count"]]
    pairs = [(int(e["expires_ns"]), int(e["order_id"])) for e in entries]
    assert all(pairs[(i - 1) // 2] <= pairs[i] for i in range(1, len(pairs))), "heap of expiries"
    assert s.meta[0]["next_expiry_ns"] == (pairs[0][0] if pairs else 0), "next expiry"
    timers = s.timers[: TIMERS_PER_ACCOUNT * s.meta[0]["accounts_count"]]
    waits = [(int(t["wake_ns"]), place) for place, t in enumerate(timers) if t["wake_ns"]]
    entries_of_timers = {(ns, place - 2 * ACCOUNTS_MAX) for ns, place in waits}
    assert entries_of_timers <= set(pairs), "timers missing from the heap"
    assert not [t for t in timers if t["due_ns"] and not 0 < t["wake_ns"] <= t["due_ns"]], "timers"
    due = [(int(s.orders[i]["expires_ns"]), int(s.orders[i]["order_id"])) for i in live]
    assert {d for d in due if d[0]} <= set(pairs), "orders missing from the heap"


def check_protections(s: State, live: list[int]) -> None:
    """A quote is its position's; no frozen group has quotes; nothing waits between commands."""
    meta, count = s.meta[0], int(s.meta[0]["accounts_count"])
    for idx in live:
        order = s.orders[idx]
        if order["flags"] & Flag.QUOTE:
            name = "quote_sell_idx" if order["book_idx"] & 1 else "quote_buy_idx"
            assert s.positions[order["position_idx"]][name] == idx, f"quote {idx}"
            group = (int(order["flags"]) >> QUOTE_GROUP_SHIFT) % QUOTE_GROUPS
            mmp = s.mmps[QUOTE_GROUPS * int(order["account_idx"]) + group]
            assert not mmp["frozen"], f"quote {idx} of a frozen group"
    assert meta["mmp_hit"] == 0 and not s.mmps["next_hit"][: QUOTE_GROUPS * count].any(), "hits"
    trading = 0 if meta["halted"] else meta["contracts_count"]
    assert meta["contracts_trading"] == trading, "contracts that the straight line may trade"
    limits = s.limits[:count]
    names = ("qty_max_lots", "notional_max_usd_micros", "position_max_lots",
             "orders_per_second_max", "open_orders_max")  # fmt: skip
    limited = np.any([limits[name] != 0 for name in names], axis=0)
    assert np.array_equal(s.accounts[:count]["limited"] & 1 != 0, limited), "limited accounts"
