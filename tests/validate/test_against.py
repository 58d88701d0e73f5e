"""A record against other records of its card below a folder: each key counts once."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import JsonValue

from bench.errors import RecordError
from bench.records.record import Record
from bench.validate.against import against, others_below
from bench.validate.candidate import Found
from bench.validate.outliers import FEWEST_OTHERS
from tests.site.results import put, sealed
from tests.validate.edits import document_of, value_at
from tests.validate.good import good
from tests.validate.recipes import Recipe

ALIKE = Recipe(card="rtx-4090", clips=(10.0,), tokens=(32,))
SENT = good(ALIKE)
RATE = "cells[0].summary.decode_tokens_per_s"


def run(seed: int, pace: float = 1.0) -> Record:
    """Return the record of another run of the same cells."""
    return good(replace(ALIKE, seed=100 + seed, pace=pace))


def outliers(root: Path, record: Record = SENT, key_id: str | None = None) -> list[Found]:
    """Return what is found in a record against those below a folder."""
    return list(against(record, key_id, others_below(root, record.model.name, record.device.slug)))


def scaled(factor: float) -> Record:
    """Return the record with another rate."""
    path = f"{RATE}.median"
    return sealed(document_of(SENT), {path: factor * value_at(document_of(SENT), path)})


def sent_by(root: Path, keys: Iterable[int | None]) -> None:
    """Write a run of each of these keys."""
    for nth, key in enumerate(keys):
        put(root, run(nth), f"{nth}", key=key)


def test_records_of_one_card_agree(tmp_path: Path) -> None:
    sent_by(tmp_path, range(4))
    assert outliers(tmp_path) == []


@pytest.mark.parametrize("factor", [0.2, 5.0])
def test_a_figure_far_from_those_of_others(tmp_path: Path, factor: float) -> None:
    sent_by(tmp_path, range(4))
    (only,) = outliers(tmp_path, scaled(factor))
    assert (only.code, only.path) == ("outlier_of_card", RATE)
    assert only.facts["records"] == 4
    assert only.facts["ratio"] == pytest.approx(factor, rel=0.2)


@pytest.mark.parametrize(
    ("keys", "is_outlier"),
    [
        ([1, 2, 3], True),
        ([1, 2, 3, 3, 3], True),
        ([1, 2], False),
        ([1, 2, 2, 2, 2], False),
        ([1, 2, None, None, None], False),
    ],
)
def test_an_outlier_needs_three_other_keys(
    tmp_path: Path, keys: list[int | None], *, is_outlier: bool
) -> None:
    sent_by(tmp_path, keys)
    assert bool(outliers(tmp_path, scaled(5.0))) is is_outlier


def test_unsigned_records_are_others_of_a_signed_one(tmp_path: Path) -> None:
    sent_by(tmp_path, [1, 2, None, None])
    assert len(outliers(tmp_path, scaled(5.0), key_id="mine")) == 1


def test_many_records_of_one_key_do_not_decide_what_is_far(tmp_path: Path) -> None:
    sent_by(tmp_path, [1, 2, 3])
    for nth in range(5):
        put(tmp_path, run(10 + nth, pace=3.0), f"slow{nth}", key=4)
    assert outliers(tmp_path) == []
    assert outliers(tmp_path, run(99, pace=3.0)) != []


def test_copies_under_new_keys_have_no_voice(tmp_path: Path) -> None:
    for key in range(FEWEST_OTHERS):
        put(tmp_path, SENT, f"same{key}", key=key)
        put(tmp_path, run(1), f"copy{key}", key=10 + key)
        copied = sealed(document_of(run(1)), {"record_id": f"{key:012x}"})
        put(tmp_path, copied, f"edited{key}", key=20 + key)
    assert outliers(tmp_path, scaled(5.0)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"cells[0].power.temperature_c.high": 97.0},
        {"cells[0].summary.latency_s.median": 9.0},
        {"model.repo": "ada/copy"},
    ],
    ids=["suspicious", "wrong", "another model"],
)
def test_what_is_not_counted(tmp_path: Path, changes: dict[str, JsonValue]) -> None:
    for key in range(FEWEST_OTHERS):
        put(tmp_path, sealed(document_of(run(key)), changes), f"{key}", key=key)
    assert outliers(tmp_path, scaled(5.0)) == []


def test_a_file_that_is_no_record_is_passed_over(tmp_path: Path) -> None:
    sent_by(tmp_path, range(3))
    (tmp_path / SENT.model.name / SENT.device.slug / "no.json").write_text("[]", encoding="utf-8")
    assert len(outliers(tmp_path, scaled(5.0))) == 1


def test_a_folder_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"cannot be read \("):
        others_below(tmp_path / ("x" * 300), SENT.model.name, SENT.device.slug)
