"""The caveats over several records: each once, with counts that the tables of the page show too."""

from bench.records import caveats as known
from bench.records.check import Check
from bench.records.enums import AttentionKernel, Fit, Provenance
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.report.details import Details
from bench.report.view import build_view
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples.reruns import CELL, labelled, lean, merged, rerun, small

PLAN = derived.derived_record(clips=(10.0, 60.0, 300.0, 1200.0))


def planned(os: str, torch: str, kernel: AttentionKernel, nth: int, plan: Record = PLAN) -> Record:
    system = PlannedSystem.model_validate({"os": os, "torch": torch})
    return derived.planned_for(plan, system, kernel, nth)


def of(check: Check, code: str) -> list[str]:
    found = zip(check.caveat_codes, check.caveats, strict=True)
    return [words for caveat, words in found if caveat.code == code]


SYSTEMS = merged(
    planned("linux", "2.13", "flash", 1),
    planned("windows", "2.13", "math", 2),
    planned("windows", "2.13", "memory_efficient", 3, lean(PLAN, 4)),
)


def test_cells_too_close_to_call_are_as_many_as_the_tables_show() -> None:
    check = merged(PLAN, lean(PLAN, 2))
    view = build_view(check, Details())
    shown = [row for row in view.rows if row.status.code == "predicted" and row.prediction is not None]
    close = [row for row in shown if row.prediction and row.prediction.fit.code == "too_close_to_call"]
    assert of(check, "cells_too_close_to_call") == [
        f"{len(close)} of {len(shown)} cells are too close to call (likely fits, probably not): "
        "run them to find out."
    ]


def test_systems_are_in_one_caveat_and_what_follows_is_said_once() -> None:
    (words,) = of(SYSTEMS, "predicted_for_systems")
    assert words.startswith(
        "Predicted for Linux, torch 2.13: flash attention kernel; "
        "Windows, torch 2.13: math, memory-efficient attention kernels."
    )
    assert sum("the run is slow instead of ending" in caveat for caveat in SYSTEMS.caveats) == 1


def test_a_caveat_that_names_its_system_has_no_number_of_records() -> None:
    assert not any(words.startswith("In 1 of 3 records: The math kernel") for words in SYSTEMS.caveats)
    assert any(words.startswith("The math kernel stores") for words in SYSTEMS.caveats)


def test_cells_of_several_records_are_added_up() -> None:
    noisy, quiet = labelled(CELL, "noisy"), CELL
    check = merged(*(rerun(small([cell]), nth) for nth, cell in enumerate((noisy, noisy, quiet), 1)))
    assert of(check, "cells_of_records") == [
        "2 of the 3 cells of 3 records vary strongly between repeats (marked noisy)."
    ]
    (row,) = check.rows
    assert row.labels == {"noisy": 2}


def test_what_all_records_say_of_as_many_cells_is_not_added_up() -> None:
    check = merged(*(rerun(small([labelled(CELL, "noisy")]), nth) for nth in (1, 2)))
    assert "1 of 1 cells vary strongly between repeats (marked noisy)." in check.caveats
    assert of(check, "cells_of_records") == []


def test_one_record_keeps_its_own() -> None:
    check = merged(small([labelled(CELL, "noisy")]))
    assert "1 of 1 cells vary strongly between repeats (marked noisy)." in check.caveats


def test_a_caveat_of_some_records_says_of_how_many() -> None:
    published, random = cards.rtx_4070(), rerun(cards.rtx_4070(), 2)
    state = random.device_state
    assert state is not None
    with_display = random.model_copy(update={"device_state": state.model_copy(update={"display": True})})
    check = merged(published, with_display)
    assert check.provenance is Provenance.MEASURED
    assert any(words.startswith("In 1 of 2 records: A display is connected") for words in check.caveats)


def test_predictions_that_differ_count_as_too_close() -> None:
    check = merged(PLAN, lean(PLAN, 2))
    assert all(caveat.code != "in_some_records" for caveat in check.caveat_codes)
    assert {row.fit for row in check.rows} > {Fit.TOO_CLOSE_TO_CALL}
    assert any(isinstance(caveat, known.SomeCells) for caveat in check.caveat_codes)
