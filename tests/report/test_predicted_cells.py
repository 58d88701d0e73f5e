"""One predicted cell in words."""

import pytest

from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Predicted
from bench.records.enums import Profile, Verdict
from bench.records.record import Record
from bench.report.prediction import CEILINGS, TERMS, Prediction
from bench.report.view import view_of
from tests.samples import predictions as derived
from tests.samples import records as sample


def seen(cell: CellResult, record: Record | None = None) -> Prediction:
    (row,) = view_of(record or derived.derived_record([cell])).rows
    assert row.prediction is not None
    return row.prediction


@pytest.mark.parametrize(
    ("need", "word", "also"),
    [
        (derived.FITS_BESIDE_A_DESKTOP, "fits", ""),
        (derived.FITS_HEADLESS, "fits headless", "desktop: too close to call"),
        (derived.mib(11_880, 11_900), "too close to call", "desktop: does not fit"),
        (derived.TOO_CLOSE, "too close to call", ""),
        (derived.DOES_NOT_FIT, "does not fit", ""),
    ],
)
def test_the_word_says_whether_the_whole_range_fits(need: ByteInterval, word: str, also: str) -> None:
    found = seen(derived.predicted(sample.requested(), need=need))
    assert (found.fit.word, found.also) == (word, also)


def test_headless_only_is_said_where_a_desktop_is_sure_to_be_too_much() -> None:
    cell = derived.predicted(sample.requested(), need=derived.mib(11_000, 11_600))
    record = derived.derived_record([cell])
    assert record.derivation is not None
    assert record.derivation.desktop is not None
    heavy = record.derivation.desktop.model_copy(update={"low_bytes": 1400 * 2**20})
    derivation = record.derivation.model_copy(update={"desktop": heavy})
    found = seen(cell, record.model_copy(update={"derivation": derivation}))
    assert (found.fit.word, found.verdict) == ("headless only", Verdict.RUNS_HEADLESS)


def test_terms_are_sizes_and_ranges() -> None:
    found = seen(derived.predicted(sample.requested(60.0, 512)))
    assert set(found.terms) == set(TERMS)
    assert found.terms["weights_bytes"] == "9.73 GiB"
    assert found.peak == found.terms["device_peak_bytes"] == "10.31–11.00 GiB"
    assert found.at_peak == "encode: stem GELU"
    assert found.dominant == "activations, 0.34 GiB"


def test_phases_stand_in_their_order_with_plain_and_raw_operators() -> None:
    found = seen(derived.predicted(sample.requested()))
    assert [phase.name for phase in found.phases] == ["Load", "Preprocess", "Encode", "Prefill", "Decode"]
    prefill = found.phases[3]
    assert (prefill.operator, prefill.raw) == ("logits of every position", "lm_head: aten::mm")


def test_the_lean_profile_does_not_claim_logits_of_every_position() -> None:
    lean = sample.requested().model_copy(update={"profile": Profile.LEAN})
    assert seen(derived.predicted(lean)).at_peak == "prefill: logits"


def test_a_ceiling_that_is_not_known_is_no_number() -> None:
    known = seen(derived.predicted(sample.requested()))
    assert set(known.ceiling) == set(CEILINGS)
    assert known.ceiling["decode_tokens_per_s"] == "62.4 tok/s"
    unknown = seen(derived.predicted(sample.requested(), derived.RTX_5060_TI))
    assert unknown.ceiling["encode_s"] == "n/a"


def test_a_cpu_has_no_range_and_no_verdict() -> None:
    cell = derived.predicted(sample.requested(), sample.CPU)
    found = seen(cell, derived.derived_record([cell], device=sample.CPU))
    assert (found.fit.word, found.peak) == ("predicted", "9.81 GiB allocated")
    assert found.terms["device_peak_bytes"] == "n/a"


def test_a_prediction_without_figures_says_so() -> None:
    found = seen(sample.not_measured(sample.requested(), Predicted()))
    assert (found.verdict, found.peak, found.at_peak) == (Verdict.UNKNOWN, "n/a", "")
    assert set(found.terms.values()) == {"n/a"}


def test_a_cell_that_ran_is_no_prediction() -> None:
    cell = sample.measured(sample.requested())
    (row,) = view_of(derived.derived_record([cell])).rows
    assert row.prediction is None
