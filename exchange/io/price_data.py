"""Read the shipped price data."""

import gzip
from functools import cache
from importlib.resources import files
from io import TextIOWrapper

from exchange.rules.quotes import PriceData, parse_quotes, parse_steps

FOLDER = files("exchange") / "rules" / "data" / "gpu_prices"


@cache
def load_price_data() -> PriceData:
    """Return the price data that ships with the package; read once a process (0.1 s)."""
    return PriceData(
        offers=parse_quotes(_lines("gpu_spot_offers.csv.gz")),
        reserved=parse_quotes(_lines("gcp_reserved_curve.csv.gz")),
        steps=parse_steps(_lines("observed_price_steps.csv.gz")),
    )


def _lines(name: str) -> list[str]:
    with (
        (FOLDER / name).open("rb") as packed,
        gzip.open(packed) as raw,
        TextIOWrapper(raw, encoding="utf-8", newline="") as text,
    ):
        return text.readlines()
