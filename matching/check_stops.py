"""The invariants of stops: where they wait, who watches, and who is tied to whom."""

from matching.codes import DETAILED, UNTRIGGERED
from matching.limits import ORDERS_MAX, STOPS
from matching.state import STOP_BOOKS, State

ASLEEP, IN_LADDER, IN_QUEUE = 0, 1, 2


def waits(s: State, idx: int) -> bool:
    """Return whether an order is a stop that has not entered."""
    return bool(s.orders[idx]["flags"] & UNTRIGGERED)


def list_of(s: State, idx: int) -> int:
    """Return which list of stops a stop belongs to, of all contracts' lists."""
    trigger = int(s.details[idx]["trigger"])
    contract_idx = int(s.orders[idx]["book_idx"]) >> 1
    return STOP_BOOKS * contract_idx + 2 * (trigger & 3) + (trigger >> 2 & 1)


def ladder_of(s: State, idx: int) -> int:
    """Return the book that a stop waits in."""
    return 2 * int(s.meta[0]["contracts_max"]) + list_of(s, idx)


def check_stops(s: State, live: list[int]) -> None:
    """Stops wait in one place each; queues, lists and watches are theirs and no others'."""
    stops = [idx for idx in live if waits(s, idx)]
    check_places(s, stops)
    check_queues(s, stops)
    check_trails(s, stops)
    check_children(s, stops)
    check_ties(s, live)


def check_places(s: State, stops: list[int]) -> None:
    """Who waits has lots; who trades sees no price that would trigger."""
    for idx in stops:
        assert (s.orders[idx]["leaves_lots"] == 0) == (s.details[idx]["place"] == ASLEEP), idx
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        watched = 0
        for idx in stops:
            ours = s.orders[idx]["book_idx"] >> 1 == contract_idx
            if ours and s.details[idx]["place"] == IN_LADDER:
                watched |= 1 << (int(s.details[idx]["trigger"]) & 3)
        assert s.contracts[contract_idx]["watched"] == watched, f"contract {contract_idx}: watched"
        check_quiet(s, contract_idx)


def check_quiet(s: State, contract_idx: int) -> None:
    """A contract that trades has no stop in a ladder that its prices have reached."""
    contract = s.contracts[contract_idx]
    top = int(s.meta[0]["price_top"])
    if contract["state"] not in (2, 4) or s.meta[0]["halted"]:
        return
    prices = [contract["last_trade_ticks"], contract["mark_ticks"]]
    prices.append(s.watches[contract_idx]["index_ticks"])
    first = 2 * int(s.meta[0]["contracts_max"]) + STOP_BOOKS * contract_idx
    for place in range(STOP_BOOKS):
        price, best = int(prices[place // 2]), int(s.books[first + place]["best_key"])
        seen = price if place % 2 else top - price
        assert price == 0 or best > seen or best > top, f"contract {contract_idx}: a stop is late"


def walked(s: State, head: int, array: str, following: str, before: str) -> list[int]:
    """Return the slots of a list, which must point back as it points forth."""
    rows = getattr(s, array)
    found: list[int] = []
    last, idx = 0, head
    while idx and len(found) <= len(rows):
        assert rows[idx][before] == last, f"slot {idx} points back wrongly"
        found.append(idx)
        last, idx = idx, int(rows[idx][following])
    return found


def check_queues(s: State, stops: list[int]) -> None:
    """The queue of each contract holds its triggered stops; contracts with one are ready."""
    ready: list[int] = []
    at = int(s.meta[0]["ready_head"])
    while at and len(ready) <= len(s.watches):
        ready.append(at - 1)
        at = int(s.watches[at - 1]["next_ready"])
    assert len(set(ready)) == len(ready), "a contract is ready twice"
    assert s.meta[0]["ready_tail"] == (ready[-1] + 1 if ready else 0), "the last that is ready"
    for contract_idx in range(int(s.meta[0]["contracts_count"])):
        watch = s.watches[contract_idx]
        queue = walked(s, int(watch["queue_head"]), "orders", "next", "prev")
        assert watch["queue_tail"] == (queue[-1] if queue else 0), "tail of a queue"
        ours = [i for i in stops if s.orders[i]["book_idx"] >> 1 == contract_idx]
        assert watch["stops"] == len(ours), f"stops of contract {contract_idx}"
        queued = [i for i in ours if s.details[i]["place"] == IN_QUEUE]
        assert sorted(queue) == sorted(queued), f"queue of contract {contract_idx}"
        assert watch["ready"] == (contract_idx in ready), f"contract {contract_idx}: ready"
        if queue and s.contracts[contract_idx]["state"] in (2, 4) and not s.meta[0]["halted"]:
            assert watch["ready"] and s.meta[0]["aftermath"] & STOPS, "a stop is forgotten"


def check_trails(s: State, stops: list[int]) -> None:
    """The lists of trailing stops hold those that wait in a ladder."""
    for which in range(STOP_BOOKS * int(s.meta[0]["contracts_count"])):
        listed = walked(s, int(s.trails[which]), "details", "next_aside", "prev_aside")
        trailing = [
            idx
            for idx in stops
            if s.details[idx]["offset_ticks"]
            and s.details[idx]["place"] == IN_LADDER
            and list_of(s, idx) == which
        ]
        assert sorted(listed) == sorted(trailing), f"trailing stops of list {which}"


def check_children(s: State, stops: list[int]) -> None:
    """Children to be seen to are listed, and who has lots to come is."""
    head, tail = int(s.meta[0]["children_head"]), int(s.meta[0]["children_tail"])
    listed = walked(s, head, "details", "next_aside", "prev_aside")
    assert tail == (listed[-1] if listed else 0), "the last child"
    for idx in stops:
        detail = s.details[idx]
        assert bool(detail["listed"]) == (idx in listed), f"child {idx}"
        assert detail["listed"] or not detail["more_lots"], f"child {idx}: lots are forgotten"
    if listed:
        assert s.meta[0]["aftermath"] & STOPS, "children are forgotten"


def check_ties(s: State, live: list[int]) -> None:
    """Links go both ways, between open orders of one account; no detail is left behind."""
    ids = {int(s.orders[idx]["order_id"]): idx for idx in live}
    for idx in range(1, int(s.meta[0]["orders_used"]) + 1):
        detail = s.details[idx]
        used = idx in ids.values() and bool(s.orders[idx]["flags"] & DETAILED)
        assert used or detail.tobytes() == bytes(detail.nbytes), f"detail {idx} is left behind"
        for name in ("link_id", "parent_id", "child_id"):
            other = int(detail[name])
            assert other == 0 or other in ids, f"order {idx}: {name} is gone"
        if detail["link_id"]:
            twin = other_slot(ids, int(detail["link_id"]))
            assert s.details[twin]["link_id"] == s.orders[idx]["order_id"], f"order {idx}: link"
            assert s.orders[twin]["account_idx"] == s.orders[idx]["account_idx"], f"order {idx}"
        if detail["child_id"]:
            child = other_slot(ids, int(detail["child_id"]))
            assert s.details[child]["parent_id"] == s.orders[idx]["order_id"], f"order {idx}"


def other_slot(ids: dict[int, int], order_id: int) -> int:
    """Return the slot of an open order."""
    assert order_id % ORDERS_MAX == ids[order_id], "an id names its slot"
    return ids[order_id]
