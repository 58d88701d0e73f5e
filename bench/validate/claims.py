"""Claims of a record that contradict each other: provenance, model, card, and what really ran."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Final

from bench import __version__, shipped
from bench.arithmetic.architecture import audio_tokens, parameters
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.engines.native.profiles import settings_of
from bench.engines.support import audio_positions
from bench.hardware.catalog import cards, identify
from bench.predict.setting import mel_frames
from bench.records.cell import CellResult, Effective, Measured, Predicted
from bench.records.enums import Provenance, WeightMode
from bench.records.record import Record
from bench.suite.suite import MAX_CLIP_S
from bench.validate.candidate import Candidate, Fact, Found
from bench.weights.checkpoint import shipped_configuration

NATIVE: Final = "native"
_SAMPLES_PER_S: Final = 16_000
_ELEMENT_BYTES: Final = {"bfloat16": 2, "float16": 2, "float32": 4}
_STORED_BYTES: Final = 2
"""Released weights are BF16 in their files, whatever they are loaded as."""
_REAL: Final = frozenset({WeightMode.HUB, WeightMode.RANDOM})
"""Weights with the shapes of a released model."""


def claims(candidate: Candidate) -> Iterator[Found]:
    """Yield what contradicts itself in what the record says of itself."""
    record = candidate.record
    yield from _provenance(record)
    yield from _model(record)
    yield from _card(record)
    for path, cell in candidate.observed:
        if cell.effective is not None and cell.requested.clip_seconds <= MAX_CLIP_S:  # else a foreign cell
            yield from _effective(record, path, cell, cell.effective)


def released_shapes(record: Record) -> Shapes | None:
    """Return the shapes of the released model that the record names; None for another one."""
    return _shapes(record.model.name) if record.model.weight_mode in _REAL else None


@cache
def _shapes(name: str) -> Shapes | None:
    path = shipped.data("models", f"{name}.json")
    return shapes_of(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None


def element_bytes(dtype: str) -> int:
    """Return the bytes of one number."""
    return _ELEMENT_BYTES[dtype]


# --- provenance -------------------------------------------------------------------------------------------


def _provenance(record: Record) -> Iterator[Found]:
    stated, tiny = record.provenance, record.model.weight_mode is WeightMode.TINY
    ran = any(isinstance(cell.outcome, Measured) for cell in record.cells)
    predicted = any(isinstance(cell.outcome, Predicted) for cell in record.cells)
    is_derived = stated is Provenance.DERIVED
    reasons = {
        "the tiny model gives smoke records": tiny and stated is Provenance.MEASURED,
        "a smoke record is of the tiny model": stated is Provenance.SMOKE and not tiny,
        "it has an emulated card": (record.emulation is not None) != (stated is Provenance.EMULATED),
        "cells ran": is_derived and ran,
        "cells are predicted": not is_derived and predicted,
        "it has a derivation": (record.derivation is not None) != is_derived,
    }
    for reason, holds in reasons.items():
        if holds:
            yield Found("provenance_contradicted", "provenance", {"stated": stated.value, "reason": reason})


# --- the model --------------------------------------------------------------------------------------------


def _model(record: Record) -> Iterator[Found]:
    model, shapes = record.model, released_shapes(record)
    if (model.repo is None) is (model.weight_mode is WeightMode.HUB):
        weights = f"{model.weight_mode.value} weights"
        yield Found("model_contradicted", "model.repo", {"stated": model.repo, "found": weights})
    for place, cell in enumerate(record.cells):
        asked = cell.requested
        if asked.model != model.name or asked.weight_mode is not model.weight_mode:
            facts: dict[str, Fact] = {"stated": model.name, "found": asked.model}
            yield Found("model_contradicted", f"cells[{place}].requested.model", facts)
            break
    if shapes is None:
        return
    shipped_sha256 = shipped_configuration(model.name)
    if model.config_sha256 != shipped_sha256:
        facts = {"name": model.name, "stated": model.config_sha256, "shipped": shipped_sha256}
        yield Found("configuration_not_shipped", "model.config_sha256", facts)
    expected = parameters(shapes).total
    if model.parameters is not None and model.parameters != expected:
        yield _model_figure("parameters", model.parameters, expected)
    sizes = {expected * element_bytes(cell.requested.dtype) for cell in record.cells}
    if len(sizes) == 1 and model.weights_bytes is not None and model.weights_bytes not in sizes:
        yield _model_figure("weights_bytes", model.weights_bytes, sizes.pop())
    total = sum(file.size_bytes for file in model.files)
    if model.files and total < _STORED_BYTES * expected:
        yield _model_figure("files", total, _STORED_BYTES * expected)


def _model_figure(name: str, stated: int, expected: int) -> Found:
    return Found("model_contradicted", f"model.{name}", {"stated": stated, "found": expected})


# --- the card ---------------------------------------------------------------------------------------------


def _card(record: Record) -> Iterator[Found]:
    device = record.device
    known = next((card for card in cards() if card.slug == device.slug), None)
    if device.kind == "cpu":
        if known is not None:
            yield _swapped("kind", device.kind, "cuda")
        return
    named = identify(device.name, device.memory_total_bytes)
    if known is None:
        yield Found("card_not_catalogued", "device.slug", {"name": device.name})
        if named is not None:
            yield _swapped("slug", device.slug, named.slug)
        return
    if named is not None and named.slug != device.slug:
        yield _swapped("slug", device.slug, named.slug)
        return
    if device.memory_total_bytes is None and known.memory_total_bytes is not None:
        yield _swapped("memory_total_bytes", None, known.memory_total_bytes)
    elif named is None:
        yield _swapped("name", device.name, known.nvml_name)
    if device.compute_capability not in {None, known.compute_capability}:
        yield _swapped("compute_capability", device.compute_capability, known.compute_capability)
    for name in ("memory_bandwidth_bytes_per_s", "bf16_operations_per_s"):
        stated, catalogued = getattr(device, name), getattr(known, name)
        if stated is None or stated == catalogued:
            continue
        if record.environment.bench_version == __version__:
            yield _swapped(name, stated, catalogued)
        else:  # its catalog may have had another figure; the rules of physics use today's
            yield Found("card_revised", f"device.{name}", {"stated": stated, "found": catalogued})


def _swapped(name: str, stated: Fact, found: Fact) -> Found:
    return Found("card_contradicted", f"device.{name}", {"stated": stated, "found": found})


# --- what really ran --------------------------------------------------------------------------------------


def _effective(record: Record, path: str, cell: CellResult, ran: Effective) -> Iterator[Found]:
    for name, stated, expected in _expected(record, cell, ran):
        if stated is not None and stated != expected:
            yield Found(
                "settings_contradicted", f"{path}.effective.{name}", {"stated": stated, "found": expected}
            )


def _expected(record: Record, cell: CellResult, ran: Effective) -> Iterator[tuple[str, Fact, Fact]]:
    """Each setting in force, with the value that follows from the request."""
    asked = cell.requested
    if record.provenance is not Provenance.EMULATED:
        yield "device", ran.device, record.device.kind
    if ran.dtype is not None:
        yield "dtype", ran.dtype.removeprefix("torch."), asked.dtype
    yield "sampling", ran.sampling.model_dump_json(), asked.sampling.model_dump_json()
    yield "clip_samples", ran.clip_samples, round(asked.clip_seconds * _SAMPLES_PER_S)
    yield "audio_tokens", ran.audio_tokens, audio_tokens(mel_frames(asked.clip_seconds))
    if ran.prompt_tokens is not None:
        least = audio_positions(asked.clip_seconds, asked.time_markers)
        yield "prompt_tokens", min(ran.prompt_tokens, least), least
    if asked.engine == NATIVE:
        settings = settings_of(asked.profile)
        yield "logits_positions", ran.logits_positions, settings.logits_positions
        yield "mlp_positions_at_once", ran.mlp_positions_at_once, settings.mlp_positions_at_once
