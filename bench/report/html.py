"""The report page: one self-contained HTML file. Its tables need no script, and its plots load nothing."""

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypedDict

from bench import units
from bench.records.metrics import METRICS, Metric
from bench.report.columns import COLUMNS, Column, Table
from bench.report.details import PHASES
from bench.report.grid import CeilingLine, ceiling_lines
from bench.report.interface import Row, View
from bench.report.prediction import CEILINGS, MEANING, TERMS
from bench.report.truncate import limited

if TYPE_CHECKING:
    import jinja2

_TEMPLATES: Final = Path(__file__).parent / "templates"
# Tables longer than this start folded, so that the page can be skimmed.
_OPEN_UP_TO: Final = 12
_KINDS: Final = ("allocated", "reserved", "resident")


def render(view: View) -> str:
    """The page as text. Text of records is escaped; a policy in the page allows its own scripts only."""
    from bench.report.plots.build import plots
    from bench.report.plots.page import inline

    values = table_values(view)
    figures = plots(values["view"])
    template = environment().get_template("report.html.j2")
    return template.render(**values, plots=figures, inline=inline(figures), lists_sources=True)


class TableValues(TypedDict):
    """What the tables of the page show. `view` is cut if it is large, and `cut` says so."""

    view: View
    cut: str
    ran: list[Row]
    predicted: list[Row]
    speed: list[Column]
    memory: list[Column]
    card: list[Column]
    power: list[Column]
    terms: list[str]
    ceiling_lines: tuple[CeilingLine, ...]
    ceilings: list[str]
    absent: list[str]
    phases: list[str]
    phase_kinds: list[str]
    folded: bool


def table_values(view: View) -> TableValues:
    """Return the values that the tables of a page show."""
    view, cut = limited(view)
    ran = [row for row in view.rows if row.status.code == "measured"]
    predicted = [row for row in view.rows if row.prediction is not None]
    return TableValues(
        view=view,
        cut=cut,
        ran=ran,
        predicted=predicted,
        speed=_in_use("speed", ran),
        memory=_in_use("memory", ran),
        card=_in_use("card", ran),
        power=_in_use("power", ran),
        terms=[name for name in TERMS if _has_figure(predicted, "terms", name)],
        ceiling_lines=ceiling_lines(predicted),
        ceilings=[name for name in CEILINGS if _has_figure(predicted, "ceiling", name)],
        absent=[metric.heading for metric in METRICS.values() if not _has_values(metric, ran)],
        phases=[name for name in PHASES.values() if any(name in row.phases for row in ran)],
        phase_kinds=_phase_kinds(ran),
        folded=max(len(ran), len(predicted)) > _OPEN_UP_TO,
    )


@cache
def environment() -> "jinja2.Environment":
    """The jinja environment of all pages: escaping is on, and a missing name is an error."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(headings=TERMS, meaning=MEANING, ceiling_headings=CEILINGS)
    return environment


def _has_values(column: Column | Metric, rows: list[Row]) -> bool:
    return any(row.figures[column.name].value is not None for row in rows)


def _in_use(table: Table, rows: list[Row]) -> list[Column]:
    """The columns of a table that have a value in any row."""
    return [column for column in COLUMNS if column.table == table and _has_values(column, rows)]


def _has_figure(rows: list[Row], part: Literal["terms", "ceiling"], name: str) -> bool:
    """True if any prediction has a figure under that name."""
    found = (getattr(row.prediction, part) for row in rows)
    return any(figures[name] != units.NOT_AVAILABLE for figures in found)


def _phase_kinds(rows: list[Row]) -> list[str]:
    """The memory figures that any phase of any row has."""
    peaks = [peak for row in rows for peak in row.phases.values()]
    return [kind for kind in _KINDS if any(getattr(peak, kind) != units.NOT_AVAILABLE for peak in peaks)]
