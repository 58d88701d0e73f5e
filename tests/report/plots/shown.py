"""The plots of a record."""

from bench.records.record import Record
from bench.report.plots.build import plots
from bench.report.plots.interface import Plot, Plots
from bench.report.view import view_of
from tests.samples import cards, large


def plots_of(record: Record) -> Plots:
    """All of them."""
    return plots(view_of(record))


def plot(record: Record, name: str) -> Plot:
    """The one with this name."""
    return next(one for one in plots_of(record).figures if one.name == name)


def names(record: Record) -> list[str]:
    """Their names, in the order of the page."""
    return [one.name for one in plots_of(record).figures]


def traced_card() -> Record:
    """A run whose memory was watched."""
    return cards.with_card([large.traced(cards.measured(clip)) for clip in (10.0, 60.0)])
