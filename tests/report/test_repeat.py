"""The command that repeats a record."""

import shlex

import pytest

from bench.records.enums import WeightMode
from bench.records.record import Record
from bench.report.facts import header
from bench.report.view import view_of
from tests.samples import records as sample


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (sample.smoke(), "bench run --suite smoke --device cpu"),
        (sample.standard(WeightMode.RANDOM), "bench run --suite standard --gpu rtx-4070 --weights random"),
        (
            sample.standard(WeightMode.LOCAL),
            "bench run --suite standard --gpu rtx-4070 --model path/to/MOSS-Audio-4B-Instruct",
        ),
        (
            sample.record(
                [sample.measured(sample.requested(clip)) for clip in (5.0, 7.5)],
                weight_mode=WeightMode.RANDOM,
                overrides=("clip_seconds", "repeats"),
                definition={"measure": {"repeats": 3}},
            ),
            "bench run --suite standard --gpu rtx-4070 --weights random --clip-seconds 5,7.5 --repeats 3",
        ),
        (
            sample.record(
                [], weight_mode=WeightMode.RANDOM, overrides=("model",), model="MOSS-Audio-8B-Instruct"
            ),
            "bench run --suite standard --gpu rtx-4070 --weights random --model MOSS-Audio-8B-Instruct",
        ),
        (
            sample.record([], weight_mode=WeightMode.LOCAL, overrides=("model",)),
            "bench run --suite standard --gpu rtx-4070 --model path/to/MOSS-Audio-4B-Instruct",
        ),
    ],
)
def test_the_command_repeats_the_run(record: Record, command: str) -> None:
    assert view_of(record).repeat_command == command


def test_a_hostile_name_cannot_leave_its_place_in_the_command() -> None:
    view = view_of(sample.renamed(sample.hostile(), "suite", sample.HOSTILE))
    words = shlex.split(view.repeat_command)
    assert words[:3] == ["bench", "run", "--suite"]
    assert words[3].startswith("path/to/<script>")
    assert words[4] == "--gpu"
    assert any("<script>" in note for note in view.repeat_notes)


def test_a_suite_named_like_an_option_is_no_option() -> None:
    view = view_of(sample.renamed(sample.record([]), "suite", "--yes"))
    assert shlex.split(view.repeat_command)[2:4] == ["--suite", "path/to/yes.toml"]


def test_an_interrupted_run_can_be_resumed_and_says_how() -> None:
    assert any("--resume" in note for note in view_of(sample.interrupted()).repeat_notes)


def test_an_own_suite_of_a_shipped_name_is_named_so_on_page_and_in_tables() -> None:
    made = sample.smoke()
    own = made.model_copy(update={"suite": made.suite.model_copy(update={"origin": "own"})})
    view = view_of(own)
    assert view.repeat_command == "bench run --suite path/to/smoke.toml --device cpu"
    assert view.repeat_notes[0].startswith("The suite was a file, not the shipped suite smoke: put its path")
    name = f"{made.suite.name} {made.suite.version} (own suite)"
    assert view.check.records[0].suite == name
    assert any(name in fact.text for fact in header(own))
