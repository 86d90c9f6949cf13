"""Order requests, the same for REST and websocket: message to row, reply to answer."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any, Final

from msgspec import UNSET, UnsetType

from api import answers, codec, codec_amend, codec_place, codec_stops, refusals
from api.errors import Problem, core_problem
from api.gateway import Gateway
from api.replies import Reply
from api.schemas import BatchAmend, BatchCancel, BatchItem, OrderAmend, OrderNew
from exchange.rules.clearing_rows import OrderRow
from exchange.rules.mirror_state import MirrorState
from exchange.rules.records import Account, Contract, Order
from matching.codes import BY_LEGS, Code, EventKind

ALL_CONTRACTS: Final = -1

Words = tuple[int, int, int, int]
Answer = dict[str, Any]
Read = Callable[[MirrorState, Reply], Answer]
Outcome = tuple[Reply, Read] | Problem
Make = Callable[[], tuple[bytes, Read]]  # one request's row, and how its reply is read

_order_id: Final = attrgetter("order_id")
NOT_YET: Final = Problem("outcome_unknown", "no answer yet")


def contract_of(state: MirrorState, symbol: str) -> Contract:
    """Return the contract of a symbol.

    Errors:
        Problem: `contract_unknown`.
    """
    contract = state.contract(symbol)
    if contract is None:
        raise refusals.unknown_contract(symbol)
    return contract


def account_of(state: MirrorState, account_idx: int) -> Account:
    """Return an account.

    Errors:
        Problem: `account_unknown`: it has not reached the exchange yet.
    """
    if account_idx >= len(state.accounts):
        raise core_problem(Code.ACCOUNT_UNKNOWN)
    return state.accounts[account_idx]


def ids_of(order_id: str | UnsetType, client_order_id: str | UnsetType) -> tuple[int, Words]:
    """Return how an order is named: by exactly one of its two ids."""
    if (order_id is UNSET) == (client_order_id is UNSET):
        raise Problem(
            "field_missing" if order_id is UNSET else "field_invalid",
            "either order_id or client_order_id",
            field="order_id",
        )
    if order_id is not UNSET:
        return codec.order_id(order_id), codec.NO_WORDS
    return 0, codec.client_words(client_order_id)


def open_orders(account: Account) -> list[Order]:
    """Return the orders of an account that rest, or wait for a price, oldest first."""
    if not account.stops:
        return sorted(account.orders.values(), key=_order_id)
    return sorted([*account.orders.values(), *account.stops.values()], key=_order_id)


# Messages to rows


def new_row(gateway: Gateway, order: OrderNew, account_idx: int) -> bytes:
    """Return the row of a new order."""
    gateway.check_open()
    contract = contract_of(gateway.mirror, order.symbol)
    try:
        return codec_place.place_row(
            order, account_idx, contract.contract_idx, contract.base_ticks,
            BY_LEGS if contract.legs else 0,
        )  # fmt: skip
    except codec.TooLarge:
        raise refusals.too_large(contract) from None


def amend_row(
    gateway: Gateway, change: OrderAmend, account_idx: int, order_id: int, words: Words
) -> bytes:
    """Return the row of an amendment."""
    gateway.check_open()
    state = gateway.mirror
    one = state.order(order_id) if order_id else state.order_by_client(account_idx, words)
    # An order sent a moment ago may not be known here yet: the core knows what its price means.
    if one is not None and one.stop is not None and one.stop.waits:
        codec_stops.check_waiting(change, one)
    maybe_spread = one is None or state.contracts[one.contract_idx].base_ticks != 0
    return codec_amend.amend_row(
        change, account_idx, order_id, words, flags_now=one.flags if one else 0,
        maybe_spread=maybe_spread,
    )  # fmt: skip


def cancel_row(gateway: Gateway, account_idx: int, order_id: int, words: Words) -> bytes:
    """Return the row of a cancellation."""
    gateway.check_open(reduces=True)
    return codec.cancel_row(account_idx, order_id, words)


def cancel_all_row(
    gateway: Gateway, account_idx: int, symbol: str | UnsetType, side: str | UnsetType
) -> bytes:
    """Return the row of a mass cancellation."""
    gateway.check_open(reduces=True)
    contract_idx = ALL_CONTRACTS
    if symbol is not UNSET:
        contract_idx = contract_of(gateway.mirror, symbol).contract_idx
    number = None if side is UNSET else codec.choice(codec.SIDES, side, 0, "side")
    return codec.cancel_all_row(account_idx, contract_idx, number)


def item_row(gateway: Gateway, item: BatchItem, account_idx: int) -> tuple[bytes, Read]:
    """Return the row of one request of a batch, and how its reply is read."""
    if isinstance(item, OrderNew):
        return new_row(gateway, item, account_idx), placed
    order_id, words = ids_of(item.order_id, item.client_order_id)
    if isinstance(item, BatchAmend):
        row, how = amend_row(gateway, item, account_idx, order_id, words), amended
    else:
        row, how = cancel_row(gateway, account_idx, order_id, words), cancelled
    return row, partial(how, order_id=order_id, words=words)


def item_makers(gateway: Gateway, items: list[BatchItem], account_idx: int) -> list[Make]:
    """Return what makes the row of each request of a batch."""
    return [partial(item_row, gateway, item, account_idx) for item in items]


def takes_tokens(item: BatchItem) -> bool:
    """Say whether a request counts against the rate limit: a cancellation never does."""
    return not isinstance(item, BatchCancel)


class Batch:
    """Requests sent one after the other; done when the last has its reply.

    An outcome is a reply and how to read it, or the problem that came instead.
    """

    def __init__(
        self,
        gateway: Gateway,
        makers: list[Make],
        on_done: Callable[[list[Outcome]], None],
    ) -> None:
        self._outcomes: list[Outcome] = [NOT_YET] * len(makers)
        self._missing = len(makers)
        self._on_done = on_done
        for place, make in enumerate(makers):
            try:
                row, how = make()
                gateway.post(row, _ItemWaiter(self, place, how))
            except Problem as problem:
                self.set(place, problem)

    def set(self, place: int, outcome: Outcome) -> None:
        """Take the outcome of one request."""
        self._outcomes[place] = outcome
        self._missing -= 1
        if not self._missing:
            self._on_done(self._outcomes)


class _ItemWaiter:
    """Waits for the reply to one request of a batch."""

    __slots__ = ("_batch", "_how", "_place")

    def __init__(self, batch: Batch, place: int, how: Read) -> None:
        self._batch, self._place, self._how = batch, place, how

    def replied(self, reply: Reply) -> None:
        self._batch.set(self._place, (reply, self._how))

    def lost(self, problem: Problem) -> None:
        self._batch.set(self._place, problem)


# Replies to answers


def original_id(reply: Reply) -> int:
    """Return the id of the order that a repeated request made first, 0 when it is no repetition."""
    return int(reply.events[0][5]) if reply.code == Code.CLIENT_ORDER_ID_REPEATED else 0


def placed(state: MirrorState, reply: Reply) -> Answer:
    """Return the answer to a new order.

    Errors:
        Problem: it was refused.
        KnownElsewhere: the mirror knows the order no more.
    """
    first = reply.events[0]
    if original := original_id(reply):
        known = _known(state, original, duplicate=True)
        return {"order": order_out(state, known), "trades": [], "duplicate": True}
    if reply.code:
        raise refusals.refused_new(state, reply)
    return {**_after(state, reply, first[5]), "duplicate": False}


def amended(state: MirrorState, reply: Reply, order_id: int, words: Words) -> Answer:
    """Return the answer to an amendment of the order that was named so.

    Errors:
        Problem: it was refused.
    """
    if reply.code:
        raise refusals.refused_change(state, reply, order_id, words)
    return _after(state, reply, reply.events[0][5])


def cancelled(state: MirrorState, reply: Reply, order_id: int, words: Words) -> Answer:
    """Return the answer to a cancellation of the order that was named so.

    Errors:
        Problem: it was refused.
    """
    if reply.code:
        raise refusals.refused_change(state, reply, order_id, words)
    one = _known(state, reply.events[0][5])
    return {"order": order_out(state, one)}


def cancelled_all(state: MirrorState, reply: Reply) -> Answer:
    """Return the answer to a mass cancellation.

    Errors:
        Problem: it was refused.
    """
    reply.raise_refused()
    ids = [str(event[5]) for event in reply.events if event[1] == EventKind.CANCELLED]
    return {"cancelled_count": len(ids), "order_ids": ids}


def order_out(state: MirrorState, one: Order) -> Answer:
    """Return an order as it is now."""
    return answers.order(state.contracts[one.contract_idx], one)


def row_out(state: MirrorState, row: OrderRow) -> Answer:
    """Return an order of the views; of one that waits for a price they know less than we."""
    waiting = state.stops.get(row.order_id)
    if waiting is not None:
        return order_out(state, waiting)
    return answers.order_row(state.contracts[row.contract_idx], row)


class KnownElsewhere(Exception):
    """An order that ended so long ago, or so many orders ago, that only the views know it."""

    def __init__(self, order_id: int, *, duplicate: bool) -> None:
        super().__init__(order_id)
        self.order_id = order_id
        self.duplicate = duplicate


def _after(state: MirrorState, reply: Reply, order_id: int) -> Answer:
    one = _known(state, order_id)
    contract = state.contracts[one.contract_idx]
    after = answers.Outcome(reply, order_id)
    return {
        "order": answers.order_after(contract, one, after, reply),
        "trades": answers.taker_trades(contract, after, reply),
    }


def _known(state: MirrorState, order_id: int, *, duplicate: bool = False) -> Order:
    one = state.order(order_id)
    if one is None:
        raise KnownElsewhere(order_id, duplicate=duplicate)
    return one
