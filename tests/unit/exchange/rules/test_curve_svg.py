"""The picture of a curve: whole pixels, everything inside the frame, one dot is enough."""

import xml.etree.ElementTree as ET

import pytest

from exchange.rules.curve_svg import SHEET, Dot, curve_plot
from exchange.rules.tenors import parse_period

SVG = "{http://www.w3.org/2000/svg}"


def dot(code: str, price: int, source: str, bid: int = 0, ask: int = 0) -> Dot:
    return Dot(parse_period(code), price, source, bid, ask)


DOTS = [
    dot("2027M01", 2_000, "book", 1_990, 2_010),
    dot("2027M02", 1_950, "settlement"),
    dot("2027M03", 1_900, "strip", 1_000, 0),
    dot("2027Q1", 1_951, "months", 1_940, 1_960),
]


@pytest.mark.parametrize("dots", [DOTS, DOTS[:1], [dot("2027M12", 1, "reference")]])
def test_all_lines_lie_within_the_frame(dots: list[Dot]) -> None:
    root = ET.fromstring(curve_plot("a < b".replace("<", "&lt;"), dots))
    lines = root.findall(f"{SVG}line")
    assert len(lines) >= len(dots)
    for line in lines:
        assert (
            SHEET.left
            <= int(line.attrib["x1"])
            <= int(line.attrib["x2"])
            <= SHEET.width - SHEET.right
        )
        assert SHEET.top <= int(line.attrib["y1"]) <= SHEET.height - SHEET.bottom
        assert SHEET.top <= int(line.attrib["y2"]) <= SHEET.height - SHEET.bottom


def test_the_highest_price_is_drawn_highest_and_the_book_beside_it() -> None:
    text = curve_plot("t", DOTS)
    root = ET.fromstring(text)
    thick = [line for line in root.findall(f"{SVG}line") if line.get("stroke-width") == "3"]
    heights = [int(line.attrib["y1"]) for line in thick]
    assert heights == sorted(heights)
    (book,) = root.findall(f"{SVG}rect")[1:]
    top, height = int(book.attrib["y"]), int(book.attrib["height"])
    assert top < heights[0] < top + height
    assert text == curve_plot("t", DOTS)
