"""Private channels: an account's orders, fills, positions and balances, batch by batch."""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from api import answers, answers_account, answers_defaults, deals, orders
from exchange.rules.changes import Changes
from exchange.rules.margin import margin_of
from exchange.rules.mirror import Mirror
from exchange.rules.public_data import message

NAMES: Final = (
    "orders", "fills", "positions", "balances", "blocks", "margin_call", "liquidation",
    "default_auction", "notices", "efd_own",
)  # fmt: skip


class Listener(Protocol):
    """Who listens to private channels."""

    def deliver_private(self, payload: bytes) -> None:
        """Take one message; it is never left out."""
        ...


class _Channel:
    """One channel of one account."""

    __slots__ = ("listeners", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.listeners: dict[Listener, None] = {}


class PrivateChannels:
    """The private channels of all accounts that somebody listens to."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self.open_calls: Callable[[int], list[dict[str, Any]]] = _none
        self.open_auctions: Callable[[int], list[dict[str, Any]]] = _none
        self._channels: dict[str, dict[int, _Channel]] = {name: {} for name in NAMES}

    def subscribe(self, name: str, account_idx: int, listener: Listener) -> bytes:
        """Subscribe and return the snapshot to begin with."""
        channel = self._channels[name].setdefault(account_idx, _Channel(self._mirror.seq))
        channel.listeners[listener] = None
        return self.snapshot(name, account_idx)

    def unsubscribe(self, name: str, account_idx: int, listener: Listener) -> None:
        """Unsubscribe."""
        channel = self._channels[name].get(account_idx)
        if channel is not None:
            channel.listeners.pop(listener, None)
            if not channel.listeners:
                del self._channels[name][account_idx]

    def snapshot(self, name: str, account_idx: int) -> bytes:
        """Return the whole of a channel, true now."""
        channel = self._channels[name][account_idx]
        data = self._whole(name, account_idx)
        return message(name, "snapshot", channel.seq, None, self._mirror.ts_ns, data)

    def _whole(self, name: str, account_idx: int) -> list[dict[str, Any]]:
        state = self._mirror
        if account_idx >= len(state.accounts):
            return []
        account = state.accounts[account_idx]
        if name == "orders":
            return [orders.order_out(state, one) for one in orders.open_orders(account)]
        if name == "positions":
            return self._positions(account_idx, account.positions)
        if name == "balances":
            return [answers_account.balance(margin_of(state, account_idx))]
        if name == "margin_call":
            return self.open_calls(account_idx)
        if name == "default_auction":
            return self.open_auctions(account_idx)
        if name == "liquidation":
            going = state.liquidations.get(account_idx)
            return [answers_defaults.going(going)] if going is not None else []
        if name == "blocks":
            own = state.deals.of_account(account_idx)
            return [
                deals.block_out(state, deal, account_idx, None)
                for deal in own
                if deal.is_open and not deal.is_request
            ]
        return []  # fills, notices, efd_own: what was before, GET /fills and the like have

    def _positions(self, account_idx: int, indices: Iterable[int]) -> list[dict[str, Any]]:
        state = self._mirror
        held = (state.position(account_idx, contract_idx) for contract_idx in indices)
        return [answers_account.position(state.contracts[one.contract_idx], one) for one in held]

    def apply(self, changes: Changes) -> None:
        """Tell listeners what a batch changed."""
        listed, fills, positions, balances, blocks, _, going, *_ = (
            self._channels[name] for name in NAMES
        )
        if listed:
            self._orders(changes, listed)
        if fills and (changes.trades or changes.blocks):
            self._fills(changes, fills)
        if blocks and changes.deals:
            self._blocks(changes, blocks)
        if going:
            for one in changes.liquidations:
                if channel := going.get(one.account_idx):
                    data = [answers_defaults.liquidation_said(one)]
                    self._send("liquidation", channel, changes, data)
        if positions:
            for account_idx, indices in _grouped(changes.positions).items():
                if channel := positions.get(account_idx):
                    data = self._positions(account_idx, indices)
                    self._send("positions", channel, changes, data)
        if balances:
            # Resting orders change what is free, not only money that moved.
            touched = changes.accounts | {account_idx for account_idx, _ in changes.positions}
            for account_idx in touched & balances.keys():
                data = [answers_account.balance(margin_of(self._mirror, account_idx))]
                self._send("balances", balances[account_idx], changes, data)

    def _orders(self, changes: Changes, channels: dict[int, _Channel]) -> None:
        contracts = self._mirror.contracts
        found: dict[int, list[dict[str, Any]]] = {}
        for one in changes.orders.values():
            if one.account_idx in channels:
                order = answers.order(contracts[one.contract_idx], one)
                found.setdefault(one.account_idx, []).append(order)
        for account_idx, data in found.items():
            self._send("orders", channels[account_idx], changes, data)

    def _fills(self, changes: Changes, channels: dict[int, _Channel]) -> None:
        contracts = self._mirror.contracts
        found: dict[int, list[dict[str, Any]]] = {}
        trades = [*changes.trades, *changes.blocks]
        if changes.leg_trades:
            trades = sorted([*trades, *changes.leg_trades], key=lambda one: (one.seq, one.leg))
        for trade in trades:
            contract = contracts[trade.contract_idx]
            for account_idx, maker in (
                (trade.account_idx, False),
                (trade.maker_account_idx, True),
            ):
                if account_idx in channels:
                    fill = answers.fill(
                        contract, trade, self._mirror.accounts[account_idx].fee_rates, maker=maker
                    )
                    found.setdefault(account_idx, []).append(fill)
        for account_idx, data in found.items():
            self._send("fills", channels[account_idx], changes, data)

    def _blocks(self, changes: Changes, channels: dict[int, _Channel]) -> None:
        found: dict[int, list[dict[str, Any]]] = {}
        for deal in changes.deals.values():
            for account_idx in (deal.account_idx, deal.counterparty_idx):
                if account_idx in channels and not deal.is_request:
                    block = deals.block_out(self._mirror, deal, account_idx, None)
                    found.setdefault(account_idx, []).append(block)
        for account_idx, data in found.items():
            self._send("blocks", channels[account_idx], changes, data)

    def tell(self, name: str, account_idx: int, data: object) -> None:
        """Tell an account's listeners what no batch says."""
        channel = self._channels[name].get(account_idx)
        if channel is None:
            return
        seq, ts_ns = self._mirror.seq, self._mirror.ts_ns
        payload = message(name, "update", seq, channel.seq, ts_ns, data)
        channel.seq = seq
        for listener in tuple(channel.listeners):
            listener.deliver_private(payload)

    def _send(self, name: str, channel: _Channel, changes: Changes, data: object) -> None:
        payload = message(name, "update", changes.last_seq, channel.seq, changes.ts_ns, data)
        channel.seq = changes.last_seq
        for listener in tuple(channel.listeners):
            listener.deliver_private(payload)


def _none(account_idx: int) -> list[dict[str, Any]]:
    return []


def _grouped(pairs: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Return the second of each pair by the first."""
    groups: dict[int, list[int]] = {}
    for account_idx, contract_idx in sorted(pairs):
        groups.setdefault(account_idx, []).append(contract_idx)
    return groups
