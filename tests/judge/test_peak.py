"""Memory figures keep their names."""

from bench.judge.memory import peak_of
from tests.samples import records as sample


def test_a_gpu_is_judged_by_the_process_a_cpu_by_what_is_resident() -> None:
    on_gpu = peak_of(sample.measured(sample.requested()), sample.RTX_4070)
    on_cpu = peak_of(sample.measured(sample.requested(), device=sample.CPU), sample.CPU)
    assert on_gpu is not None
    assert on_cpu is not None
    assert (on_gpu.metric, on_cpu.metric) == ("process_peak_bytes", "resident_peak_bytes")


def test_where_the_driver_does_not_tell_the_next_best_stands_in_under_its_own_name() -> None:
    ran = sample.measured(sample.requested())
    assert ran.summary is not None
    hidden = ran.summary.model_copy(update={"process_peak_bytes": None, "device_peak_bytes": None})
    peak = peak_of(ran.model_copy(update={"summary": hidden}), sample.RTX_4070)
    assert peak is not None
    assert (peak.metric, peak.size_bytes) == ("reserved_peak_bytes", hidden.reserved_peak_bytes)


def test_nothing_read_is_none_not_zero() -> None:
    assert peak_of(sample.out_of_memory(sample.requested()), sample.RTX_4070) is None
