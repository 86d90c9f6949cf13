"""The invariants of blocks and requests for quotes, taken from scratch; see `checks.py`."""

import numpy as np

from matching.state import State


def check_days(s: State) -> None:
    """A day's range is none, or an interval that holds prices; blocks have a sound rule."""
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        day = s.days[contract_idx]
        low, high = int(day["low_ticks"]), int(day["high_ticks"])
        assert low == high == 0 or 1 <= low <= high, f"day of contract {contract_idx}"
        assert day["block_min_lots"] >= 0 and day["block_range_bps"] >= 0, "rule of blocks"


def check_deals(s: State) -> None:
    """Every slot is open or free, once; the list is in order of ends, the accounts' own of ids."""
    meta, used = s.meta[0], int(s.meta[0]["deals_used"])
    live = [int(i) for i in np.flatnonzero(s.deals[: used + 1]["deal_id"])]
    free = walk(s.deals, int(meta["deals_free"]), "next", used)
    assert sorted(free + live) == list(range(1, used + 1)), "deal slots"
    listed = walk(s.deals, int(meta["deals_first"]), "next", used)
    ends = [(int(s.deals[i]["expires_ns"]), int(s.deals[i]["deal_id"])) for i in listed]
    assert sorted(listed) == live and ends == sorted(ends), "deals by when they end"
    assert walk(s.deals, int(meta["deals_last"]), "prev", used) == listed[::-1], "deals, back"
    assert meta["deals_open"] == len(live), "count of open deals"
    for account_idx in range(int(meta["accounts_count"])):
        dealer = s.dealers[account_idx]
        own = [i for i in live if s.deals[i]["account_idx"] == account_idx]
        own.sort(key=lambda i: int(s.deals[i]["deal_id"]))
        assert walk(s.deals, int(dealer["deal_head"]), "next_own", used) == own, "own deals"
        assert walk(s.deals, int(dealer["deal_tail"]), "prev_own", used) == own[::-1], "own, back"
        assert dealer["deals_open"] == len(own), f"open deals of account {account_idx}"
    for idx in live:
        deal = s.deals[idx]
        assert deal["account_idx"] != deal["counterparty_idx"], f"deal {idx} with oneself"
        assert s.contracts[deal["contract_idx"]]["state"] != 5, f"deal {idx} after the end"


def walk(rows: np.ndarray, idx: int, link: str, count_max: int) -> list[int]:
    """Return the slots along a link; one too many if it goes in a circle."""
    found: list[int] = []
    while idx and len(found) <= count_max:
        found.append(idx)
        idx = int(rows[idx][link])
    return found
