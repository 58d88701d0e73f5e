"""Derived records as `bench plan` writes them: nothing ran, every figure is predicted. No files.

The figures are plausible and agree with each other; they are not those of the real model.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal

from bench.records.base import ByteInterval
from bench.records.cell import CellResult, Predicted, Requested, Work
from bench.records.enums import Attention, AttentionKernel, Phase, Provenance
from bench.records.prediction import (
    Ceiling,
    Comparison,
    Derivation,
    Envelope,
    LongestClip,
    PhaseEnvelope,
    PlannedSystem,
    Term,
)
from bench.records.record import DeviceInfo, Record
from bench.store.record_files import seal
from bench.units import MIB
from tests.samples import cards
from tests.samples import records as sample

PER_POSITION = 2 * 36 * 8 * 128 * 2  # KV cache, bytes
LOGITS_PER_POSITION = 151_936 * 2
STEM_PER_CHUNK = 2 * 480 * 64 * 200 * 2  # before and after GELU
WORKSPACE = 8_519_680
CONVOLUTION = ByteInterval(low=0, high=96 * MIB)
CONTEXT_POSITIONS = 40_960

RTX_4070 = cards.RTX_4070.model_copy(update={"driver": None})
RTX_5060_TI = DeviceInfo(
    kind="cuda",
    slug="rtx-5060-ti-16gb",
    name="NVIDIA GeForce RTX 5060 Ti",
    memory_total_bytes=16_311 * MIB,
    compute_capability="12.0",
    catalogued=True,
    memory_bandwidth_bytes_per_s=448e9,
    bf16_operations_per_s=None,
)
Headroom = Literal["headless", "desktop"]


def mib(low: int, high: int) -> ByteInterval:
    """An interval of bytes, from MiB."""
    return ByteInterval(low=low * MIB, high=high * MIB)


def term(size: ByteInterval, evidence: str) -> Term:
    """A cost from its range."""
    return Term(low_bytes=size.low, high_bytes=size.high, evidence=evidence)


CONTEXT = mib(216, 828)
RESERVE = term(mib(205, 614), "seen on other cards")
DESKTOP = term(mib(211, 1600), "seen with other desktops")
LINUX = PlannedSystem(os="linux", torch="2.13")
WINDOWS = PlannedSystem(os="windows", torch="2.13")

# What a cell may need of the RTX 4070: its rooms are 11668 to 12077 MiB, beside a desktop 10068 to 11866.
FITS_BESIDE_A_DESKTOP = mib(9_500, 10_000)
FITS_HEADLESS = mib(10_500, 11_500)
TOO_CLOSE = mib(11_500, 12_050)
DOES_NOT_FIT = mib(12_100, 12_900)


def prompt_tokens(clip_seconds: float) -> int:
    return round(clip_seconds * 12.5) + 38


def phase(phase_: Phase, cache: int, activations: int, workspace: int, peak_op: str) -> PhaseEnvelope:
    return PhaseEnvelope(
        allocated_peak_bytes=sample.WEIGHTS_BYTES + cache + activations + workspace,
        cache_bytes=cache,
        activations_bytes=activations,
        workspace_bytes=workspace,
        buffers_bytes=0,
        peak_op=peak_op,
    )


def phases(wanted: Requested) -> dict[Phase, PhaseEnvelope]:
    prompt = prompt_tokens(wanted.clip_seconds)
    chunks = min(64, -(-round(wanted.clip_seconds * 100) // 400))
    per_layer = PER_POSITION * prompt // 36
    end = PER_POSITION * (prompt + wanted.max_tokens)
    samples = round(wanted.clip_seconds * 16_000) * 4
    return {
        Phase.LOAD: phase(Phase.LOAD, 0, 0, 0, "aten::empty_strided"),
        Phase.PREPROCESS: phase(Phase.PREPROCESS, 0, samples, 0, "aten::to"),
        Phase.ENCODE: phase(
            Phase.ENCODE, 0, chunks * STEM_PER_CHUNK, WORKSPACE, "audio_encoder.conv1: aten::gelu"
        ),
        Phase.PREFILL: phase(
            Phase.PREFILL,
            PER_POSITION * prompt,
            LOGITS_PER_POSITION * prompt + per_layer,
            WORKSPACE,
            "lm_head: aten::mm",
        ),
        Phase.DECODE: phase(
            Phase.DECODE, end, per_layer, WORKSPACE, "language_model.layers.35.self_attn: aten::cat"
        ),
    }


def envelope(wanted: Requested, device: DeviceInfo = RTX_4070) -> Envelope:
    """Bytes of one cell; with a CPU none of what only a card has."""
    per_phase = phases(wanted)
    at_peak = max(per_phase, key=lambda name: per_phase[name].allocated_peak_bytes)
    allocated = per_phase[at_peak].allocated_peak_bytes
    on_card = device.kind == "cuda"
    low = -(-allocated // (2 * MIB)) * 2 * MIB + 20 * MIB
    reserved = ByteInterval(low=low, high=low + CONVOLUTION.high)
    context = CONTEXT
    prompt = prompt_tokens(wanted.clip_seconds)
    return Envelope(
        weights_bytes=sample.WEIGHTS_BYTES,
        kv_cache_bytes=PER_POSITION * (prompt + wanted.max_tokens),
        activations_peak_bytes=max(part.activations_bytes for part in per_phase.values()),
        workspace_peak_bytes=WORKSPACE,
        convolution_workspace_bytes=CONVOLUTION if on_card else None,
        allocated_peak_bytes=allocated,
        reserved_peak_bytes=reserved if on_card else None,
        context_bytes=context if on_card else None,
        device_peak_bytes=ByteInterval(low=low + context.low, high=reserved.high + context.high)
        if on_card
        else None,
        peak_phase=at_peak,
        peak_op=per_phase[at_peak].peak_op,
        prompt_tokens=prompt,
        phases=per_phase,
        ceiling=ceiling(wanted, cards.work(wanted), device) if on_card else None,
    )


def ceiling(wanted: Requested, work: Work, device: DeviceInfo) -> Ceiling:
    bandwidth, rate = device.memory_bandwidth_bytes_per_s, device.bf16_operations_per_s
    decode = bandwidth / work.decode_bytes_per_token if bandwidth else None
    encode_s = work.encode_operations / rate if rate else None
    prefill_s = work.prefill_operations / rate if rate else None
    first_s = encode_s + prefill_s if encode_s is not None and prefill_s is not None else None
    known = first_s is not None and decode is not None
    return Ceiling(
        decode_tokens_per_s=decode,
        encode_s=encode_s,
        prefill_s=prefill_s,
        time_to_first_token_s=first_s,
        latency_s=(first_s or 0) + (wanted.max_tokens - 1) / (decode or 1) if known else None,
    )


def predicted(
    wanted: Requested, device: DeviceInfo = RTX_4070, *, need: ByteInterval | None = None
) -> CellResult:
    """`need`: the device peak to say instead of the computed one."""
    figures = envelope(wanted, device)
    if need is not None:
        figures = figures.model_copy(update={"device_peak_bytes": need})
    return CellResult(
        cell_id=sample.cell_id(wanted),
        requested=wanted,
        outcome=Predicted(),
        work=cards.work(wanted),
        envelope=figures,
    )


def derivation(
    device: DeviceInfo = RTX_4070,
    *,
    headroom: Headroom | None = None,
    longest_clips: tuple[LongestClip, ...] = (),
    compared: tuple[Comparison, ...] = (),
    system: PlannedSystem = LINUX,
) -> Derivation:
    on_card = device.kind == "cuda"
    return Derivation(
        weights_source="configuration",
        loading="tensor by tensor into the device's memory: the weights and the largest tensor",
        allocator="torch 2.13.0 CUDACachingAllocator" if on_card else None,
        workspace_source="cuBLAS as torch sets it, cuDNN as a range" if on_card else "probed on this CPU",
        headroom=headroom,
        system=system if on_card else None,
        driver_reserve=RESERVE if on_card else None,
        context=term(CONTEXT, "seen on other cards") if on_card else None,
        desktop=DESKTOP if on_card else None,
        longest_clips=longest_clips,
        compared=compared,
    )


def longest_clip(
    attention: Attention, max_tokens: int, device: DeviceInfo = RTX_4070, headroom: Headroom | None = None
) -> LongestClip:
    """The frontier of `envelope` on this card, in whole seconds."""
    context_s = int((CONTEXT_POSITIONS - 38 - max_tokens) / 12.5)

    def longest(room: int, end: Literal["low", "high"], asked: bool) -> float | None:
        def too_much(seconds: int) -> bool:
            need = envelope(sample.requested(float(seconds), max_tokens, attention), device).device_peak_bytes
            assert need is not None
            return (need.low if end == "low" else need.high) > room

        found = bisect_left(range(1, context_s + 1), True, key=too_much)
        fits, misfit = float(found) or None, float(found + 1) if found < context_s else None
        return (fits if end == "high" else misfit) if asked else None

    total, reserve, desktop = device.memory_total_bytes or 0, RESERVE, DESKTOP
    most, least = total - reserve.low_bytes, total - reserve.high_bytes
    return LongestClip(
        attention=attention,
        max_tokens=max_tokens,
        headless_fits_s=longest(least, "high", headroom != "desktop"),
        headless_misfit_s=longest(most, "low", headroom != "desktop"),
        desktop_fits_s=longest(least - desktop.high_bytes, "high", headroom != "headless"),
        desktop_misfit_s=longest(most - desktop.low_bytes, "low", headroom != "headless"),
        context_s=float(context_s),
    )


def derived_record(
    cells: Sequence[CellResult] | None = None,
    *,
    device: DeviceInfo = RTX_4070,
    clips: Sequence[float] = sample.CLIPS,
    tokens: Sequence[int] = sample.TOKENS,
    attentions: Sequence[Attention] = (Attention.SDPA,),
    headroom: Headroom | None = None,
    with_longest_clips: bool | None = None,
    compared: tuple[Comparison, ...] = (),
    system: PlannedSystem = LINUX,
) -> Record:
    """A plan of the `standard` suite for one card; `cells` instead of what the axes give.

    On the RTX 4070 clips of up to 120 s fit headless, 300 s is too close to call and 600 s does not fit;
    beside a desktop all but 600 s are too close to call. On the RTX 5060 Ti 16 GB all fit, up to 300 s beside
    a desktop too. The frontier is drawn to the second unless `cells` were given.
    """
    with_longest_clips = cells is None if with_longest_clips is None else with_longest_clips
    if cells is None:
        wants = [sample.requested(c, n, a) for a in attentions for c in clips for n in tokens]
        cells = [predicted(wanted, device) for wanted in wants]
    lines = dict.fromkeys((cell.requested.attention, cell.requested.max_tokens) for cell in cells)
    drawn = with_longest_clips and device.kind == "cuda"
    longest = tuple(longest_clip(*line, device, headroom) for line in lines) if drawn else ()
    whole = sample.unsealed(cells, device=device, provenance=Provenance.DERIVED)
    model = whole.model.model_copy(update={"files": (), "revision": None})
    derived = derivation(device, headroom=headroom, longest_clips=longest, compared=compared, system=system)
    return seal(whole.model_copy(update={"model": model, "derivation": derived}).model_dump(mode="json"))


def with_typical(record: Record) -> Record:
    """The same plan with typical costs: 264 MiB of context, 292 of reserve, 700 of a desktop.

    Its lines likely fit up to 200 s headless and 60 s with a desktop.
    """
    whole = record.derivation
    assert whole is not None
    typical = {"context": 264, "driver_reserve": 292, "desktop": 700}
    terms = {
        name: getattr(whole, name).model_copy(update={"typical_bytes": size * MIB})
        for name, size in typical.items()
    }
    lengths = {"headless_likely_fits_s": 200.0, "desktop_likely_fits_s": 60.0}
    lines = tuple(line.model_copy(update=lengths) for line in whole.longest_clips)
    changed = whole.model_copy(update={**terms, "longest_clips": lines})
    return seal(record.model_copy(update={"derivation": changed}).model_dump(mode="json"))


def planned_for(record: Record, system: PlannedSystem, kernel: AttentionKernel, nth: int = 1) -> Record:
    """The same plan for a system, whose kernel is that one, as another record."""
    assert record.derivation is not None
    cells = [
        cell.model_copy(update={"envelope": cell.envelope.model_copy(update={"attention_kernel": kernel})})
        for cell in record.cells
        if cell.envelope is not None
    ]
    changed = {
        "record_id": f"{nth:012x}",
        "cells": tuple(cells),
        "derivation": record.derivation.model_copy(update={"system": system}),
    }
    return seal(record.model_copy(update=changed).model_dump(mode="json"))
