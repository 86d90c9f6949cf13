"""Client order ids, and who sent a command."""

from matching.codes import Code
from matching.limits import CLIENT_ORDER_ID_TTL_NS
from tests.oracle.state import NO_WORDS, ClientId, ClientWords, Command, Exchange


def judge_envelope(ex: Exchange, cmd: Command) -> int:
    """Check that a gateway's commands come once each, in order."""
    if cmd.origin_id == 0:
        return Code.OK
    if cmd.origin_id < 0:
        return Code.ORIGIN_INVALID
    slot = cmd.origin_id % ex.capacity.origins
    holder, last = ex.origins.get(slot, (0, 0))
    if holder > cmd.origin_id:
        return Code.ORIGIN_STALE
    if holder < cmd.origin_id:
        last = 0
        ex.origins[slot] = cmd.origin_id, last
    if cmd.request_id <= last:
        return Code.REQUEST_REPEATED
    if cmd.request_id != last + 1:
        return Code.REQUEST_GAP
    ex.origins[slot] = cmd.origin_id, cmd.request_id
    return Code.OK


def body_of(cmd: Command) -> tuple[int, ...]:
    """Return what makes two orders with one client id the same order."""
    return (
        cmd.contract_idx, cmd.side, cmd.order_type, cmd.tif, cmd.stp, cmd.flags,
        cmd.price_ticks, cmd.qty_lots, cmd.expires_ns, cmd.amount_usd_micros, cmd.ref_id,
        cmd.order_id, cmd.state,
    )  # fmt: skip


def key_of(entry: ClientId) -> tuple[int, ClientWords]:
    return entry.account_idx, entry.words


def is_open(ex: Exchange, entry: ClientId) -> bool:
    return entry.order_id in ex.orders


def is_live(ex: Exchange, entry: ClientId) -> bool:
    return is_open(ex, entry) or entry.ts_ns + CLIENT_ORDER_ID_TTL_NS > ex.now_ns


def find(ex: Exchange, cmd: Command) -> ClientId | None:
    """Return the live entry of the command's client id."""
    if cmd.words == NO_WORDS:
        return None
    for entry in ex.client_ids:
        if key_of(entry) == (cmd.account_idx, cmd.words) and is_live(ex, entry):
            return entry
    return None


def has_room(ex: Exchange, cmd: Command) -> bool:
    """Return whether one more entry fits, old closed ones giving way."""
    if cmd.words == NO_WORDS or len(ex.client_ids) < ex.capacity.client_ids - 1:
        return True
    return not all(is_open(ex, entry) for entry in ex.client_ids)


def register(ex: Exchange, cmd: Command, order_id: int) -> None:
    """Keep the id of an accepted order; look at four old entries, at more when full."""
    if cmd.words == NO_WORDS:
        return
    ring = ex.client_ids
    for entry in [e for e in ring if key_of(e) == (cmd.account_idx, cmd.words)]:
        ring.remove(entry)  # stale, or the command would have been refused
    for _ in range(4):
        if not ring or (is_live(ex, ring[0]) and not is_open(ex, ring[0])):
            break
        entry = ring.popleft()
        if is_open(ex, entry):
            ring.append(entry)
    while len(ring) >= ex.capacity.client_ids - 1:
        entry = ring.popleft()
        if is_open(ex, entry):
            ring.append(entry)
    ring.append(ClientId(cmd.account_idx, cmd.words, body_of(cmd), order_id, ex.now_ns))
