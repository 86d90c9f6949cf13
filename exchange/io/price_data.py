"""Read the shipped price data."""

import gzip
from functools import cache
from importlib.resources import files
from io import TextIOWrapper
from typing import Final

from exchange.rules.quotes import PriceData, parse_quotes, parse_steps

# Due wherever the data or what follows from them are shown; the README beside them says more.
ATTRIBUTION: Final = (
    "GPU rental price data by gpurentalprices.com, CC BY 4.0",
    "Cyclenerd/google-cloud-pricing-cost-calculator, Apache-2.0",
    "the-full-stack/the-full-stack-website, MIT",
    "andy-diericks/azure-pricing-radar, MIT",
    "ccir-index/cri-h100, MIT",
)

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
