"""The name of a bundle says which record it is and which key signed it, and nothing of the sender's files."""

from dataclasses import replace
from pathlib import PurePosixPath

from bench.submit.place import name_of, place_of
from tests.validate.edits import candidate, edited
from tests.validate.good import good, ordinary
from tests.validate.recipes import Recipe

KEY = "0a1b2c3d" + "4" * 56


def test_a_run_and_a_search_are_named_alike() -> None:
    assert name_of(ordinary(), KEY) == f"20261120T180409Z-quick-{ordinary().record_id}-0a1b2c3d.bundle.json"
    search = good(replace(Recipe(clips=(10.0,), tokens=(32,)), is_search=True))
    assert name_of(search, KEY) == f"20261120T180409Z-quick-frontier-{search.record_id}-0a1b2c3d.bundle.json"


def test_it_lies_with_the_records_of_its_model_and_card() -> None:
    folder = PurePosixPath("results/MOSS-Audio-4B-Instruct/rtx-4090")
    assert place_of(ordinary(), KEY) == folder / name_of(ordinary(), KEY)


def test_the_time_in_the_name_is_utc_whatever_zone_the_record_states() -> None:
    elsewhere = edited({"created_at": "2026-11-20T23:34:09+05:30"})
    assert name_of(candidate(elsewhere).record, KEY).startswith("20261120T180409Z-quick-")
