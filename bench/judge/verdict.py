"""The verdict of a record: does the model run on that device, and why do we say so?"""

from dataclasses import dataclass

from bench import units
from bench.judge.caveats import caveats, is_smoke
from bench.judge.frontier import FrontierPoint, frontier, is_misfit
from bench.judge.peak import peak_of
from bench.records.schema import CellResult, Record
from bench.records.words import Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a record says.

    `why` is one sentence. `largest` is the cell that it speaks of: the longest clip that ran, with the
    most new tokens among those; None when nothing ran.
    """

    verdict: Verdict
    why: str
    frontier: tuple[FrontierPoint, ...]
    caveats: tuple[str, ...]
    largest: CellResult | None


def judge(record: Record) -> Judgement:
    """Judge one record, from its cells alone.

    A smoke run is `unknown` whatever its cells say. One measured cell of the real model is `runs`; nothing
    but out of memory is `does_not_fit`, nothing but unsupported is `unsupported`; all else is `unknown`.
    """
    largest = _largest(record, "measured")
    verdict, why = _decide(record, largest)
    return Judgement(verdict, why, frontier(record.cells), caveats(record), largest)


def _decide(record: Record, largest: CellResult | None) -> tuple[Verdict, str]:
    statuses = {cell.outcome.status for cell in record.cells}
    if is_smoke(record):
        return Verdict.UNKNOWN, _why_smoke(record)
    if largest is not None:
        return Verdict.RUNS, _why_runs(record, largest)
    if statuses == {"unsupported"}:
        return Verdict.UNSUPPORTED, _why_unsupported(record)
    conclusive = all(is_misfit(cell) or cell.outcome.status == "unsupported" for cell in record.cells)
    if conclusive and "out_of_memory" in statuses:
        return Verdict.DOES_NOT_FIT, _why_not(record)
    return Verdict.UNKNOWN, _why_unknown(record)


def _largest(record: Record, status: str) -> CellResult | None:
    cells = [cell for cell in record.cells if cell.outcome.status == status]
    return max(cells, key=_size, default=None)


def _smallest_misfit(record: Record) -> CellResult | None:
    cells = [cell for cell in record.cells if cell.outcome.status == "out_of_memory"]
    return min(cells, key=_size, default=None)


def _size(cell: CellResult) -> tuple[float, int]:
    return cell.requested.clip_seconds, cell.requested.max_tokens


def _shape(cell: CellResult) -> str:
    clip_s = cell.requested.clip_seconds
    minutes = f" ({units.seconds(clip_s)})" if clip_s > 60 else ""
    tokens = f"{cell.requested.max_tokens:,} new token{'' if cell.requested.max_tokens == 1 else 's'}"
    return f"{units.clip_length(clip_s)}{minutes} with {tokens}"


def _why_smoke(record: Record) -> str:
    ran = sum(1 for cell in record.cells if cell.outcome.status == "measured")
    return (
        f"This is a smoke run: {ran} of {len(record.cells)} cells of a tiny model ran, which shows that the "
        "pipeline works and says nothing about whether the real model runs."
    )


def _why_runs(record: Record, cell: CellResult) -> str:
    decode = cell.summary.decode_tokens_per_s if cell.summary else None
    peak = peak_of(cell, record.device)
    figures = [
        units.rate(decode.median, "tok/s") if decode else "",
        f"a {peak.words} of {units.both_units(peak.size_bytes)}" if peak else "",
    ]
    detail = " and ".join(filter(None, figures))
    misfit = _smallest_misfit(record)
    limit = f"; a clip of {_shape(misfit)} ran out of memory" if misfit else ""
    return f"The longest clip that ran is {_shape(cell)}{': ' if detail else ''}{detail}{limit}."


def _why_not(record: Record) -> str:
    misfit = _smallest_misfit(record)
    smallest = f": even a clip of {_shape(misfit)} ran out of memory" if misfit else ""
    return f"Nothing that was tried fits{smallest}."


def _why_unsupported(record: Record) -> str:
    reasons = {
        cell.outcome.reason
        for cell in record.cells
        if cell.outcome.status == "unsupported" and cell.outcome.reason
    }
    because = f": {next(iter(reasons))}" if len(reasons) == 1 else f", for {len(reasons)} different reasons"
    return f"Nothing that was asked for can run here{because}".rstrip(".") + "."


def _why_unknown(record: Record) -> str:
    if not record.cells:
        return "The record holds no cells, so nothing is known."
    statuses = [cell.outcome.status for cell in record.cells]
    if set(statuses) == {"predicted"}:
        return "Nothing was run: every figure is a prediction."
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    tally = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items())
    return f"No cell of this run finished ({tally}), so nothing is known."
