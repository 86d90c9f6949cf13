"""The hedge desk's report: one HTML page with its plots inside, no script, nothing loaded.

It is made of the answer of the API, so that page and numbers cannot differ.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from html import escape
from typing import Any, Final

from exchange.rules.money import DECIMAL

WIDTH: Final = 860
HEIGHT: Final = 240
LEFT: Final = 80
TOP: Final = 16
BOTTOM: Final = 40
GRID: Final = 4
_INNER: Final = HEIGHT - TOP - BOTTOM
_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:880px;margin:2em auto;padding:0 1em;color:#1f2328}
svg{max-width:100%}div{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13px}td,th{padding:3px 8px;text-align:right;
border-bottom:1px solid #d0d7de}td:first-child,th:first-child{text-align:left}
.k{color:#57606a;font-size:13px}"""

Row = Mapping[str, Any]


def page(hedge: Row) -> str:
    """Return the report of a hedge, the `hedge` of the API's answer."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>Hedge of {hedge['day']}</title><style>{_STYLE}</style></head><body>",
            f"<h1>Hedge of {hedge['day']}</h1>",
            f"<p>{_summary(hedge)}</p>",
            "<h2>Exposure and hedge, GPU-hours by month</h2>",
            *(_bars(name, rows) for name, rows in _by_series(hedge["months"]).items()),
            "<h2>Strip</h2>",
            _table(
                ("contract", "for", "lots", "GPU-hours", "price", "value"),
                (
                    (
                        leg["symbol"],
                        leg["series"] + (" (proxy)" if leg["proxy"] else ""),
                        leg["quantity"],
                        leg["gpu_hours"],
                        leg["price"],
                        leg["value"],
                    )
                    for leg in hedge["strip"]
                ),
            ),
            "<h2>Months</h2>",
            _months(hedge["months"]),
            "<h2>Basis</h2>",
            "<p>Changes over four weeks of the plan's sites against the other sites of their hub,"
            " and of the hub against the world without it. R² is the share of the one that the"
            " other explains: what is left is yours to bear.</p>",
            *map(_basis, hedge["basis"]),
            f'<p class="k">Prices: {"; ".join(map(escape, hedge["attribution"]))}.</p>',
            "</body></html>",
            "",
        ]
    )


def _summary(hedge: Row) -> str:
    """Return what it comes to, in sentences."""
    totals = hedge["totals"]
    selling = hedge["side"] == "sell"
    share = Decimal(totals["hedged_share"]) * 100
    text = (
        f"{totals['gpu_hours']} GPU-hours to {'sell' if selling else 'buy'}; the strip hedges"
        f" {totals['hedged_gpu_hours']} of them ({share:.1f} %) at marks worth"
        f" {_usd(totals['hedged_value'])} USD. "
    )
    kind = "beyond cost and power" if selling else "below budget"
    text += f"Locked {kind}: {_usd(totals['locked_margin'])} USD, before fees of at most "
    text += f"{_usd(totals['fees_at_most'])} USD. Initial margin "
    text += f"{_usd(totals['initial_margin_alone'])} USD"
    text += f" alone, {_usd(totals['initial_margin_more'])} USD more in the account."
    free = _usd(totals["free_after"])
    if Decimal(totals["free_after"]) < 0:
        text += f" The account cannot carry it: it would be {free.lstrip('-')} USD short."
    else:
        text += f" {free} USD would stay free."
    if hedge["unhedged"]:
        text += f" No contract hedges {', '.join(hedge['unhedged'])}."
    return escape(text)


def _usd(amount: str) -> str:
    """Return an amount to the cent, as people read it."""
    return f"{Decimal(amount):,.2f}"


def _by_series(months: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in months:
        found.setdefault(row["series"], []).append(row)
    return found


def _table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<div><table><tr>{head}</tr>{body}</table></div>"


def _months(rows: Sequence[Row]) -> str:
    heads = ("series", "month", "GPU-hours", "hedged", "hedged value", "open value", "cost",
             "power", "price - power")  # fmt: skip
    names = ("series", "month", "gpu_hours", "hedged_gpu_hours", "hedged_value", "open_value",
             "cost", "power_cost", "power_margin")  # fmt: skip
    return _table(heads, (["" if row[n] is None else row[n] for n in names] for row in rows))


def _basis(one: Row) -> str:
    """Return what is known of a site, with the history of the basis as a line."""
    site = " ".join(part for part in (one["series"], one["provider"], one["region"]) if part)
    rows = [
        (name, fit["windows"], fit["beta"] or "too few", fit["r_squared"] or "")
        for name, fit in (
            ("sites against their hub", one["site_to_hub"]),
            ("hub against the world", one["hub_to_world"]),
        )
    ]
    table = _table((site, "windows", "beta", "R²"), rows)
    return table + (_line(one["history"]) if len(one["history"]) > 1 else "")


# Plots, in whole pixels


def _frame(title: str, top: Decimal, names: Sequence[str]) -> list[str]:
    """Return the head of a plot: its title, a grid with numbers, and names below."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' font-family="sans-serif" font-size="11" role="img" aria-label="{escape(title)}">',
        f'<text x="{LEFT}" y="12" font-size="13">{escape(title)}</text>',
    ]
    for part in range(GRID + 1):
        y = TOP + _INNER * (GRID - part) // GRID
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y}" y2="{y}" stroke="#d0d7de"/>'
            f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{_part(top, part)}</text>'
        )
    every = -(-len(names) // 12)
    for place, name in enumerate(names):
        if place % every == 0:
            x = _x(place, len(names)) + 4
            parts.append(f'<text x="{x}" y="{HEIGHT - 20}">{escape(name)}</text>')
    return parts


def _part(top: Decimal, part: int) -> str:
    return f"{DECIMAL.divide(top * part, Decimal(GRID)):,.6g}"


def _x(place: int, count: int) -> int:
    return LEFT + (WIDTH - LEFT) * place // count


def _height(value: Decimal, top: Decimal) -> int:
    return int(DECIMAL.divide(_INNER * max(Decimal(0), value), top))


def _bars(series: str, rows: Sequence[Row]) -> str:
    """Return GPU-hours of each month, and within them what is hedged."""
    hours = [Decimal(row["gpu_hours"]) for row in rows]
    hedged = [Decimal(row["hedged_gpu_hours"]) for row in rows]
    top = max(*hours, *hedged, Decimal(1))
    parts = _frame(f"{series}: all (grey), hedged (blue)", top, [row["month"] for row in rows])
    wide = max(2, (WIDTH - LEFT) // len(rows) * 3 // 4)
    for place in range(len(rows)):
        x = _x(place, len(rows)) + 2
        for value, colour, inset in ((hours[place], "#afb8c1", 0), (hedged[place], "#1f6feb", 3)):
            tall = _height(value, top)
            parts.append(
                f'<rect x="{x + inset}" y="{TOP + _INNER - tall}"'
                f' width="{max(1, wide - 2 * inset)}" height="{tall}" fill="{colour}"/>'
            )
    return "\n".join([*parts, "</svg>"])


def _line(history: Sequence[Row]) -> str:
    """Return the basis by month."""
    values = [Decimal(point["ratio"]) for point in history]
    top = max(values) * Decimal("1.1")
    parts = _frame(
        "Level of the hub over the worldwide one", top, [point["month"] for point in history]
    )
    points = " ".join(
        f"{_x(place, len(values)) + 4},{TOP + _INNER - _height(value, top)}"
        for place, value in enumerate(values)
    )
    line = f'<polyline fill="none" stroke="#1f6feb" stroke-width="2" points="{points}"/>'
    return "\n".join([*parts, line, "</svg>"])
