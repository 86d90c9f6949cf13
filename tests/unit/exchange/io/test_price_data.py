import tomllib
from collections import Counter
from datetime import date
from fnmatch import fnmatch
from pathlib import Path

import pytest

from exchange.io.price_data import FOLDER, load_price_data
from exchange.rules.quotes import SOURCES, parse_quotes, parse_steps

ROOT = Path(__file__).parents[4]


def test_the_shipped_tables_have_all_their_rows() -> None:
    data = load_price_data()
    assert (len(data.offers), len(data.reserved), len(data.steps)) == (9_150, 1_750, 1_471)
    assert (data.offers[0].day, data.last_day) == (date(2022, 2, 9), date(2026, 8, 22))
    assert load_price_data() is data


def test_every_source_has_a_row_and_stands_in_the_attribution() -> None:
    data = load_price_data()
    named = Counter(quote.source for quote in (*data.offers, *data.reserved))
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert set(named) == {row.source for row in SOURCES}
    assert all(row.source in readme and row.attribution.split(",")[0] in readme for row in SOURCES)


def test_the_data_are_part_of_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    globs = settings["tool"]["setuptools"]["package-data"]["exchange"]
    for name in ("gpu_spot_offers.csv.gz", "README.md"):
        path = f"rules/data/gpu_prices/{name}"
        assert any(fnmatch(path, glob) for glob in globs)


@pytest.mark.parametrize(
    "row",
    [
        "2026-13-01,gcp,r,H100-SXM,8,1.0,spot,cyclenerd-gcp,x",
        "2026-07-01,gcp,r,H100-SXM,8,NaN,spot,cyclenerd-gcp,x",
        "2026-07-01,gcp,r,H100-SXM,8,-1,spot,cyclenerd-gcp,x",
        "2026-07-01,gcp,r,H100-SXM,eight,1.0,spot,cyclenerd-gcp,x",
    ],
)
def test_a_row_that_is_no_quote_is_refused(row: str) -> None:
    header = "date,provider,region,sku,gpus_per_instance,usd_per_gpu_hour,kind,source,instance"
    with pytest.raises(ValueError, match=r"."):
        parse_quotes([header, row])


def test_a_table_without_its_columns_is_refused() -> None:
    with pytest.raises(KeyError):
        parse_steps(["date,sku", "2026-07-01,B200"])
