from typing import Any

import pytest

from bench.hardware.budget import CONTEXT
from bench.measure.summary import CellFigures, summarise
from bench.records.card import DeviceMemory, Power, Range, Sampled
from bench.records.cell import Memory, PhaseMemory, Repeat, Work
from bench.records.enums import Phase
from bench.records.record import DeviceInfo
from tests.samples.records import round_repeat as repeat

CARD = DeviceInfo(
    kind="cuda",
    slug="rtx-4070",
    name="NVIDIA GeForce RTX 4070",
    memory_total_bytes=1000,
    memory_bandwidth_bytes_per_s=1e6,
    bf16_operations_per_s=1e9,
)


def figures(*repeats: Repeat, **known: Any) -> CellFigures:
    return CellFigures(repeats=repeats, clip_seconds=10, **{"noise_cv": 1.0, **known})


def memory(**phases: PhaseMemory) -> Memory:
    return Memory(
        allocated_source="CUDA caching allocator",
        resident_source=None,
        resident_baseline_bytes=None,
        weights_bytes=100,
        phases={Phase(name): phase for name, phase in phases.items()},
    )


def power(*energies_j: float) -> Power:
    return Power(
        source="energy counter" if energies_j else None,
        sampler=Sampled(period_s=0.02, samples=100, largest_gap_s=0.03),
        energies_j=energies_j,
        power_w=Range(low=1, median=2, high=3),
        temperature_c=None,
        sm_clock_mhz=None,
        memory_clock_mhz=None,
        throttle_reasons={},
        pcie_generation=4,
        pcie_width=16,
    )


def device_memory(**reported: int | None) -> DeviceMemory:
    unknown = dict.fromkeys(
        ("baseline_bytes", "device_peak_bytes", "process_peak_bytes", "context_bytes", "residue_bytes")
    )
    return DeviceMemory(
        source="NVML memory v2",
        sampler=Sampled(period_s=0.02, samples=2, largest_gap_s=0.02),
        context_source=None,
        back_at_baseline=None,
        waited_s=None,
        **{**unknown, **reported},
    )


def test_a_summary_holds_every_metric_of_the_repeats() -> None:
    summary = summarise(figures(repeat(1.0), repeat(3.0), repeat(2.0), load_s=4.5))
    assert summary.load_s == 4.5
    assert summary.generated_tokens == 8
    medians = {
        "preprocess_s": 0.01,
        "encode_s": 0.1,
        "time_to_first_token_s": 0.2,
        "decode_tokens_per_s": 50.0,
        "latency_s": 2.0,
        "real_time_factor": 0.2,
    }
    for name, median in medians.items():
        assert getattr(summary, name).median == pytest.approx(median)
        assert getattr(summary, name).n == 3


def test_a_single_token_has_no_decode_speed_and_no_bandwidth() -> None:
    work = Work(decode_bytes_per_token=1000, encode_operations=0, prefill_operations=0)
    summary = summarise(figures(*[repeat(1.0, rate=None)] * 3, work=work, device=CARD))
    assert summary.decode_tokens_per_s is None
    assert summary.bandwidth_fraction is None


def test_noise_is_a_label() -> None:
    assert summarise(figures(repeat(1.0), repeat(2.0), noise_cv=0.05)).labels == ("noisy",)
    assert summarise(figures(repeat(1.0), repeat(2.0), noise_cv=0.9)).labels == ()


def test_peaks_are_those_of_the_generation_not_of_loading() -> None:
    watched = memory(
        load=PhaseMemory(allocated_peak_bytes=900, resident_peak_bytes=9000),
        encode=PhaseMemory(allocated_peak_bytes=300, resident_peak_bytes=None),
        prefill=PhaseMemory(allocated_peak_bytes=500, resident_peak_bytes=2000),
    )
    summary = summarise(figures(repeat(1.0), memory=watched))
    assert summary.allocated_peak_bytes == 500
    assert summary.resident_peak_bytes == 2000
    assert summary.reserved_peak_bytes is None


def test_what_is_unknown_is_none() -> None:
    summary = summarise(figures(repeat(1.0)))
    for name in (
        "allocated_peak_bytes",
        "process_peak_bytes",
        "device_peak_bytes",
        "energy_j",
        "energy_per_token_j",
        "energy_per_audio_second_j",
        "bandwidth_fraction",
        "bf16_fraction",
    ):
        assert getattr(summary, name) is None


def test_energy_is_the_median_generation_per_token_and_per_second_of_sound() -> None:
    summary = summarise(figures(repeat(1.0), repeat(1.0), repeat(1.0), power=power(30.0, 80.0, 40.0)))
    assert summary.energy_j == 40.0
    assert summary.energy_per_token_j == 5.0
    assert summary.energy_per_audio_second_j == 4.0


def test_a_power_without_energy_gives_no_energy() -> None:
    assert summarise(figures(repeat(1.0), power=power())).energy_j is None


def test_the_driver_s_peaks_are_in_the_summary_where_it_reports_them() -> None:
    reported = device_memory(device_peak_bytes=700, process_peak_bytes=None)
    summary = summarise(figures(repeat(1.0), device_memory=reported))
    assert summary.device_peak_bytes == 700
    assert summary.process_peak_bytes is None


def test_the_share_of_the_card_s_bandwidth_and_rate() -> None:
    work = Work(decode_bytes_per_token=10_000, encode_operations=0, prefill_operations=45_000_000)
    summary = summarise(figures(repeat(1.0), work=work, device=CARD))
    assert summary.bandwidth_fraction == pytest.approx(
        0.5
    )  # 10,000 bytes at 50 tokens/s of 1,000,000 bytes/s
    assert summary.bf16_fraction == pytest.approx(0.5)  # 45e6 in 0.09 s of 1e9 a second


@pytest.mark.parametrize(
    ("allocated", "reserved", "spilled"),
    [(900, 1000, False), (900, 1001, True), (1200, None, True), (None, None, False)],
)
def test_more_than_the_card_has_lies_in_system_memory(
    allocated: int | None, reserved: int | None, spilled: bool
) -> None:
    peaks = PhaseMemory(allocated_peak_bytes=allocated, reserved_peak_bytes=reserved)
    summary = summarise(figures(repeat(1.0), memory=memory(prefill=peaks), device=CARD))
    assert ("spilled" in summary.labels) is spilled


@pytest.mark.parametrize(
    ("reserved", "context", "free", "spilled"),
    [
        (700, 100, 800, False),
        (701, 100, 800, True),
        (701, 100, None, False),  # Linux: it runs out of memory instead
        (100, None, 100 + CONTEXT.low_bytes, False),
        (101, None, 100 + CONTEXT.low_bytes, True),  # of a cell that spilled, the context is not known
    ],
)
def test_under_windows_a_spill_begins_beyond_what_was_free(
    reserved: int, context: int | None, free: int | None, spilled: bool
) -> None:
    """A desktop takes its part of the card, so that it is full before the total is reached."""
    peaks = PhaseMemory(allocated_peak_bytes=1, reserved_peak_bytes=reserved)
    seen = DeviceMemory(
        source=None,
        sampler=Sampled(period_s=0.02, samples=1, largest_gap_s=None),
        baseline_bytes=None,
        device_peak_bytes=None,
        process_peak_bytes=None,
        context_bytes=context,
        context_source=None,
        residue_bytes=None,
        back_at_baseline=None,
        waited_s=None,
    )
    cell = figures(
        repeat(1.0), memory=memory(prefill=peaks), device=CARD, device_memory=seen, spills_from_bytes=free
    )
    assert ("spilled" in summarise(cell).labels) is spilled


def test_the_labels_of_the_driver_stand_beside_the_noise() -> None:
    summary = summarise(figures(repeat(1.0), repeat(2.0), noise_cv=0.05, labels=("contended", "throttled")))
    assert summary.labels == ("noisy", "contended", "throttled")
