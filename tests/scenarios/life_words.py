"""Lines about what follows the end of trading.

cascade H100 into M1 M2            -> ok moves 4 left 0 H100 4 M1 4 M2 4
accrue 1 worth 1501 days 1 of 3    -> ok accrues 1 pays alice 1 pays bob -1
accrue 2 worth 1502 days 3 of 3 finally
"""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from matching.codes import Kind
from matching.wire_life import pack_children
from tests.scenarios.words import Words


class Exchange(Protocol):
    """An exchange with names instead of numbers."""

    contracts: dict[str, int]

    def send(self, kind: Kind, **fields: int) -> np.ndarray:
        """Send a command."""

    def contract_of(self, words: Words) -> int:
        """Return the contract that a line names."""


def verbs(exchange: Exchange) -> dict[str, Callable[[Words], Any]]:
    """Return the words of this file."""
    return {
        "cascade": lambda words: cascade(exchange, words),
        "accrue": lambda words: accrue(exchange, words),
    }


def cascade(exchange: Exchange, words: Words) -> np.ndarray:
    """`cascade Q2 into M4 M5 M6`."""
    parent_idx = exchange.contracts[words.take()]
    words.must("into")
    children = []
    while words:
        children.append(exchange.contracts[words.take()])
    return exchange.send(Kind.CASCADE, contract_idx=parent_idx, **pack_children(children))


def accrue(exchange: Exchange, words: Words) -> np.ndarray:
    """`accrue 1 worth 1501 days 1 of 3 in M4`, and `finally` for the last one."""
    fields = {"order_id": words.number()}
    words.must("worth")
    fields["amount_usd_micros"] = words.number()
    words.must("days")
    fields["ref_id"] = words.number()
    words.must("of")
    fields["qty_lots"] = words.number()
    fields["state"] = 1 if words.maybe("finally") else 0
    return exchange.send(Kind.ACCRUE, contract_idx=exchange.contract_of(words), **fields)
