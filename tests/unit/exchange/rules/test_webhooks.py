"""Webhooks: bytes that stay, signatures that verify, waits that grow, queues that end."""

import json

import pytest

from exchange.rules.addresses import AddressInvalid, https_address
from exchange.rules.webhook_data import cash_or_asset, gathered, of_note
from exchange.rules.webhooks import (
    BACKOFF_MAX_NS,
    NS_PER_S,
    PARK_AFTER,
    Happening,
    HookEvent,
    Listening,
    backoff_ns,
    envelope,
    parks,
    signature,
    told,
)
from wellhead.webhooks import SignatureInvalid, verify

BODY = envelope(7, "margin_call", 5, "alice", '{"state":"issued"}')
MS = 1_800_000_000_000


def signed(secret: str = "s", at_ms: int = MS, body: bytes = BODY) -> dict[str, str]:
    return {"Wh-Timestamp": str(at_ms), "WH-SIGN": signature(secret.encode(), at_ms, body)}


def test_HOOK_1_a_body_is_its_id_and_what_happened():
    assert json.loads(BODY) == {
        "id": "7", "event": "margin_call", "account_id": "alice", "created_ts": 5,
        "data": {"state": "issued"},
    }  # fmt: skip
    of_the_page = "0ed3d3afeb4f1bbaa7a0ab2df88aacac899abf9f28a99a10f07d3f4fc35b3b1c"
    assert signature(b"whs_secret", MS, b'{"id":"1"}') == of_the_page


def test_a_signature_is_believed_of_this_secret_body_and_time_alone():
    event = verify("s", signed(), BODY, now_ms=MS + 299_000)
    assert (event.id, event.event, event.data) == ("7", "margin_call", {"state": "issued"})
    both = {**signed(), "WH-SIGN": "00," + signed()["WH-SIGN"]}
    assert verify("s", both, BODY, now_ms=MS) == event
    wrong = [
        ({}, BODY, MS), (signed("t"), BODY, MS), (signed(), BODY + b" ", MS),
        (signed(), BODY, MS + 301_000), (signed(), BODY, MS - 301_000),
        ({**signed(), "Wh-Timestamp": "x"}, BODY, MS), ({**signed(), "WH-SIGN": "\xe9"}, BODY, MS),
        ({**signed(), "Wh-Timestamp": str(MS + 1)}, BODY, MS), (signed(body=b"[]"), b"[]", MS),
    ]  # fmt: skip
    for headers, body, now_ms in wrong:
        with pytest.raises(SignatureInvalid):
            verify("s", headers, body, now_ms=now_ms)


def test_HOOK_3_and_4_waits_double_up_to_an_hour_and_end():
    waits = [backoff_ns(failures) // NS_PER_S for failures in range(1, 13)]
    assert waits == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    assert backoff_ns(10**6) == BACKOFF_MAX_NS
    assert [parks(PARK_AFTER - 1, 500), parks(PARK_AFTER, 500), parks(1, 410)] == [
        False, True, True,
    ]  # fmt: skip


def test_hooks_are_told_what_they_ask_for_in_order_and_as_much_as_they_have_room_for():
    fill, deposit = (Happening(name, 1, {"n": name}, 9) for name in ("fill", "deposit"))
    alert = Happening("alert", None, {})
    other = Happening("fill", 2, {}, 9)
    hooks = [
        Listening("a", 1, frozenset({"fill", "alert"}), 8, 0),
        Listening("b", 1, frozenset({"fill", "deposit"}), 0, 9_999),
        Listening("c", 1, frozenset({"fill"}), 9, 0),
    ]
    found = told([fill, other, deposit, alert], hooks)
    assert [row[:2] for row in found.rows] == [("a", "fill"), ("b", "fill"), ("a", "alert")]
    assert found.dropped == {"b": 1}


def test_rows_of_an_account_are_told_together_a_hundred_at_a_time():
    rows = [{"account_idx": idx, "seq": seq} for idx in (1, 2) for seq in range(1, 151)]
    found = list(gathered(HookEvent.FILL, "fills", rows, lambda row: {"seq": row["seq"]}))
    assert [(one.account_idx, one.seq, len(one.data["fills"])) for one in found] == [
        (1, 1, 100), (1, 101, 50), (2, 1, 100), (2, 101, 50),
    ]  # fmt: skip


def test_assets_are_told_in_their_own_units():
    row = {"asset": 5, "client_key": "k", "units": 150_000_000, "move": 2, "status": "refused",
           "code": 1, "seq": 4}  # fmt: skip
    assert cash_or_asset(row)["amount"] == "1.5" and cash_or_asset(row)["asset"] == "BTC"
    done = of_note("giveup", 3, {
        "giveup_id": 4, "role": "taker", "status": "offered", "giver_id": "a", "taker_id": "b",
        "seq": 9, "leg": 1, "symbol": "X", "side": 1, "price_ticks": 2150, "qty_lots": 3,
        "ts_ns": 5_000_000,
    })  # fmt: skip
    assert (done.event, done.account_idx, done.data["trade_id"]) == ("giveup", 3, "9-1")
    assert (done.data["side"], done.data["price"], done.data["ts"]) == ("sell", "2.150", 5)


def test_an_address_is_https_by_name_unless_the_operator_allows_it():
    assert https_address("https://A.example.com") == ("a.example.com", "/", 443, False)
    assert https_address("https://x:1/y", {"x:1"}) == ("x", "/y", 1, True)
    for url in ("https://x:2/y", "http://x:1/y", "https://x:1/y#z", "https://x:0/"):
        with pytest.raises(AddressInvalid):
            https_address(url, {"x:1"})
