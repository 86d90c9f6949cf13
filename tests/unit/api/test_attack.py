"""An outsider sends everything at once: any order, amended, linked, cancelled, repeated, in races.

Whatever it sends gets an answer below 500, and what is open stays open for a reason.
"""

import asyncio
from random import Random
from typing import Any

import pytest

from tests.support.api_world import OTHER, SYMBOL, World, running

PRICES = ("1.990", "1.995", "2.000", "2.005", "2.010", "0", "-0.001", "0.0005", "99999999", "é", "")
LOTS = ("1", "2", "5", "0", "-1", "1.5", "999999999", "9" * 70, "١", "")
COUNTS = (1, 50, 9_999, 0, -1, 10_000, 1 << 31, 1 << 60)
WORDS: dict[str, tuple[Any, ...]] = {
    "side": ("buy", "sell", "both", "BUY", 1, None),
    "type": (
        "limit", "market", "stop", "stop_limit", "take_profit", "take_profit_limit",
        "trailing_stop", "pegged", "market_to_limit", "iceberg", "",
    ),
    "tif": ("GTC", "IOC", "FOK", "GTD", "DAY", "GFA", "GFN", "gtc", ""),
    "stp": ("cancel_newest", "cancel_oldest", "cancel_both", "decrement", "none", "all"),
    "trigger_by": ("last", "mark", "index", "best", "\u202e"),
    "peg": ("bid", "ask", "mid", "top"),
    "client_order_id": ("a", "b", "c", "x" * 32, "x" * 33, "a b", "\x00", "é"),
    "symbol": (SYMBOL, SYMBOL, SYMBOL, OTHER, "NOPE", "", "\ud7ff", "A" * 127),
}  # fmt: skip
PRICE_FIELDS = (
    "price", "trigger_price", "trail_offset", "take_profit", "stop_loss", "peg_offset",
)  # fmt: skip
LOT_FIELDS = ("quantity", "open_quantity", "display_quantity", "min_quantity")
FLAG_FIELDS = ("post_only", "reduce_only")


class Attacker:
    """Draws requests: most fields are right, so that the wrong one is reached."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.ids: list[str] = ["1", "0", "-1", "9" * 30, "x"]

    def value(self, name: str) -> Any:
        rng = self.rng
        if rng.random() < 0.01:
            return rng.choice((None, True, 1, 1.5, [], {}, "\x00", "9" * 200))
        if name in PRICE_FIELDS:
            return rng.choice(PRICES[:5] if rng.random() < 0.9 else PRICES)
        if name in LOT_FIELDS:
            return rng.choice(LOTS[:3] if rng.random() < 0.9 else LOTS)
        if name in FLAG_FIELDS:
            return rng.random() < 0.5
        if name == "expires_at":
            return rng.choice((0, 1, 1 << 43, (1 << 43) + 1, 1 << 45, 4_102_444_800_000))
        if name == "trail_bps":
            return rng.choice(COUNTS)
        if name in ("oco_with", "order_id"):
            return rng.choice(self.ids[-12:])
        words = WORDS[name]
        return rng.choice(words[:-2] if rng.random() < 0.95 else words)

    def order(self) -> dict[str, Any]:
        rng = self.rng
        kind = self.value("type")
        body = {"symbol": self.value("symbol"), "side": self.value("side"), "type": kind}
        body["quantity"] = self.value("quantity")
        usual = {
            "limit": ["price"], "stop": ["trigger_price"], "take_profit": ["trigger_price"],
            "stop_limit": ["price", "trigger_price"], "pegged": ["peg"],
            "take_profit_limit": ["price", "trigger_price"],
            "trailing_stop": [rng.choice(("trail_offset", "trail_bps"))],
        }.get(kind if isinstance(kind, str) else "", [])  # fmt: skip
        others = (
            *PRICE_FIELDS, *FLAG_FIELDS, "display_quantity", "min_quantity", "tif", "stp",
            "trigger_by", "client_order_id", "oco_with", "expires_at", "trail_bps",
        )  # fmt: skip
        for name in [*usual, *rng.sample(others, rng.choice((0, 0, 1, 2, 4)))]:
            body[name] = self.value(name)
        return body

    def change(self) -> dict[str, Any]:
        names = (*PRICE_FIELDS, *LOT_FIELDS, *FLAG_FIELDS, "tif", "expires_at", "trail_bps")
        return {
            name: self.value(name) for name in self.rng.sample(names, self.rng.choice((1, 1, 2, 3)))
        }

    def request(self) -> tuple[str, str, dict[str, Any] | None]:
        rng = self.rng
        way = rng.random()
        if way < 0.5:
            return "POST", "/orders", self.order()
        if way < 0.75:
            return "PATCH", f"/orders/{rng.choice(self.ids[-12:])}", self.change()
        if way < 0.82:
            return "DELETE", f"/orders/{rng.choice(self.ids[-12:])}", None
        if way < 0.9:
            items = [{"op": "new", **self.order()} for _ in range(rng.randint(1, 4))]
            named = {"order_id": rng.choice(self.ids[-12:])}
            items += [{"op": "amend", **named, **self.change()}, {"op": "cancel", **named}]
            return "POST", "/orders/batch", {"requests": items}
        if way < 0.97:
            quote = {"symbol": self.value("symbol")}
            for side in ("bid", "ask"):
                if rng.random() < 0.8:
                    quote[f"{side}_price"] = self.value("price")
                    quote[f"{side}_quantity"] = self.value("quantity")
            return "POST", "/quotes", {"quotes": [quote], "group": rng.choice((0, 1, 3, 4, -1))}
        return rng.choice(
            (
                ("DELETE", "/orders", None),
                ("GET", "/orders?status=all", None),
                ("POST", "/orders/cancel_all_after", {"timeout_ms": rng.choice(COUNTS)}),
                ("PUT", "/quotes/groups/0", {"window_ms": rng.choice(COUNTS), "fills": 1}),
            )
        )

    def learn(self, answer: Any) -> None:
        """Keep the ids of orders in an answer, to name them later."""
        if isinstance(answer, dict):
            if isinstance(answer.get("order_id"), str):
                self.ids.append(answer["order_id"])
            for one in answer.values():
                self.learn(one)
        elif isinstance(answer, list):
            for one in answer:
                self.learn(one)


async def attack(world: World, seed: int, rounds: int) -> dict[int, int]:
    """Let three accounts send together; return how often each status came."""
    attackers = {who: Attacker(seed + n) for n, who in enumerate(("alice", "bob", "operator"))}
    statuses: dict[int, int] = {}

    async def one(who: str) -> None:
        attacker = attackers[who]
        method, path, body = attacker.request()
        response = await world.call(who, method, path, body)
        statuses[response.status_code] = statuses.get(response.status_code, 0) + 1
        assert response.status_code < 500, (method, path, body, response.text)
        attacker.learn(response.json())

    for _ in range(rounds):
        await asyncio.gather(*(one(who) for who in attackers for _ in range(4)))
        if attackers["alice"].rng.random() < 0.2:
            path, price = f"/admin/contracts/{SYMBOL}/index", attackers["bob"].value("price")
            response = await world.call("operator", "PUT", path, {"price": price})
            assert response.status_code < 500, response.text
    return statuses


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_mixture_of_orders_meets_our_own_mistake(seed: int):
    async with running() as world:
        statuses = await attack(world, seed, rounds=60)
        assert statuses.get(201, 0) > 20 and statuses.get(422, 0) > 20, statuses
        assert all(order.leaves_lots > 0 for order in world.mirror.orders.values())
        assert all(order.stop is not None for order in world.mirror.stops.values())


async def test_a_socket_that_sends_the_same_mixture_without_waiting_gets_every_answer():
    attacker = Attacker(9)
    async with (
        running() as world,
        world.serving() as url,
        world.socket(url, "alice") as alice,
    ):
        for _ in range(40):
            asked = [await alice.send("order.new", **attacker.order()) for _ in range(8)]
            named = {"order_id": attacker.rng.choice(attacker.ids[-12:])}
            asked.append(await alice.send("order.amend", **named, **attacker.change()))
            asked.append(await alice.send("order.cancel", **named))
            while asked:  # what is refused at once is answered before what waits for the core
                reply = await alice.receive()
                asked.remove(reply["id"])
                attacker.learn(reply)
                assert reply["ok"] or reply["error"]["status"] < 500, reply
        assert len(attacker.ids) > 40
