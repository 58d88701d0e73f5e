"""The sentence below a verdict, of one record or of several."""

from collections.abc import Iterator
from typing import Final, assert_never

from bench import units
from bench.records import verdicts
from bench.records.enums import Provenance, Status
from bench.records.reasons import CellShape
from bench.wording import outcomes, predictions
from bench.wording.phrases import PEAK_WORDS, plural, shape

_DONE: Final = {
    Provenance.MEASURED: "Measured",
    Provenance.EMULATED: "Emulated",
    Provenance.DERIVED: "Predicted",
    Provenance.SMOKE: "Tried with a tiny model",
}
_COUNTED: Final[dict[Status, str]] = {
    "measured": "ran",
    "out_of_memory": "ran out of memory",
    "skipped": "was skipped as too large",
}
_MAX_SETTINGS: Final = 4


def sentence(why: verdicts.VerdictReason) -> str:
    """Why a record, or a check of several, has its verdict."""
    if isinstance(why, verdicts.PredictionReason):
        return predictions.sentence(why)
    match why:
        case verdicts.NewestDecides(basis=basis, why=newest):
            return f"{_basis(basis)}. The newest of them: {sentence(newest)}"
        case verdicts.BySetting(basis=basis):
            return f"{_basis(basis)}. {_by_setting(why)}"
        case verdicts.MergedSmoke(basis=basis):
            return f"{_basis(basis)}: this does not show whether the real model runs."
        case verdicts.MergedRan(basis=basis):
            return f"{_basis(basis)}: {'; '.join(_merged_ran(why))}."
        case verdicts.MergedTooClose(basis=basis, close=close):
            return f"{_basis(basis)}: no clip fits in every record; {_tally(close)}."
        case verdicts.MergedMisfit(basis=basis, smallest=smallest):
            even = f"even a clip of {_row(smallest)} does not"
            return f"{_basis(basis)}: no tried clip fits, {even}."
        case verdicts.MergedUnsupported(basis=basis):
            return f"{_basis(basis)}: no requested cell can run here."
        case verdicts.MergedUnknown(basis=basis):
            return f"{_basis(basis)}: no cell finished, so nothing is known."
        case _:
            return _run(why)


# --- one run ----------------------------------------------------------------------------------------------


def _run(why: verdicts.RunReason) -> str:
    match why:
        case verdicts.SmokeRun(ran=ran, cells=cells):
            return (
                f"Smoke run: {ran} of {cells} cells of a tiny model ran. This does not show whether the real "
                "model runs."
            )
        case verdicts.OtherDeviceComputed(device_kind=kind, device=device):
            return f"The cells computed on the {kind}: this does not show whether they run on {device}."
        case verdicts.Ran(misfit=misfit):
            limit = f"; a clip of {shape(misfit)} ran out of memory" if misfit is not None else ""
            return f"{_largest(why)}{_with_desktop(why)}{limit}."
        case verdicts.RanHeadless(least_needed_bytes=least, desktop_bytes=there):
            return (
                f"{_largest(why)}; with a desktop no clip fits: the smallest needs "
                f"{units.both_units(least)}, {units.both_units(there)} would be available."
            )
        case verdicts.NothingFits(smallest=smallest, emulated_total_bytes=total):
            even = f": even a clip of {shape(smallest)} ran out of memory" if smallest is not None else ""
            where = "" if total is None else f" an emulated card of {units.both_units(total)}"
            return f"No tried clip fits{where}{even}."
        case verdicts.EverythingSpilled(smallest=smallest):
            even = f"even a clip of {shape(smallest)} used system memory too"
            return f"No tried clip fits the card: {even}."
        case verdicts.NothingSupported():
            return f"No requested cell can run here{_because(why)}".rstrip(".") + "."
        case verdicts.NoCells():
            return "The record contains no cells, so nothing is known."
        case verdicts.OnlyPredictions():
            return "Nothing was run: every figure is a prediction."
        case verdicts.NothingFinished(statuses=statuses):
            tally = ", ".join(f"{count} {_status(status)}" for status, count in statuses.items())
            return f"No cell of this run finished ({tally}), so nothing is known."
        case _:
            assert_never(why)


def _because(why: verdicts.NothingSupported) -> str:
    match why.reason:
        case None:
            return f", for {why.reasons} different reasons"
        case verdicts.StatedReason(text=text):
            return f": {text}"
        case known:
            return f": {outcomes.reason(known)}"


def _largest(why: verdicts.Ran | verdicts.RanHeadless) -> str:
    """`The longest clip that ran is 60 s with 512 new tokens: 46.6 tok/s and a process peak of ...`."""
    largest, total = why.largest, why.emulated_total_bytes
    card = "The" if total is None else f"On an emulated card of {units.both_units(total)}, the"
    detail = _figures(largest.decode_tokens_per_s, largest.memory, "it")
    return f"{card} longest clip that ran is {shape(largest.cell)}{detail}"


def _figures(decode_tokens_per_s: float | None, memory: verdicts.MemoryFigure | None, card: str) -> str:
    rate = "" if decode_tokens_per_s is None else units.rate(decode_tokens_per_s, "tok/s")
    detail = " and ".join(filter(None, (rate, _memory(memory, card))))
    return f": {detail}" if detail else ""


def _memory(peak: verdicts.MemoryFigure | None, card: str) -> str:
    if peak is None:
        return ""
    size = units.both_units(peak.size_bytes)
    if peak.metric == "needed_bytes":
        return f"{size} of {card}, CUDA context included"
    return f"a {PEAK_WORDS[peak.metric]} of {size}"


def _with_desktop(why: verdicts.Ran | verdicts.MergedRan) -> str:
    if why.largest_fits_with_desktop:
        return "; it also fits with a desktop"
    return "" if why.with_desktop is None else f"; with a desktop up to {_row(why.with_desktop)}"


def _status(status: Status) -> str:
    return status.replace("_", " ")


# --- several records --------------------------------------------------------------------------------------


def _basis(basis: verdicts.Basis) -> str:
    """`Measured in 5 records on 3 machines`: what a verdict rests on."""
    machines, records = basis.machines, basis.records
    where = "" if machines is None else f" on {machines} {plural('machine', machines)}"
    return f"{_DONE[basis.provenance]} in {records} {plural('record', records)}{where}"


def _merged_ran(why: verdicts.MergedRan) -> Iterator[str]:
    where = f", in {why.records} of them" if why.records < why.basis.records else ""
    detail = _figures(why.decode_tokens_per_s, why.memory, "the card")
    yield f"the longest clip that ran is {_row(why.cell)}{where}{detail}{_with_desktop(why)}"
    if why.none_fits_with_desktop:
        yield "with a desktop no clip that ran fits"
    if why.close is not None:
        yield _tally(why.close)
    if why.misfit is not None:
        yield f"a clip of {_row(why.misfit)} ran out of memory"


def _tally(tally: verdicts.OutcomeCount) -> str:
    """`a clip of 60 s with 512 new tokens ran in 2 records and ran out of memory in 1`."""
    counts = (
        f"{_COUNTED.get(status, _status(status))} in {count} {plural('record', count)}"
        for status, count in tally.statuses.items()
    )
    return f"a clip of {_row(tally.cell)} {' and '.join(counts)}"


def _row(cell: CellShape) -> str:
    """The size of a cell; of a merged one with its attention."""
    return f"{shape(cell)} ({cell.attention.value})" if isinstance(cell, verdicts.RowShape) else shape(cell)


def _by_setting(why: verdicts.BySetting) -> str:
    """One sentence for each setting; settings with the same sentence share it."""
    found: dict[str, list[str]] = {}
    for one in why.settings:
        variants = " and ".join(dict.fromkeys(filter(None, map(", ".join, one.variants))))
        found.setdefault(_of_setting(one.why), []).append(variants or "other settings")
    parts = [f"{_capital(' and '.join(names))}: {words}" for words, names in found.items()]
    more = len(parts) - _MAX_SETTINGS
    rest = [f"{more} more are in the tables."] if more > 0 else []
    return " ".join([*parts[:_MAX_SETTINGS], *rest])


def _of_setting(why: verdicts.RecordReason) -> str:
    if isinstance(why, verdicts.PredictionReason):
        return predictions.sentence(why, with_head=False)
    return sentence(why)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
