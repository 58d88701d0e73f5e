"""English of a comparison: the figures of its tables, and the sentence of each typed reason."""

from collections.abc import Mapping
from typing import Final, assert_never

from bench.records import comparison_reasons as reasons
from bench.records.aspects import Aspect
from bench.records.base import Interval
from bench.records.comparison import CellComparison, UnpairedCell
from bench.records.comparison_reasons import (
    CellPlace,
    CellReason,
    ChangeAt,
    ChangeIntervalKind,
    ChangeNote,
    GateReason,
    GateRemedy,
)
from bench.records.enums import Label
from bench.units import clip_length
from bench.wording import phrases
from bench.wording.labels import ATTENTIONS

_LEAST_P: Final = 0.0001
_MORE: Final = "use --interleave or more records"


# --- figures ----------------------------------------------------------------------------------------------


def cell_name(cell: CellComparison | UnpairedCell | CellPlace) -> str:
    """`10 s × 128 (SDPA)`: length of the clip, most new tokens, attention."""
    return f"{clip_length(cell.clip_seconds)} × {cell.max_tokens:,} ({ATTENTIONS[cell.attention]})"


def percent(change: float) -> str:
    """`-2.9 %`; of less than that, such as of some bytes of memory, its first digit."""
    return f"{100 * change:+.1g} %" if 0 < abs(change) < 0.0005 else f"{100 * change:+.1f} %"


def share(of: float) -> str:
    """`4.7 %`: a share that has no direction."""
    return f"{100 * of:.1f} %"


def between(interval: Interval) -> str:
    """`-5.0 to +1.2 %`."""
    return f"{100 * interval.low:+.1f} to {100 * interval.high:+.1f} %"


def interval(ends: Interval, kind: ChangeIntervalKind | None, n: int | None) -> str:
    """`-5.0 to +1.2 %`, and `, range of 3` where it is one; other intervals are 95 %."""
    return f"{between(ends)}, {phrases.interval(kind, n)}" if kind == "range" and n else between(ends)


def p_value(p: float) -> str:
    """`0.012`, and `< 0.0001` for less: no test shows a p of 0."""
    return f"< {_LEAST_P:g}" if p < _LEAST_P else f"{p:.2g}"


def _p_equals(p: float) -> str:
    return f"p {p_value(p)}" if p < _LEAST_P else f"p = {p_value(p)}"


def _cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


# --- cells ------------------------------------------------------------------------------------------------

_DISTURBED: Final[Mapping[Label, str]] = {
    Label.THROTTLED: "ran while the device slowed itself down",
    Label.CONTENDED: "shared the device with other work",
    Label.SPILLED: "used system memory too",
}
_DIFFERS: Final[Mapping[Aspect, str]] = {
    Aspect.PROVENANCE: "provenance: {base} against {new}",
    Aspect.EMULATION: "another card was emulated",
    Aspect.SUITE_NAME: "another suite: {base} against {new}",
    Aspect.SUITE_VERSION: "another version of the suite: {base} against {new}",
    Aspect.SUITE_ORIGIN: "another suite of the same name: {base} against {new}",
    Aspect.WARM_UP: "another warm-up: {base} tokens against {new}",
    Aspect.WEIGHT_MODE: "weights: {base} against {new}",
    Aspect.CONFIGURATION: "another model: its configuration differs",
    Aspect.WEIGHT_FILES: "other files of weights",
    Aspect.RAN_DTYPE: "effective dtype: {base} against {new}",
    Aspect.RAN_CACHE: "the effective kv cache differs",
    Aspect.RAN_SAMPLING: "the effective sampling differs",
    Aspect.RAN_CLIP: "the effective clip sha256 differs",
    Aspect.RAN_PROMPT_TOKENS: "effective prompt tokens: {base} against {new}",
    Aspect.RAN_ON: "ran on {base} against {new}",
    Aspect.RAN_THREADS: "threads: {base} against {new}",
    Aspect.RAN_ATTENTION: "effective attention of the language model: {base} against {new}",
    Aspect.RAN_OPERATORS: "other kernels ran in the language model",
    Aspect.RAN_ENCODER_ATTENTION: "effective attention of the audio encoder: {base} against {new}",
    Aspect.RAN_ENCODER_OPERATORS: "other kernels ran in the audio encoder",
    Aspect.RAN_PROVIDER: "attention provider: {base} against {new}",
    Aspect.RAN_LOGITS: "logits positions: {base} against {new}",
    Aspect.RAN_CHUNK_FRAMES: "encoder chunk frames: {base} against {new}",
    Aspect.RAN_CHUNKS: "encoder chunks at once: {base} against {new}",
    Aspect.RAN_MLP_POSITIONS: "mlp positions at once: {base} against {new}",
    Aspect.RAN_EMBEDDINGS: "embeddings: {base} against {new}",
    Aspect.RAN_KERNEL: "attention kernel of the language model: {base} against {new}",
    Aspect.RAN_GROUPING: "calls of SDPA in the language model: {base} against {new}",
    Aspect.RAN_ENCODER_KERNEL: "attention kernel of the audio encoder: {base} against {new}",
}
_ON_ONE_SIDE: Final[Mapping[Aspect, str]] = {
    Aspect.RAN_ATTENTION: "attention of the language model was observed on one side only",
    Aspect.RAN_ENCODER_ATTENTION: "attention of the audio encoder was observed on one side only",
}
_NULL_IS: Final[Mapping[Aspect, str]] = {Aspect.RAN_MLP_POSITIONS: "all"}


def cell_reason(reason: CellReason) -> str:
    """Why a cell was refused, how it ended, or what else its reader has to know."""
    match reason:
        case reasons.Differs():
            return _differs(reason)
        case reasons.Disturbed(side=side, label=label):
            return _DISTURBED[label] if side is None else f"the {side} {_DISTURBED[label]}"
        case reasons.NotReached():
            return "not reached: the run was interrupted"
        case reasons.NotRun():
            return "predicted: nothing ran"
        case reasons.Ended():
            return reason.reason
        case reasons.PairsLeftOut(left_out=left_out, pairs=pairs):
            return f"{left_out} of {pairs} pairs left out: disturbed or not comparable"
        case _:
            assert_never(reason)


def _differs(reason: reasons.Differs) -> str:
    if reason.aspect in _ON_ONE_SIDE and (reason.base is None or reason.new is None):
        return _ON_ONE_SIDE[reason.aspect]
    null = _NULL_IS.get(reason.aspect, "unknown")
    base, new = (null if value is None else value for value in (reason.base, reason.new))
    return _DIFFERS[reason.aspect].format(base=base, new=new)


# --- changes ----------------------------------------------------------------------------------------------


def change_note(note: ChangeNote | None) -> str:
    """Return the sentence of a note on one metric; empty without a note."""
    match note:
        case None:
            return ""
        case reasons.TooFewValues():
            return "too few values: no test can separate a change from chance"
        case reasons.TooFewRepeats(least=least):
            return f"too few repeats: each side needs {least} or more"
        case reasons.OneValueEach():
            return "one value from each run: its variation is not known"
        case reasons.EndsDisagree():
            return "one end of the predicted interval rose, the other end fell"
        case reasons.PeakMayBeMissing():
            return "sampled, not counted: a short peak may be missing"
        case reasons.WithinSegmentOrder(threshold_bytes=threshold):
            return f"equal builds differ by up to {threshold / 2**20:g} MiB, by the order of segments"
        case reasons.DriftNotTested():
            return "p ignores drift of the machine between sessions; compare --interleave removes it"
        case reasons.NoRatio():
            return "a value of 0: no ratio"
        case _:
            return _of_spread(note)


_OfSpread = (
    reasons.WithinAssumedSpread
    | reasons.WithinMeasuredSpread
    | reasons.NotClear
    | reasons.TooFewRuns
    | reasons.BeyondAssumedSpread
)


def _of_spread(note: _OfSpread) -> str:
    """How far runs of one build lie apart."""
    match note:
        case reasons.WithinAssumedSpread(spread=spread):
            return f"within the assumed difference of fresh processes of one build ({share(spread)})"
        case reasons.WithinMeasuredSpread(spread=spread):
            return f"within the measured difference of the base's processes ({share(spread)})"
        case reasons.NotClear():
            return "too small a change to show with single processes"
        case reasons.TooFewRuns(base=base, new=new, factor=factor):
            runs = "one run on each side" if base == new == 1 else f"{base} and {new} runs"
            shown = "repeats of one process do not show how much runs differ"
            return f"{runs}: {shown}" + (
                "" if factor is None else f" (assumed: up to a factor of {factor:g})"
            )
        case reasons.BeyondAssumedSpread(factor=factor):
            return f"beyond a factor of {factor:g}, the assumed difference of single runs of one build"
        case _:
            assert_never(note)


# --- gates ------------------------------------------------------------------------------------------------


def gate_reason(reason: GateReason) -> str:
    """Why a gate failed, passed or could not be decided."""
    match reason:
        case reasons.CellsLost(cells=cells, first=first, first_status=status):
            runs = f"{_cells(cells)} no longer run{'s' if cells == 1 else ''}"
            return f"{runs} that ran in the base: {cell_name(first)}, {status.replace('_', ' ')}"
        case reasons.CellsNotCompared(cells=cells, ran=ran):
            return f"{cells} of {_cells(ran)} of the base could not be compared"
        case reasons.NoCellHasMetric():
            return "no cell that can be compared has this metric on both sides"
        case reasons.MetricOnOneSide(side=side, cells=cells, first=first):
            where = "the base" if side == "base" else "the new side"
            return f"{_cells(cells)} with this metric on one side only: {cell_name(first)}, on {where}"
        case reasons.NoRatioInCell(cell=cell):
            return f"no ratio in {cell_name(cell)}"
        case reasons.RoseFromZero(cell=cell):
            return f"0 in the base, above 0 now: {cell_name(cell)}"
        case reasons.WorstChange(change=change):
            return f"{percent(change)} at worst"
        case reasons.BaseTooNoisy(noise=noise):
            return f"the noise of the base is {share(noise)}, more than half the gate; {_MORE}"
        case reasons.ProcessesTooFarApart(spread=spread):
            return f"processes of one build may differ by {share(spread)}, more than half the gate; {_MORE}"
        case _:
            return _of_change(reason)


_OfChange = (
    reasons.ChangeShown
    | reasons.MayBeChance
    | reasons.NotDecided
    | reasons.NoInterval
    | reasons.WiderThanGate
    | reasons.MayReachBeyond
)


def _of_change(reason: _OfChange) -> str:
    by = _percent(reason.by)
    cell = reason.by.cell
    where = f"over {_cells(reason.by.cells)}" if cell is None else f"in {cell_name(cell)}"
    match reason:
        case reasons.ChangeShown(p=p, note=note):
            return f"{by} {where}" + ("" if p is None else f", {_p_equals(p)}") + _also(note)
        case reasons.MayBeChance(note=note):
            return f"{by} {where}: beyond the limit, but this may be chance{_also(note)}"
        case reasons.NotDecided(note=note):
            return f"{by}{_because(note)}"
        case reasons.NoInterval(note=note):
            return f"{by} {where}{_because(note)}"
        case reasons.WiderThanGate():
            return f"{by}: the interval is wider than the gate; more rounds narrow it"
        case reasons.MayReachBeyond(note=note):
            return f"{by} {where}: within the limit, but the true change may be beyond{_also(note)}"
        case _:
            assert_never(reason)


def _percent(by: ChangeAt) -> str:
    text = "n/a" if by.change is None else percent(by.change)
    if by.interval is None:
        return text
    words = interval(by.interval, by.interval_kind, by.interval_n)
    return f"{text} ({words}, not 95 %)" if by.interval_kind == "range" else f"{text} ({words})"


def _because(note: ChangeNote | None) -> str:
    return "" if note is None else f": {change_note(note)}"


def _also(note: ChangeNote | None) -> str:
    return "" if note is None else f"; {change_note(note)}"


# --- what would decide a gate -----------------------------------------------------------------------------


def gate_remedy(remedy: GateRemedy | None) -> str:
    """Return the step that would decide a gate; empty for a decided gate."""
    match remedy:
        case None:
            return ""
        case reasons.RunProcesses(runs=runs):
            return f"about {runs} runs of each build on one machine, or --interleave"
        case reasons.RunPairs(pairs=pairs):
            return f"about {pairs} pairs: --interleave --rounds {pairs}"
        case reasons.AtTheLimit():
            return "the change is close to the limit: choose another limit, more runs will hardly decide"
        case reasons.RunAlike():
            return "run the same cells on both sides, without other work on the device"
        case reasons.RecordMetric():
            return "use records of both sides that have this metric"
        case reasons.GateCounted():
            return "use a gate on allocated_peak_bytes, which repeats exactly"
        case _:
            assert_never(remedy)
