"""Pieces of specs that several plots share."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bench.report.plots import theme
from bench.report.plots.interface import Spec
from bench.report.plots.series import Drawn, Series, places

if TYPE_CHECKING:
    import altair as alt

ALL: Final = -1
ABOVE_ZERO: Final = ", axis starts above 0"
"""End of the title of an axis that does not begin at 0: heights are then no measure of size."""


def to_spec(
    chart: "alt.LayerChart | alt.FacetChart | alt.Chart",
    height: float,
    params: "Sequence[alt.Parameter]" = (),
) -> Spec:
    """The spec as JSON, as wide as its container, without the parts that all plots of a page share."""
    sized = chart.properties(width="container", height=height)
    spec: Spec = (sized.add_params(*params) if params else sized).to_dict(validate=False)
    return {key: value for key, value in spec.items() if key not in {"config", "$schema"}}


def choice(name: str, words: str, options: Sequence[tuple[int, str]]) -> "alt.Parameter":
    """A native <select>. Its values are numbers: no word of a record is ever part of an expression."""
    import altair as alt

    bind = alt.binding_select(
        options=[number for number, _ in options], labels=[label for _, label in options], name=f"{words} "
    )
    return alt.param(name=name, value=options[0][0], bind=bind)


def variant_choice(drawn: Drawn, *, one_by_one: bool = False) -> "list[alt.Parameter]":
    """The control that selects the shown settings; none if there is one setting."""
    if len(drawn.variants) < 2:
        return []
    every = [(ALL, "all")] if drawn.together and not one_by_one else []
    return [choice("variant", "Settings", [*every, *drawn.names])]


def of_variant(drawn: Drawn) -> str:
    """The filter that goes with `variant_choice`; of settings that lie on one another only one passes."""
    shown = [group[0] for group in drawn.variants]
    is_shown = f"indexof({shown}, datum.v) >= 0" if len(shown) < len(drawn.series.variants) else ""
    is_chosen = f"(variant == {ALL} || datum.v == variant)" if len(shown) > 1 else ""
    return " && ".join(filter(None, (is_shown, is_chosen))) or "true"


def of_line(drawn: Drawn) -> str:
    """The filter for the lines; of token counts that lie on one another only one passes."""
    return f"indexof({[group[0] for group in drawn.lines]}, datum.s) >= 0"


def clip_axis(longest: float) -> "alt.X":
    """Clip length in seconds from 0, the same in every plot of a page."""
    import altair as alt

    return alt.X("c:Q", title="Clip length (s)", scale=alt.Scale(domain=[0, longest], nice=False))


def token_colour(series: Series) -> "alt.Color":
    """The ramp of token counts."""
    import altair as alt

    ramp = [theme.SERIES[place] for place in places(len(series.tokens))]
    return alt.Color("s:O", scale=alt.Scale(domain=list(range(len(ramp))), range=ramp), legend=None)


def token_shape(series: Series) -> "alt.Shape":
    """The shapes of token counts."""
    import altair as alt

    shapes = [theme.SHAPES[place] for place in places(len(series.tokens))]
    return alt.Shape("s:N", scale=alt.Scale(domain=list(range(len(shapes))), range=shapes), legend=None)


def variant_dash(drawn: Drawn) -> "alt.StrokeDash":
    """Solid, dashed, dotted; solid alone where the settings are chosen one by one."""
    import altair as alt

    if not drawn.together:
        return alt.StrokeDash(value=theme.DASHES[0])
    dashes = [list(dash) for dash in theme.DASHES[: len(drawn.variants)]]
    first = [group[0] for group in drawn.variants]
    return alt.StrokeDash("v:O", scale=alt.Scale(domain=first, range=dashes), legend=None)
