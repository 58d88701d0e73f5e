"""Decode speed against clip length; for a prediction the ceiling, which is no forecast."""

from collections.abc import Sequence

from bench import units
from bench.report import ranges
from bench.report.interface import View
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec
from bench.report.plots.marks import (
    clip_axis,
    of_variant,
    to_spec,
    token_colour,
    token_shape,
    variant_choice,
    variant_dash,
)
from bench.report.plots.series import Drawn, Series, drawn
from bench.wording import phrases

_HEIGHT = 340


def speed_plot(view: View, series: Series, cells: Sequence[Datum], longest: float) -> Plot | None:
    """The figure; None if no cell has a speed, or if another device emulated the card."""
    known = [datum for datum in cells if "r" in datum]
    rates = [float(str(datum["r"])) for datum in known]
    if not rates or view.is_emulated:
        return None
    is_ceiling, shown = view.is_predicted, drawn(series, known)
    low, high = (units.rate(rate, "tok/s") for rate in (min(rates), max(rates)))
    what = "Ceiling of decode speed" if is_ceiling else "Decode speed"
    return Plot(
        name="speed",
        title=f"{what} by clip length" + (": a ceiling, not a forecast" if is_ceiling else ""),
        summary=f"{what} of the cells: {ranges.span(low, high)}.",
        note="A roofline: nothing runs faster on this card, and how much slower it is only a run tells."
        if is_ceiling
        else _spread(view),
        table="ceiling" if is_ceiling else "metrics",
        table_words="ceilings of speed" if is_ceiling else "all metrics",
        key=tuple(_key(shown, is_ceiling=is_ceiling)),
        spec=_spec(shown, longest, is_ceiling=is_ceiling),
    )


def _spread(view: View) -> str:
    if view.merged:
        return "Medians over the records; the bars go from the least of them to the most."
    figures = [row.figures["decode_tokens_per_s"] for row in view.rows]
    kinds = {
        phrases.interval(one.interval_kind, one.interval_n)
        for one in figures
        if one.interval_kind is not None
    }
    bars = f"; the bars are their intervals: {' or '.join(sorted(kinds))}" if kinds else ""
    return f"Medians over the repeats{bars}."


def _key(shown: Drawn, *, is_ceiling: bool) -> list[KeyEntry]:
    """Every ceiling is dashed, whatever its settings."""
    if not is_ceiling:
        return shown.key()
    tokens = [entry for entry in shown.key() if entry.kind == "symbol"]
    return [*tokens, KeyEntry("line", "dashed", "ceiling: at most this")]


def _spec(shown: Drawn, longest: float, *, is_ceiling: bool) -> Spec:
    import altair as alt

    data = alt.Chart(alt.NamedData(name="cells")).transform_filter("isValid(datum.r) && datum.s >= 0")
    title = "At most (tokens/s)" if is_ceiling else "Decode (tokens/s)"
    rate = alt.Y("r:Q", title=title, scale=alt.Scale(zero=True, nice=True))
    base = data.transform_filter(of_variant(shown)).encode(
        x=clip_axis(longest), y=rate, color=token_colour(shown.series)
    )
    tip = [alt.Tooltip("cell:N", title="Cell"), alt.Tooltip("rt:N", title="Decode")]
    dash = alt.StrokeDash(value=[7, 4]) if is_ceiling else variant_dash(shown)
    layers = [
        base.mark_line(strokeWidth=1.8).encode(detail="v:O", strokeDash=dash),
        base.mark_rule(strokeWidth=1.2).encode(y=alt.Y("rl:Q"), y2="rh:Q"),
        base.mark_point(filled=True, size=64, opacity=1).encode(shape=token_shape(shown.series), tooltip=tip),
    ]
    return to_spec(alt.layer(*layers), _HEIGHT, variant_choice(shown))
