"""Notes: what a mirror shows and a saved state of the engine does not hold, as bytes.

At which price lots were entered; when an order or a deal was made and changed last, how much it
asked for, what its fills cost. They are taken at the very command that the state is of.
"""

from collections.abc import Collection, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from exchange.rules.mirror_state import MirrorState

MAGIC: Final = b"notes  2"
_COUNTS: Final = 3  # behind it: how many entries, orders and deals follow


def _kind(*names: str) -> np.dtype[Any]:
    return np.dtype([(name, "<i8") for name in names])


_ENTRY: Final = _kind("account_idx", "contract_idx", "entry_usd_micros", "realised_usd_micros")
# The names of attributes, behind that of the key.
_ORDER: Final = _kind(
    "order_id", "qty_lots", "cancelled_lots", "filled_tick_lots", "fills_known", "created_ns",
    "updated_ns", "updated_seq", "link_id", "parent_id",
)  # fmt: skip
_DEAL: Final = _kind("deal_id", "updated_ns", "updated_seq")

Entries = Mapping[tuple[int, int], tuple[int, int]]  # (account, contract): (entry, realised)
Facts = Mapping[int, Mapping[str, int]]  # by id: attributes


class Notes(NamedTuple):
    """What is known beside a saved state."""

    entries: Entries = MappingProxyType({})
    orders: Facts = MappingProxyType({})
    deals: Facts = MappingProxyType({})


def notes_of(mirror: MirrorState) -> bytes:
    """Return the notes of a mirror."""
    entries = [
        (account_idx, contract_idx, position.entry_usd_micros, position.realised_usd_micros)
        for account_idx, account in enumerate(mirror.accounts)
        for contract_idx, position in account.positions.items()
    ]
    orders = [*mirror.orders.values(), *mirror.stops.values()]
    deals = list(mirror.deals.open.values())
    return b"".join(
        (
            MAGIC,
            np.array([len(entries), len(orders), len(deals)], "<i8").tobytes(),
            np.array(entries, _ENTRY).tobytes(),
            _table(_ORDER, orders).tobytes(),
            _table(_DEAL, deals).tobytes(),
        )
    )


def _table(kind: np.dtype[Any], items: Collection[object]) -> np.ndarray:
    """Return the attributes of items, a column each: 40 ns a number, on the loop of a node."""
    table = np.empty(len(items), kind)
    for name in kind.names or ():
        table[name] = np.fromiter(map(attrgetter(name), items), "<i8", len(items))
    return table


def notes_from(data: bytes) -> Notes:
    """Return what `notes_of` was given; older notes, without a head, are entries alone.

    Errors:
        ValueError: these bytes are no notes.
    """
    if not data.startswith(MAGIC):
        return Notes(_entries(np.frombuffer(data, _ENTRY)))
    counts = np.frombuffer(data, "<i8", _COUNTS, len(MAGIC))
    tables, place = [], len(MAGIC) + counts.nbytes
    for kind, count in zip((_ENTRY, _ORDER, _DEAL), counts.tolist(), strict=True):
        tables.append(np.frombuffer(data, kind, count, place))
        place += count * kind.itemsize
    return Notes(_entries(tables[0]), _facts(tables[1]), _facts(tables[2]))


def _entries(table: np.ndarray) -> Entries:
    return {(account, contract): (entry, paid) for account, contract, entry, paid in table.tolist()}


def _facts(table: np.ndarray) -> Facts:
    names = (table.dtype.names or ())[1:]
    return {key: dict(zip(names, values, strict=True)) for key, *values in table.tolist()}
