"""The `bench run`, `frontier` or `plan` command that repeats a record."""

import shlex
from collections.abc import Callable
from typing import Final

from bench.records.enums import Provenance, WeightMode
from bench.records.record import Record, Requested
from bench.text import MAX_NAME, clean

_AXES: Final[dict[str, Callable[[Requested], str]]] = {
    "clip_seconds": lambda wanted: f"{wanted.clip_seconds:.10g}",
    "max_tokens": lambda wanted: str(wanted.max_tokens),
    "attention": lambda wanted: wanted.attention.value,
}
_SETTINGS: Final = ("profile", "engine")
# A search for the limit chooses these itself, and a plan repeats nothing.
_OF_A_SEARCH: Final = ("repeats", "max_repeats")


def command(record: Record) -> tuple[str, tuple[str, ...]]:
    """The command line, and notes on what it cannot express. Every word is quoted: records are untrusted."""
    search, plan = record.frontier_step_s is not None, record.provenance is Provenance.DERIVED
    verb = "plan" if plan else "frontier" if search else "run"
    parts = ["bench", verb, "--suite", _word(record.suite.name)]
    parts += _planned(record) if plan else [*_device(record), *_weights(record), *_emulation(record)]
    notes = []
    for override in record.suite.overrides:
        if (search or plan) and override in _OF_A_SEARCH:
            continue
        if not plan and override == "model" and record.model.weight_mode is WeightMode.LOCAL:
            continue  # a note below mentions the folder
        option = _option(record, _key(override))
        parts += option
        if not option:
            notes.append(f"The run also changed: {clean(override, MAX_NAME)}.")
    if any(cell.outcome.status == "skipped" and cell.outcome.cause == "interrupted" for cell in record.cells):
        notes.append("To finish this run instead: bench run --resume, followed by the path of the record.")
    if record.suite.origin == "own":
        notes.append("The suite was a file: put its path in place of its name.")
    if not plan and record.model.weight_mode is WeightMode.LOCAL:
        notes.append("Put the folder with the weights in place of MODEL_DIR.")
    return shlex.join(parts), tuple(notes)


def _word(text: str) -> str:
    # A leading dash would be read as an option, however it is quoted.
    return clean(text, MAX_NAME).lstrip("-")


def _key(override: str) -> str:
    """`axes.clip_seconds`, `--clip-seconds` -> `clip_seconds`."""
    return override.split("=", maxsplit=1)[0].rpartition(".")[2].lstrip("-").replace("-", "_")


def _device(record: Record) -> list[str]:
    if record.device.kind == "cpu":
        return ["--device", "cpu"]
    return ["--gpu", _word(record.device.slug)]


def _planned(record: Record) -> list[str]:
    """Options of a plan: its card, its system, and the budget if only one was predicted."""
    headroom = record.derivation.headroom if record.derivation else None
    slug = "cpu" if record.device.kind == "cpu" else _word(record.device.slug)
    system = record.derivation.system if record.derivation else None
    planned = ["--os", system.os, "--torch", _word(system.torch)] if system is not None else []
    return ["--gpu", slug, *planned, *([f"--{headroom}"] if headroom else [])]


def _emulation(record: Record) -> list[str]:
    return ["--emulate-vram", str(record.emulation.total_bytes)] if record.emulation is not None else []


def _weights(record: Record) -> list[str]:
    match record.model.weight_mode:
        case WeightMode.HUB:
            revision = record.model.revision
            return ["--weights", "hub", *(["--revision", _word(revision)] if revision else [])]
        case WeightMode.LOCAL:
            return ["--model", "MODEL_DIR"]
        case WeightMode.RANDOM:
            return ["--weights", "random"]
        case WeightMode.TINY:  # the suite names the tiny model itself
            return []


def _option(record: Record, key: str) -> list[str]:
    name = f"--{key.replace('_', '-')}"
    if key in _AXES:
        values = dict.fromkeys(_axis(record, key))
        return [name, ",".join(values)] if values else []
    if key in _SETTINGS and record.cells:
        return [name, str(getattr(record.cells[0].requested, key))]
    if key == "model":
        return [name, _word(record.model.repo or record.model.name)]
    return [name, str(_repeats(record))] if key == "repeats" and _repeats(record) is not None else []


def _axis(record: Record, key: str) -> list[str]:
    """The values of an axis: those of the cells; for a search those of the suite, which may be more."""
    axes = record.suite.definition.get("axes")
    values = axes.get(key) if isinstance(axes, dict) else None
    if record.frontier_step_s is not None and isinstance(values, list):
        return [_word(str(value)) for value in values]
    return [_AXES[key](cell.requested) for cell in record.cells]


def _repeats(record: Record) -> int | None:
    measure = record.suite.definition.get("measure")
    repeats = measure.get("repeats") if isinstance(measure, dict) else None
    return repeats if isinstance(repeats, int) else None
