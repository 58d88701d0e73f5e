"""Parts of sentences that several rooms share."""

import pytest

from bench.records.reasons import CellShape, WorkerStep
from bench.wording.phrases import interval, plural, shape, step


@pytest.mark.parametrize(
    ("clip_s", "tokens", "words"),
    [
        (120, 1512, "120 s (2 min) with 1,512 new tokens"),
        (60, 512, "60 s with 512 new tokens"),
        (0.5, 1, "0.5 s with 1 new token"),
    ],
)
def test_a_cell_is_its_clip_and_its_tokens(clip_s: float, tokens: int, words: str) -> None:
    assert shape(CellShape(clip_seconds=clip_s, max_tokens=tokens)) == words


def test_a_step_has_its_number_only_where_there_are_several() -> None:
    assert step(WorkerStep(name="repeat", number=2, total=3)) == "repeat 2 of 3"
    assert step(WorkerStep(name="load", number=1, total=1)) == "load"


def test_one_is_singular_and_none_is_not() -> None:
    assert [plural("cell", count) for count in (0, 1, 2)] == ["cells", "cell", "cells"]


def test_only_a_bootstrap_interval_is_called_95_percent() -> None:
    assert (interval("bootstrap_95", 5), interval("range", 3)) == ("95 %", "range of 3")
    assert interval("range", None) == "range of the repeats"
