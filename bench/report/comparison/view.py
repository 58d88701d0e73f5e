"""The view of a comparison: its words and figures, once for all formats."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from bench import units
from bench.judge.same_run import is_published
from bench.records.base import ByteInterval, Interval
from bench.records.comparison import (
    CellComparison,
    Change,
    ChangeVerdict,
    Comparison,
    GateResult,
    SideComparison,
    SideInfo,
    Unit,
)
from bench.records.enums import Provenance
from bench.records.metrics import METRICS, Metric
from bench.report.basics import Fact, Tone
from bench.report.comparison.interface import CellLines, ComparisonView, GateLine, Line, SideView
from bench.report.labels import weights
from bench.text import MAX_NAME, clean
from bench.wording.comparison import between, cell_name, interval, p_value, percent
from bench.wording.labels import PROVENANCES, suite

_WORDS: Final = {
    ChangeVerdict.FASTER: "faster",
    ChangeVerdict.SLOWER: "slower",
    ChangeVerdict.LESS: "less",
    ChangeVerdict.MORE: "more",
    ChangeVerdict.SAME: "the same",
    ChangeVerdict.SAME_WITHIN_NOISE: "same within noise",
    ChangeVerdict.CANNOT_TELL: "cannot tell",
}
_BRIEF: Final = {ChangeVerdict.SAME_WITHIN_NOISE: "within noise", ChangeVerdict.CANNOT_TELL: "?"}
LEGEND: Final = "within noise: no difference could be shown; ?: cannot tell"
_FIRST: Final = frozenset({"decode_tokens_per_s", "latency_s", "allocated_peak_bytes", "reserved_peak_bytes"})
_ENDED: Final = {
    "compared": ("", Tone.MUTED),
    "refused": ("not comparable", Tone.WARN),
    "no_longer_runs": ("no longer runs", Tone.BAD),
    "runs_now": ("runs now", Tone.GOOD),
    "ran_in_neither": ("ran on neither side", Tone.MUTED),
}
_MARKS: Final = {"pass": Tone.GOOD, "fail": Tone.BAD, "undecided": Tone.WARN}
_METHODS: Final = {
    "interleaved": "Both builds ran in alternation, each time in a fresh process; compared pair by pair.",
    "separate": "The sides ran apart from each other: what else changed in between is in the figures.",
}
_PREDICTED: Final = "Predictions: nothing ran, and what differs between two of them is exact."
_UNITS: Final = {
    Unit.REPEAT: "repeats",
    Unit.PROCESS: "processes",
    Unit.PAIR: "pairs",
    Unit.ONCE: "values",
    Unit.PREDICTION: "predictions",
}

EVIDENCE: Final = {
    "change": "change",
    "word": "verdict",
    "interval": "95 % interval or range",
    "ends": "change of both ends",
    "p": "p",
    "values": "values",
}
"""Fields of a line that are columns of the table of the overall change, with their headings."""


def build_view(comparison: Comparison) -> ComparisonView:
    """The view of a comparison."""
    base = comparison.base
    sides = tuple(_side(base, against) for against in comparison.against)
    beside = tuple(side for side in sides if side.overall)
    stamp, tone = _stamp(base)
    title, title_tone = _title(comparison)
    return ComparisonView(
        title=title,
        title_tone=title_tone,
        model=clean(base.model, MAX_NAME),
        suite=clean(suite(base.suite, base.suite_version, base.suite_origin), MAX_NAME),
        stamp=stamp,
        stamp_tone=tone,
        method=_PREDICTED if base.provenance is Provenance.DERIVED else _METHODS[comparison.method],
        base=clean(base.label, MAX_NAME),
        metrics=_metrics(comparison),
        sides=sides,
        beside=beside if len(beside) > 1 else (),
    )


def evidence(side: SideView) -> dict[str, str]:
    """The columns that have an entry in any line."""
    return {
        name: heading
        for name, heading in EVIDENCE.items()
        if any(getattr(line, name) for line in side.overall.values())
    }


def _stamp(side: SideInfo) -> tuple[str, Tone]:
    words = f"{PROVENANCES[side.provenance]}, {weights(side.repo, side.weight_mode)}"
    plain = side.provenance is Provenance.MEASURED and is_published(side.weight_mode, side.repo)
    return words, Tone.MUTED if plain else Tone.WARN


def _metrics(comparison: Comparison) -> dict[str, str]:
    found = {metric for against in comparison.against for metric in against.overall}
    return {name: metric.heading for name, metric in METRICS.items() if name in found}


def _side(base: SideInfo, against: SideComparison) -> SideView:
    marks = tuple(map(_mark, against.gates))
    stamp, tone = _stamp(against.new)
    notes = tuple(dict.fromkeys(clean(by.note) for by in against.overall.values() if by.note))
    overall = _lines(against.overall)
    cells = tuple(map(_cell, against.cells))
    return SideView(
        label=clean(against.new.label, MAX_NAME),
        stamp=stamp,
        stamp_tone=tone,
        reasons=tuple(map(clean, against.reasons)),
        headline=_headline(against),
        marks=marks,
        overall={
            name: replace(line, mark=str(notes.index(line.note) + 1) if line.note else "")
            for name, line in overall.items()
        },
        notes=notes,
        metrics={
            name: metric.heading
            for name, metric in METRICS.items()
            if any(name in cell.lines for cell in cells)
        },
        cells=cells,
        lone=tuple(_lone(against)),
        differences=tuple(
            (one.what, clean(one.base or "n/a", MAX_NAME), clean(one.new or "n/a", MAX_NAME))
            for one in against.differences
        ),
        caveats=tuple(map(clean, against.caveats)),
        records=tuple(_records(base, against.new)),
    )


def _title(comparison: Comparison) -> tuple[str, Tone]:
    """The title over all sides: the worst decision of their gates, or `Comparison` without gates."""
    decisions = {gate.decision for against in comparison.against for gate in against.gates}
    if "fail" in decisions:
        return "Gate failed", Tone.BAD
    if "undecided" in decisions:
        return "Gate undecided", Tone.WARN
    return ("Gate passed", Tone.GOOD) if decisions else ("Comparison", Tone.MUTED)


def _headline(against: SideComparison) -> str:
    """One line: gates that did not pass, speed and memory, and the number of compared cells."""
    parts = [
        f"{metric.heading} {_brief(against.overall[name])}"
        for name, metric in METRICS.items()
        if name in _FIRST and name in against.overall
    ]
    for decision, words in (("undecided", "undecided"), ("fail", "failed")):
        count = sum(gate.decision == decision for gate in against.gates)
        if count:
            parts.insert(0, f"{count} of {len(against.gates)} gates {words}")
    return "; ".join([*parts, _counted(against)])


def _counted(against: SideComparison) -> str:
    counts: dict[str, int] = {}
    for cell in against.cells:
        counts[cell.result] = counts.get(cell.result, 0) + 1
    parts = [f"{counts.pop('compared', 0)} of {len(against.cells)} cells compared"]
    parts += [f"{count} {_ENDED[result][0]}" for result, count in counts.items()]
    if not against.cells:
        parts = ["no cell in common"]
    return ", ".join(parts)


def _mark(gate: GateResult) -> GateLine:
    decision = gate.decision or "undecided"
    return GateLine(
        clean(gate.gate, MAX_NAME), decision, _MARKS[decision], clean(gate.why), clean(gate.remedy)
    )


def _lines(changes: dict[str, Change]) -> dict[str, Line]:
    return {name: _line(metric, changes[name]) for name, metric in METRICS.items() if name in changes}


def _line(metric: Metric, change: Change) -> Line:
    is_predicted = change.unit is Unit.PREDICTION
    good = {True: Tone.GOOD, False: Tone.BAD, None: Tone.MUTED}[change.better]
    return Line(
        metric=metric.heading,
        base=_value(metric, change.base, change.base_interval),
        new=_value(metric, change.new, change.new_interval),
        change="" if change.change is None else percent(change.change),
        interval="" if is_predicted or change.interval is None else _interval(change.interval, change),
        ends=between(change.interval) if is_predicted and change.interval is not None else "",
        p="" if change.p is None else p_value(change.p),
        values=f"{change.n_base} and {change.n_new} {_UNITS[change.unit]}",
        word=_WORDS[change.verdict],
        brief=_brief(change),
        tone=Tone.WARN if change.verdict is ChangeVerdict.CANNOT_TELL else good,
        note=clean(change.note),
    )


def _interval(ends: Interval, change: Change) -> str:
    return interval(ends, change.interval_kind, change.interval_n)


def _value(metric: Metric, value: float | None, interval: ByteInterval | None) -> str:
    if value is None or interval is None:
        return "" if value is None else units.quantity(value, metric.unit)
    return f"{units.quantity(interval.low, metric.unit)} to {units.quantity(interval.high, metric.unit)}"


def _brief(change: Change) -> str:
    word = _BRIEF.get(change.verdict, _WORDS[change.verdict])
    return word if change.change is None else f"{percent(change.change)} {word}"


def _cell(cell: CellComparison) -> CellLines:
    ended, tone = _ENDED[cell.result]
    if cell.result in {"no_longer_runs", "runs_now"}:
        ended = f"{ended}: {_status(cell.base_status)}, then {_status(cell.new_status)}"
    return CellLines(cell_name(cell), ended, tone, tuple(map(clean, cell.reasons)), _lines(cell.metrics))


def _status(status: str) -> str:
    return "ran" if status == "measured" else clean(status.replace("_", " "), MAX_NAME)


def _lone(against: SideComparison) -> Iterator[str]:
    for where, cells in (("base", against.only_in_base), ("new side", against.only_in_new)):
        if cells:
            yield f"only on the {where}: {_listed([cell_name(cell) for cell in cells])}"


def _listed(names: list[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _records(base: SideInfo, new: SideInfo) -> Iterator[Fact]:
    for word, side in (("Base", base), ("New", new)):
        ids = _listed([f"{record.id} ({record.created_at})" for record in side.records])
        left = f"; {side.left_out} of another kind or build left out" if side.left_out else ""
        commit = f", commit {side.bench_commit[:12]}" if side.bench_commit else ""
        torch = f", torch {side.torch}" if side.torch else ""
        build = f"bench {side.bench_version}{commit}{torch}"
        yield Fact(word, clean(f"{build}; {ids}{left}"))
