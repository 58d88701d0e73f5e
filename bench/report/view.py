"""A check document as a view: all formats take their words from here."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench import units
from bench.check.document import merge
from bench.check.summarise import summarise
from bench.records.caveats import NothingRan
from bench.records.check import Check
from bench.records.enums import Fit, Provenance
from bench.records.record import Record
from bench.report.answer import answer
from bench.report.answer_tiles import predicted_tiles
from bench.report.basics import Fact, Figure, Tone, basis, whole
from bench.report.card import memory_of, of_budget
from bench.report.derivation import derived
from bench.report.details import Details, details_of, key_of
from bench.report.frontier import frontier
from bench.report.grid import alike, grids, misses
from bench.report.interface import Identity, Row, View
from bench.report.labels import VERDICT_TONES
from bench.report.labels import stamp as stamp_of
from bench.report.rows import row, settings_words
from bench.report.several import disagreement, facts_of, merged
from bench.wording.labels import PIPELINE_WORKS, PROVENANCES, headline


def view_of(record: Record, path: str | None = None, plan: Record | None = None) -> View:
    """The view of one record. Does not fail on any record that the schema accepts.

    `path`: from the report to the record; None if there is no such path. `plan`: a derived
    record of the same model on the same device, whose predictions are shown with what ran.
    """
    check = merge((summarise(record, path),))
    return build_view(check, details_of(record, check, plan))


def build_view(check: Check, details: Details) -> View:
    """The view of a check document, with the details that only records have."""
    facts = details.facts or facts_of(check)
    together = merged(check) if details.facts is None else None
    rows = _rows(check, details)
    tables, legend = grids(rows)
    stamp, stamp_tone = stamp_of(check)
    verdict_word, verdict_tone = _verdict(check)
    prediction = derived(check, facts.how, facts.how_lines) if together is None else None
    return View(
        identity=_identity(check),
        provenance=check.provenance,
        stamp=stamp,
        stamp_basis="" if together is None else basis(None, _deciding(check)),
        stamp_tone=stamp_tone,
        verdict=check.verdict,
        verdict_word=verdict_word,
        verdict_tone=verdict_tone,
        why=check.why,
        caveats=(*(() if together is None else disagreement(together)), *_caveats(check)),
        highlights=tuple(_highlights(check, rows, several=together is not None)),
        header=facts.header,
        repeat_command=facts.repeat_command,
        repeat_notes=facts.repeat_notes,
        memory=memory_of(check),
        emulation=check.emulation,
        card=facts.card,
        card_lines=facts.card_lines,
        answer=answer(check),
        frontier=frontier(check, several=together is not None),
        grids=tables,
        shared_grids=alike(tables),
        heat_legend=legend,
        misses=misses(tables),
        memory_sources=facts.memory_sources,
        repeat_columns=facts.repeat_columns,
        kernels=facts.kernels,
        environment=facts.environment,
        derived=prediction,
        check=check,
        merged=together,
    )


def _verdict(check: Check) -> tuple[str, Tone]:
    """The verdict in words; of a smoke run in which all supported cells ran, that the pipeline works."""
    statuses = {row.status for row in check.rows} - {"unsupported"}
    if check.provenance is Provenance.SMOKE and statuses == {"measured"}:
        return PIPELINE_WORKS, Tone.GOOD
    return headline(check.verdict, check.provenance), VERDICT_TONES[check.verdict]


def _caveats(check: Check) -> Iterator[str]:
    """All but that nothing ran, which the stamp and the headline of a prediction say."""
    for code, words in zip(check.caveat_codes, check.caveats, strict=True):
        if not isinstance(code, NothingRan):
            yield words


def _rows(check: Check, details: Details) -> tuple[Row, ...]:
    """Rows in the order of the record, or of the document if it has several records."""
    place = {key: nth for nth, key in enumerate(details.cells)}
    attentions = {cell.cell_id: cell.attention for cell in check.rows}
    mixed = details.facts is None and len({cell.provenance for cell in check.rows}) > 1
    found = []
    seen: Counter[str] = Counter()
    for cell in check.rows:
        key = key_of(cell)
        # On a page of several records, cells of different provenance are in different grids.
        where = f", {PROVENANCES[cell.provenance]}" if mixed else ""
        title = f"{settings_words(cell)}{where}"
        shown = row(cell, title, attentions, details.cells.get(key), details.traces.get(key))
        seen[cell.cell_id] += 1
        if seen[cell.cell_id] > 1:
            shown = replace(shown, anchor=f"{cell.cell_id}-{seen[cell.cell_id]}")
        found.append((place.get(key, len(place)), shown))
    return tuple(shown for _, shown in sorted(found, key=lambda pair: pair[0]))


def _identity(check: Check) -> Identity:
    newest = check.records[-1]
    return Identity(
        model=check.model.name,
        gpu=check.gpu.name,
        kind=check.gpu.kind,
        memory_total_bytes=whole(check.gpu.memory_total_bytes),
        record_id=newest.id,
        content_hash=newest.hash,
    )


def _deciding(check: Check) -> int:
    return sum(1 for record in check.records if record.provenance is check.provenance)


def _highlights(check: Check, rows: Sequence[Row], *, several: bool) -> Iterator[Fact]:
    """Figures of the largest cell that ran and fits; for predictions the card, the weights and the budgets.

    An emulated card has no speed.
    """
    if check.prediction is not None and check.provenance is Provenance.DERIVED:
        yield from predicted_tiles(check)
    fits = [shown for shown in rows if shown.fit is Fit.FITS and shown.status.code == "measured"]
    largest = max(fits, key=lambda shown: (shown.clip_seconds, shown.max_tokens), default=None)
    if largest is None:
        return
    prompt = largest.prompt if several else ""
    yield Fact("Longest clip that ran", f"{largest.clip} × {largest.tokens} tokens", prompt)
    if check.emulation is None and check.provenance is not Provenance.EMULATED:
        yield _speed("Decode speed there", largest.figures["decode_tokens_per_s"], several=several)
        yield _speed("First token after", largest.figures["time_to_first_token_s"], several=several)
    yield _memory_there(check, largest)


def _speed(label: str, figure: Figure, *, several: bool) -> Fact:
    return Fact(
        label, figure.text, ", ".join(filter(None, (figure.interval, figure.note))) if several else ""
    )


def _memory_there(check: Check, largest: Row) -> Fact:
    """The peak of that cell; for an emulated card the need of the cell, because the device differs."""
    emulated = check.emulation is not None
    value = largest.figures["needed_bytes"].value if emulated else largest.peak.value
    label = "CUDA context included" if emulated else largest.peak_words
    size = units.both_units(None if value is None else int(value))
    return Fact(f"Memory there, {label}", size, of_budget(memory_of(check)))
