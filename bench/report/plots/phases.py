"""Latency of each cell, broken into its phases."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bench.report.interface import View
from bench.report.plots import theme
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec, counted
from bench.report.plots.marks import choice, of_variant, to_spec, variant_choice
from bench.report.plots.series import Drawn, Series, drawn

if TYPE_CHECKING:
    import altair as alt

_NAMES: Final = {"p": "Preprocess", "e": "Encode", "f": "Prefill", "d": "Decode"}
_STEP: Final = 20
_MOST_HEIGHT: Final = 900
# More bars than this are chosen by token count: a person compares dozens, not hundreds.
_MOST_BARS: Final = 30


def phases_plot(view: View, series: Series, cells: Sequence[Datum]) -> Plot | None:
    """The figure; None if no cell ran, or if another device emulated the card: its time differs."""
    known = [datum for datum in cells if "p" in datum]
    if not known or view.is_emulated:
        return None
    return Plot(
        name="latency",
        title="Latency by phase",
        summary=f"Latency of {counted(len(known))}, from the prepared waveform to the last token.",
        note="Medians. Prefill is the time to the first token less preprocessing and encoding.",
        table="metrics",
        table_words="all metrics",
        key=tuple(KeyEntry("swatch", f"q-{name.lower()}", name.lower()) for name in _NAMES.values()),
        spec=_spec(drawn(series, known), known),
    )


def _spec(shown: Drawn, known: Sequence[Datum]) -> Spec:
    bars, params = _bars(shown), variant_choice(shown, one_by_one=True)
    count = max(Counter(str(datum["v"]) for datum in known).values())
    if count > _MOST_BARS:
        tokens = sorted({int(str(datum["n"])) for datum in known})
        params.append(choice("tokens", "New tokens", [(n, f"{n:,}") for n in tokens]))
        bars = bars.transform_filter("datum.n == tokens")
        count = max(Counter((str(datum["v"]), str(datum["n"])) for datum in known).values())
    height = min(_MOST_HEIGHT, _STEP * count)
    return to_spec(_encoded(bars.mark_bar(size=max(2, 0.65 * height / count))), height, params)


def _bars(shown: Drawn) -> "alt.Chart":
    """One row for each phase of each cell, in order of time."""
    import altair as alt

    names = " : ".join(f"datum.phase == '{key}' ? '{name}'" for key, name in _NAMES.items())
    return (
        alt.Chart(alt.NamedData(name="cells"))
        .transform_filter("isValid(datum.p)")
        .transform_filter(of_variant(shown))
        .transform_fold(list(_NAMES), as_=["phase", "s"])
        .transform_calculate(
            name=f"{names} : ''",
            order=f"indexof('{''.join(_NAMES)}', datum.phase)",
            label="datum.c + ' s × ' + format(datum.n, ',')",
        )
    )


def _encoded(chart: "alt.Chart") -> "alt.Chart":
    import altair as alt

    names = list(_NAMES.values())
    hues = [theme.PHASES[name] for name in names]
    return chart.encode(
        x=alt.X("s:Q", title="Latency (s)", stack="zero", axis=alt.Axis(grid=True)),
        y=alt.Y("label:N", title=None, sort=alt.EncodingSortField("i", op="min")),
        color=alt.Color("name:N", scale=alt.Scale(domain=names, range=hues), legend=None),
        order=alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("cell:N", title="Cell"),
            alt.Tooltip("name:N", title="Phase"),
            alt.Tooltip("s:Q", title="Seconds", format=".4~r"),
            alt.Tooltip("lt:N", title="Latency"),
        ],
    )
