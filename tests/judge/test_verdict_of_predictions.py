"""What a plan says: one sentence, which never claims that anything ran."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judge import why_derived
from bench.judge.verdict import judge
from bench.records.enums import Attention, Verdict, WeightMode
from bench.records.record import CellResult, ModelInfo, Record, Unsupported
from tests.samples import predictions as derived
from tests.samples import records as sample


def of(*cells: CellResult, headroom: derived.Headroom | None = None) -> Record:
    return derived.derived_record(cells, headroom=headroom)


def needing(*needs: tuple[float, float]) -> list[CellResult]:
    """Cells of 10, 20, ... seconds that need so many MiB."""
    wants = [sample.requested(10.0 * nth) for nth in range(1, len(needs) + 1)]
    return [derived.predicted(want, need=derived.mib(*need)) for want, need in zip(wants, needs, strict=True)]


def with_model(record: Record, **changes: object) -> Record:
    return record.model_copy(
        update={"model": ModelInfo.model_validate(record.model.model_dump() | changes), "cells": record.cells}
    )


# --- the sentence -----------------------------------------------------------------------------------------


def test_runs_names_the_longest_clip_in_both_rooms() -> None:
    judgement = judge(derived.derived_record(device=derived.RTX_5060_TI))
    assert judgement.verdict is Verdict.RUNS
    assert judgement.why == (
        "Derived, not measured: headless clips of up to 877 s (14 min 37 s) with 1,024 new tokens surely "
        "fit, those from 1084 s (18 min 4 s) on do not; beside a desktop clips of up to 583 s (9 min 43 s) "
        "with 1,024 new tokens surely fit, those from 1045 s (17 min 25 s) on do not."
    )
    assert judgement.largest is None


def test_headless_only_says_how_far_a_desktop_is_open() -> None:
    judgement = judge(derived.derived_record())
    assert judgement.verdict is Verdict.RUNS_HEADLESS
    assert judgement.why == (
        "Derived, not measured: headless clips of up to 128 s (2 min 8 s) with 1,024 new tokens surely fit, "
        "those from 342 s (5 min 42 s) on do not; beside a desktop no clip surely fits, and from 303 s "
        "(5 min 3 s) with 128 new tokens on none does."
    )


def test_without_a_line_to_the_second_the_cells_draw_one() -> None:
    judgement = judge(derived.derived_record(with_longest_clips=False))
    assert judgement.verdict is Verdict.RUNS_HEADLESS
    assert "headless clips of up to 120 s (2 min) with 1,024 new tokens surely fit, those from 600 s" in (
        judgement.why
    )


def test_only_the_room_that_was_asked_for_is_spoken_of() -> None:
    headless = judge(derived.derived_record(headroom="headless"))
    assert headless.verdict is Verdict.RUNS_HEADLESS
    assert "desktop" not in headless.why
    desktop = judge(derived.derived_record(device=derived.RTX_5060_TI, headroom="desktop"))
    assert desktop.verdict is Verdict.RUNS
    assert "headless" not in desktop.why


def test_too_close_to_call_gives_both_intervals_and_what_is_shorter() -> None:
    judgement = judge(derived.derived_record(clips=[300.0, 600.0]))
    assert judgement.verdict is Verdict.TOO_CLOSE_TO_CALL
    assert judgement.why == (
        "Derived, not measured: a clip of 300 s (5 min) with 128 new tokens is the smallest, and headless it "
        "needs 12.43 GB (11.57 GiB) to 13.17 GB (12.27 GiB), and 12.23 GB (11.39 GiB) to 12.66 GB "
        "(11.79 GiB) is there: too close to call, run it; headless clips of up to 128 s (2 min 8 s) with "
        "1,024 new tokens surely fit, those from 342 s (5 min 42 s) on do not."
    )


def test_nothing_that_was_asked_for_fits_but_shorter_clips_do() -> None:
    judgement = judge(derived.derived_record(clips=[600.0], tokens=[128]))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert judgement.why == (
        "Derived, not measured: nothing that was asked for fits; a clip of 600 s (10 min) with 128 new "
        "tokens is the smallest, and headless it needs at least 14.13 GB (13.16 GiB), and at most 12.66 GB "
        "(11.79 GiB) is there; headless clips of up to 128 s (2 min 8 s) with 128 new tokens surely fit, "
        "those from 342 s (5 min 42 s) on do not."
    )


def test_weights_that_are_larger_than_the_card_are_reason_enough() -> None:
    small = derived.RTX_4070.model_copy(update={"memory_total_bytes": 8188 * 2**20})
    judgement = judge(derived.derived_record(device=small))
    assert judgement.verdict is Verdict.DOES_NOT_FIT
    assert judgement.why == (
        "Derived, not measured: nothing that was asked for fits; the weights alone take 10.45 GB (9.73 GiB) "
        "and at most 8.37 GB (7.80 GiB) is there."
    )


def test_weights_that_lie_on_the_host_take_nothing_of_the_card() -> None:
    cell = derived.predicted(sample.requested(), need=derived.DOES_NOT_FIT)
    assert cell.envelope is not None
    fewer = cell.envelope.model_copy(update={"weights_bytes": 9_000_000_000})
    small = derived.RTX_4070.model_copy(update={"memory_total_bytes": 9_500 * 2**20})
    record = derived.derived_record([cell.model_copy(update={"envelope": fewer})], device=small)
    assert "the weights alone" not in judge(record).why


def test_every_clip_beside_a_desktop_may_be_too_close() -> None:
    why = judge(of(*needing((10_500, 11_500)))).why
    assert why.endswith("; beside a desktop every clip that was asked for is too close to call.")


def test_a_plan_of_one_length_says_nothing_of_others() -> None:
    why = judge(of(*needing((9_000, 9_500)))).why
    assert "surely fit, longer ones were not looked for" in why
    assert " on do not" not in why


def test_a_plan_of_one_length_that_fits_no_desktop_says_nothing_of_shorter_ones() -> None:
    (line, *_) = judge(derived.derived_record()).frontier
    changed = {"longest_fit_s": 60.0, "smallest_misfit_s": None, "context_s": None}
    desktop = {"longest_fit_with_desktop_s": None, "smallest_misfit_with_desktop_s": 60.0}
    point = line.model_copy(update=changed | desktop)
    assert why_derived.fits([point]).endswith(
        "surely fit, longer ones were not looked for; beside a desktop none that was asked for surely fits: "
        "clips from 60 s with 128 new tokens on do not, shorter ones were not looked for."
    )


def test_no_clip_at_all_beside_a_desktop() -> None:
    record = derived.derived_record()
    assert record.derivation is not None
    none = [
        line.model_copy(update={"desktop_fits_s": None, "desktop_misfit_s": 1.0})
        for line in record.derivation.longest_clips
    ]
    changed = record.derivation.model_copy(update={"longest_clips": tuple(none)})
    why = judge(record.model_copy(update={"derivation": changed})).why
    assert why.endswith("; beside a desktop no clip fits.")


def test_a_card_that_holds_all_that_the_context_holds() -> None:
    h200 = derived.RTX_5060_TI.model_copy(update={"memory_total_bytes": 143_771 * 2**20})
    why = judge(derived.derived_record(device=h200, tokens=[128])).why
    longest = (
        "clips of up to 3263 s (54 min 23 s) with 128 new tokens surely fit, the longest that the model's"
    )
    assert f"headless {longest} context holds; beside a desktop {longest} context holds." in why


def test_a_cpu_is_unknown_with_its_peak() -> None:
    judgement = judge(derived.derived_record(device=sample.CPU))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why == (
        "Derived, not measured, for a CPU, which has no VRAM budget to hold it against: the highest "
        "predicted peak is 13.89 GB (12.93 GiB), of 600 s (10 min) with 128 new tokens."
    )


def test_a_cpu_without_a_figure_is_unknown_too() -> None:
    bare = derived.predicted(sample.requested(), sample.CPU).model_copy(update={"envelope": None})
    judgement = judge(derived.derived_record([bare], device=sample.CPU))
    assert judgement.verdict is Verdict.UNKNOWN
    assert judgement.why.endswith("no VRAM budget to hold anything against.")


def test_a_prediction_for_the_tiny_model_says_nothing() -> None:
    judgement = judge(with_model(derived.derived_record(), weight_mode=WeightMode.TINY, repo=None))
    assert judgement.verdict is Verdict.UNKNOWN
    assert "tiny model" in judgement.why
    assert " ran" not in judgement.why


def test_all_unsupported_gives_the_reason() -> None:
    cells = [
        sample.not_measured(
            sample.requested(attention=Attention.FLASH_ATTENTION_2), Unsupported(reason="old")
        )
    ]
    judgement = judge(of(*cells))
    assert judgement.verdict is Verdict.UNSUPPORTED
    assert judgement.why == "Nothing that was asked for can run here: old."


def test_no_cells_no_knowledge() -> None:
    assert judge(of()).verdict is Verdict.UNKNOWN
    assert judge(of()).why == "The record holds no cells, so nothing is known."


def test_one_cell_that_fits_is_enough() -> None:
    cells = needing((9_500, 10_000), (10_500, 11_500), (11_500, 12_050), (12_100, 12_900))
    assert [judge(of(cell)).verdict for cell in cells] == [
        Verdict.RUNS,
        Verdict.RUNS_HEADLESS,
        Verdict.TOO_CLOSE_TO_CALL,
        Verdict.DOES_NOT_FIT,
    ]
    assert judge(of(*cells)).verdict is Verdict.RUNS


@given(
    needs=st.lists(st.tuples(st.integers(0, 14_000), st.integers(0, 3_000)), max_size=5),
    headroom=st.sampled_from([None, "headless", "desktop"]),
)
def test_the_sentence_of_a_prediction_is_one_line_and_never_of_a_run(
    needs: list[tuple[int, int]], headroom: derived.Headroom | None
) -> None:
    judgement = judge(of(*needing(*[(low, low + width) for low, width in needs]), headroom=headroom))
    assert judgement.why.endswith(".")
    assert "\n" not in judgement.why
    assert not {"ran", "tok/s", "process peak"} & set(judgement.why.rstrip(".").split())
    assert not needs or judgement.why.startswith("Derived, not measured")


# --- the line ---------------------------------------------------------------------------------------------


def test_the_line_is_the_predicted_one_in_whole_seconds() -> None:
    point, *rest = judge(derived.derived_record()).frontier
    assert len(rest) == 3
    assert (point.longest_fit_s, point.smallest_misfit_s) == (128.0, 342.0)
    assert (point.longest_fit_with_desktop_s, point.smallest_misfit_with_desktop_s) == (None, 303.0)
    assert (point.is_predicted, point.desktop_is_known, point.headless_is_known) == (True, True, True)
    assert point.context_s == 3263.0


def test_a_line_through_cells_knows_no_more_than_these() -> None:
    record = of(*needing((9_500, 10_000), (11_500, 12_050), (12_100, 12_900)))
    (point,) = judge(record).frontier
    assert (point.longest_fit_s, point.smallest_misfit_s) == (10.0, 30.0)
    assert (point.longest_fit_with_desktop_s, point.smallest_misfit_with_desktop_s) == (10.0, 30.0)
    assert point.is_predicted
    assert point.context_s is None


@pytest.mark.parametrize(("headroom", "known"), [("headless", (True, False)), ("desktop", (False, True))])
@pytest.mark.parametrize("to_the_second", [True, False])
def test_a_line_of_a_room_that_was_not_asked_for_is_not_known(
    headroom: derived.Headroom, known: tuple[bool, bool], to_the_second: bool
) -> None:
    record = derived.derived_record(headroom=headroom, with_longest_clips=to_the_second)
    points = judge(record).frontier
    assert {(point.headless_is_known, point.desktop_is_known) for point in points} == {known}


def test_cells_that_differ_in_more_have_lines_of_their_own() -> None:
    wants = [sample.requested(), sample.requested().model_copy(update={"dtype": "float16"})]
    record = derived.derived_record([derived.predicted(want) for want in wants], with_longest_clips=True)
    assert [point.variant for point in judge(record).frontier] == [("dtype bfloat16",), ("dtype float16",)]


def test_the_lines_stand_in_the_order_of_attention_and_tokens() -> None:
    attentions = (Attention.FLASH_ATTENTION_2, Attention.EAGER)
    record = derived.derived_record(clips=[10.0], tokens=[256, 128], attentions=attentions)
    assert [(point.attention, point.max_tokens) for point in judge(record).frontier] == [
        (Attention.EAGER, 128),
        (Attention.EAGER, 256),
        (Attention.FLASH_ATTENTION_2, 128),
        (Attention.FLASH_ATTENTION_2, 256),
    ]
