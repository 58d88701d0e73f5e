"""The `bench run`, `frontier` or `plan` command that repeats a record."""

import shlex
from collections.abc import Iterable, Iterator
from typing import Final

from bench.records.enums import PUBLISHER, Provenance, WeightMode
from bench.records.record import Record
from bench.shipped import SPEECH_SHA256
from bench.suite.suite import shipped_suites
from bench.text import MAX_NAME, clean

CLIP: Final = "path/to/clip.wav"
"""Placeholder for an audio file, whose path no record contains."""
_AXES: Final = ("clip_seconds", "max_tokens", "attention")
_SETTINGS: Final = ("profile", "engine")
_MAX_IDS: Final = 5
# A search for the limit sets these itself, and a plan repeats nothing.
_OF_A_SEARCH: Final = ("repeats", "max_repeats")


def command(record: Record) -> tuple[str, tuple[str, ...]]:
    """Return the command line, and notes on what it cannot express.

    Files whose path no record contains are placeholders: `path/to/...`. Every word is quoted, because records
    are untrusted.
    """
    plan = record.provenance is Provenance.DERIVED
    verb = "plan" if plan else "run" if record.frontier_step_s is None else "frontier"
    parts = ["bench", verb, "--suite", suite_word(record.suite.name, record.suite.origin)]
    if plan:
        parts += [*_planned(record), *_shapes(record)]
    else:
        parts += [*_device(record), *_weights(record), *_emulation(record)]
    overrides = dict.fromkeys(_overrides(record, verb))
    options = {override: _option(record, _key(override)) for override in overrides}
    parts += [word for option in options.values() for word in option]
    parts += _audio(record)
    notes = (
        *(
            f"The run also changed: {clean(name, MAX_NAME)}."
            for name, option in options.items()
            if not option
        ),
        *_notes(record, verb),
    )
    return shlex.join(parts), notes


def suite_word(name: str, origin: str | None) -> str:
    """Return the name of a shipped suite, or the placeholder for the file of another one."""
    return f"path/to/{_word(name)}.toml" if _is_own(name, origin) else _word(name)


def _is_own(name: str, origin: str | None) -> bool:
    """Whether the suite was a file; records of an older bench do not say so."""
    return origin == "own" or name not in shipped_suites()


def _word(text: str) -> str:
    # A leading dash would be read as an option, however it is quoted.
    return clean(text, MAX_NAME).lstrip("-")


def _key(override: str) -> str:
    """`axes.clip_seconds`, `--clip-seconds` -> `clip_seconds`."""
    return override.split("=", maxsplit=1)[0].rpartition(".")[2].lstrip("-").replace("-", "_")


# --- options ----------------------------------------------------------------------------------------------


def _overrides(record: Record, verb: str) -> Iterator[str]:
    """Return the changed settings that need an option of their own."""
    for override in record.suite.overrides:
        is_set_by_the_command = verb != "run" and override in _OF_A_SEARCH
        is_a_folder = override == "model" and record.model.weight_mode is WeightMode.LOCAL
        if not is_set_by_the_command and not is_a_folder:
            yield override


def _device(record: Record) -> list[str]:
    if record.device.kind == "cpu":
        return ["--device", "cpu"]
    return ["--gpu", _word(record.device.slug)]


def _planned(record: Record) -> list[str]:
    """Return the device of a plan, its system and its budgets."""
    found = record.derivation
    words = ["--gpu", "cpu" if record.device.kind == "cpu" else _word(record.device.slug)]
    if found is None:
        return words
    has_only_a_desktop = False
    if found.system is not None:
        words += ["--os", found.system.os, "--torch", _word(found.system.torch)]
        has_only_a_desktop = found.system.os != "linux"
    if found.headroom is not None and not has_only_a_desktop:
        words.append(f"--{found.headroom}")
    if found.desktop_is_given and found.desktop is not None:
        words += ["--desktop-uses", str(found.desktop.high_bytes)]
    if found.budget_basis == "catalog":  # a machine with this card would use what its driver reports
        words.append("--catalog")
    return words


def _emulation(record: Record) -> list[str]:
    return ["--emulate-vram", str(record.emulation.total_bytes)] if record.emulation is not None else []


def _weights(record: Record) -> list[str]:
    """Return the source of the weights of a run."""
    if record.model.weight_mode is WeightMode.HUB:
        return ["--weights", "hub", *_revision(record)]
    return _shapes(record)


def _shapes(record: Record) -> list[str]:
    """Return the source of the shapes of a plan: those of the Hub are the default."""
    match record.model.weight_mode:
        case WeightMode.HUB:
            return _revision(record)
        case WeightMode.LOCAL:
            return ["--model", _folder(record)]
        case WeightMode.RANDOM:
            return ["--weights", "random"]
        case WeightMode.TINY:  # the suite names the tiny model itself
            return []


def _revision(record: Record) -> list[str]:
    revision = record.model.revision
    return ["--revision", _word(revision)] if revision else []


def _folder(record: Record) -> str:
    """Return the placeholder for a folder of weights; its name is part of every cell's id."""
    return f"path/to/{_word(record.model.name)}"


def _audio(record: Record) -> list[str]:
    return ["--audio", CLIP] if _own_clips(record) else []


def _own_clips(record: Record) -> list[str]:
    """Return the hashes of clips that are not the shipped speech; one run has one clip."""
    hashes = dict.fromkeys(cell.requested.clip_source_sha256 for cell in record.cells)
    return [sha256 for sha256 in hashes if sha256 != SPEECH_SHA256]


def _option(record: Record, key: str) -> list[str]:
    """Return the option with the value that a setting had; empty if there is none."""
    name = f"--{key.replace('_', '-')}"
    if key in _AXES:
        values = dict.fromkeys(_axis(record, key))
        return [name, ",".join(values)] if values else []
    if key in _SETTINGS and record.cells:
        return [name, str(getattr(record.cells[0].requested, key))]
    if key == "model":
        return [name, _word(record.model.repo or record.model.name).removeprefix(f"{PUBLISHER}/")]
    if key == "repeats" and (repeats := _repeats(record)) is not None:
        return [name, str(repeats)]
    return []


def _axis(record: Record, key: str) -> Iterator[str]:
    """Return the values of an axis: those of the suite, else those of the cells."""
    axes = record.suite.definition.get("axes")
    values: object = axes.get(key) if isinstance(axes, dict) else None
    found: Iterable[object] = (
        values if isinstance(values, list) else [getattr(cell.requested, key) for cell in record.cells]
    )
    for value in found:
        # repr: the shortest text that is read back as the same number
        yield repr(value).removesuffix(".0") if isinstance(value, float) else _word(str(value))


def _repeats(record: Record) -> int | None:
    measure = record.suite.definition.get("measure")
    repeats = measure.get("repeats") if isinstance(measure, dict) else None
    return repeats if isinstance(repeats, int) else None


# --- notes ------------------------------------------------------------------------------------------------


def _notes(record: Record, verb: str) -> Iterator[str]:
    """Return what to put in place of each placeholder, and conditions that no option sets."""
    if any(cell.outcome.status == "skipped" and cell.outcome.cause == "interrupted" for cell in record.cells):
        yield "To finish this run instead: bench run --resume, followed by the path of the record."
    if _is_own(record.suite.name, record.suite.origin):
        yield _own_suite(record)
    for sha256 in _own_clips(record):
        ids = "; `--dry-run` prints the ids of the cells, which depend on it" if verb == "run" else ""
        yield (
            f"The clip was a file, not the shipped speech: put its path in place of {CLIP}. "
            f"Its samples (mono, 16 kHz, 32-bit float) have SHA-256 {sha256}{ids}."
        )
    if record.model.weight_mode is WeightMode.LOCAL:
        yield (
            f"The model was a folder: put its path in place of {_folder(record)}. The folder has the same "
            f"name, and its configuration has the hash {record.model.config_sha256}."
        )
    if record.environment.variables:
        variables = sorted(record.environment.variables.items())
        values = ", ".join(f"{clean(name, MAX_NAME)}={clean(value, MAX_NAME)}" for name, value in variables)
        yield f"These environment variables were set: {values}."
    if record.derivation is not None:
        yield from _planned_notes(record)


def _own_suite(record: Record) -> str:
    name, path = clean(record.suite.name, MAX_NAME), suite_word(record.suite.name, record.suite.origin)
    other = f", not the shipped suite {name}" if record.suite.name in shipped_suites() else ""
    hashed = (
        f"With the settings that the command changes, its hash is {record.suite.sha256}"
        if record.suite.overrides
        else f"`bench suites {path}` prints its hash, {record.suite.sha256}"
    )
    return f"The suite was a file{other}: put its path in place of {path}. {hashed}."


def _planned_notes(record: Record) -> Iterator[str]:
    found = record.derivation
    if found is not None and found.budget_basis == "this_machine":
        when = "" if found.read_at is None else f" on {found.read_at:%Y-%m-%d %H:%M} UTC"
        yield f"The driver of the card reported its memory{when}; the command reads it again."
    if found is not None and found.calibrated_by:
        ids = ", ".join(clean(each, MAX_NAME) for each in found.calibrated_by[:_MAX_IDS])
        more = len(found.calibrated_by) - _MAX_IDS
        others = f" and {more} more" if more > 0 else ""
        yield f"Measured records calibrated the prediction: {ids}{others}. They must be below results/."
