"""Codes in words."""

from typing import get_args

from bench.records.enums import Status, Verdict, WeightMode
from bench.report.basics import Tone
from bench.report.labels import STATUS_TONES, VERDICT_TONES, stamp
from bench.report.plots.verdicts import VERDICTS
from bench.report.predicted_cells import CELL_TONES
from bench.report.view import view_of
from tests.samples import records as sample
from tests.samples.reruns import merged, rerun


def test_provenance_and_weights_are_in_words_and_a_warning_unless_plain() -> None:
    assert view_of(sample.standard()).stamp_tone is Tone.MUTED
    random = view_of(sample.standard(WeightMode.RANDOM))
    assert random.stamp == "measured on this device, random weights"
    assert random.stamp_tone is Tone.WARN
    assert view_of(sample.smoke()).stamp == "smoke run, tiny model, random weights"


def test_weights_of_somebody_else_are_named_in_a_stamp_of_several_records_too() -> None:
    check = merged(rerun(sample.standard(), 1), rerun(sample.standard(), 2))
    other = check.model.model_copy(update={"repo": "somebody/finetune"})
    words, tone = stamp(check.model_copy(update={"model": other}))
    assert (words, tone) == ("measured on this device, weights of somebody/finetune", Tone.WARN)
    assert stamp(check)[1] is Tone.MUTED


def test_each_code_has_a_tone_and_each_verdict_a_mark_in_the_plots() -> None:
    assert set(VERDICT_TONES) == set(CELL_TONES) == set(Verdict)
    assert set(STATUS_TONES) == set(get_args(Status))
    assert {verdict.value for verdict in Verdict} - {"unknown"} <= set(VERDICTS)
