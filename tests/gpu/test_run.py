"""What the record of a run on a card holds, of a small model."""

import pytest

from bench.hardware.readings import DriverGpu
from bench.records.cell import CellResult, SubmoduleKernels
from bench.records.enums import Attention, Phase, Provenance
from bench.units import GIB, MIB
from tests.gpu.runs import LONG, SHORT, Run, memory_of

pytestmark = pytest.mark.gpu


def test_the_record_names_the_card_that_it_ran_on(free: Run, card: DriverGpu) -> None:
    assert free.record.device.kind == "cuda"
    assert free.record.device.name == card.name
    assert free.record.provenance is Provenance.MEASURED
    assert free.record.machine_key is not None
    assert {cell.effective.device for cell in free.measured() if cell.effective} == {"cuda"}
    assert {cell.effective.dtype for cell in free.measured() if cell.effective} == {"bfloat16"}


def language_model(cell: CellResult) -> SubmoduleKernels:
    assert cell.effective is not None
    assert cell.effective.language_model is not None
    return cell.effective.language_model


def test_device_and_host_agree_on_every_time(free: Run) -> None:
    for cell in free.measured():
        for repeat in cell.repeats:
            assert repeat.host_time_to_first_token_s is not None
            assert repeat.host_latency_s is not None
            assert repeat.host_time_to_first_token_s == pytest.approx(
                repeat.time_to_first_token_s, rel=0.1, abs=0.005
            )
            assert repeat.host_latency_s == pytest.approx(repeat.latency_s, rel=0.1, abs=0.005)
            assert (
                (repeat.preprocess_s or 0) + (repeat.encode_s or 0)
                < repeat.time_to_first_token_s
                < repeat.latency_s
            )
            assert repeat.token_times_s
            assert list(repeat.token_times_s) == sorted(repeat.token_times_s)


def test_the_cold_call_is_apart_and_slower(free: Run) -> None:
    first = free.cell(SHORT, Attention.EAGER)
    assert first.cold is not None
    assert first.summary is not None
    assert first.summary.latency_s is not None
    assert first.cold.latency_s > first.summary.latency_s.median
    assert free.cell(LONG, Attention.EAGER).cold is None


def test_every_phase_has_what_was_allocated_and_reserved(free: Run) -> None:
    for cell in free.measured():
        memory = memory_of(cell)
        assert memory.allocated_source == "CUDA caching allocator"
        assert memory.allocation_retries == 0
        assert set(memory.phases) == set(Phase)
        for phase in memory.phases.values():
            assert phase.allocated_peak_bytes is not None
            assert phase.allocated_end_bytes is not None
            assert phase.reserved_peak_bytes is not None
            assert memory.weights_bytes <= phase.allocated_end_bytes <= phase.allocated_peak_bytes
            assert phase.allocated_peak_bytes <= phase.reserved_peak_bytes


def test_a_longer_clip_takes_more_and_its_blocks_are_not_in_the_cell_after_it(free: Run) -> None:
    eager, sdpa = (
        {clip_s: memory_of(free.cell(clip_s, attention)).phases[Phase.PREFILL] for clip_s in (SHORT, LONG)}
        for attention in (Attention.EAGER, Attention.SDPA)
    )
    peaks = [
        eager[LONG].reserved_peak_bytes,
        eager[SHORT].reserved_peak_bytes,
        sdpa[SHORT].reserved_peak_bytes,
    ]
    long, *short = [peak for peak in peaks if peak is not None]
    assert len(short) == 2
    assert all(long > peak + 100 * MIB for peak in short)


def test_the_kernels_that_ran_are_those_that_were_asked_for(free: Run) -> None:
    eager, sdpa = (language_model(free.cell(SHORT, name)) for name in (Attention.EAGER, Attention.SDPA))
    assert eager.attention == "eager"
    assert "eager" not in sdpa.attention
    fused = "aten::_scaled_dot_product_"
    assert any(name.startswith(fused) for name in sdpa.operators), sdpa


def test_flash_attention_runs_as_itself_or_says_why_not(free: Run) -> None:
    cell = free.cell(SHORT, Attention.FLASH_ATTENTION_2)
    if cell.outcome.status == "measured":
        assert language_model(cell).attention.startswith(("flash_attention_2", "not observable"))
        return
    assert cell.outcome.status == "unsupported"
    assert "flash" in cell.outcome.reason.lower()


def test_the_context_is_measured_and_plausible(free: Run) -> None:
    for cell in free.measured():
        told = cell.device_memory
        assert told is not None
        assert (told.context_bytes is None) == (told.context_source is None)
        if told.context_bytes is not None:
            assert 50 * MIB < told.context_bytes < 2 * GIB


def test_the_driver_saw_at_least_what_the_allocator_had(free: Run) -> None:
    """Up to a peak that was over between two samples."""
    for cell in free.measured():
        assert cell.device_memory is not None
        assert cell.summary is not None
        process, card = cell.device_memory.process_peak_bytes, cell.device_memory.device_peak_bytes
        reserved = cell.summary.reserved_peak_bytes
        assert reserved is not None
        assert process is None or process >= reserved
        assert process is None or card is None or card >= process - 64 * MIB


def test_the_sampler_looked_often(free: Run) -> None:
    for cell in free.measured():
        assert cell.device_memory is not None
        sampler = cell.device_memory.sampler
        assert sampler.samples > 3
        assert sampler.largest_gap_s is not None
        assert sampler.largest_gap_s < 1
        assert cell.device_memory.driver_error is None


def test_energy_is_told_with_its_source_or_not_at_all(free: Run) -> None:
    for cell in free.measured():
        assert cell.summary is not None
        if cell.power is None or cell.power.source is None:
            assert cell.summary.energy_j is None
            continue
        assert len(cell.power.energies_j) == len(cell.repeats)
        assert sum(cell.power.energies_j) > 0


def test_the_card_is_as_it_was_once_the_worker_is_gone(free: Run) -> None:
    told = [cell.device_memory for cell in free.measured() if cell.device_memory is not None]
    ended = [memory for memory in told if memory.back_at_baseline is not None]
    assert all(memory.back_at_baseline for memory in ended), ended
    assert ended or all(memory.baseline_bytes is None for memory in told)


def test_no_cell_takes_more_of_the_card_than_it_can_give(free: Run) -> None:
    for cell in free.measured():
        assert cell.summary is not None
        assert cell.summary.bandwidth_fraction is None or 0 < cell.summary.bandwidth_fraction < 1.2
        assert cell.summary.bf16_fraction is None or 0 < cell.summary.bf16_fraction < 1.2
