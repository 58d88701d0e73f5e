"""Codes in words."""

from bench.records.enums import WeightMode
from bench.report.basics import Tone
from bench.report.labels import stamp
from bench.report.view import view_of
from tests.samples import records as sample
from tests.samples.reruns import merged, rerun


def test_provenance_and_weights_are_in_words_and_a_warning_unless_plain() -> None:
    assert view_of(sample.standard()).stamp_tone is Tone.MUTED
    random = view_of(sample.standard(WeightMode.RANDOM))
    assert random.stamp == "measured on this device, random weights"
    assert random.stamp_tone is Tone.WARN
    assert view_of(sample.smoke()).stamp == "smoke run, tiny model, made-up weights"


def test_weights_of_somebody_else_are_named_in_a_stamp_of_several_records_too() -> None:
    check = merged(rerun(sample.standard(), 1), rerun(sample.standard(), 2))
    other = check.model.model_copy(update={"repo": "somebody/finetune"})
    words, tone = stamp(check.model_copy(update={"model": other}))
    assert (words, tone) == ("measured on this device, weights of somebody/finetune", Tone.WARN)
    assert stamp(check)[1] is Tone.MUTED
