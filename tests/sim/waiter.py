"""Stops and brackets, drawn near the prices that trigger them."""

from random import Random

from matching.codes import Flag, Side, Tif, TriggerBy
from matching.wire import halves, pack_halves
from tests.oracle.state import Exchange, Order
from tests.oracle.stops import LIMITED, STOP_TYPES, TRAIL_IS_BPS, price_now

Fields = dict[str, int]


def draw_stop(rng: Random, ex: Exchange, fields: Fields) -> Fields:
    """Return an order as a stop: near the price it waits for, at times beyond it."""
    contract_idx = fields["contract_idx"]
    highest = (1 << ex.capacity.price_bits) - 1
    order_type = rng.choice(STOP_TYPES)
    source = rng.choice(tuple(TriggerBy))
    price_ticks = price_now(ex, contract_idx, source) or ex.contracts[contract_idx].mark_ticks
    fields |= {"order_type": order_type, "state": source, "amount_usd_micros": 0, "ref_id": 0}
    fields["flags"] &= ~Flag.POST_ONLY
    if order_type in LIMITED:
        fields["price_ticks"] = fields["price_ticks"] or price_ticks
    else:
        fields["price_ticks"] = 0
        fields["tif"] = rng.choice((Tif.GTC, Tif.GTC, Tif.GTD))
        fields.pop("expires_ns", None)
    if fields["tif"] == Tif.GTD:
        fields["expires_ns"] = ex.now_ns + rng.randint(0, 20_000)
    if rng.random() < 0.3 and (order_type not in LIMITED or rng.random() < 0.1):
        offset = rng.randint(1, 5)
        if rng.random() < 0.4:
            fields["state"] |= TRAIL_IS_BPS
            offset = rng.choice((1, 50, 500, 5_000, 9_999, 10_000))
        fields["ref_id"] = pack_halves(offset if rng.random() < 0.97 else -offset, 0)
        return fields
    trigger_ticks = min(highest, max(1, price_ticks + rng.randint(-4, 4)))
    if rng.random() < 0.02:
        trigger_ticks = rng.choice((-1, 0, highest + 1))
    fields["amount_usd_micros"] = pack_halves(trigger_ticks, 0)
    return fields


def draw_bracket(rng: Random, ex: Exchange, fields: Fields) -> Fields:
    """Return an order with one or two children, mostly on the right sides of it."""
    highest = (1 << ex.capacity.price_bits) - 1
    middle = fields["price_ticks"] or ex.contracts[fields["contract_idx"]].mark_ticks
    away = 1 if fields["side"] == Side.BUY else -1
    profit, stop = middle + away * rng.randint(1, 5), middle - away * rng.randint(1, 5)
    profit, stop = (min(highest, max(1, ticks)) * (rng.random() < 0.8) for ticks in (profit, stop))
    if rng.random() < 0.05:
        profit, stop = stop, profit
    fields["flags"] = (fields.get("flags", 0) | Flag.BRACKET) & ~Flag.REDUCE_ONLY
    fields["state"] = rng.choice((*TriggerBy, *TriggerBy, 3))
    display_lots = halves(fields.get("amount_usd_micros", 0))[1]
    min_lots = halves(fields.get("ref_id", 0))[1]
    fields["amount_usd_micros"] = pack_halves(stop, display_lots)
    fields["ref_id"] = pack_halves(profit, min_lots)
    return fields


def draw_stop_amend(rng: Random, ex: Exchange, order: Order, fields: Fields) -> Fields:
    """Return an amendment of a stop: of its trigger mostly, at times one that came already."""
    stop = order.stop
    assert stop is not None
    highest = (1 << ex.capacity.price_bits) - 1
    flags = Flag.MAY_WAIT if rng.random() < 0.95 else 0
    way = rng.random()
    if way < 0.6:
        price = price_now(ex, order.contract_idx, stop.source) or stop.trigger_ticks
        trigger_ticks = min(highest, max(1, price + rng.randint(-4, 4)))
        trails = stop.offset != 0 if rng.random() < 0.95 else rng.random() < 0.5
        if trails:
            fields["state"] = rng.choice((0, TRAIL_IS_BPS))
            offset = rng.choice((50, 500, 9_999, 10_000)) if fields["state"] else rng.randint(1, 5)
            fields["ref_id"] = pack_halves(offset if rng.random() < 0.97 else -offset, 0)
        else:
            fields["amount_usd_micros"] = pack_halves(trigger_ticks, 0)
    if (stop.limit_ticks and rng.random() < 0.3) or rng.random() < 0.02:
        near = stop.limit_ticks or stop.trigger_ticks
        fields["price_ticks"] = min(highest, max(1, near + rng.randint(-3, 3)))
    if way > 0.4:
        fields["qty_lots"] = rng.choice((-1, 0, 1, order.leaves_lots, order.leaves_lots + 1))
        flags |= Flag.QTY_IS_OPEN if rng.random() < 0.4 else 0
        if rng.random() < 0.6:
            fields["qty_lots"] = rng.randint(0, max(1, order.leaves_lots))
    follows = bool(order.parent_id or order.more_lots)
    if follows and not stop.asleep and rng.random() < 0.5:
        fields["qty_lots"] = order.leaves_lots + 1
    if rng.random() < 0.15:
        fields["tif"] = rng.choice((Tif.GTC, Tif.GTD, Tif.DAY, *Tif))
        fields["expires_ns"] = ex.now_ns + rng.randint(0, 20_000)
        if fields["tif"] != Tif.GTD and rng.random() < 0.95:
            fields["expires_ns"] = 0
        flags |= Flag.NEW_TIF
    fields["flags"] = flags | rng.choice((0,) * 40 + (Flag.NEW_FLAGS, Flag.NEW_DISPLAY))
    return fields
