"""The indicators of all versions: a table with its trends at a terminal, CSV, JSON, and a plot in SVG.

The plot shows what the figures are made of: the orders by type and the results by kind of code, stacked a version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jdv_qa.checks.indicators import INDICATORS, how_counted, indicator_label
from jdv_qa.language import current_language, figure, say
from jdv_qa.report.register_json import csv_bytes

if TYPE_CHECKING:
    from rich.console import Console

_TEMPLATES = Path(__file__).parent / "templates"
_BARS = "▁▂▃▄▅▆▇█"
_SHORT: Mapping[str, tuple[str, str]] = {
    "orders": ("Demandes", "Orders"),
    "orders_order": ("Order", "Order"),
    "orders_both": ("Both", "Both"),
    "orders_observation": ("Obs.", "Obs."),
    "orders_pending": ("attente", "pending"),
    "results": ("Résultats", "Results"),
    "results_loinc": ("LOINC", "LOINC"),
    "results_pending": ("attente", "pending"),
}
"""Headers of the columns of the table, which must fit 80 columns."""
_PANELS = (
    (
        "orders",
        (
            ("orders_order", "#1F5C99"),
            ("orders_both", "#6FA8DC"),
            ("orders_observation", "#8A5A1F"),
            ("orders_pending", "#C9CED6"),
        ),
    ),
    ("results", (("results_loinc", "#2B6E5E"), ("results_pending", "#C9CED6"))),
)
"""Panels of the plot: the total, and its parts from the bottom up with their colours."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The indicators of a version."""

    version: str
    date: str
    values: Mapping[str, int]


def print_indicators(figures: Sequence[Figures], console: Console) -> None:
    """Print a row a version, the trend of each indicator, and how each is counted."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(say("Version", "Version"), no_wrap=True)
    table.add_column(say("Date", "Date"), no_wrap=True)
    for name in INDICATORS:
        table.add_column(say(*_SHORT[name]), justify="right", no_wrap=True)
    for of in figures:
        table.add_row(
            Text(of.version, style="bold"),
            of.date or "–",
            *(figure(of.values[name]) if of.values else "–" for name in INDICATORS),
        )
    console.print(table)
    console.print()
    trends = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    trends.add_column(no_wrap=True)
    trends.add_column(overflow="fold")
    for name in INDICATORS:
        values = [of.values[name] for of in figures if of.values]
        words = Text(trend(values), style="cyan") if len(values) > 1 else Text("")
        if len(values) > 1:
            words.append(f"  {figure(values[0])} → {figure(values[-1])}", style="bold")
        trends.add_row(
            Text(indicator_label(name), style="bold"),
            words.append(("\n" if words.plain else "") + how_counted(name), style="dim"),
        )
    console.print(trends)


def trend(values: Sequence[int]) -> str:
    """Return a bar of one of eight heights for each value, the least the lowest; a flat line for equal values."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[len(_BARS) // 2] * len(values)
    return "".join(_BARS[(value - low) * (len(_BARS) - 1) // (high - low)] for value in values)


def indicators_csv(figures: Sequence[Figures], *, bom: bool = False) -> bytes:
    """Return a row an indicator and a column a version, as tab 10 has them, with how each is counted."""
    rows = [[say("Indicateur", "Indicator"), *(of.version for of in figures), say("Comptage", "Counted as")]]
    rows.extend(
        [indicator_label(name), *(str(of.values[name]) if of.values else "" for of in figures), how_counted(name)]
        for name in INDICATORS
    )
    return csv_bytes(rows, bom=bom)


def indicators_json(figures: Sequence[Figures]) -> str:
    """Return the figures as JSON: schema jdv-indicators/1."""
    content = {
        "schema": "jdv-indicators/1",
        "indicators": [
            {"name": name, "label": indicator_label(name), "counted": how_counted(name)} for name in INDICATORS
        ],
        "versions": [{"version": of.version, "date": of.date, "figures": dict(of.values)} for of in figures],
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def indicators_svg(figures: Sequence[Figures]) -> str:
    """Return the plot as an SVG picture: two panels of stacked bars, one a version, the totals written above."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = [of for of in figures if of.values]
    panels = [_panel(total, parts, known) for total, parts in _PANELS]
    return environment.get_template("indicators.svg").render(
        lang=current_language(),
        title=say("Indicateurs par version", "Indicators by version"),
        panels=panels,
        width=2 * _MARGIN + len(panels) * _PANEL[0] + (len(panels) - 1) * _GAP,
        height=_TOP + _PANEL[1] + (_BELOW if len(known) > _UPRIGHT else _BELOW / 2),
    )


_PANEL = (520.0, 260.0)
"""Width and height of the plot of a panel, in pixels."""
_MARGIN, _GAP, _TOP, _BELOW = 56.0, 72.0, 84.0, 78.0
_UPRIGHT = 8
"""Versions whose numbers are written upright below the bars; more are slanted."""


def _panel(total: str, parts: Sequence[tuple[str, str]], figures: Sequence[Figures]) -> dict[str, Any]:
    """Return where everything of a panel stands, in pixels."""
    width, height = _PANEL
    place = [name for name, _ in _PANELS].index(total)
    left = _MARGIN + place * (width + _GAP)
    step = _tick_step(max((of.values[total] for of in figures), default=1))
    top = max(step, -(-max((of.values[total] for of in figures), default=1) // step) * step)
    slot = width / max(len(figures), 1)
    bar = min(slot * 0.7, 64.0)
    every = 1 + (len(figures) - 1) // 12
    bars = []
    for number, of in enumerate(figures):
        x = left + slot * (number + 0.5)
        base = 0
        pieces = []
        for name, colour in parts:
            value = of.values[name]
            if value:
                pieces.append(
                    {
                        "x": _pixel(x - bar / 2),
                        "y": _pixel(_TOP + height * (1 - (base + value) / top)),
                        "width": _pixel(bar),
                        "height": _pixel(height * value / top),
                        "colour": colour,
                        "told": f"{of.version} – {indicator_label(name)} : {figure(value)}",
                    }
                )
            base += value
        shown = (len(figures) - 1 - number) % every == 0
        bars.append(
            {
                "x": _pixel(x),
                "total_y": _pixel(_TOP + height * (1 - of.values[total] / top) - 6),
                "total": figure(of.values[total]) if shown else "",
                "version": of.version if shown else "",
                "pieces": pieces,
            }
        )
    return {
        "title": indicator_label(total),
        "left": _pixel(left),
        "right": _pixel(left + width),
        "base": _pixel(_TOP + height),
        "label_y": _pixel(_TOP + height + 18),
        "slanted": len(figures) > _UPRIGHT,
        "ticks": [
            {"y": _pixel(_TOP + height * (1 - value / top)), "text": figure(value)} for value in range(0, top + 1, step)
        ],
        "bars": bars,
        "legend": [
            {"x": _pixel(left + 132 * number), "colour": colour, "text": _legend(name)}
            for number, (name, colour) in enumerate(parts)
        ],
    }


def _legend(name: str) -> str:
    words = {"orders_pending": ("en attente", "pending"), "results_pending": ("en attente", "pending")}
    words |= {"results_loinc": ("codes LOINC", "LOINC codes"), "orders_observation": ("Observation", "Observation")}
    return say(*words.get(name, _SHORT[name]))


def _tick_step(highest: int) -> int:
    """Return the step of a scale of three to six ticks: 1, 2 or 5 times a power of ten."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if highest <= step * factor * 5:
                return step * factor
        step *= 10


def _pixel(value: float) -> str:
    return f"{value:.1f}"
