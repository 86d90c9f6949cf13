"""The price data as rows: what a named public source stated on a day.

The three tables and their sources are described in `data/gpu_prices/README.md`.
Reading the files is `exchange/io/price_data.py`; here their lines become values.
"""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

from exchange.rules.money import MICROS_DIGITS, scaled_of
from exchange.rules.regions import hub_of

PCT_DIGITS: Final = 2  # changes are in hundredths of a per cent: basis points


class Quote(NamedTuple):
    """One price of one offer, from its day on."""

    day: date
    provider: str
    region: str
    hub: str | None
    raw_sku: str
    gpus: int
    usd_micros: int  # per GPU-hour
    kind: str  # on-demand, spot, community, reserved-1y, reserved-3y
    source: str
    instance: str

    @property
    def key(self) -> tuple[str, ...]:
        """What stays the same while the price changes."""
        return (
            self.provider,
            self.region,
            self.raw_sku,
            str(self.gpus),
            self.kind,
            self.source,
            self.instance,
        )


class Step(NamedTuple):
    """A change of ten per cent or more between two quotes of one offer."""

    day: date
    raw_sku: str
    kind: str
    change_bps: int  # signed
    restated: bool  # probably the catalogue changed, not the price
    offer: tuple[str, ...] = ()  # `Quote.key`


@dataclass(frozen=True, slots=True)
class PriceData:
    """All three tables, in order of day."""

    offers: tuple[Quote, ...]
    reserved: tuple[Quote, ...]
    steps: tuple[Step, ...]

    @property
    def last_day(self) -> date:
        """The newest day any offer was quoted on."""
        return max(quote.day for quote in self.offers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRow:
    """How long a source can be trusted after the last thing it said.

    Every source but the daily one writes only changes: a price holds until the next
    row of the same offer. That is true only while somebody still looks, so all quotes
    of a source are stale once its newest row is older than `stale_days`.
    """

    source: str
    stale_days: int
    attribution: str


SOURCES: Final = (
    SourceRow(source="cyclenerd-gcp", stale_days=90,
              attribution="Cyclenerd/google-cloud-pricing-cost-calculator, Apache-2.0"),
    SourceRow(source="gpurentalprices", stale_days=60,
              attribution="GPU rental price data by gpurentalprices.com, CC BY 4.0"),
    SourceRow(source="azure-pricing-radar", stale_days=60,
              attribution="andy-diericks/azure-pricing-radar, MIT"),
    SourceRow(source="full-stack-cloud-gpus", stale_days=180,
              attribution="the-full-stack/the-full-stack-website, MIT"),
    SourceRow(source="ccir-cri-h100", stale_days=14,
              attribution="ccir-index/cri-h100, MIT"),
)  # fmt: skip
SOURCE_ROW: Final[Mapping[str, SourceRow]] = MappingProxyType({row.source: row for row in SOURCES})

# Two spellings of one provider have one vote.
PROVIDER_ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {"runpod.io": "runpod", "latitude.sh": "latitude", "ovhcloud": "ovh"}
)


def parse_quotes(lines: Iterable[str]) -> tuple[Quote, ...]:
    """Return the rows of an offers or reserved table (CSV with a header), in order of day.

    Errors:
        ValueError, KeyError: a row is not of the table's form.
    """
    return tuple(sorted(map(_quote, csv.DictReader(lines)), key=lambda quote: quote.day))


def _quote(row: Mapping[str, str]) -> Quote:
    return Quote(
        day=date.fromisoformat(row["date"]),
        provider=PROVIDER_ALIASES.get(row["provider"], row["provider"]),
        region=row["region"],
        hub=hub_of(row["region"]),
        raw_sku=row["sku"],
        gpus=int(row["gpus_per_instance"]),
        usd_micros=scaled_of(row["usd_per_gpu_hour"], MICROS_DIGITS),
        kind=row["kind"],
        source=row["source"],
        instance=row["instance"],
    )


def parse_steps(lines: Iterable[str]) -> tuple[Step, ...]:
    """Return the rows of the table of price steps (CSV with a header), in order of day.

    Errors:
        ValueError, KeyError: a row is not of the table's form.
    """
    steps = (
        Step(
            day=date.fromisoformat(row["date"]),
            raw_sku=row["sku"],
            kind=row["kind"],
            change_bps=scaled_of(row["pct_change"], PCT_DIGITS, signed=True),
            restated=row["restatement_suspected"] == "1",
            offer=(
                PROVIDER_ALIASES.get(row["provider"], row["provider"]),
                row["region"],
                row["sku"],
                row["gpus_per_instance"],
                row["kind"],
                row["source"],
                row["instance"],
            ),
        )
        for row in csv.DictReader(lines)
    )
    return tuple(sorted(steps, key=lambda step: step.day))


def standing_quotes(quotes: Iterable[Quote], as_of: date) -> list[Quote]:
    """Return the quotes that still stand on a day, each offer's newest, stale sources left out.

    Args:
        quotes: in order of day.
    """
    newest: dict[tuple[str, ...], Quote] = {}
    heard: dict[str, date] = {}
    for quote in quotes:
        if quote.day > as_of:
            break
        newest[quote.key] = quote
        heard[quote.source] = quote.day
    live = {
        source
        for source, day in heard.items()
        if (as_of - day).days <= SOURCE_ROW[source].stale_days
    }
    return [quote for quote in newest.values() if quote.source in live]
