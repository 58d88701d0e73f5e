"""Colours and shapes of plots, as CSS variables of the page: light, dark and print need no redraw."""

from typing import Final

from bench.report.plots.interface import Spec

FONT: Final = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
SOFT: Final = "var(--soft)"
RULE: Final = "var(--rule)"
CARD: Final = "var(--card)"

SERIES: Final = tuple(f"var(--p{nth})" for nth in range(6))
"""An ordered ramp for token counts from few to many; the shape distinguishes them too."""
SHAPES: Final = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross")
SYMBOLS: Final = ("●", "■", "▲", "◆", "▼", "✚")
DASHES: Final = ([1, 0], [7, 4], [2, 3])
DASH_STYLES: Final = ("solid", "dashed", "dotted")
MAX_SERIES: Final = len(SERIES)

PHASES: Final = {
    "Load": "var(--q4)",
    "Preprocess": "var(--q0)",
    "Encode": "var(--q1)",
    "Prefill": "var(--q2)",
    "Decode": "var(--q3)",
}


def config() -> Spec:
    """The Vega-Lite config that all plots share."""
    return {
        "background": "transparent",
        "font": FONT,
        "aria": False,
        "view": {"stroke": None},
        "axis": {
            "labelColor": SOFT,
            "titleColor": SOFT,
            "gridColor": RULE,
            "domainColor": RULE,
            "tickColor": RULE,
            "labelFontSize": 12,
            "titleFontSize": 12,
            "titleFontWeight": 600,
            "titlePadding": 8,
            "labelPadding": 4,
            "tickCount": 6,
            "labelOverlap": True,
        },
        "axisX": {"grid": False},
        "axisY": {
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "end",
            "titleY": -14,
            "domain": False,
        },
    }
