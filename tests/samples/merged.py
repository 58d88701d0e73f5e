"""Merged views that predictions stand in: alone, and beside what three machines measured."""

from typing import Final

from bench.records.check import Check
from bench.records.record import Record
from bench.report.details import Details, traces_of
from bench.report.interface import View
from bench.report.view import build_view
from bench.store.record_files import seal
from tests.samples import cards, large
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import MACHINES, lean, merged, rerun

CLIPS: Final = (10.0, 60.0)
PLAN: Final = derived.derived_record(clips=(10.0, 60.0, 300.0, 1200.0))


def tight(record: Record) -> Record:
    """The same card, on which long answers to long clips ran out of memory."""
    cells = [
        sample.out_of_memory(cell.requested)
        if cell.summary and cell.requested.clip_seconds >= 60 and cell.requested.max_tokens >= 512
        else cell
        for cell in record.cells
    ]
    return seal(record.model_copy(update={"cells": tuple(cells)}).model_dump(mode="json"))


def watched(nth: int, stretches: int, clips: tuple[float, ...] = CLIPS) -> Record:
    """A run whose traces have so many stretches: that tells whose they are."""
    return rerun(cards.with_card([large.traced(cards.measured(clip), stretches) for clip in clips]), nth)


def mixed() -> Check:
    """Three machines of which one is slower and one has less room, and a prediction."""
    card = cards.rtx_4070()
    return merged(
        PLAN,
        rerun(card, 1, machine=MACHINES[0]),
        rerun(card, 2, machine=MACHINES[1], faster=1.3),
        rerun(tight(card), 3, machine=MACHINES[2]),
    )


PLANS: Final = build_view(merged(PLAN, lean(PLAN, 2)), Details())
MIXED: Final = build_view(mixed(), Details())


def watched_twice() -> View:
    """Two runs that watched their memory, and a prediction beside them."""
    newest = watched(3, 20)
    check = merged(PLAN, watched(2, 10), newest)
    return build_view(check, traces_of(check, [newest]))
