"""Why two sights of a cell cannot be compared: one sentence for each reason, none where they can."""

from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from bench.compare.sides import CellObservation
from bench.judge.memory import is_contended
from bench.judge.same_run import is_same_device
from bench.records.comparison import Difference
from bench.records.enums import Label
from bench.records.record import CellResult, Effective, ModelInfo, Record

_DISTURBED: Final = {
    Label.THROTTLED: "ran while the device slowed itself down",
    Label.CONTENDED: "shared the device with other work",
    Label.SPILLED: "lay partly in system memory",
}
# What ran on the device decides what is compared. What a build may do better on purpose (the length of the
# chunks, where embeddings lie) is what a comparison is for.
_MUST_AGREE: Final = ("dtype", "kv_cache", "sampling", "clip_sha256", "prompt_tokens")
_MAY_DIFFER: Final = (
    "attention_provider",
    "logits_positions",
    "encoder_chunk_frames",
    "encoder_chunks_at_once",
    "mlp_positions_at_once",
    "embeddings",
)


def incomparable_reasons(base: CellObservation, new: CellObservation) -> tuple[str, ...]:
    """Every reason; empty where the figures of both may be compared."""
    return tuple(_reasons(base, new))


def records_differ(base: Record, new: Record) -> tuple[str, ...]:
    """The reasons that hold for every cell of two records."""
    return tuple(_of_the_run(base, new))


def disturbed(cell: CellResult) -> tuple[str, ...]:
    """What kept a cell that ran from showing what the device can do."""
    labels = set(cell.summary.labels) if cell.summary is not None else set()
    if is_contended(cell):
        labels.add(Label.CONTENDED)
    return tuple(words for label, words in _DISTURBED.items() if label in labels)


def differences(base: Record, new: Record) -> tuple[Difference, ...]:
    """What differs in software and hardware, for the reader to know."""
    return tuple(
        Difference(what=what, base=old, new=now)
        for (what, old), (_, now) in zip(_facts(base, new), _facts(new, base), strict=True)
        if old != now
    )


def effective_differences(base: Effective | None, new: Effective | None) -> Iterator[str]:
    """What the engine did otherwise, where that does not forbid the comparison."""
    if base is not None and new is not None:
        for name in _MAY_DIFFER:
            old, now = getattr(base, name), getattr(new, name)
            if old != now:
                yield f"{name.replace('_', ' ')} was {old}, is {now}"


def _reasons(base: CellObservation, new: CellObservation) -> Iterator[str]:
    yield from _of_the_run(base.record, new.record)
    for side, seen in (("base", base), ("new", new)):
        yield from (f"the {side} {words}" for words in disturbed(seen.cell))
    if base.cell.effective is not None and new.cell.effective is not None:
        same = is_same_device(base.record, new.record)
        yield from _of_the_kernels(base.cell.effective, new.cell.effective, same_device=same)


def _of_the_run(base: Record, new: Record) -> Iterator[str]:
    if base.provenance is not new.provenance:
        yield f"provenance: {base.provenance.value} against {new.provenance.value}"
    if base.emulation != new.emulation:
        yield "another card was emulated"
    if base.suite.name != new.suite.name:
        yield f"another suite: {base.suite.name} against {new.suite.name}"
    elif base.suite.version != new.suite.version:
        yield f"another version of the suite: {base.suite.version} against {new.suite.version}"
    if _warm_up(base) != _warm_up(new):
        yield f"another warm-up: {_warm_up(base)} tokens against {_warm_up(new)}"
    yield from _of_the_model(base.model, new.model)


def _warm_up(record: Record) -> JsonValue:
    measure = record.suite.definition.get("measure")
    return measure.get("warmup_tokens") if isinstance(measure, dict) else None


def _of_the_model(base: ModelInfo, new: ModelInfo) -> Iterator[str]:
    if base.weight_mode is not new.weight_mode:
        yield f"weights: {base.weight_mode.value} against {new.weight_mode.value}"
    if base.config_sha256 != new.config_sha256:
        yield "another model: its configuration differs"
    files = [{(file.name, file.sha256) for file in model.files} for model in (base, new)]
    if files[0] != files[1]:
        yield "other files of weights"


def _of_the_kernels(base: Effective, new: Effective, *, same_device: bool) -> Iterator[str]:
    """On another device other operators are that device's; on the same one they are another program."""
    for name in _MUST_AGREE:
        old, now = getattr(base, name), getattr(new, name)
        if old != now:
            words = name.replace("_", " ")
            is_short = name in {"dtype", "prompt_tokens"}
            old, now = ("unknown" if value is None else value for value in (old, now))
            yield f"effective {words}: {old} against {now}" if is_short else f"the effective {words} differs"
    if same_device and base.device != new.device:
        yield f"ran on {base.device} against {new.device}"
    if same_device and base.threads != new.threads:
        yield f"threads: {base.threads} against {new.threads}"
    for where in ("language_model", "audio_encoder"):
        ran, runs = getattr(base, where), getattr(new, where)
        name = where.replace("_", " ")
        if ran is None or runs is None:
            if ran is not runs:
                yield f"attention of the {name} was observed on one side only"
        elif ran.attention != runs.attention:
            yield f"effective attention of the {name}: {ran.attention} against {runs.attention}"
        elif same_device and set(ran.operators) != set(runs.operators):
            yield f"other kernels ran in the {name}"


def _facts(record: Record, other: Record) -> Iterator[tuple[str, str | None]]:
    software, device = record.environment, record.device
    yield "device", device.name
    yield "machine key", record.machine_key and record.machine_key[:8]
    yield "driver", device.driver
    for name in ("bench_version", "bench_commit", "python", "torch", "transformers", "os", "kernel", "cpu"):
        yield name.replace("_", " "), getattr(software, name)
    yield "uncommitted changes", None if software.bench_dirty is None else str(software.bench_dirty).lower()
    for name in sorted({*software.packages, *other.environment.packages}):
        yield name, software.packages.get(name)
    for name in sorted({*software.variables, *other.environment.variables}):
        yield name, software.variables.get(name)
