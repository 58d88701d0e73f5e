"""The verdict over all records, its sentence, and what a reader must know before believing it."""

from collections.abc import Iterator, Sequence

from bench import units
from bench.check.sources import Sources, machines_of
from bench.check.summary import RecordHead
from bench.check.variants import by_variant
from bench.judge.memory import PEAK_WORDS
from bench.judge.why import shape_of
from bench.records import caveats as known
from bench.records.caveats import Caveat, RecordCaveat
from bench.records.check import CheckFigure, CheckRow
from bench.records.enums import Fit, Provenance, Verdict
from bench.wording.caveats import sentence

_DONE = {
    Provenance.MEASURED: "Measured",
    Provenance.EMULATED: "Emulated",
    Provenance.DERIVED: "Predicted",
    Provenance.SMOKE: "Tried with a tiny model",
}
_MAX_CAVEATS = 40


def merge_verdict(sources: Sources, rows: Sequence[CheckRow]) -> tuple[Verdict, str]:
    """The verdict of what weighs most, and the sentence below it.

    One record keeps its own. Of several predictions each setting is told by its newest, and the one that goes
    furthest decides, as within one record. Of several runs the merged cells decide, by the rules of one
    record: a cell that ran in one and not in another shows nothing.
    """
    heads = sources.deciding
    if len(heads) == 1:
        return heads[0].verdict, heads[0].why
    if sources.provenance is Provenance.SMOKE:
        return Verdict.UNKNOWN, f"{basis(heads)}: that says nothing about whether the real model runs."
    if sources.provenance is Provenance.DERIVED or heads[0].elsewhere is not None:
        verdict, told = by_variant(heads)
        return verdict, f"{basis(heads)}. {told}"
    own = [row for row in rows if row.provenance is sources.provenance]
    verdict = _decide(own)
    return verdict, f"{basis(heads)}: {_sentence(verdict, own, heads)}."


def basis(heads: Sequence[RecordHead]) -> str:
    """`Measured in 5 records on 3 machines`: what a verdict rests on."""
    machines = machines_of(heads)
    where = "" if machines is None else f" on {machines} machine{'' if machines == 1 else 's'}"
    return f"{_DONE[heads[0].provenance]} in {len(heads)} record{'' if len(heads) == 1 else 's'}{where}"


def merge_caveats(sources: Sources) -> tuple[Caveat, ...]:
    """Those of every record, each once, with the number of records that have it; one record keeps its own."""
    if len(sources.heads) == 1:
        return sources.heads[0].caveats
    return tuple(_caveats(sources))


def _caveats(sources: Sources) -> Iterator[Caveat]:
    deciding, total = sources.deciding, len(sources.deciding)
    whole = len(sources.heads)
    left_out = whole - len(sources.counted)
    if left_out:
        yield known.RecordsElsewhere(count=left_out, records=whole)
    others = len(sources.counted) - total
    if others:
        yield known.OtherProvenance(count=others, records=whole)
    if machines_of(deciding) is None and sources.provenance is not Provenance.DERIVED:
        yield known.MachinesUnknown()
    ordered = _of_records(deciding)
    for caveat, count in ordered[:_MAX_CAVEATS]:
        whole = count == total
        yield caveat if whole else known.InSomeRecords(count=count, records=total, caveat=caveat)
    if len(ordered) > _MAX_CAVEATS:
        yield known.MoreCaveats(count=len(ordered) - _MAX_CAVEATS)


def _of_records(heads: Sequence[RecordHead]) -> list[tuple[RecordCaveat, int]]:
    """Each caveat with the number of records that have it, the commonest first.

    Caveats that read alike are one: a reader does not see by how many bytes they differ.
    """
    found: dict[str, list[RecordCaveat]] = {}
    for head in heads:
        for words, caveat in {sentence(caveat): caveat for caveat in head.caveats}.items():
            found.setdefault(words, []).append(caveat)
    ordered = sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))
    return [(alike[0], len(alike)) for _, alike in ordered]


def _decide(rows: Sequence[CheckRow]) -> Verdict:
    ran = [row for row in rows if row.fit is Fit.FITS]
    if ran:
        answers = {row.fits_with_desktop for row in ran}
        return Verdict.RUNS if True in answers or None in answers else Verdict.RUNS_HEADLESS
    if any(row.fit is Fit.TOO_CLOSE_TO_CALL for row in rows):
        return Verdict.TOO_CLOSE_TO_CALL
    if rows and all(row.status == "unsupported" for row in rows):
        return Verdict.UNSUPPORTED
    misfits = [row for row in rows if row.fit is Fit.DOES_NOT_FIT]
    tried = any(row.status in {"out_of_memory", "measured"} for row in misfits)
    if tried and all(row.fit is Fit.DOES_NOT_FIT or row.status == "unsupported" for row in rows):
        return Verdict.DOES_NOT_FIT
    return Verdict.UNKNOWN


def _sentence(verdict: Verdict, rows: Sequence[CheckRow], heads: Sequence[RecordHead]) -> str:
    match verdict:
        case Verdict.RUNS | Verdict.RUNS_HEADLESS:
            return "; ".join(_runs([row for row in rows if row.fit is Fit.FITS], rows, heads))
        case Verdict.TOO_CLOSE_TO_CALL:
            close = min((row for row in rows if row.fit is Fit.TOO_CLOSE_TO_CALL), key=_size)
            return f"nothing fits in every record; {_tally(close)}"
        case Verdict.DOES_NOT_FIT:
            smallest = min((row for row in rows if row.fit is Fit.DOES_NOT_FIT), key=_size)
            return f"nothing that was tried fits: even a clip of {_shape(smallest)} does not"
        case Verdict.UNSUPPORTED:
            return "nothing that was asked for can run here"
        case Verdict.UNKNOWN:
            return "no cell finished, so nothing is known"


def _runs(ran: Sequence[CheckRow], rows: Sequence[CheckRow], heads: Sequence[RecordHead]) -> Iterator[str]:
    longest, emulated = max(ran, key=_size), heads[0].emulation is not None
    where = f", in {longest.records} of them" if longest.records < len(heads) else ""
    speed = "" if emulated else _rate(longest.figure("decode_tokens_per_s"))
    detail = " and ".join(filter(None, [speed, _memory(longest, emulated=emulated)]))
    yield f"the longest clip that ran is {_shape(longest)}{where}{': ' if detail else ''}{detail}"
    yield from _beside_a_desktop(ran, longest)
    close = min((row for row in rows if row.fit is Fit.TOO_CLOSE_TO_CALL), key=_size, default=None)
    if close is not None:
        yield _tally(close)
    misfit = min((row for row in rows if row.status == "out_of_memory" and row.fit), key=_size, default=None)
    if misfit is not None:
        yield f"a clip of {_shape(misfit)} ran out of memory"


def _beside_a_desktop(ran: Sequence[CheckRow], longest: CheckRow) -> Iterator[str]:
    largest = max((row for row in ran if row.fits_with_desktop), key=_size, default=None)
    if largest is not None:
        same = largest.cell_id == longest.cell_id
        yield "it fits beside a desktop too" if same else f"beside a desktop up to {_shape(largest)}"
    elif all(row.fits_with_desktop is False for row in ran):
        yield "beside a desktop nothing that ran fits"


def _tally(row: CheckRow) -> str:
    """`a clip of 60 s with 512 new tokens ran in 2 records and ran out of memory in 1`."""
    words = {"measured": "ran", "out_of_memory": "ran out of memory", "skipped": "was left out as too large"}
    said = [
        f"{words.get(status, status.replace('_', ' '))} in {count} record{'' if count == 1 else 's'}"
        for status, count in row.statuses.items()
    ]
    return f"a clip of {_shape(row)} {' and '.join(said)}"


def _rate(figure: CheckFigure | None) -> str:
    return "" if figure is None else units.rate(figure.value, "tok/s")


def _memory(row: CheckRow, *, emulated: bool) -> str:
    if emulated:
        need = row.figure("needed_bytes")
        return "" if need is None else f"{_bytes(need)} of the card, CUDA context included"
    figure = row.figure(row.peak) if row.peak is not None else None
    return "" if figure is None or row.peak is None else f"a {PEAK_WORDS[row.peak]} of {_bytes(figure)}"


def _bytes(figure: CheckFigure) -> str:
    return units.both_units(None if figure.value is None else round(figure.value))


def _shape(row: CheckRow) -> str:
    return f"{shape_of(row.clip_seconds, row.max_tokens)} ({row.attention.value})"


def _size(row: CheckRow) -> tuple[float, int, str]:
    return row.clip_seconds, row.max_tokens, row.cell_id
