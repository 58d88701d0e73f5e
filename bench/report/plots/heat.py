"""Clip length × new tokens: the outcome of each cell as tint and symbol."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.report.interface import View
from bench.report.plots import theme
from bench.report.plots.interface import Datum, KeyEntry, Plot, Spec, counted, joined
from bench.report.plots.marks import of_variant, to_spec, variant_choice
from bench.report.plots.series import Drawn, Series, drawn
from bench.report.plots.verdicts import VERDICTS

_STEP: Final = 34
_LEAST_STEP: Final = 14
_MOST_HEIGHT: Final = 900
# In px: a narrower column shows the symbol alone.
_LEAST_FOR_WORDS: Final = 150


def heat_plot(view: View, series: Series, cells: Sequence[Datum]) -> Plot | None:
    """The figure; None for a prediction, whose grid says the same, and where no setting has two outcomes."""
    outcomes: dict[object, set[object]] = {}
    for datum in cells:
        outcomes.setdefault(datum["v"], set()).add(datum["k"])
    if view.is_predicted or not any(len(found) > 1 for found in outcomes.values()):
        return None
    counts = Counter(str(datum["k"]) for datum in cells)
    found = [f"{VERDICTS[code].word}: {counts[code]:,}" for code in VERDICTS if code in counts]
    return Plot(
        name="heat",
        title="What came of each cell",
        summary=f"{counted(len(cells))}; {joined(found)}.",
        note="Each cell by its symbol; the key below explains it.",
        table="grids",
        table_words="the same grid with its figures",
        key=tuple(
            KeyEntry("swatch", VERDICTS[code].tint, VERDICTS[code].word, VERDICTS[code].symbol)
            for code in VERDICTS
            if code in counts
        ),
        spec=_spec(drawn(series, cells), cells, [code for code in VERDICTS if code in counts]),
        is_wide=True,
    )


def _spec(shown: Drawn, cells: Sequence[Datum], codes: list[str]) -> Spec:
    import altair as alt

    clips, tokens = (sorted({float(str(datum[key])) for datum in cells}) for key in "cn")
    step = max(_LEAST_STEP, min(_STEP, _MOST_HEIGHT // max(1, len(clips))))
    tip = [
        alt.Tooltip("cell:N", title="Cell"),
        alt.Tooltip("w:N", title="Verdict"),
        alt.Tooltip("why:N", title="Reason"),
        alt.Tooltip("mt:N", title="Memory"),
        alt.Tooltip("bt:N", title="Predicted need"),
        alt.Tooltip("rt:N", title="Decode"),
    ]
    base = (
        alt.Chart(alt.NamedData(name="cells"))
        .transform_filter(of_variant(shown))
        .encode(
            x=alt.X("n:O", title="New tokens", axis=alt.Axis(labelAngle=0, orient="top", format=",")),
            y=alt.Y("c:O", title="Clip length (s)", axis=alt.Axis(titleY=-32), scale=alt.Scale(domain=clips)),
        )
    )
    fills, inks = ([getattr(VERDICTS[code], part) for code in codes] for part in ("fill", "ink"))
    words = f"width / {max(1, len(tokens))} > {_LEAST_FOR_WORDS} ? datum.w : datum.w[0]"
    boxes = base.mark_rect(stroke=theme.CARD, strokeWidth=2, cornerRadius=4).encode(
        color=alt.Color("k:N", scale=alt.Scale(domain=codes, range=fills), legend=None), tooltip=tip
    )
    texts = base.mark_text(fontSize=12, fontWeight=600, text=alt.ExprRef(words)).encode(
        color=alt.Color("k:N", scale=alt.Scale(domain=codes, range=inks), legend=None)
    )
    chart = alt.layer(boxes, texts).resolve_scale(color="independent")
    return to_spec(chart, step * len(clips), variant_choice(shown, one_by_one=True))
