"""Raw series: copies, spread, and samples that are missing."""

import pytest

from bench.measure.sampler import _MOST_FAST
from bench.validate.series import MOST_SAMPLES, series
from tests.validate import edits
from tests.validate.edits import Document, document_of, edited, fresh, judged, value_at
from tests.validate.good import good
from tests.validate.recipes import Recipe


def found(document: Document) -> list[tuple[str, str]]:
    """Return what this rule alone finds."""
    return [(each.code, each.path) for each in series(edits.candidate(document))]


def test_a_repeat_that_copies_another() -> None:
    document = fresh()
    document["cells"][1]["repeats"][2] = document["cells"][1]["repeats"][0]
    assert found(document) == [("repeats_copied", "cells[1].repeats[2]")]
    (copied,) = [each for each in judged(document) if each.code == "repeats_copied"]
    assert copied.facts == {"other": 0}


def test_a_cell_that_copies_another() -> None:
    document = fresh()
    for nth in (1, 3):
        document["cells"][nth]["repeats"] = document["cells"][0]["repeats"]
    assert found(document) == [("cells_copied", f"cells[{nth}].repeats") for nth in (1, 3)]


def test_answers_of_one_token_can_take_as_long_on_the_clock_of_a_card() -> None:
    one_token = good(Recipe(card="rtx-4090", own=True, clips=(10.0,), tokens=(1,), repeats=3))
    document = document_of(one_token)
    first, second = document["cells"][0]["repeats"][:2]
    for name in ("time_to_first_token_s", "latency_s", "token_times_s"):
        second[name] = first[name]
    assert found(document) == []
    second["host_latency_s"] = first["host_latency_s"]
    assert found(document) == [("repeats_copied", "cells[0].repeats[1]")]


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
