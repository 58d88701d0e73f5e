"""Raw repeats: as many as the suite has, tokens counted, times in order and adding up."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench.validate.repeats import differs
from tests.validate import edits
from tests.validate.edits import Document, edited, errors, fresh, judged, value_at

REPEAT = "cells[0].repeats[1]"
SUMMARY = "$.cells[0].summary."


def raw(changes: Mapping[str, JsonValue]) -> list[tuple[str, str]]:
    """Return the errors about repeats, without those of the summaries that now differ from them."""
    found = errors(judged(edited(changes)))
    return [each for each in found if each[0] != "summary_mismatch"]


def test_a_measured_cell_without_repeats() -> None:
    found = edits.found({"cells[0].repeats": []})
    assert found == [("repeats_missing", "$.cells[0].repeats")]


@pytest.mark.parametrize("name", ["summary"])
def test_a_measured_cell_without_figures(name: str) -> None:
    assert edits.found({f"cells[1].{name}": None}) == [("outcome_contradicted", f"$.cells[1].{name}")]


def test_a_failed_cell_with_figures() -> None:
    failed: dict[str, JsonValue] = {"cells[1].outcome": {"status": "failed", "reason": "it fell"}}
    assert edits.found(failed) == [
        ("outcome_contradicted", "$.cells[1].repeats"),
        ("outcome_contradicted", "$.cells[1].summary"),
    ]


def test_a_repeat_that_was_left_out() -> None:
    document = fresh()
    del document["cells"][2]["repeats"][0]
    assert ("repeats_missing", "$.cells[2].repeats") in errors(judged(document))


def test_more_repeats_than_the_suite_allows() -> None:
    document = fresh()
    document["cells"][2]["repeats"] *= 2
    found = errors(judged(document))
    assert ("repeats_too_many", "$.cells[2].repeats") in found
    assert ("repeats_copied", "$.cells[2].repeats[3]") in found


@pytest.mark.parametrize("where", [REPEAT, "cells[0].cold"])
def test_an_answer_that_is_too_short_or_too_long(where: str) -> None:
    for tokens in (0, -1, 15, 17):
        found = raw({f"{where}.generated_tokens": tokens})
        assert ("tokens_miscounted", f"$.{where}.generated_tokens") in found
    times = value_at(fresh(), f"{where}.token_times_s")
    found = raw({f"{where}.token_times_s": times[:-2] + times[-1:]})
    assert found == [("tokens_miscounted", f"$.{where}.token_times_s")]


def ended_early(document: Document) -> Document:
    """Let the cold answer of the first cell end after five tokens."""
    repeat = document["cells"][0]["cold"]
    times = repeat["token_times_s"][:5]
    decode = times[-1] - times[0]
    repeat |= {"generated_tokens": 5, "stop_reason": "eos", "token_times_s": times, "latency_s": times[-1]}
    repeat |= {"decode_tokens_per_s": 4 / decode, "real_time_factor": times[-1] / 10}
    return document


def test_no_answer_of_this_engine_ends_early() -> None:
    found = judged(ended_early(fresh()))
    assert errors(found) == [("tokens_miscounted", "$.cells[0].cold.generated_tokens")]
    assert found[0].sentence == "5 tokens, where 16 were due."


def test_an_engine_of_another_package_may_let_an_answer_end_early() -> None:
    document = ended_early(fresh())
    for cell in document["cells"]:
        cell["requested"]["engine"] = "other"
    assert "tokens_miscounted" not in {code for code, _ in errors(judged(document))}


@pytest.mark.parametrize("name", ["preprocess_s", "encode_s"])
def test_phases_that_take_longer_than_what_contains_them(name: str) -> None:
    assert raw({f"{REPEAT}.{name}": 99.0}) == [("times_disordered", f"$.{REPEAT}")]


def test_tokens_that_run_backwards() -> None:
    times = value_at(fresh(), f"{REPEAT}.token_times_s")
    times[3], times[4] = times[4], times[3]
    assert raw({f"{REPEAT}.token_times_s": times}) == [("times_disordered", f"$.{REPEAT}.token_times_s")]


@pytest.mark.parametrize("name", ["real_time_factor", "decode_tokens_per_s"])
@pytest.mark.parametrize("factor", [0.5, 1.01, 60.0])
def test_a_figure_that_does_not_follow_from_the_times(name: str, factor: float) -> None:
    path = f"{REPEAT}.{name}"
    found = raw({path: value_at(fresh(), path) * factor})
    assert ("times_do_not_add_up", f"$.{path}") in found
    assert {code for code, _ in found} <= {"times_do_not_add_up", "decode_above_bandwidth"}


def test_a_rate_of_nothing_is_no_crash() -> None:
    assert ("times_do_not_add_up", f"$.{REPEAT}.decode_tokens_per_s") in raw(
        {f"{REPEAT}.decode_tokens_per_s": 0.0}
    )


def test_a_latency_that_the_tokens_do_not_have() -> None:
    path = f"{REPEAT}.latency_s"
    found = {where for _, where in raw({path: 0.9 * value_at(fresh(), path)})}
    names = ("real_time_factor", "latency_s", "decode_tokens_per_s")
    assert found == {f"$.{REPEAT}.{name}" for name in names}


def test_a_changed_repeat_differs_from_its_summary() -> None:
    path = f"{REPEAT}.preprocess_s"
    found = errors(judged(edited({path: 1.5 * value_at(fresh(), path)})))
    assert found
    assert {code for code, _ in found} == {"summary_mismatch"}
    assert all(place.startswith(SUMMARY) for _, place in found)


@given(st.floats(min_value=1e-3, max_value=1e4), st.floats(min_value=-4e-7, max_value=4e-7))
def test_rounding_is_no_difference(time_s: float, off: float) -> None:
    assert not differs(time_s, round(time_s, 6) + off)
    assert differs(time_s, time_s * 1.001 + 3e-6)
