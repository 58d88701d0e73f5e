"""A check document as a view."""

import shlex
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final

from bench import units
from bench.judge.memory import CardMemory
from bench.judge.prediction import Budgets
from bench.records.check import Check, CheckFigure, FrontierLine
from bench.records.enums import Provenance, WeightMode
from bench.report import labels
from bench.report.basics import Fact, Tone
from bench.report.card import beside_the_budget
from bench.report.derived.build import tiles
from bench.report.facts import named_model
from bench.report.frontier import line
from bench.report.grid import arrange, misses
from bench.report.interface import FrontierRow, Identity, Row, View
from bench.report.merged.rows import basis, row
from bench.report.merged.sources import disagreement, merged
from bench.report.merged.traces import Traces
from bench.text import MAX_NAME, clean

_NOTES: Final = (
    "This asks for the same kind of run. What each record was asked for in full stands in its own report.",
)


def merged_view(check: Check, traces: Traces = MappingProxyType({})) -> View:
    """Everything that any format shows of several records of one model on one card."""
    memory, mixed = _memory(check), len({one.provenance for one in check.rows}) > 1
    rows = tuple(row(one, traces.get((one.cell_id, one.provenance)), mixed=mixed) for one in check.rows)
    tables, legend = arrange(_groups(rows))
    verdict_word, verdict_tone = labels.VERDICTS[check.verdict]
    budget, told = tuple(_budget(check)), merged(check)
    return View(
        identity=_identity(check),
        provenance=check.provenance,
        weight_mode=check.model.weight_modes[0],
        stamp=_stamp(check),
        stamp_tone=Tone.MUTED if check.provenance is Provenance.MEASURED else Tone.WARN,
        verdict=check.verdict,
        verdict_word=verdict_word,
        verdict_tone=verdict_tone,
        why=check.why,
        caveats=(*disagreement(told), *check.caveats),
        highlights=tuple(_highlights(check, rows, memory)),
        header=tuple(_header(check)),
        repeat_command=_command(check),
        repeat_notes=_NOTES,
        memory=memory,
        emulation=check.emulation,
        card=budget,
        card_lines=tuple(f"{fact.label}: {fact.text}, {fact.note}" for fact in budget),
        frontier=tuple(map(_line, check.frontier)),
        grids=tables,
        heat_legend=legend,
        misses=misses(tables),
        memory_sources=(),
        repeat_columns=(),
        kernels=(),
        environment=tuple(_environment(check)),
        derived=None,
        check=check,
        merged=told,
    )


def _groups(rows: Sequence[Row]) -> list[tuple[Row, ...]]:
    groups: dict[str, list[Row]] = {}
    for shown in rows:
        groups.setdefault(shown.variant, []).append(shown)
    return [tuple(group) for group in groups.values()]


def _identity(check: Check) -> Identity:
    """That of the newest record, where one has to be named; `merged` has all of them."""
    newest, weights, total = check.records[-1], check.vram.weights_bytes, check.gpu.memory_total_bytes
    return Identity(
        model=check.model.name,
        repo=check.model.repo,
        revision=check.model.revisions[0] if len(check.model.revisions) == 1 else None,
        parameters=check.model.parameters,
        weights_bytes=_size(weights),
        gpu=check.gpu.name,
        slug=check.gpu.slug,
        kind=check.gpu.kind,
        memory_total_bytes=_size(total),
        compute_capability=check.gpu.compute_capability,
        driver=check.environment[0].driver,
        record_id=newest.id,
        content_hash=newest.hash,
    )


def _size(figure: CheckFigure | None) -> int | None:
    return None if figure is None or figure.value is None else round(figure.value)


def _stamp(check: Check) -> str:
    modes = ", ".join(labels.WEIGHTS[mode] for mode in check.model.weight_modes)
    weights = "" if check.provenance is Provenance.DERIVED else f", {modes}"
    return f"{labels.PROVENANCES[check.provenance]}{weights}, {basis(None, _deciding(check))}"


def _deciding(check: Check) -> int:
    return sum(1 for record in check.records if record.provenance is check.provenance)


def _memory(check: Check) -> CardMemory:
    vram, played = check.vram, check.emulation
    return CardMemory(
        headless_bytes=_size(vram.headless_bytes),
        desktop_bytes=_size(vram.desktop_bytes),
        now_bytes=_size(vram.now_bytes),
        played_bytes=None if played is None else played.total_bytes,
    )


def _budget(check: Check) -> Iterator[Fact]:
    named = (
        ("Budget without a desktop", check.vram.headless_bytes),
        ("Budget beside a desktop", check.vram.desktop_bytes),
        ("Free when the run began", check.vram.now_bytes),
    )
    for label, figure in named:
        if figure is not None:
            text = f"{units.both_units(_size(figure))}, {basis(figure.machines, figure.records)}"
            yield Fact(label, text, basis(figure.machines, figure.records))


def _highlights(check: Check, rows: Sequence[Row], memory: CardMemory) -> Iterator[Fact]:
    """The figures of the longest clip that ran everywhere; an emulated card has no speed.

    Of predictions alone the card, the weights and the budgets.
    """
    if check.prediction is not None and check.provenance is Provenance.DERIVED:
        told, total, weights = check.prediction, check.gpu.memory_total_bytes, check.vram.weights_bytes
        room = Budgets(told.room_headless_bytes, told.room_desktop_bytes)
        yield from tiles(_size(total), _size(weights), room, is_card=check.gpu.kind == "cuda")
    fits = [shown for shown, told in zip(rows, check.rows, strict=True) if told.fit == "fits"]
    ran = [shown for shown in fits if shown.status.code == "measured"]
    largest = max(ran, key=lambda shown: (shown.clip_seconds, shown.max_tokens), default=None)
    if largest is None:
        return
    yield Fact("Longest clip that ran", f"{largest.clip} × {largest.tokens} tokens", largest.prompt)
    if check.emulation is None:
        for label, name in (
            ("Decode speed there", "decode_tokens_per_s"),
            ("First token after", "time_to_first_token_s"),
        ):
            figure = largest.figures[name]
            yield Fact(
                label, figure.text, f"{figure.interval}, {figure.note}" if figure.interval else figure.note
            )
    yield Fact(f"Memory there, {largest.peak_words}", largest.peak.text, beside_the_budget(memory))


def _header(check: Check) -> Iterator[Fact]:
    model = check.model
    yield Fact("Model", named_model(model.name, model.parameters))
    yield Fact("Weights", ", ".join(labels.WEIGHTS[mode] for mode in model.weight_modes))
    if model.repo is not None:
        yield Fact("From", f"{model.repo} at {', '.join(model.revisions) or 'an unknown revision'}")
    yield Fact("Device", check.gpu.name)
    yield Fact("Memory of the device", units.both_units(_size(check.gpu.memory_total_bytes)))
    yield Fact("Suites", ", ".join(sorted({record.suite for record in check.records})))
    dates = [f"{record.created_at:%Y-%m-%d}" for record in check.records]
    yield Fact("Dates", dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}")
    yield Fact("Configuration hash", model.config_sha256)


def _command(check: Check) -> str:
    device = ["--device", "cpu"] if check.gpu.kind == "cpu" else ["--gpu", check.gpu.slug.lstrip("-")]
    if check.provenance is Provenance.DERIVED:
        return shlex.join(["bench", "plan", "--gpu", device[1]])
    suite = check.records[-1].suite.partition(" ")[0].lstrip("-")
    weights = ["--weights", "random"] if check.model.weight_modes == (WeightMode.RANDOM,) else []
    played = [] if check.emulation is None else ["--emulate-vram", str(check.emulation.total_bytes)]
    return shlex.join(["bench", "run", "--suite", suite, *device, *weights, *played])


def _line(told: FrontierLine) -> FrontierRow:
    doubt = ("records disagree",) if told.disagrees else ()
    point = told.model_copy(update={"variant": (*told.variant, *doubt)})
    return line(point, told.provenance, basis(told.machines, told.records))


def _environment(check: Check) -> Iterator[Fact]:
    total = len(check.records)
    for nth, seen in enumerate(check.environment, start=1):
        driver = f", driver {seen.driver}" if seen.driver else ""
        commit = f" ({seen.bench_commit})" if seen.bench_commit else ""
        libraries = (("torch", seen.torch), ("transformers", seen.transformers))
        text = ", ".join(
            (
                f"bench {seen.bench_version}{commit}",
                *(f"{name} {found}" for name, found in libraries if found),
            )
        )
        label = f"Software {nth}, {seen.records} of {total} records"
        yield Fact(clean(label, MAX_NAME), clean(f"{text}, Python {seen.python}{driver}, {seen.os}"))
