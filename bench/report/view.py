"""A record as a view: the one place where the formats get their words from."""

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.judge.verdict import judge
from bench.records.record import Record
from bench.report import card, facts, labels
from bench.report.derived.build import derived
from bench.report.frontier import frontier
from bench.report.grid import grids, misses
from bench.report.interface import View
from bench.report.planned import beside, source
from bench.report.repeat import command
from bench.report.rows import repeat_columns
from bench.text import clean
from bench.wording.caveats import sentence


def build_view(record: Record, path: str | None = None, plan: Record | None = None) -> View:
    """Everything that any format shows of one record. Never fails on a record that the schema accepts.

    `path`: where the reader of a report finds the record; None where that is not told. `plan`: a derived
    record of the same model on the same device, whose predictions stand beside what ran.
    """
    judgement = judge(record)
    tables, legend = grids(beside(record, plan))
    stamp, stamp_tone = labels.stamp(record.provenance, record.model)
    verdict_word, verdict_tone = labels.VERDICTS[judgement.verdict]
    repeat_command, repeat_notes = command(record)
    prediction = derived(record, judgement)
    rows = tuple(row for grid in tables for row in grid.rows)
    return View(
        identity=facts.identity(record),
        provenance=record.provenance,
        weight_mode=record.model.weight_mode,
        stamp=stamp,
        stamp_tone=stamp_tone,
        verdict=judgement.verdict,
        verdict_word=verdict_word,
        verdict_tone=verdict_tone,
        why=clean(judgement.why),
        caveats=tuple(clean(sentence(caveat)) for caveat in judgement.caveats),
        highlights=prediction.tiles if prediction else facts.highlights(record, rows, judgement),
        header=(*facts.header(record), *source(plan)),
        repeat_command=repeat_command,
        repeat_notes=repeat_notes,
        memory=judgement.memory,
        emulation=record.emulation,
        card=card.facts(record),
        card_lines=tuple(map(clean, card.lines(record))),
        frontier=frontier(judgement.frontier, record.provenance),
        grids=tables,
        heat_legend=legend,
        misses=misses(tables),
        memory_sources=facts.memory_sources(record),
        repeat_columns=repeat_columns(record),
        kernels=facts.kernels(record),
        environment=facts.environment(record),
        derived=prediction,
        check=merge((summarise(record, path),)),
        merged=None,
    )
