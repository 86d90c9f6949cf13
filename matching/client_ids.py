"""Client order ids: no id twice among an account's open orders, nor for 24 hours.

A ring in order of acceptance, found through hashed chains. An entry whose order is closed and
whose time is over counts as absent, whether it has left the ring yet or not.
"""

import numpy as np

from matching._jit import cold_kernel, kernel
from matching.codes import Code
from matching.limits import CLIENT_ORDER_ID_TTL_NS
from matching.pool import SLOT_MASK

LOW_BITS = (1 << 32) - 1
SPREAD = 0x5BD1E995  # below 2^31: a product with 32 bits stays in int64
LOOKS = 4  # entries looked at for each new one


@kernel
def client_words(cmd):
    """Return the words of a command's client order id in one: 0 if it carries none."""
    return cmd["client_a"] | cmd["client_b"] | cmd["client_c"] | cmd["client_d"]


@kernel
def has_client_id(cmd):
    """Return 1 if the command carries a client order id."""
    return np.int64(1) if client_words(cmd) != 0 else np.int64(0)


@kernel
def mix(spread, word):
    """Return 32 bits that depend on all bits of both."""
    for half in (word & LOW_BITS, (word >> 32) & LOW_BITS):
        spread = (spread ^ half) * SPREAD
        spread = (spread ^ (spread >> 29)) & LOW_BITS
    return spread


@kernel
def bucket_of(s, row):
    """Return the chain that an entry, or a command, belongs to."""
    spread = mix(np.int64(0), np.int64(row["account_idx"]))
    spread = mix(spread, row["client_a"])
    spread = mix(spread, row["client_b"])
    spread = mix(spread, row["client_c"])
    spread = mix(spread, row["client_d"])
    return spread & s.meta[0]["client_mask"]


@kernel
def same_key(entry, cmd):
    """Return whether entry and command have one account and one id."""
    return (
        entry["account_idx"] == cmd["account_idx"]
        and entry["client_a"] == cmd["client_a"]
        and entry["client_b"] == cmd["client_b"]
        and entry["client_c"] == cmd["client_c"]
        and entry["client_d"] == cmd["client_d"]
    )


@kernel
def same_body(entry, cmd):
    """Return whether a command asks for what the entry's order asked for."""
    return (
        entry["contract_idx"] == cmd["contract_idx"]
        and entry["side"] == cmd["side"]
        and entry["order_type"] == cmd["order_type"]
        and entry["tif"] == cmd["tif"]
        and entry["stp"] == cmd["stp"]
        and entry["flags"] == cmd["flags"]
        and entry["price_ticks"] == cmd["price_ticks"]
        and entry["qty_lots"] == cmd["qty_lots"]
        and entry["expires_ns"] == cmd["expires_ns"]
        and entry["amount_usd_micros"] == cmd["amount_usd_micros"]
        and entry["ref_id"] == cmd["ref_id"]
        and entry["link_id"] == cmd["order_id"]
        and entry["state"] == cmd["state"]
    )


@kernel
def is_open(s, entry):
    """Return whether the entry's order rests."""
    order_id = entry["order_id"]
    return s.orders[order_id & SLOT_MASK]["order_id"] == order_id


@kernel
def is_over(s, entry):
    """Return whether the entry's 24 hours have passed."""
    return entry["accepted_ns"] + CLIENT_ORDER_ID_TTL_NS <= s.meta[0]["now_ns"]


@kernel
def find_entry(s, cmd):
    """Return the entry of the command's account and id, stale ones too; 0 for none."""
    entry_idx = np.int64(s.client_buckets[bucket_of(s, cmd)])
    while entry_idx != 0:
        entry = s.client_ids[entry_idx]
        if same_key(entry, cmd):
            return entry_idx
        entry_idx = np.int64(entry["chain"])
    return np.int64(0)


@cold_kernel
def check_client_id(s, cmd):
    """Refuse an id that is in use, naming its order."""
    entry_idx = find_entry(s, cmd)
    if entry_idx == 0:
        return Code.OK
    entry = s.client_ids[entry_idx]
    if is_over(s, entry) and not is_open(s, entry):
        return Code.OK
    s.meta[0]["named_order_id"] = entry["order_id"]
    if same_body(entry, cmd):
        return Code.CLIENT_ORDER_ID_REPEATED
    return Code.CLIENT_ORDER_ID_CONFLICT


@cold_kernel
def find_client_order(s, cmd):
    """Return the id of the order with the command's client id, open or not; 0 for none."""
    return np.int64(s.client_ids[find_entry(s, cmd)]["order_id"])


@kernel
def ring_in(s, entry_idx):
    """Put an entry at the newest end."""
    meta = s.meta[0]
    entry = s.client_ids[entry_idx]
    newest = meta["client_ids_newest"]
    entry["prev"] = newest
    entry["next"] = 0
    meta["client_ids_newest"] = entry_idx
    if newest != 0:
        s.client_ids[newest]["next"] = entry_idx
    else:
        meta["client_ids_oldest"] = entry_idx


@kernel
def ring_out(s, entry_idx):
    """Take an entry out of the ring."""
    meta = s.meta[0]
    entry = s.client_ids[entry_idx]
    newer = entry["next"]
    older = entry["prev"]
    if older != 0:
        s.client_ids[older]["next"] = newer
    else:
        meta["client_ids_oldest"] = newer
    if newer != 0:
        s.client_ids[newer]["prev"] = older
    else:
        meta["client_ids_newest"] = older


@kernel
def chain_in(s, entry_idx):
    """Make an entry findable."""
    entry = s.client_ids[entry_idx]
    bucket = bucket_of(s, entry)
    entry["chain"] = s.client_buckets[bucket]
    s.client_buckets[bucket] = entry_idx


@kernel
def chain_out(s, entry_idx):
    """Make an entry unfindable."""
    following = s.client_ids[entry_idx]["chain"]
    bucket = bucket_of(s, s.client_ids[entry_idx])
    at = np.int64(s.client_buckets[bucket])
    if at == entry_idx:
        s.client_buckets[bucket] = following
        return
    while s.client_ids[at]["chain"] != entry_idx:
        at = np.int64(s.client_ids[at]["chain"])
    s.client_ids[at]["chain"] = following


@cold_kernel
def forget(s, entry_idx):
    """Remove an entry and free its slot."""
    meta = s.meta[0]
    chain_out(s, entry_idx)
    ring_out(s, entry_idx)
    entry = s.client_ids[entry_idx]
    entry["order_id"] = 0
    entry["chain"] = 0
    entry["prev"] = 0
    entry["next"] = meta["client_ids_free"]
    meta["client_ids_free"] = entry_idx
    meta["client_ids_count"] -= 1


@cold_kernel
def look_at_oldest(s, any_age):
    """Renew the oldest entry if its order is open, forget it if it is over or any age will do.

    Returns: False if it is young and stays
    """
    entry_idx = np.int64(s.meta[0]["client_ids_oldest"])
    if entry_idx == 0:
        return False
    entry = s.client_ids[entry_idx]
    if is_open(s, entry):
        ring_out(s, entry_idx)
        ring_in(s, entry_idx)
        return True
    if any_age or is_over(s, entry):
        forget(s, entry_idx)
        return True
    return False


@cold_kernel
def make_room(s, cmd):
    """Forget what is over, a few entries at a time; when full, the oldest that is closed."""
    meta = s.meta[0]
    stale_idx = find_entry(s, cmd)
    if stale_idx != 0:
        forget(s, stale_idx)
    looks = 0
    while looks < LOOKS and look_at_oldest(s, False):
        looks += 1
    while meta["client_ids_count"] >= meta["client_ids_max"] - 1:
        look_at_oldest(s, True)


@cold_kernel
def register(s, cmd, order_id):
    """Keep the id and body of an accepted order, and return the entry's slot."""
    make_room(s, cmd)
    meta = s.meta[0]
    entry_idx = np.int64(meta["client_ids_free"])
    if entry_idx != 0:
        meta["client_ids_free"] = s.client_ids[entry_idx]["next"]
    else:
        entry_idx = meta["client_ids_used"] + 1
        meta["client_ids_used"] = entry_idx
    assert entry_idx < meta["client_ids_max"]
    meta["client_ids_count"] += 1
    write_entry(s, cmd, entry_idx, order_id)
    chain_in(s, entry_idx)
    ring_in(s, entry_idx)
    return entry_idx


@kernel
def write_entry(s, cmd, entry_idx, order_id):
    """Copy what must be recognised again."""
    entry = s.client_ids[entry_idx]
    entry["client_a"] = cmd["client_a"]
    entry["client_b"] = cmd["client_b"]
    entry["client_c"] = cmd["client_c"]
    entry["client_d"] = cmd["client_d"]
    entry["order_id"] = order_id
    entry["accepted_ns"] = s.meta[0]["now_ns"]
    entry["price_ticks"] = cmd["price_ticks"]
    entry["qty_lots"] = cmd["qty_lots"]
    entry["expires_ns"] = cmd["expires_ns"]
    entry["amount_usd_micros"] = cmd["amount_usd_micros"]
    entry["ref_id"] = cmd["ref_id"]
    entry["link_id"] = cmd["order_id"]
    entry["state"] = cmd["state"]
    entry["account_idx"] = cmd["account_idx"]
    entry["contract_idx"] = cmd["contract_idx"]
    entry["side"] = cmd["side"]
    entry["order_type"] = cmd["order_type"]
    entry["tif"] = cmd["tif"]
    entry["stp"] = cmd["stp"]
    entry["flags"] = cmd["flags"]
