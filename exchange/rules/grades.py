"""Grades of service: what is promised about the node behind a GPU-hour.

A grade's reference price is the node grade's, times a factor, unless the data
quote the grade itself (`quote_kind`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """One grade. `factor_bps` turns the median of `quote_kind` offers into its reference."""

    symbol: str
    name: str
    promise: str
    quote_kind: str  # which offers of the price data speak about it
    factor_bps: int
    factor_source: str


GRADE_DEFAULT: Final = "N"

GRADES: Final = (
    Grade(symbol="T", name="training", quote_kind="on-demand", factor_bps=11_000,
          promise="8 x SXM nodes, NVLink, >= 3.2 Tb/s RDMA, clusters of >= 8 nodes",
          factor_source="judgement: no open source quotes the fabric separately"),
    Grade(symbol="N", name="node", quote_kind="on-demand", factor_bps=10_000,
          promise="8 x SXM node, no fabric promise",
          factor_source="the on-demand offers themselves"),
    Grade(symbol="I", name="inference", quote_kind="on-demand", factor_bps=10_000,
          promise=">= 2 GPUs, data-centre host",
          factor_source="most providers ask the same per GPU for one as for eight"),
    Grade(symbol="X", name="interruptible", quote_kind="spot", factor_bps=10_000,
          promise="may be taken back by the provider at any time",
          factor_source="the spot offers themselves"),
)  # fmt: skip

GRADE_BY_SYMBOL: Final[Mapping[str, Grade]] = MappingProxyType(
    {grade.symbol: grade for grade in GRADES}
)
assert GRADE_DEFAULT in GRADE_BY_SYMBOL
