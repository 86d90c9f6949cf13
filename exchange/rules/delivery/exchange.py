"""The exchange for delivery (EFD): who is long and wants GPUs meets who is short and has receipts.

A session is of one month contract. Members say in it, unseen by others, how many lots they would
exchange and at which differential to the settlement price; one call at a published time pairs them
at one differential. Lots are GPUs for the whole month, and change hands by whole nodes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from exchange.rules.calendar import SETTLEMENT_HOUR, business_day_before, last_trading_day
from exchange.rules.contracts import Contract
from exchange.rules.delivery.receipts import FIRST, Receipt, Status
from exchange.rules.delivery.uncross import Limit, Uncrossed, uncross
from exchange.rules.money import TICK_USD_MICROS
from exchange.rules.regions import GLB
from exchange.rules.tenors import NS_PER_HOUR, NS_PER_SECOND, Period, Tenor, date_of, ns_of
from matching.codes import Side

FORMAT: Final = "wellhead efd 1"
NODE_LOTS: Final = 8  # GPUs of a node: receipts are cut no finer (EFD_003)
OPENS_DAYS: Final = 5  # before the month
AFTER_SETTLEMENT_NS: Final = 1800 * NS_PER_SECOND
LOTS_MAX: Final = 8_000
DIFFERENTIAL_TICKS_MAX: Final = 1_000  # a dollar
KEYS_MAX: Final = 20  # of an account in a session
REFERENCE_TICKS: Final = 0  # the settlement price itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """When interest in a contract is taken, and when it is called."""

    session_id: str
    symbol: str
    contract_idx: int
    opens_ns: int
    call_ns: int
    said_by: str


def opens_ns(period: Period) -> int:
    """Return when interest is taken from: five days before the month (EFD_001)."""
    return ns_of(period.start - timedelta(OPENS_DAYS))


def call_ns(period: Period) -> int:
    """Return when it is called: half an hour after the last settlement but one (EFD_001)."""
    day = business_day_before(last_trading_day(period), 1)
    return ns_of(day, SETTLEMENT_HOUR) + AFTER_SETTLEMENT_NS


def has_session(contract: Contract) -> bool:
    """Return whether a contract has one: a month at a place, which the worldwide hub is not."""
    return contract.period.tenor is Tenor.MONTH and contract.series.hub.symbol != GLB


def session_of(contract: Contract, contract_idx: int) -> Session | None:
    """Return the session of a contract by the calendar, None for one that has none."""
    if not has_session(contract):
        return None
    period, symbol = contract.period, contract.symbol
    at_ns = call_ns(period)
    return Session(
        session_id=session_id_of(symbol, at_ns), symbol=symbol, contract_idx=contract_idx,
        opens_ns=opens_ns(period), call_ns=at_ns, said_by="calendar",
    )  # fmt: skip


def session_id_of(symbol: str, at_ns: int) -> str:
    """Return the name of a session: H100-USE-2027M03_20270225T1630."""
    minutes = at_ns // (60 * NS_PER_SECOND) % 1440
    return f"{symbol}_{date_of(at_ns):%Y%m%d}T{minutes // 60:02d}{minutes % 60:02d}"


class Entry(NamedTuple):
    """An interest as it was said; the newest of an account and key stands (EFD_002)."""

    number: int  # in its session, from 1
    account_idx: int
    entry_key: str
    side: int
    qty_lots: int  # 0 takes it back
    limit_ticks: int  # the differential: most that is paid, least that is taken
    ts_ns: int

    def digest(self, session_id: str, before: bytes) -> bytes:
        """Return the digest of it and of all before it."""
        text = "\n".join(map(str, (FORMAT, session_id, *self))) + "\n"
        return hashlib.sha256(before + text.encode()).digest()


def head_of(session_id: str, entries: Iterable[Entry]) -> bytes:
    """Return the end of the chain of a session's entries."""
    head = FIRST
    for entry in entries:
        head = entry.digest(session_id, head)
    return head


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Return what stands of what was said, in order of time."""
    newest = {(entry.account_idx, entry.entry_key): entry for entry in entries}
    return sorted(one for one in newest.values() if one.qty_lots)


def ranked(entries: Iterable[Entry], side: int) -> list[Entry]:
    """Return one side, the best price first, then who said it first."""
    sign = -1 if side == Side.BUY else 1
    return sorted(
        (one for one in entries if one.side == side),
        key=lambda one: (sign * one.limit_ticks, one.number),
    )


class Means(NamedTuple):
    """What an account could exchange at the moment of the call."""

    position_lots: int  # signed
    cash_usd_micros: int  # free
    receipt_lots: int  # on active receipts of exactly the month

    def most_lots(self, entry: Entry, usd_micros_per_lot: int) -> int:
        """Return what it has for an entry, if that is all (EFD_003)."""
        if entry.side == Side.SELL:
            return max(0, min(-self.position_lots, self.receipt_lots))
        return max(0, min(self.position_lots, self.cash_usd_micros // usd_micros_per_lot))


def counted(
    entries: Sequence[Entry], means: Mapping[int, Means], settle_ticks: int, hours: int,
    fee_usd_micros_per_gpu_hour: int = 0,
) -> dict[int, int]:  # fmt: skip
    """Return by number how many lots of each entry count, the account's best price first.

    Args:
        fee_usd_micros_per_gpu_hour: what a buyer has to have beside the price.
    """
    fee = fee_usd_micros_per_gpu_hour * hours
    found: dict[int, int] = {}
    for side in Side:
        used: dict[int, int] = {}
        for entry in ranked(entries, side):
            price = usd_micros_per_lot(settle_ticks, entry.limit_ticks, hours)
            if price <= 0 or entry.account_idx not in means:
                found[entry.number] = 0
                continue
            before = used.get(entry.account_idx, 0)
            left = means[entry.account_idx].most_lots(entry, price + fee) - before
            lots = max(0, min(entry.qty_lots, left)) // NODE_LOTS * NODE_LOTS
            used[entry.account_idx] = before + lots
            found[entry.number] = lots
    return found


def usd_micros_per_lot(settle_ticks: int, differential_ticks: int, hours: int) -> int:
    """Return what a lot costs: every hour of the month, at settlement and differential."""
    return (settle_ticks + differential_ticks) * hours * TICK_USD_MICROS


class Pair(NamedTuple):
    """Lots that one entry takes from another."""

    buy_number: int
    sell_number: int
    lots: int


class Called(NamedTuple):
    """What a call comes to."""

    price: Uncrossed
    pairs: list[Pair]


def called(entries: Sequence[Entry], lots: Mapping[int, int]) -> Called:
    """Pair both sides at one differential, price before time (EFD_004, EFD_005)."""
    sides = [
        [(one, lots[one.number]) for one in ranked(entries, side) if lots[one.number]]
        for side in (Side.BUY, Side.SELL)
    ]
    buys, sells = ([Limit(one.limit_ticks, qty) for one, qty in side] for side in sides)
    price = uncross(buys, sells, REFERENCE_TICKS)
    left = [[qty for _, qty in side] for side in sides]
    pairs, at, to_go = [], [0, 0], price.quantity
    while to_go:
        qty = min(to_go, left[0][at[0]], left[1][at[1]])
        pairs.append(Pair(sides[0][at[0]][0].number, sides[1][at[1]][0].number, qty))
        to_go -= qty
        for side in (0, 1):
            left[side][at[side]] -= qty
            at[side] += left[side][at[side]] == 0
    return Called(price, pairs)


class Leg(NamedTuple):
    """Whole nodes of one receipt, from one account to another, for a position and for money."""

    place: int
    buyer_idx: int
    seller_idx: int
    receipt_id: str
    nodes: int

    @property
    def lots(self) -> int:
        """GPUs, which are lots of the month."""
        return self.nodes * NODE_LOTS


def fits(receipt: Receipt, series: tuple[str, str, str], period: Period) -> bool:
    """Return whether a receipt is one of exactly this month that can change hands (EFD_003)."""
    return (
        receipt.status == Status.ACTIVE
        and (receipt.sku, receipt.hub, receipt.grade) == series
        and receipt.gpus_per_node == NODE_LOTS
        and receipt.start_hour == ns_of(period.start) // NS_PER_HOUR
        and receipt.end_hour == ns_of(period.end) // NS_PER_HOUR
    )


def body_of(fields: Mapping[str, Any]) -> str:
    """Return a result as it is kept and hashed: sorted, no blanks, ASCII."""
    return json.dumps(fields, sort_keys=True, separators=(",", ":"))


def result_fields(
    session: Session, entries: Sequence[Entry], lots: Mapping[int, int], outcome: Called,
    *, settle_ticks: int, hours: int, seq: int, void: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Return all inputs of a call and what follows from them; legs are added by who makes them.

    Args:
        seq: of the journal: positions are as of this command.
        void: why nothing was called.
    """
    filled: dict[int, int] = {}
    for pair in outcome.pairs:
        for number in (pair.buy_number, pair.sell_number):
            filled[number] = filled.get(number, 0) + pair.lots
    return {
        "format": FORMAT, "session_id": session.session_id, "symbol": session.symbol,
        "call_ns": session.call_ns, "seq": seq, "settle_ticks": settle_ticks, "hours": hours,
        "void": void, "head": head_of(session.session_id, entries).hex(),
        "entries": [
            {**one._asdict(), "counted": lots.get(one.number, 0),
             "filled": filled.get(one.number, 0)}
            for one in entries
        ],
        "differential_ticks": outcome.price.price, "lots": outcome.price.quantity,
        "surplus_lots": outcome.price.surplus, "pairs": [list(one) for one in outcome.pairs],
        "legs": [],
    }  # fmt: skip
