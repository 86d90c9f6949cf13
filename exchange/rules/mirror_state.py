"""What a mirror of the core holds, and what its readers ask."""

from collections.abc import Sequence

from exchange.rules import legs
from exchange.rules.addons import Addon
from exchange.rules.changes import Changes
from exchange.rules.closed import ClosedOrders
from exchange.rules.deals import Deals
from exchange.rules.holdings import AssetPrice
from exchange.rules.records import Account, ClientKey, Contract, Order, Position
from exchange.rules.short_orders import ShortOrders
from matching.codes import Side
from matching.limits import PRICE_BITS_DEFAULT

_BUY = int(Side.BUY)  # an enumeration takes longer to ask


class MirrorState:
    """The state of the exchange after command `seq`, to read.

    `accounts` and `contracts` are lists by index, `orders` the open ones by id.
    """

    def __init__(self, price_bits: int = PRICE_BITS_DEFAULT) -> None:
        self.price_ticks_max = 1 << price_bits
        self.seq = 0
        self.ts_ns = 0
        self.accounts: list[Account] = []
        self.contracts: list[Contract] = []
        self.symbols: dict[str, int] = {}
        self.orders: dict[int, Order] = {}  # that rest
        self.stops: dict[int, Order] = {}  # that wait for a price
        self.by_client: dict[ClientKey, Order] = {}  # open orders only
        self.closed = ClosedOrders()
        self.deals = Deals()
        self.short_orders = ShortOrders()
        self.shocks: list[list[int]] = []  # [contract_idx][scenario]: profit of one long lot
        self.shocks_staged: list[list[int]] = []
        self.scenario_count = 0  # before the first swap
        self.worst_count = 0
        self.stress_count = 0  # of the rows, as `tails.py` says
        self.floor_count = 0
        self.kept_bps = 0
        self.addons: list[Addon] = []  # by contract_idx
        self.addons_staged: list[Addon] = []
        self.joints: list[int] = []  # of a long lot when all of compute falls, as of the last swap
        self.addons_by_hand: set[int] = set()  # contract_idx: an operator staged them
        self.asset_prices: dict[int, AssetPrice] = {}  # by asset
        self.halted = False  # the whole exchange: no orders, cancels allowed
        self._changes = Changes()
        self._taker: Order | None = None  # the order the current command placed or amended

    # Reads

    def order(self, order_id: int) -> Order | None:
        """Return an order that is open or ended lately."""
        open_order = self.orders.get(order_id) or self.stops.get(order_id)
        return open_order or self.closed.by_id(order_id)

    def order_by_client(self, account_idx: int, words: tuple[int, int, int, int]) -> Order | None:
        """Return an open or lately ended order by its client order id."""
        key = (account_idx, *words)
        return self.by_client.get(key) or self.closed.by_client(key)

    def contract(self, symbol: str) -> Contract | None:
        """Return a contract by its symbol."""
        contract_idx = self.symbols.get(symbol)
        return None if contract_idx is None else self.contracts[contract_idx]

    def position(self, account_idx: int, contract_idx: int) -> Position:
        """Return a position, an empty one when the account never had any."""
        held = self.accounts[account_idx].positions.get(contract_idx)
        return held or Position(account_idx, contract_idx)

    def depth(self, contract_idx: int, side: int, levels: int) -> list[tuple[int, int, int]]:
        """Return at most `levels` of (price_ticks, qty_lots, orders), best first."""
        return self.contracts[contract_idx].books[side].depth(levels)

    # Orders that rest

    def open_position(self, account_idx: int, contract_idx: int) -> Position:
        """Return the position of an account in a contract, made when it is the first."""
        account = self.accounts[account_idx]
        position = account.positions.get(contract_idx)
        if position is None:
            position = account.positions[contract_idx] = Position(account_idx, contract_idx)
            self.contracts[contract_idx].positions.append(position)
        return position

    def open_positions(self, account_idx: int, contract_idx: int) -> None:
        """Open what an order may move: a position of its contract, and of each leg."""
        self.open_position(account_idx, contract_idx)
        for leg, _ in self.contracts[contract_idx].legs:
            self.open_position(account_idx, leg.contract_idx)

    def join_legs(self, contract: Contract, named: Sequence[tuple[int, int]]) -> None:
        """Give a combination its legs, named by (contract_idx, ratio)."""
        ratios = [ratio for _, ratio in named]
        contract.legs = tuple((self.contracts[idx], ratio) for idx, ratio in named)
        contract.base_ticks = legs.base_ticks(ratios, self.price_ticks_max.bit_length() - 1)
        for leg, _ in contract.legs:
            leg.combinations.append(contract)

    def shocks_of_legs(self, contract: Contract) -> list[int]:
        """Return a combination's live shocks."""
        rows = [self.shocks[leg.contract_idx] for leg, _ in contract.legs]
        return legs.shocks_usd_micros(rows, [ratio for _, ratio in contract.legs])

    def open_order(self, order: Order) -> None:
        """Add an order that rests; its position must be there."""
        self.orders[order.order_id] = order
        self.accounts[order.account_idx].orders[order.order_id] = order
        if any(order.client_words):
            self.by_client[(order.account_idx, *order.client_words)] = order
        self._rest(order)

    def open_stop(self, order: Order) -> None:
        """Add an order that waits for a price; its position must be there."""
        self.stops[order.order_id] = order
        self.accounts[order.account_idx].stops[order.order_id] = order
        if any(order.client_words):
            self.by_client[(order.account_idx, *order.client_words)] = order

    def _end_stop(self, order: Order) -> None:
        """Take an order out of those that wait."""
        assert order.stop is not None
        order.stop.waits = False
        del self.stops[order.order_id]
        del self.accounts[order.account_idx].stops[order.order_id]
        if any(order.client_words):
            del self.by_client[(order.account_idx, *order.client_words)]

    def _close(self, order: Order) -> None:
        del self.orders[order.order_id]
        del self.accounts[order.account_idx].orders[order.order_id]
        if any(order.client_words):
            del self.by_client[(order.account_idx, *order.client_words)]
        self.closed.add(order)

    def _rest(self, order: Order) -> None:
        self.contracts[order.contract_idx].books[order.side].add(
            order.price_ticks, order.visible_lots
        )
        self._resting(order, order.leaves_lots)

    def _unrest(self, order: Order, qty_lots: int, orders: int, shown_lots: int = 0) -> None:
        """Take lots of an order off the book; of an iceberg, `shown_lots` are in sight then."""
        visible_lots = qty_lots
        if order.display_lots:
            visible_lots, order.shown_lots = order.shown_lots - shown_lots, shown_lots
        self.contracts[order.contract_idx].books[order.side].take(
            order.price_ticks, visible_lots, orders
        )
        self._resting(order, -qty_lots)

    def _resting(self, order: Order, lots: int) -> None:
        position = self.accounts[order.account_idx].positions[order.contract_idx]
        if order.side == _BUY:
            position.buy_lots += lots
        else:
            position.sell_lots += lots
        self._changes.levels.add((order.contract_idx, order.side, order.price_ticks))
        self._changes.positions.add((order.account_idx, order.contract_idx))

    def _touch(self, order: Order, seq: int, ts_ns: int) -> None:
        order.updated_ns = ts_ns
        order.updated_seq = seq
        self._changes.orders[order.order_id] = order
