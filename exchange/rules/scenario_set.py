"""A published set of scenarios: 128 rows, what they were made from, and the matrix they make.

Whoever has the set computes the shocks of any contract at any price, and so any requirement. Two
hashes hold it: `rows_hash` is over every row, its story and the curve, `matrix_hash` over the
profit of one long lot of each contract in each scenario at the prices that were taken.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from exchange.rules.contracts import Contract, parse_symbol
from exchange.rules.scenario_compress import CompressionError
from exchange.rules.scenario_curve import NODES_DAYS, Components
from exchange.rules.scenario_rows import RowTable, ScenarioRow, row_of, shocks_of
from exchange.rules.scenarios import matrix_hash
from matching.limits import SHOCKS_PER_COMMAND

METHOD: Final = 1  # raised with every change of how a set is made
DIGEST_BYTES: Final = 16


def digest_of(document: Any) -> str:
    """Return the hash of a JSON document, whatever the order of its members."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return blake2b(text.encode("ascii"), digest_size=DIGEST_BYTES).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a set was made from, and how well it stands for all of it."""

    inputs_hash: str
    data_until: date  # the newest day of the price data
    full_count: int  # rows before compression
    windows_count: int
    moved_count: int  # windows in which anything moved
    chosen_with: CompressionError
    held_out: CompressionError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioSet:
    """A set of scenarios as it is published and used."""

    day: date
    worst_count: int
    rows: tuple[ScenarioRow, ...]
    curve: Components
    prices_ticks: Mapping[str, int]  # by symbol: what the published matrix was made at
    made: Made
    _table: list[RowTable] = field(default_factory=list, compare=False, repr=False)
    _moves: dict[str, np.ndarray] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        assert len(self.rows) % SHOCKS_PER_COMMAND == 0
        self._table.append(RowTable.of(self.rows))

    @property
    def count(self) -> int:
        """How many scenarios there are."""
        return len(self.rows)

    def shocks(self, contract: Contract, price_ticks: int, on: date) -> list[int]:
        """Return the profit of one long lot in each scenario, in micro-dollars.

        Args:
            price_ticks: the price that moves: the last settlement price.
            on: not looked at: time to delivery, and what of it is over, is by the set's own day.
        """
        found: list[int] = shocks_of(
            contract, price_ticks, self.moves_ppm(contract), self.day
        ).tolist()
        return found

    def moves_ppm(self, contract: Contract) -> np.ndarray:
        """Return the relative move of a contract's price in each scenario, in millionths."""
        moves = self._moves.get(contract.symbol)
        if moves is None:
            moves = self._table[0].moves_ppm(contract, self.day, self.curve)
            self._moves[contract.symbol] = moves
        return moves

    def live_shocks(self, prices_ticks: Mapping[str, int]) -> dict[str, list[int]]:
        """Return the shocks by symbol at prices."""
        return {
            symbol: self.shocks(parse_symbol(symbol), ticks, self.day)
            for symbol, ticks in prices_ticks.items()
        }

    def matrix(self) -> dict[str, list[int]]:
        """Return the published matrix: shocks by symbol at the prices taken."""
        return self.live_shocks(self.prices_ticks)

    @property
    def rows_hash(self) -> str:
        """Return the hash of the rows and the curve."""
        return digest_of([self._rows_document(), self.day.isoformat(), self.worst_count])

    def matrix_hash(self) -> str:
        """Return the hash of the published matrix."""
        return matrix_hash(self.matrix())

    def _rows_document(self) -> dict[str, Any]:
        return {
            "rows": [row.document() for row in self.rows],
            "curve": {
                "nodes_days": list(NODES_DAYS),
                "loadings_ppm": [list(vector) for vector in self.curve.loadings],
                "share_bps": list(self.curve.share_bps),
            },
        }

    def document(self) -> dict[str, Any]:
        """Return everything as JSON but the matrix, which follows from it."""
        made = self.made
        return {
            "method": METHOD,
            "day": self.day.isoformat(),
            "scenario_count": self.count,
            "worst_count": self.worst_count,
            "inputs_hash": made.inputs_hash,
            "rows_hash": self.rows_hash,
            "matrix_hash": self.matrix_hash(),
            "data_until": made.data_until.isoformat(),
            "full_count": made.full_count,
            "windows_count": made.windows_count,
            "moved_count": made.moved_count,
            "error": {
                "chosen_with": _error_document(made.chosen_with),
                "held_out": _error_document(made.held_out),
            },
            **self._rows_document(),
            # In order: portfolios are drawn by place.
            "prices_ticks": [[symbol, ticks] for symbol, ticks in self.prices_ticks.items()],
        }


def _error_document(error: CompressionError) -> dict[str, int]:
    return {
        "portfolios": error.portfolios_count,
        "wrong": error.wrong_count,
        "mean_ppm": error.mean_ppm,
        "max_ppm": error.max_ppm,
    }


class SetCorrupt(ValueError):
    """A document of a set contradicts its own hashes."""


def set_of(document: Mapping[str, Any]) -> ScenarioSet:
    """Return the set of a document; the inverse of `ScenarioSet.document`.

    Errors:
        SetCorrupt: rows or matrix do not have the hash that the document names, or it is the
            document of another method.
    """
    if document.get("method") != METHOD:
        raise SetCorrupt(f"made by method {document.get('method')}, this program knows {METHOD}")
    curve = document["curve"]
    found = ScenarioSet(
        day=date.fromisoformat(document["day"]),
        worst_count=document["worst_count"],
        rows=tuple(row_of(row) for row in document["rows"]),
        curve=Components(_vectors(curve["loadings_ppm"]), _vectors([curve["share_bps"]])[0]),
        prices_ticks={symbol: int(ticks) for symbol, ticks in document["prices_ticks"]},
        made=Made(
            inputs_hash=document["inputs_hash"],
            data_until=date.fromisoformat(document["data_until"]),
            full_count=document["full_count"],
            windows_count=document["windows_count"],
            moved_count=document["moved_count"],
            chosen_with=_error_of(document["error"]["chosen_with"]),
            held_out=_error_of(document["error"]["held_out"]),
        ),
    )
    for name, hashed in (("rows_hash", found.rows_hash), ("matrix_hash", found.matrix_hash())):
        if document[name] != hashed:
            raise SetCorrupt(f"{name} is {document[name]}, the content has {hashed}")
    return found


def _vectors(rows: Sequence[Sequence[int]]) -> tuple[tuple[int, int, int], ...]:
    return tuple((int(a), int(b), int(c)) for a, b, c in rows)


def _error_of(document: Mapping[str, int]) -> CompressionError:
    return CompressionError(
        portfolios_count=document["portfolios"],
        wrong_count=document["wrong"],
        mean_ppm=document["mean_ppm"],
        max_ppm=document["max_ppm"],
    )
