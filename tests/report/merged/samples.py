"""Merged views that predictions stand in: alone, and beside what three machines measured."""

from typing import Final

from bench.records.check import Check
from bench.records.schema import Record
from bench.records.store import seal
from bench.report.merged.view import merged_view
from tests import sample_cards as cards
from tests import sample_derived as derived
from tests import sample_records as sample
from tests.judge.merge.samples import MACHINES, lean, merged, rerun

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


def mixed() -> Check:
    """Three machines of which one is slower and one has less room, and a prediction."""
    card = cards.rtx_4070()
    return merged(
        PLAN,
        rerun(card, 1, machine=MACHINES[0]),
        rerun(card, 2, machine=MACHINES[1], faster=1.3),
        rerun(tight(card), 3, machine=MACHINES[2]),
    )


PLANS: Final = merged_view(merged(PLAN, lean(PLAN, 2)))
MIXED: Final = merged_view(mixed())
