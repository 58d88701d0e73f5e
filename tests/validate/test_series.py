"""Raw series: spread, and samples that are missing."""

import pytest

from bench.measure.sampler import _MOST_FAST
from bench.validate.series import MOST_SAMPLES, series
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, value_at
from tests.validate.good import good
from tests.validate.recipes import Recipe


def found(document: Document) -> list[tuple[str, str]]:
    """Return what this rule alone finds."""
    return [(each.code, each.path) for each in series(edits.candidate(document))]


@pytest.mark.parametrize(
    ("latencies", "code"),
    [
        ((1.0, 1.0000001, 1.0000002), "spread_too_small"),
        ((1.0, 2.0, 99.0), "spread_absurd"),
        ((1e200, 3e300, 1e307), "spread_absurd"),
        ((1.0, 1.00001, 1.00002), None),
        ((1.0, 1.5, 2.5), None),
    ],
)
def test_spread(latencies: tuple[float, ...], code: str | None) -> None:
    changes = {f"cells[0].repeats[{nth}].latency_s": each for nth, each in enumerate(latencies)}
    about = [each for each in found(edited(changes)) if each[0] != "samples_missing"]
    assert about == ([(code, "cells[0].repeats")] if code else [])


def test_two_repeats_can_agree_by_chance() -> None:
    document = edited({"cells[0].repeats[0].latency_s": 1.0, "cells[0].repeats[1].latency_s": 1.0000001})
    del document["cells"][0]["repeats"][2:]
    assert "spread_too_small" not in {code for code, _ in found(document)}


@pytest.mark.parametrize("part", ["device_memory", "power"])
def test_too_few_samples(part: str) -> None:
    document = document_of(good(Recipe(clips=(10.0,), tokens=(128,))))
    path = f"cells[0].{part}.sampler"
    samples = value_at(document, f"{path}.samples")
    assert found(edited({f"{path}.samples": samples // 2}, document)) == []
    assert found(edited({f"{path}.samples": samples // 20}, document)) == [("samples_missing", path)]
    gap = f"{path}.largest_gap_s"
    assert found(edited({gap: 2.5}, document)) == [("samples_missing", gap)]
    assert found(edited({gap: 2.5, "cells[0].device_memory.driver_error": "lost"}, document)) == []


def test_a_long_series_is_thinned_by_the_sampler() -> None:
    assert MOST_SAMPLES == _MOST_FAST // 2
    hours = {f"cells[0].repeats[{nth}].latency_s": 40_000.0 + nth for nth in range(3)}
    sampler = {f"cells[0].{part}.sampler.samples": MOST_SAMPLES for part in ("device_memory", "power")}
    assert found(edited({**hours, **sampler})) == []
