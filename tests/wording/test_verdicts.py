"""One sentence for each reason of a verdict, of one record and of several."""

from typing import Final

import pytest

from bench.records import verdicts
from bench.records.enums import Attention, Provenance
from bench.records.reasons import CellShape, FlashAttentionNotInstalled
from bench.records.verdicts import Basis, LargestRun, MemoryFigure, OutcomeCount, RowShape, VerdictReason
from bench.wording.verdicts import sentence
from tests.wording.unions import members

GIB: Final = 2**30
SHORT: Final = CellShape(clip_seconds=10.0, max_tokens=128)
LONG: Final = CellShape(clip_seconds=600.0, max_tokens=1)
LARGEST: Final = LargestRun(
    cell=CellShape(clip_seconds=60.0, max_tokens=512),
    decode_tokens_per_s=46.6,
    memory=MemoryFigure(metric="process_peak_bytes", size_bytes=12 * GIB),
)
EMULATED: Final = LargestRun(
    cell=SHORT,
    decode_tokens_per_s=None,
    memory=MemoryFigure(metric="needed_bytes", size_bytes=10 * GIB),
)
BASIS: Final = Basis(provenance=Provenance.MEASURED, records=3, machines=2)
PREDICTED: Final = Basis(provenance=Provenance.DERIVED, records=2, machines=None)
ROW: Final = RowShape(clip_seconds=60.0, max_tokens=512, attention=Attention.SDPA)
SMALL_ROW: Final = RowShape(clip_seconds=10.0, max_tokens=512, attention=Attention.SDPA)
TALLY: Final = OutcomeCount(cell=ROW, statuses={"measured": 2, "out_of_memory": 1, "skipped": 1, "failed": 1})
TALLIED: Final = (
    "a clip of 60 s with 512 new tokens (sdpa) ran in 2 records and ran out of memory in 1 record and was "
    "skipped as too large in 1 record and failed in 1 record"
)
TINY: Final = verdicts.PredictedTiny()
LIMIT: Final = verdicts.BudgetLimit(
    budget="headless", fits_s=10.0, misfit_s=None, max_tokens=128, context_s=3263.0
)
FIT: Final = verdicts.PredictedFit(limits=(LIMIT,))


def setting(*variants: str, why: verdicts.RecordReason) -> verdicts.SettingReason:
    return verdicts.SettingReason(variants=tuple((words,) for words in variants), why=why)


SENTENCES: Final[list[tuple[VerdictReason, str]]] = [
    (
        verdicts.SmokeRun(ran=2, cells=3),
        ("Smoke run: 2 of 3 cells of a tiny model ran. This does not show whether the real model runs."),
    ),
    (
        verdicts.OtherDeviceComputed(device_kind="cpu", device="NVIDIA GeForce RTX 4070"),
        "The cells computed on the cpu: this does not show whether they run on NVIDIA GeForce RTX 4070.",
    ),
    (
        verdicts.Ran(
            largest=LARGEST,
            emulated_total_bytes=None,
            with_desktop=SHORT,
            largest_fits_with_desktop=False,
            misfit=LONG,
        ),
        (
            "The longest clip that ran is 60 s with 512 new tokens: 46.6 tok/s and a "
            "process peak of 12.88 GB (12.00 GiB); with a desktop up to 10 s with 128 new "
            "tokens; a clip of 600 s (10 min) with 1 new token ran out of memory."
        ),
    ),
    (
        verdicts.Ran(
            largest=EMULATED,
            emulated_total_bytes=12 * GIB,
            with_desktop=SHORT,
            largest_fits_with_desktop=True,
            misfit=None,
        ),
        (
            "On an emulated card of 12.88 GB (12.00 GiB), the longest clip that ran is 10 "
            "s with 128 new tokens: 10.74 GB (10.00 GiB) of it, CUDA context included; it "
            "also fits with a desktop."
        ),
    ),
    (
        verdicts.Ran(
            largest=LargestRun(cell=SHORT, decode_tokens_per_s=None, memory=None),
            emulated_total_bytes=None,
            with_desktop=None,
            largest_fits_with_desktop=False,
            misfit=None,
        ),
        "The longest clip that ran is 10 s with 128 new tokens.",
    ),
    (
        verdicts.RanHeadless(
            largest=LARGEST,
            emulated_total_bytes=None,
            least_needed_bytes=11 * GIB,
            desktop_bytes=10 * GIB,
        ),
        (
            "The longest clip that ran is 60 s with 512 new tokens: 46.6 tok/s and a "
            "process peak of 12.88 GB (12.00 GiB); with a desktop no clip fits: the "
            "smallest needs 11.81 GB (11.00 GiB), 10.74 GB (10.00 GiB) would be available."
        ),
    ),
    (
        verdicts.NothingFits(smallest=SHORT, emulated_total_bytes=None),
        "No tried clip fits: even a clip of 10 s with 128 new tokens ran out of memory.",
    ),
    (
        verdicts.NothingFits(smallest=None, emulated_total_bytes=12 * GIB),
        "No tried clip fits an emulated card of 12.88 GB (12.00 GiB).",
    ),
    (
        verdicts.EverythingSpilled(smallest=SHORT),
        "No tried clip fits the card: even a clip of 10 s with 128 new tokens used system memory too.",
    ),
    (
        verdicts.NothingSupported(reasons=1, reason=FlashAttentionNotInstalled()),
        "No requested cell can run here: the package flash-attn is not installed.",
    ),
    (
        verdicts.NothingSupported(reasons=1, reason=verdicts.StatedReason(text="too old.")),
        "No requested cell can run here: too old.",
    ),
    (
        verdicts.NothingSupported(reasons=2, reason=None),
        "No requested cell can run here, for 2 different reasons.",
    ),
    (verdicts.NoCells(), "The record contains no cells, so nothing is known."),
    (verdicts.OnlyPredictions(), "Nothing was run: every figure is a prediction."),
    (
        verdicts.NothingFinished(statuses={"failed": 2, "out_of_memory": 1}),
        "No cell of this run finished (2 failed, 1 out of memory), so nothing is known.",
    ),
    (
        TINY,
        "Predicted, not measured, for a tiny model: this does not show whether the real model runs.",
    ),
    (
        verdicts.MergedSmoke(basis=Basis(provenance=Provenance.SMOKE, records=2, machines=1)),
        (
            "Tried with a tiny model in 2 records on 1 machine: this does not show whether "
            "the real model runs."
        ),
    ),
    (
        verdicts.MergedRan(
            basis=BASIS,
            cell=ROW,
            records=2,
            decode_tokens_per_s=46.6,
            memory=MemoryFigure(metric="reserved_peak_bytes", size_bytes=12 * GIB),
            with_desktop=SMALL_ROW,
            largest_fits_with_desktop=False,
            none_fits_with_desktop=False,
            close=TALLY,
            misfit=SMALL_ROW,
        ),
        "Measured in 3 records on 2 machines: the longest clip that ran is 60 s with 512 new tokens (sdpa), "
        "in 2 of them: 46.6 tok/s and a reserved peak of 12.88 GB (12.00 GiB); with a desktop up to 10 s "
        f"with 512 new tokens (sdpa); {TALLIED}; a clip of 10 s with 512 new tokens (sdpa) ran out of "
        "memory.",
    ),
    (
        verdicts.MergedRan(
            basis=Basis(provenance=Provenance.EMULATED, records=3, machines=None),
            cell=ROW,
            records=3,
            decode_tokens_per_s=None,
            memory=MemoryFigure(metric="needed_bytes", size_bytes=12 * GIB),
            with_desktop=None,
            largest_fits_with_desktop=False,
            none_fits_with_desktop=True,
            close=None,
            misfit=None,
        ),
        (
            "Emulated in 3 records: the longest clip that ran is 60 s with 512 new tokens "
            "(sdpa): 12.88 GB (12.00 GiB) of the card, CUDA context included; with a "
            "desktop no clip that ran fits."
        ),
    ),
    (
        verdicts.MergedTooClose(basis=BASIS, close=TALLY),
        f"Measured in 3 records on 2 machines: no clip fits in every record; {TALLIED}.",
    ),
    (
        verdicts.MergedMisfit(basis=BASIS, smallest=SMALL_ROW),
        (
            "Measured in 3 records on 2 machines: no tried clip fits, even a clip of 10 s "
            "with 512 new tokens (sdpa) does not."
        ),
    ),
    (
        verdicts.MergedUnsupported(basis=BASIS),
        "Measured in 3 records on 2 machines: no requested cell can run here.",
    ),
    (
        verdicts.MergedUnknown(basis=BASIS),
        "Measured in 3 records on 2 machines: no cell finished, so nothing is known.",
    ),
    (
        verdicts.NewestDecides(basis=PREDICTED, why=FIT),
        (
            "Predicted in 2 records. The newest of them: Predicted, not measured: "
            "headless, 128 new tokens: fits up to 10 s."
        ),
    ),
    (
        verdicts.BySetting(
            basis=PREDICTED,
            settings=(
                setting("profile lean", "dtype float16", why=FIT),
                setting("profile faithful", why=FIT),
                setting(why=TINY),
            ),
        ),
        (
            "Predicted in 2 records. Profile lean and dtype float16 and profile faithful: "
            "headless, 128 new tokens: fits up to 10 s. Other settings: Predicted, not "
            "measured, for a tiny model: this does not show whether the real model runs."
        ),
    ),
]


@pytest.mark.parametrize(("why", "words"), SENTENCES, ids=lambda value: getattr(value, "code", ""))
def test_each_reason_has_its_sentence(why: VerdictReason, words: str) -> None:
    assert sentence(why) == words


def test_no_reason_is_missing_from_the_table() -> None:
    own = members(VerdictReason) - members(verdicts.PredictionReason)
    assert {type(why) for why, _ in SENTENCES} - members(verdicts.PredictionReason) == own


def test_of_many_settings_the_first_four_have_sentences() -> None:
    settings = tuple(setting(f"seed {n}", why=verdicts.SmokeRun(ran=n, cells=9)) for n in range(6))
    words = sentence(verdicts.BySetting(basis=PREDICTED, settings=settings))
    assert "Seed 3: " in words
    assert words.endswith(" 2 more are in the tables.")
