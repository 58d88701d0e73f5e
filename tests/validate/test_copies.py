"""Copies of repeats and cells: as they are, with a little noise, and stretched."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from operator import mul
from random import Random
from typing import Any, Final

import pytest

from bench.validate.copies import copies
from tests.validate import edits
from tests.validate.edits import Document, document_of, fresh, judged
from tests.validate.good import good
from tests.validate.recipes import Recipe, recipes

TIMES: Final = ("time_to_first_token_s", "latency_s")
Move = Callable[[float], float]


def found(document: Document) -> list[tuple[str, str]]:
    """Return what this rule alone finds."""
    return [(each.code, each.path) for each in copies(edits.candidate(document))]


def moved(repeat: dict[str, Any], move: Move) -> dict[str, Any]:
    """Return a copy of a repeat, each time of which is moved."""
    copy = deepcopy(repeat)
    copy["token_times_s"] = [move(time) for time in repeat["token_times_s"]]
    copy |= {name: move(repeat[name]) for name in TIMES}
    return copy


def noise(size_s: float) -> Move:
    """Return a move by up to this much in either direction."""
    random = Random(1)
    return lambda time: time + random.uniform(-size_s, size_s)


# --- as they are ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_s", [0.0, 1e-9, 4.9e-7])
def test_a_repeat_that_copies_another(size_s: float) -> None:
    document = fresh()
    repeats = document["cells"][1]["repeats"]
    repeats[2] = moved(repeats[0], noise(size_s))
    assert found(document) == [("repeats_copied", "cells[1].repeats[2]")]
    (copied,) = [each for each in judged(document) if each.code == "repeats_copied"]
    assert copied.facts == {"other": 0}


@pytest.mark.parametrize("size_s", [0.0, 4.9e-7])
def test_a_cell_that_copies_another(size_s: float) -> None:
    document = fresh()
    for nth in (1, 3):
        copied = [moved(each, noise(size_s)) for each in document["cells"][0]["repeats"]]
        document["cells"][nth]["repeats"] = copied[::-1]
    assert found(document) == [("cells_copied", f"cells[{nth}].repeats") for nth in (1, 3)]


def test_one_repeat_of_another_cell_is_enough() -> None:
    document = fresh()
    document["cells"][1]["repeats"][2] = document["cells"][0]["repeats"][1]
    assert found(document) == [("cells_copied", "cells[1].repeats")]


def test_of_few_tokens_all_repeats_of_a_cell_are_looked_at() -> None:
    document = document_of(
        good(Recipe(card="rtx-4090", own=True, clips=(10.0, 20.0), tokens=(4,), repeats=3))
    )
    one, *others = (cell["repeats"] for cell in document["cells"])
    others[0][:] = [moved(each, noise(4e-7)) for each in one]
    assert found(document) == [("cells_copied", "cells[1].repeats")]
    one[2] = moved(one[0], noise(4e-7))
    assert found(document) == [], "nothing is unique in one repeat of four tokens"
    one[2] = deepcopy(one[0])
    assert found(document) == [("repeats_copied", "cells[0].repeats[2]")]


def test_answers_of_one_token_can_take_as_long_on_the_clock_of_a_card() -> None:
    one_token = good(Recipe(card="rtx-4090", own=True, clips=(10.0,), tokens=(1,), repeats=3))
    document = document_of(one_token)
    first, second = document["cells"][0]["repeats"][:2]
    for name in (*TIMES, "token_times_s"):
        second[name] = first[name]
    assert found(document) == []
    second["host_latency_s"] = first["host_latency_s"]
    assert found(document) == [("repeats_copied", "cells[0].repeats[1]")]


def test_cells_without_repeats_are_no_copies() -> None:
    document = fresh()
    for cell in document["cells"]:
        cell["repeats"] = []
    assert found(document) == []


# --- stretched --------------------------------------------------------------------------------------------

FIRST: Final = fresh()["cells"][1]["repeats"][0]["token_times_s"][0]
STRETCHED: Final[dict[str, Move]] = {
    "longer": lambda time: time * 1.0137,
    "shorter": lambda time: time / 1.0137,
    "rounded": lambda time: round(time * 1.0137, 6),
    "noise of a rounding": noise(8e-7),
    "later": lambda time: time + 0.0042,
    "slower to the first token, faster from there": lambda time: 1.02 * FIRST + 0.97 * (time - FIRST),
}


@pytest.mark.parametrize("move", STRETCHED.values(), ids=STRETCHED)
def test_a_repeat_with_the_times_of_another_by_one_factor_and_offset(move: Move) -> None:
    document = fresh()
    repeats = document["cells"][1]["repeats"]
    repeats[2] = moved(repeats[0], move)
    assert found(document) == [("repeats_stretched", "cells[1].repeats[2]")]
    (said,) = [each for each in judged(document) if each.code == "repeats_stretched"]
    assert (said.severity.value, said.facts) == ("suspicious", {"other": "cells[1].repeats[0]"})


def test_every_repeat_made_from_one_is_found() -> None:
    document = fresh()
    one, other = document["cells"][1]["repeats"], document["cells"][3]["repeats"]
    for nth, repeats in enumerate((one, one, other, other, other), start=1):
        repeats[nth % 3] = moved(one[0], partial(mul, 1 + nth / 1000))
    assert sorted(found(document)) == [
        *(("repeats_stretched", f"cells[1].repeats[{nth}]") for nth in (1, 2)),
        *(("repeats_stretched", f"cells[3].repeats[{nth}]") for nth in range(3)),
    ]


def test_noise_of_many_microseconds_is_not_told_from_a_new_repeat() -> None:
    document = fresh()
    repeats = document["cells"][1]["repeats"]
    repeats[2] = moved(repeats[0], noise(2e-5))
    assert found(document) == []


def test_two_answers_of_few_tokens_can_have_one_shape() -> None:
    document = document_of(good(Recipe(card="rtx-4090", own=True, clips=(10.0,), tokens=(8,), repeats=3)))
    repeats = document["cells"][0]["repeats"]
    repeats[2] = moved(repeats[0], lambda time: time * 1.01)
    assert found(document) == []


def test_good_records_have_no_copies() -> None:
    for recipe in recipes()[::5]:
        assert found(document_of(good(recipe))) == [], recipe


@pytest.mark.parametrize("times", [[0.5] * 32, [1e308 * (nth % 2) for nth in range(32)], [0.0] * 32])
def test_times_of_no_run_stop_nothing(times: list[float]) -> None:
    document = fresh()
    for nth, repeat in enumerate(document["cells"][1]["repeats"]):
        repeat["token_times_s"] = [*times[:-1], times[-1] + nth / 7]
    assert {path.split(".")[0] for _, path in found(document)} <= {"cells[1]"}
