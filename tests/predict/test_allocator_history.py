"""Histories as torch gives them, turned into traces. Those of a real card: tests/gpu/test_allocator.py."""

from pathlib import Path
from typing import Any

import pytest
import torch

from bench.errors import DeviceError, MachineError, StorageError
from bench.predict.allocator_history import record, trace_of, write_trace
from bench.predict.allocator_trace import AllocatorEvent, read_allocator_trace, replay
from bench.units import MIB

SETTINGS = {
    "PYTORCH_CUDA_ALLOC_CONF": "",
    "max_split_size": -1,
    "garbage_collection_threshold": 0.0,
    "expandable_segments": False,
    "roundup_power2_divisions": {"1": 0, "2": 0, ">": 0},
}


def entry(action: str, addr: int, size: int, stream: int = 0) -> dict[str, object]:
    return {"action": action, "addr": addr, "size": size, "stream": stream, "time_us": 7}


HISTORY = [
    entry("segment_alloc", 4096, 2 * MIB),
    entry("alloc", 4096, 100),
    entry("segment_alloc", 2**30, 20 * MIB),
    entry("alloc", 2**30, 3 * MIB),
    entry("free_requested", 4096, 100),
    entry("free_completed", 4096, 100),
    entry("alloc", 4096, 50),
    entry("snapshot", 0, 0),
]


def snapshot(*entries: dict[str, object], **settings: object) -> dict[str, Any]:
    return {"allocator_settings": SETTINGS | settings, "device_traces": [[], list(entries)], "segments": []}


def test_a_history_becomes_a_trace_without_addresses() -> None:
    trace = trace_of(snapshot(*HISTORY), 1, device_name="NVIDIA GeForce RTX 4070")
    assert trace.events == (
        AllocatorEvent(0, 100, 2 * MIB),
        AllocatorEvent(1, 3 * MIB, 22 * MIB),
        AllocatorEvent(0, 0, 22 * MIB),
        AllocatorEvent(2, 50, 22 * MIB),
    )
    assert (trace.device, trace.torch) == ("NVIDIA GeForce RTX 4070", torch.__version__)
    assert not trace.synthetic


def test_what_is_written_can_be_read_and_replayed(tmp_path: Path) -> None:
    trace = trace_of(snapshot(*HISTORY), 1, device_name="a card")
    write_trace(trace, tmp_path / "trace.json")
    assert read_allocator_trace(tmp_path / "trace.json") == trace
    assert replay(trace) == (22 * MIB, 22 * MIB)


def test_pages_of_expandable_segments_count_as_reserved() -> None:
    mapped = [entry("segment_map", 4096, 20 * MIB), entry("alloc", 4096, 3 * MIB)]
    trace = trace_of(snapshot(*mapped, expandable_segments=True), 1, device_name="a card")
    assert trace.expandable_segments
    assert trace.events[-1].reserved_bytes == 20 * MIB


@pytest.mark.parametrize(
    ("extra", "settings", "why"),
    [
        ([entry("segment_free", 4096, 2 * MIB)], {}, "did 'segment_free'"),
        ([entry("oom", 0, 2 * MIB)], {}, "did 'oom'"),
        ([entry("alloc", 2**31, 5, stream=9)], {}, "several streams"),
        ([], {"max_split_size": 128 * MIB}, "max_split_size_mb"),
        ([], {"garbage_collection_threshold": 0.8}, "garbage_collection_threshold"),
        ([], {"roundup_power2_divisions": {"1": 0, ">": 8}}, "roundup_power2_divisions"),
    ],
)
def test_a_history_that_the_model_does_not_know_is_refused(
    extra: list[dict[str, object]], settings: dict[str, object], why: str
) -> None:
    with pytest.raises(MachineError, match=why) as caught:
        trace_of(snapshot(*HISTORY, *extra, **settings), 1, device_name="a card")
    assert caught.value.hint is not None


def test_without_a_card_there_is_nothing_to_record() -> None:
    with pytest.raises(DeviceError, match="on a CUDA device"):
        record(lambda: None, torch.device("cpu"))


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    trace = trace_of(snapshot(*HISTORY), 1, device_name="a card")
    with pytest.raises(StorageError, match=r"cannot write .*trace\.json: No such file"):
        write_trace(trace, tmp_path / "missing" / "trace.json")
