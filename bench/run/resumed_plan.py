"""The options of a run that is resumed: those of its first part, read from its journal or record."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import UsageError
from bench.hardware import device as devices
from bench.hardware.machine_key import machine_key
from bench.records.enums import WeightMode
from bench.records.record import ModelInfo, SuiteInfo
from bench.run.run_spec import RunOptions
from bench.shipped import SPEECH_SHA256
from bench.store.journal import Header
from bench.suite.suite import Suite, shipped_suites


def resumed(options: RunOptions, header: Header, record: Path) -> RunOptions:
    """Return the options of the run that wrote this header, replaced by those that are given.

    Raises:
        UsageError: an option that a record does not contain (a file of the user) is missing.
    """
    is_own = header.suite.origin == "own" or header.suite.name not in shipped_suites()
    if options.suite is None and is_own:
        raise _repeat_option(record, "--suite FILE", "its suite was a file of your own")
    model = header.model
    if model.weight_mode is WeightMode.LOCAL and options.model is None:
        raise _repeat_option(record, "--model DIR", "its weights came from a directory")
    own_clip = {cell.requested.clip_source_sha256 for cell in header.plan} != {SPEECH_SHA256}
    if own_clip and options.audio is None:
        raise _repeat_option(record, "--audio FILE", "its clip was a file of your own")
    defaults = RunOptions(
        suite=header.suite.name,
        device=_same_device(header),
        model=_model_of(model),
        revision=model.revision,
        weights="random" if model.weight_mode is WeightMode.RANDOM else None,
        emulate_vram=header.emulation.total_bytes if header.emulation is not None else None,
        **_overrides(header.suite, record),
    )
    given = {
        item.name: value for item in fields(RunOptions) if (value := getattr(options, item.name)) is not None
    }
    if "gpu" in given:
        defaults = replace(defaults, device=None)
    return replace(defaults, **given)


def _same_device(header: Header) -> str:
    """Return the UUID of the card that ran the first part if it is in this machine; else its slug."""
    if header.device.kind == "cpu":
        return "cpu"
    keyed = (gpu.uuid for gpu in devices.gpus() if gpu.uuid and machine_key(gpu.uuid) == header.machine_key)
    return next(keyed, None) or header.device.slug


def _model_of(model: ModelInfo) -> str | None:
    if model.weight_mode is WeightMode.HUB:
        return model.repo
    return model.name if model.weight_mode in {WeightMode.RANDOM, WeightMode.TINY} else None


def _overrides(info: SuiteInfo, record: Path) -> dict[str, Any]:
    """Return the values that options had changed, from the suite's definition in the record."""
    try:
        suite = Suite.model_validate_json(json.dumps(info.definition))
    except ValidationError as error:
        raise UsageError(
            f"{record.name}: the definition of its suite cannot be read", hint="Run without --resume"
        ) from error
    values = {
        "engine": suite.engine,
        "profile": suite.profile,
        "clip_seconds": suite.axes.clip_seconds,
        "max_tokens": suite.axes.max_tokens,
        "attention": suite.axes.attention,
        "repeats": suite.measure.repeats,
    }
    return {name: value for name, value in values.items() if name in info.overrides}


def _repeat_option(record: Path, option: str, why: str) -> UsageError:
    return UsageError(f"{record.name}: {why}", hint=f"Give {option} again to resume it")
