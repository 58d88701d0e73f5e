"""Records of runs on a graphics card whose driver told everything, and of runs that played a smaller card."""

import json
from collections.abc import Sequence
from functools import cache

from bench import shipped
from bench.arithmetic import architecture
from bench.arithmetic.shapes import shapes_of
from bench.measure.fractions import bandwidth_fraction, bf16_fraction
from bench.records.card import Budget, DeviceMemory, DeviceState, Emulation, Power, Range, Sampled
from bench.records.cell import CellResult, OutOfMemory, Repeat, Requested, Skipped, Work
from bench.records.enums import Attention, Phase, Provenance
from bench.records.metrics import Summary
from bench.records.record import DeviceInfo, Record
from bench.units import MIB
from tests.samples import records as sample

RTX_4070 = sample.RTX_4070.model_copy(
    update={
        "catalogued": True,
        "memory_bandwidth_bytes_per_s": 504e9,
        "bf16_operations_per_s": 58.3e12,
    }
)
RESERVED = 434 * MIB
DESKTOP = 797 * MIB
HEADLESS = 12_878_610_432 - RESERVED
CONTEXT = 428 * MIB
BASELINE = 27 * MIB
STATE = DeviceState(
    memory_source="NVML memory v2",
    memory_reserved_bytes=RESERVED,
    used_bytes=BASELINE,
    used_by_others_bytes=0,
    other_processes=0,
    display=False,
    display_evidence=("no program draws on it", "27 MiB in use before the run"),
    budget=Budget(
        headless_bytes=HEADLESS,
        desktop_bytes=HEADLESS - DESKTOP,
        now_bytes=HEADLESS - BASELINE,
        desktop_use_bytes=DESKTOP,
        desktop_use_source="assumed: idle desktops took 211 to 1600 MiB",
    ),
    power_limit_w=200.0,
    power_limit_default_w=200.0,
    ecc=None,
    persistence=True,
    pcie_generation_max=4,
    pcie_width_max=16,
)
PLAYED = Emulation(
    total_bytes=12_878_610_432,
    reserve_bytes=RESERVED,
    context_bytes=CONTEXT,
    limit_bytes=12_878_610_432 - RESERVED - CONTEXT,
    enforced_by="CUDA caching allocator",
)
SAMPLER = Sampled(period_s=0.02, samples=812, largest_gap_s=0.041)
H200 = DeviceInfo(
    kind="cuda",
    slug="h200",
    name="NVIDIA H200",
    memory_total_bytes=150_754_820_096,
    compute_capability="9.0",
    driver="580.95.05",
    catalogued=True,
    memory_bandwidth_bytes_per_s=4.8e12,
    bf16_operations_per_s=989.5e12,
)
_SHAPES = shapes_of(json.loads(shipped.data("models", "MOSS-Audio-4B-Instruct.json").read_text()))


def work(wanted: Requested) -> Work:
    prompt = round(wanted.clip_seconds * 12.5) + 38
    return Work(
        decode_bytes_per_token=architecture.decode_bytes_per_token(
            _SHAPES, prompt_tokens=prompt, generated_tokens=wanted.max_tokens, element_bytes=2
        ),
        encode_operations=architecture.encode_operations(_SHAPES, round(wanted.clip_seconds * 100)),
        prefill_operations=architecture.prefill_operations(
            _SHAPES, prompt_tokens=prompt, logits_positions=prompt
        ),
    )


def device_memory(summary: Summary) -> DeviceMemory:
    return DeviceMemory(
        source="NVML memory v2",
        sampler=SAMPLER,
        baseline_bytes=BASELINE,
        device_peak_bytes=summary.device_peak_bytes,
        process_peak_bytes=summary.process_peak_bytes,
        context_bytes=CONTEXT,
        context_source="process",
        residue_bytes=0,
        back_at_baseline=True,
        waited_s=0.12,
    )


def power(repeats: Sequence[Repeat]) -> Power:
    return Power(
        source="energy counter",
        sampler=SAMPLER,
        energies_j=tuple(182.5 * repeat.latency_s for repeat in repeats),
        power_w=Range(low=96.0, median=182.5, high=200.3),
        temperature_c=Range(low=51.0, median=63.0, high=66.0),
        sm_clock_mhz=Range(low=2475.0, median=2700.0, high=2745.0),
        memory_clock_mhz=Range(low=10501.0, median=10501.0, high=10501.0),
        throttle_reasons={"software power cap": 0.62},
        pcie_generation=4,
        pcie_width=16,
    )


def on_card(cell: CellResult, device: DeviceInfo = RTX_4070) -> CellResult:
    """The same cell with all that a driver tells."""
    wanted, summary = cell.requested, cell.summary
    if summary is None:
        return cell
    repeats = tuple(_with_host_times(repeat) for repeat in cell.repeats)
    done, energies = work(wanted), power(repeats).energies_j
    energy_j = sorted(energies)[len(energies) // 2]
    speed = summary.decode_tokens_per_s.median if summary.decode_tokens_per_s else None
    figures = {
        "energy_j": energy_j,
        "energy_per_token_j": energy_j / wanted.max_tokens,
        "energy_per_audio_second_j": energy_j / wanted.clip_seconds,
        "bandwidth_fraction": bandwidth_fraction(done, speed, device.memory_bandwidth_bytes_per_s),
        "bf16_fraction": bf16_fraction(done, repeats, device.bf16_operations_per_s),
    }
    return cell.model_copy(
        update={
            "repeats": repeats,
            "summary": summary.model_copy(update=figures),
            "device_memory": device_memory(summary),
            "power": power(repeats),
            "work": done,
        }
    )


def _with_host_times(repeat: Repeat) -> Repeat:
    host = {
        "host_time_to_first_token_s": repeat.time_to_first_token_s + 0.0004,
        "host_latency_s": repeat.latency_s + 0.0006,
    }
    return repeat.model_copy(update=host)


def with_card(
    cells: Sequence[CellResult],
    *,
    device: DeviceInfo = RTX_4070,
    state: DeviceState | None = STATE,
    emulation: Emulation | None = None,
) -> Record:
    provenance = Provenance.EMULATED if emulation else Provenance.MEASURED
    return sample.record(cells, device=device, provenance=provenance, device_state=state, emulation=emulation)


def measured(
    clip_seconds: float = 10.0, max_tokens: int = 128, attention: Attention = Attention.SDPA
) -> CellResult:
    cell = sample.measured(sample.requested(clip_seconds, max_tokens, attention))
    return on_card(with_kernels(cell, attention.value))


def with_kernels(cell: CellResult, attention: str) -> CellResult:
    """As if the language model had run this attention's operator."""
    return sample.with_kernels(cell, attention=attention, operators=(f"aten::{attention}",))


@cache
def rtx_4070() -> Record:
    """A headless RTX 4070: clips of 600 s run out of memory, and FlashAttention 2 ran the kernels of SDPA."""
    cells = [_cell(clip, n, Attention.SDPA) for clip in sample.CLIPS for n in sample.TOKENS]
    fell_back = [
        with_kernels(measured(clip, 128, Attention.FLASH_ATTENTION_2), "sdpa") for clip in (10.0, 30.0)
    ]
    return with_card([*cells, *fell_back])


@cache
def emulated() -> Record:
    """The same suite on an H200 that played an RTX 4070."""
    cells = [_cell(clip, n, Attention.SDPA) for clip in sample.CLIPS for n in sample.TOKENS]
    return with_card(cells, device=H200, emulation=PLAYED)


def _cell(clip_seconds: float, max_tokens: int, attention: Attention) -> CellResult:
    wanted = sample.requested(clip_seconds, max_tokens, attention)
    if clip_seconds < 600:
        return measured(clip_seconds, max_tokens, attention)
    if max_tokens > 128:
        pruned = Skipped(reason="600 s x 128 ran out of memory", cause="pruned")
        return sample.not_measured(wanted, pruned)
    return sample.not_measured(
        wanted,
        OutOfMemory(
            reason="the allocator could not get what the prefill asked for",
            phase=Phase.PREFILL,
            requested_bytes=2_340_421_632,
            free_bytes=402_653_184,
            reserved_bytes=11_420_000_000,
        ),
    )


@cache
def hostile() -> Record:
    """Every free text that a driver or a card can put into a record tries to get out of its place."""
    bad = sample.HOSTILE
    state = STATE.model_copy(
        update={
            "memory_source": bad,
            "display": True,
            "display_evidence": (bad, "=1+1"),
            "other_processes": 2,
            "used_by_others_bytes": None,
            "budget": STATE.budget.model_copy(update={"desktop_use_source": bad}),
        }
    )
    cell = measured()
    assert cell.power is not None
    assert cell.device_memory is not None
    update = {
        "power": cell.power.model_copy(update={"throttle_reasons": {bad: 0.5, "=cmd": 1.0}}),
        "device_memory": cell.device_memory.model_copy(update={"source": bad, "driver_error": bad}),
    }
    same = with_kernels(measured(attention=Attention.FLASH_ATTENTION_2), "sdpa")
    return with_card([cell.model_copy(update=update), same], state=state)
