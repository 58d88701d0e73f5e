"""The answer of a report: the clip lengths of each way to run the model, and what to type."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.records.enums import Provenance
from bench.records.prediction import LongestClip, OtherWay, PlannedSystem
from bench.records.record import Record
from bench.report.answer import Answer, Strip, answer, segments
from bench.store.record_files import seal
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample

WINDOWS = PlannedSystem(os="windows", torch="2.13")


def answer_of(record: Record) -> Answer:
    found = answer(merge((summarise(record, None),)))
    assert found is not None
    return found


def with_lean(record: Record, fits_s: float | None, *, system: PlannedSystem = derived.LINUX) -> Record:
    """The same plan, in which lean has these longest clips."""
    assert record.derivation is not None
    (line, *_) = record.derivation.longest_clips
    lengths = LongestClip(
        attention=line.attention,
        max_tokens=512,
        headless_fits_s=fits_s,
        headless_likely_fits_s=fits_s,
        headless_misfit_s=900.0,
        desktop_fits_s=None,
        desktop_likely_fits_s=300.0,
        desktop_misfit_s=800.0,
        context_s=line.context_s,
    )
    headroom = "desktop" if system.os == "windows" else None
    way = OtherWay(
        profile="lean", system=system, attention_kernel="flash", headroom=headroom, lengths=lengths
    )
    changed = record.derivation.model_copy(update={"other_ways": (way,)})
    return seal(record.model_copy(update={"derivation": changed}).model_dump(mode="json"))


def with_no_clip(record: Record) -> Record:
    """The same plan, in which not even 1 s fits."""
    assert record.derivation is not None
    none = dict.fromkeys(
        ("headless_fits_s", "headless_likely_fits_s", "desktop_fits_s", "desktop_likely_fits_s")
    )
    ends = dict.fromkeys(("headless_misfit_s", "desktop_misfit_s"), 1.0)
    lines = tuple(line.model_copy(update={**none, **ends}) for line in record.derivation.longest_clips)
    changed = record.derivation.model_copy(update={"longest_clips": lines})
    return seal(record.model_copy(update={"derivation": changed}).model_dump(mode="json"))


EIGHT_GB = derived.RTX_4070.model_copy(update={"memory_total_bytes": 8 * 2**30})
SMALL = with_no_clip(derived.derived_record(device=EIGHT_GB))
PLAN = derived.with_typical(derived.derived_record())


def test_each_budget_has_three_lengths_in_words() -> None:
    (way,) = answer_of(PLAN).ways
    assert way.headless is not None
    assert way.desktop is not None
    assert (way.headless.fits, way.headless.likely) == ("2 min 8 s", "3 min 20 s")
    assert (way.desktop.fits, way.desktop.likely) == ("uncertain", "60 s")


def test_uncertain_is_not_called_none_and_a_card_without_any_clip_is() -> None:
    (way,) = answer_of(SMALL).ways
    assert way.headless is not None
    assert way.headless.fits == "no clip"
    assert [part.kind for part in way.headless.segments] == ["misfit"]


def test_the_way_with_the_longest_clip_is_recommended_with_its_reason() -> None:
    found = answer_of(with_lean(PLAN, 600.0))
    assert [way.name for way in found.ways] == ["as upstream (SDPA)", "lean (SDPA)"]
    assert found.command == "bench run --gpu rtx-4070 --profile lean"
    assert found.reason == "lean holds the longest clip. Its output is that of upstream."
    assert found.longest == ("10 min", "lean, Linux with torch 2.13, headless")
    assert "--profile" not in answer_of(with_lean(PLAN, 60.0)).command


def test_releases_of_torch_with_equal_lengths_share_a_row() -> None:
    newer = PlannedSystem(os="linux", torch="2.14")
    plan = with_lean(PLAN, 600.0)
    assert plan.derivation is not None
    (way,) = plan.derivation.other_ways
    both = (way, way.model_copy(update={"system": newer}))
    changed = plan.derivation.model_copy(update={"other_ways": both})
    (_, lean) = answer_of(seal(plan.model_copy(update={"derivation": changed}).model_dump(mode="json"))).ways
    assert lean.system == "Linux with torch 2.13, 2.14"


def test_windows_has_no_headless_budget_and_says_why() -> None:
    (_, lean) = answer_of(with_lean(PLAN, None, system=WINDOWS)).ways
    assert lean.headless is None
    assert lean.absent == "this system always has a desktop"


def test_where_nothing_fits_other_cards_are_recommended() -> None:
    found = answer_of(SMALL)
    assert found.command == "bench plan --any-gpu"
    assert found.longest is None


def test_a_run_has_what_ran_and_no_command() -> None:
    found = answer_of(cards.rtx_4070())
    assert {way.provenance for way in found.ways} == {Provenance.MEASURED}
    assert (found.command, found.reason) == ("", "")
    assert all(way.headless and way.headless.likely == "n/a" for way in found.ways)


def test_a_cpu_has_no_budget_and_no_answer() -> None:
    assert answer(merge((summarise(sample.smoke(), None),))) is None


LENGTHS = st.none() | st.floats(0, 4000)


@given(LENGTHS, LENGTHS, LENGTHS, st.floats(1, 4000))
def test_a_strip_is_whole_and_from_left_to_right(
    fits_s: float | None, likely_s: float | None, misfit_s: float | None, axis_s: float
) -> None:
    found = segments(fits_s, likely_s, misfit_s, axis_s)
    strip = Strip("", "", "", found)
    assert strip.segments[0].begin == 0
    assert strip.segments[-1].end == 1
    for one, after in pairwise(found):
        assert one.begin < one.end == after.begin
