import pytest
from pydantic import BaseModel

from bench.records.metrics import (
    FIGURES,
    METRICS,
    Metric,
    Section,
    Statistic,
    Summary,
    stated,
    value,
    with_fields,
)
from bench.units import Unit
from tests.samples import records as samples_of

SUFFIXES = {
    Unit.SECONDS: "_s",
    Unit.BYTES: "_bytes",
    Unit.JOULES: "_j",
    Unit.TOKENS_PER_S: "_tokens_per_s",
    Unit.RATIO: "_factor",
    Unit.SHARE: "_fraction",
    Unit.COUNT: "_tokens",
}


def test_every_figure_of_a_summary_is_a_row_of_the_table() -> None:
    assert list(METRICS) == [name for name in Summary.model_fields if name != "labels"]


@pytest.mark.parametrize("metric", FIGURES.values(), ids=list(FIGURES))
def test_the_name_of_a_metric_says_its_unit(metric: Metric) -> None:
    suffixes = [suffix for suffix in SUFFIXES.values() if metric.name.endswith(suffix)]
    assert max(suffixes, key=len) == SUFFIXES[metric.unit]


@pytest.mark.parametrize("metric", FIGURES.values(), ids=list(FIGURES))
def test_a_metric_is_explained_and_shown_with_its_like(metric: Metric) -> None:
    assert metric.meaning
    assert (metric.unit is Unit.BYTES) == (metric.section in {Section.MEMORY, Section.CARD})
    assert (metric.unit is Unit.JOULES) == (metric.section is Section.ENERGY)


def test_headings_differ() -> None:
    assert len({metric.heading for metric in FIGURES.values()}) == len(FIGURES)


@pytest.mark.parametrize("name", METRICS)
def test_the_table_knows_which_metrics_are_statistics(name: str) -> None:
    cell = samples_of.measured(samples_of.requested())
    found = stated(cell.summary, name)
    assert found is None or isinstance(found, Statistic) == METRICS[name].is_statistic


def test_the_value_is_the_median() -> None:
    cell = samples_of.measured(samples_of.requested())
    assert cell.summary is not None
    assert cell.summary.latency_s is not None
    assert value(cell.summary, "latency_s") == cell.summary.latency_s.median
    assert value(cell.summary, "allocated_peak_bytes") == cell.summary.allocated_peak_bytes
    assert value(None, "latency_s") is None


def test_a_name_that_is_no_metric_is_refused() -> None:
    with pytest.raises(KeyError):
        value(None, "speed")


def test_a_model_with_a_field_for_each_metric_stays_the_model() -> None:
    @with_fields([METRICS["latency_s"], METRICS["energy_j"]], lambda metric: (float | None, None))
    class Some(BaseModel):
        """Some."""

        cell_id: str

    assert list(Some.model_fields) == ["cell_id", "latency_s", "energy_j"]
    assert (Some.__name__, Some.__doc__, Some.__module__) == ("Some", "Some.", __name__)
