"""Compression: the few rows that make the requirement of every portfolio like a member's.

The requirement is the mean of the n worst rows. A row that is among the n worst of no portfolio
matters to none. Rows are chosen greedily: the portfolio whose requirement is furthest too low,
relative to its own, gets the worst of its rows that is still missing; until the room is full or
nobody lacks anything. A requirement from fewer rows is never too high, so the error has one sign.

A set is accepted only if no portfolio is off by more than 1 %, of those it was chosen with and of
others that were held out. Both errors are published.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from exchange.rules.money import BPS, div_ceil

ERROR_MAX_BPS: Final = 100


class CompressionRefused(ValueError):
    """A set of rows misses more of somebody's requirement than is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressionError:
    """How far requirements of the compressed set lie below those of the full one, rounded up."""

    portfolios_count: int
    wrong_count: int  # portfolios with any error
    mean_ppm: int
    max_ppm: int

    @property
    def max_bps(self) -> int:
        """Return the largest error in basis points, rounded up."""
        return div_ceil(self.max_ppm, 100)


def worst_mean_usd_micros(losses: np.ndarray, worst_count: int) -> np.ndarray:
    """Return the mean of the n worst of each portfolio, rounded up, never below zero."""
    worst = np.sort(losses, axis=1)[:, -worst_count:].sum(axis=1)
    found: np.ndarray = np.maximum(0, -(-worst // worst_count))
    return found


def error_of(full: np.ndarray, kept: np.ndarray) -> CompressionError:
    """Compare requirements, by portfolio."""
    ppm = _missing_ppm(full, kept)
    return CompressionError(
        portfolios_count=len(ppm),
        wrong_count=int((ppm > 0).sum()),
        mean_ppm=div_ceil(int(ppm.sum()), max(1, len(ppm))),
        max_ppm=int(ppm.max(initial=0)),
    )


def _missing_ppm(full: np.ndarray, kept: np.ndarray) -> np.ndarray:
    missing = np.maximum(0, full - kept)
    # A requirement is below 2^60 / 10^6 for any portfolio drawn here; asserted by the caller.
    found: np.ndarray = -(-missing * 1_000_000 // np.maximum(1, full))
    return found


def chosen_rows(losses: np.ndarray, worst_count: int, room: int, first: list[int]) -> list[int]:
    """Return which rows to keep, in order of their number: as many as there is room for.

    When nobody lacks a row of the n worst, those of the n + 1 worst are next, and so on.

    Args:
        losses: (portfolios, rows), positive is a loss.
        room: how many rows there may be.
        first: rows that are kept in any case.
    """
    assert np.abs(losses).max(initial=0) < (1 << 62) // 1_000_000
    assert len(first) <= room <= losses.shape[1]
    kept = list(first)
    while len(kept) < room and worst_count < losses.shape[1]:
        kept = _filled(losses, worst_count, room, kept)
        worst_count += 1
    return sorted(kept)


def _filled(losses: np.ndarray, worst_count: int, room: int, first: list[int]) -> list[int]:
    """Return the first rows, and those that somebody lacks among its n worst."""
    full = worst_mean_usd_micros(losses, worst_count)
    # The n worst rows of each portfolio, the worst first; ties by number.
    worst = np.argsort(-losses, axis=1, kind="stable")[:, :worst_count]
    best = np.full((len(losses), worst_count), np.iinfo(np.int64).min >> 20, np.int64)
    kept: list[int] = []

    def keep(row: int) -> None:
        kept.append(row)
        joined = np.concatenate([best, losses[:, row, None]], axis=1)
        best[:] = np.sort(joined, axis=1)[:, 1:]

    for row in first:
        keep(row)
    while len(kept) < room:
        have = np.maximum(0, -(-best.sum(axis=1) // worst_count))
        missing = _missing_ppm(full, have)
        at = int(np.argmax(missing))
        if missing[at] == 0:
            break
        keep(next(int(row) for row in worst[at] if int(row) not in kept))
    return kept


def accept(errors: dict[str, CompressionError]) -> None:
    """Refuse a set that misses more than is allowed.

    Errors:
        CompressionRefused: which portfolios, and how much.
    """
    for which, error in errors.items():
        if error.max_bps > ERROR_MAX_BPS:
            raise CompressionRefused(
                f"{which}: a requirement is {error.max_bps} bps too low, at most {ERROR_MAX_BPS}"
                f" of {BPS}"
            )
