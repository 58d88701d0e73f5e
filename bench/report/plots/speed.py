"""Decode speed against clip length."""

from collections.abc import Sequence

from bench import units
from bench.report import ranges
from bench.report.interface import View
from bench.report.plots.interface import Datum, Plot, Spec
from bench.report.plots.marks import (
    clip_axis,
    of_line,
    of_variant,
    to_spec,
    token_colour,
    token_shape,
    variant_choice,
    variant_dash,
)
from bench.report.plots.overlap import ALIKE, along_clips, left_out, without_overlaps
from bench.report.plots.series import Drawn, Series, drawn
from bench.wording import phrases

_HEIGHT = 340


def speed_plot(view: View, series: Series, cells: Sequence[Datum], longest: float) -> Plot | None:
    """The figure; None if no setting ran at two clip lengths, or if another device emulated the card.

    A ceiling is not drawn.
    """
    every = [] if view.is_predicted else [datum for datum in cells if "r" in datum]
    known = along_clips(every)
    rates = [float(str(datum["r"])) for datum in known]
    if not rates or view.is_emulated:
        return None
    shown = without_overlaps(drawn(series, known), known, ("r",), ALIKE * max(rates))
    low, high = (units.rate(rate, "tok/s") for rate in (min(rates), max(rates)))
    return Plot(
        name="speed",
        title="Decode speed by clip length",
        summary=f"Decode speed of the cells: {ranges.span(low, high)}.",
        note=" ".join(filter(None, (_spread(view), left_out(every, known)))),
        table="metrics",
        table_words="all metrics",
        key=tuple(shown.key()),
        spec=_spec(shown, longest),
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


def _spec(shown: Drawn, longest: float) -> Spec:
    import altair as alt

    data = alt.Chart(alt.NamedData(name="cells")).transform_filter("isValid(datum.r)")
    rate = alt.Y("r:Q", title="Decode (tokens/s)", scale=alt.Scale(zero=True, nice=True))
    base = (
        data.transform_filter(of_line(shown))
        .transform_filter(of_variant(shown))
        .encode(x=clip_axis(longest), y=rate, color=token_colour(shown.series))
    )
    tip = [alt.Tooltip("cell:N", title="Cell"), alt.Tooltip("rt:N", title="Decode")]
    layers = [
        base.mark_line(strokeWidth=1.8).encode(detail="v:O", strokeDash=variant_dash(shown)),
        base.mark_rule(strokeWidth=1.2).encode(y=alt.Y("rl:Q"), y2="rh:Q"),
        base.mark_point(filled=True, size=64, opacity=1).encode(shape=token_shape(shown.series), tooltip=tip),
    ]
    return to_spec(alt.layer(*layers), _HEIGHT, variant_choice(shown))
