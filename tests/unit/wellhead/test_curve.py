"""`wellhead curve`: the plot in the terminal, JSON, the picture."""

import json
from decimal import Decimal

import pytest

from tests.unit.wellhead.fakes import FakeRest, wellhead
from wellhead import curve_types as ct
from wellhead.cli.curves import PLOT_WIDTH, bar_of
from wellhead.cli.exits import Exit

pytestmark = pytest.mark.usefixtures("trader")


def row(period: str, price: str, source: str, **more: object) -> dict[str, object]:
    tenor = "month" if "M" in period else "quarter"
    return {"period": period, "tenor": tenor, "price": price, "source": source,
            "rule": "CURV_001", "symbol": f"H100-USE-{period}", **more}  # fmt: skip


CURVE = {
    "series": "H100-USE", "date": "2026-11-22", "shape": None, "points": [
        row("2027M01", "2.700", "book", bid_price="2.690", ask_price="2.710"),
        row("2027M02", "2.600", "strip", moved_by="2027Q1", own_price="2.610",
            own_source="settlement"),
        row("2027M03", "2.500", "reference", symbol=None),
        row("2027Q1", "2.601", "months", arbitrage="0.004"),
    ],
}  # fmt: skip
ANSWER = {"seq": 7, "curve": CURVE}


def test_the_curve_is_drawn_with_where_each_price_is_from(capsys) -> None:
    with FakeRest((200, ANSWER)) as fake:
        assert wellhead(fake, "curve", "H100-USE") == Exit.OK
        assert fake.seen[0][:2] == ("GET", "/api/v1/curves/H100-USE")
    lines = capsys.readouterr().out.splitlines()
    assert "●" in lines[2]
    assert "book 2.690 / 2.710" in lines[2]
    assert "settlement 2.610, by 2027Q1" in lines[3]
    assert lines[4].endswith("reference *")
    assert "ARBITRAGE 0.004" in lines[-1]


def test_json_is_the_answer_and_the_picture_is_written(tmp_path, capsys) -> None:
    path = tmp_path / "curve.svg"
    with FakeRest((200, ANSWER)) as fake:
        assert wellhead(fake, "curve", "H100-USE", "--json", "--svg", str(path)) == Exit.OK
    assert json.loads(capsys.readouterr().out)["curve"] == CURVE
    assert path.read_text(encoding="utf-8").startswith("<svg")


def test_a_picture_that_cannot_be_written_is_said(tmp_path, capsys) -> None:
    with FakeRest((200, ANSWER)) as fake:
        code = wellhead(fake, "curve", "H100-USE", "--svg", str(tmp_path / "no" / "x.svg"))
    assert code == Exit.USAGE
    assert "cannot write" in capsys.readouterr().err


def test_following_needs_a_series(capsys) -> None:
    with FakeRest() as fake:
        assert wellhead(fake, "curve", "--watch") == Exit.USAGE
    assert "wellhead curve H100-USE" in capsys.readouterr().err


@pytest.mark.parametrize("at", ["1", "2", "3"])
def test_a_bar_is_as_wide_as_the_plot_and_marks_the_price(at: str) -> None:
    point = ct.CurvePoint(
        period="2027M01", tenor="month", price=Decimal(at), source="book", rule="CURV_001",
        bid_price=Decimal(1), ask_price=Decimal(3),
    )  # fmt: skip
    bar = bar_of(point, Decimal(1), Decimal(3))
    assert len(bar) == PLOT_WIDTH
    assert bar.index("●") == (int(at) - 1) * (PLOT_WIDTH - 1) // 2
    assert bar_of(point, Decimal(2), Decimal(2)).count("●") == 1
