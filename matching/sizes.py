"""How much a state holds: the capacities of its pools, within the limits that were proved."""

from dataclasses import dataclass
from typing import Final

from matching.limits import (
    ACCOUNT_CANCELS_MAX,
    ACCOUNT_STOPS_MAX,
    ACCOUNT_STOPS_TOP,
    ACCOUNTS_MAX,
    AFTERMATH_STEPS_MAX,
    CLIENT_IDS_MAX,
    COMBINATIONS_PER_LEG_MAX,
    COMMAND_EVENTS_MAX,
    COMMAND_EVENTS_MIN,
    CONTRACT_STOPS_MAX,
    CONTRACT_TRAILS_MAX,
    CONTRACTS_MAX,
    DEALS_MAX,
    IMPLIED_FILLS_MAX,
    LEGS_MAX,
    ORDERS_MAX,
    POSITIONS_MAX,
    PRICE_BITS_DEFAULT,
    PRICE_BITS_MAX,
    PRICE_BITS_MIN,
    SCENARIOS_DEFAULT,
    SCENARIOS_MAX,
    SHOCKS_PER_COMMAND,
    TAKER_MAKERS_MAX,
    TIMERS_PER_ACCOUNT,
)

EVENTS_HEADROOM: Final = 1 << 15  # events of an ordinary batch

# Prices of two contracts are often alike. If their books began a power of two apart, all their best
# levels would share a few sets of each cache and of the table of pages. Whole words, an odd number
# of them, and not whole pages.
BOOK_GAP: Final = 27 * 64


@dataclass(frozen=True, slots=True)
class Sizes:
    """Capacities of a state. A pool's count includes slot 0, which is never used."""

    price_bits: int = PRICE_BITS_DEFAULT
    accounts: int = ACCOUNTS_MAX
    contracts: int = CONTRACTS_MAX
    positions: int = POSITIONS_MAX
    orders: int = ORDERS_MAX
    client_ids: int = CLIENT_IDS_MAX
    scenarios: int = SCENARIOS_DEFAULT
    deals: int = DEALS_MAX
    account_stops: int = ACCOUNT_STOPS_MAX
    contract_stops: int = CONTRACT_STOPS_MAX
    contract_trails: int = CONTRACT_TRAILS_MAX
    taker_makers: int = TAKER_MAKERS_MAX
    account_cancels: int = ACCOUNT_CANCELS_MAX
    command_events: int = COMMAND_EVENTS_MAX

    def __post_init__(self) -> None:
        """Refuse what the limits do not cover."""
        within = {
            "price_bits": (PRICE_BITS_MIN, PRICE_BITS_MAX),
            "accounts": (1, ACCOUNTS_MAX),
            "contracts": (1, CONTRACTS_MAX),
            "positions": (2, POSITIONS_MAX),
            "orders": (2, ORDERS_MAX),
            "client_ids": (2, CLIENT_IDS_MAX),
            "deals": (2, DEALS_MAX),
            "scenarios": (SHOCKS_PER_COMMAND, SCENARIOS_MAX),
            "account_stops": (0, ACCOUNT_STOPS_TOP),
            "contract_stops": (0, CONTRACT_STOPS_MAX),
            "contract_trails": (0, CONTRACT_TRAILS_MAX),
            "taker_makers": (1, TAKER_MAKERS_MAX),
            "account_cancels": (1, ACCOUNT_CANCELS_MAX),
            "command_events": (COMMAND_EVENTS_MIN, COMMAND_EVENTS_MAX),
        }
        for name, (least, most) in within.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)} is not in {least}..{most}")
        if self.scenarios % SHOCKS_PER_COMMAND:
            raise ValueError(f"scenarios={self.scenarios} is no multiple of {SHOCKS_PER_COMMAND}")

    @property
    def book_stride(self) -> int:
        """Return the levels from the beginning of a book to that of the next."""
        return (1 << self.price_bits) + BOOK_GAP

    @property
    def command_events_max(self) -> int:
        """Return the most events one command can cause.

        Each resting order can give three trades, an iceberg that is, or one with its legs, a
        protection that is hit and a cancellation, each holder one payment, each timer one word,
        each combination of a leg and each deal its end; the command's own are its reply and at
        most four cancellations of what it leaves, on either side of a quote. Each stop that enters
        behind it may do the same with its makers, and end its other leg and its parent; and each
        order that trades may move every trailing stop of its contract twice. An implied trade
        says itself and its legs, and moves the trailing stops of all of them, as the trades before
        it may twice; a command of two sides does those of two orders, and the last step behind it
        may go as far once more.
        """
        entering = 8 + LEGS_MAX + 2 * min(self.orders, self.contract_trails)
        own = COMBINATIONS_PER_LEG_MAX + TIMERS_PER_ACCOUNT * self.accounts + 10
        pools = (3 + LEGS_MAX) * self.orders + self.positions + self.deals + 5 * self.contracts
        fills = 3 * IMPLIED_FILLS_MAX
        trails = min(self.orders, self.contract_trails)
        implied = fills * (1 + LEGS_MAX + (LEGS_MAX + 2) * trails)
        return pools + own + implied + entering * (2 + AFTERMATH_STEPS_MAX)

    @property
    def events(self) -> int:
        """Return the room for events: a batch's, and one command more."""
        return EVENTS_HEADROOM + self.command_events_max
