"""Traces of allocators: recorded, read as untrusted input, and compared with the model.

Recording on a real card: tests/gpu/test_allocator.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import DeviceError, MachineError, StorageError, UsageError
from bench.predict.allocator.recorded import (
    MAX_FILE_BYTES,
    AllocatorEvent,
    AllocatorTrace,
    read_allocator_trace,
    record,
    replay,
    trace_of,
    write_trace,
)
from bench.units import MIB

FROM_CARDS = sorted((Path(__file__).parents[2] / "data" / "allocator").glob("*.json"))
SYNTHETIC = Path(__file__).parent / "synthetic-allocator-trace.json"
CLOSE = 0.02

FIELDS = {
    "schema_version": "1.0",
    "device": "NVIDIA GeForce RTX 4070",
    "torch": "2.13.0+cu130",
    "expandable_segments": False,
    "events": [[0, 100, 2 * MIB], [1, 3 * MIB, 22 * MIB], [0, 0, 22 * MIB]],
}


def written(folder: Path, **changes: object) -> Path:
    path = folder / "trace.json"
    path.write_text(json.dumps(FIELDS | changes), encoding="utf-8")
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_trace_that_powershell_saved_is_read(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert read_allocator_trace(path).device == FIELDS["device"]


# --- every file that there is -----------------------------------------------------------------------------


def test_the_model_reserves_what_every_recorded_card_did() -> None:
    """There may be none yet: then this shows nothing, and docs/allocator.md says so."""
    for path in FROM_CARDS:
        trace = read_allocator_trace(path)
        assert not trace.synthetic, f"{path.name} was made by no card"
        assert abs(replay(trace).error) < CLOSE, path.name


def test_a_synthetic_trace_is_replayed_like_one_from_a_card() -> None:
    """Made by hand, reserved bytes too, from the settings in torch's source: no card has seen it."""
    trace = read_allocator_trace(SYNTHETIC)
    assert trace.synthetic
    assert trace.device.startswith("none")
    assert replay(trace) == (64 * MIB, 64 * MIB)


def test_a_model_that_is_off_would_be_noticed() -> None:
    trace = read_allocator_trace(SYNTHETIC)
    more = [event._replace(reserved_bytes=event.reserved_bytes + 4 * MIB) for event in trace.events]
    off = replay(trace.model_copy(update={"events": tuple(more)}))
    assert off.error == pytest.approx(-4 / 68)
    assert abs(off.error) > CLOSE


@given(st.lists(st.integers(1, 64 * MIB), min_size=1, max_size=20), st.booleans())
def test_any_trace_survives_the_file(sizes: list[int], expandable: bool) -> None:
    events = tuple(AllocatorEvent(block, size, 2**30) for block, size in enumerate(sizes))
    trace = AllocatorTrace(device="a card", torch="2.13.0", expandable_segments=expandable, events=events)
    assert AllocatorTrace.model_validate_json(trace.model_dump_json()) == trace
    assert replay(trace).modelled >= sum(sizes)


# --- files of strangers -----------------------------------------------------------------------------------


def test_a_trace_is_read_as_it_was_written(tmp_path: Path) -> None:
    trace = read_allocator_trace(written(tmp_path))
    assert trace.events[1] == AllocatorEvent(block=1, size_bytes=3 * MIB, reserved_bytes=22 * MIB)
    assert replay(trace) == (22 * MIB, 22 * MIB)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("snapshot.pickle", b"anything"),
        ("snapshot.PKL", b"{}"),
        ("snapshot.json", b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00"),
        ("snapshot.json", b"PK\x03\x04 what torch.save writes"),
        ("snapshot.json", b"(dp0\nS'segments'\n"),
    ],
)
def test_a_pickle_is_refused_whatever_its_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="is a pickle, which could run anything") as caught:
        read_allocator_trace(tmp_path / name)
    assert "JSON" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"schema_version": "2.0"}, "schema_version: Input should be '1.0'"),
        ({"comment": "hello"}, "comment: Extra inputs are not permitted"),
        ({"device": ""}, "device: String should have at least 1 character"),
        ({"device": "a\x1b[31mcard"}, "device: String should match pattern"),
        ({"events": []}, "events: Tuple should have at least 1 item"),
        ({"events": [[0, -1, 0]]}, "events.0.1: Input should be greater than or equal to 0"),
        ({"events": [[0, 2**50, 0]]}, "events.0.1: Input should be less than or equal to"),
        ({"events": [[0, 1]]}, "events.0.2"),
        ({"events": {"0": 1}}, "events: Input should be a valid tuple"),
        ({"expandable_segments": None}, "expandable_segments: Input should be a valid boolean"),
        ({"\x1b[31m": 1}, r"\\x1b\[31m: Extra inputs"),
    ],
)
def test_a_file_that_is_no_trace_says_where(tmp_path: Path, changes: dict[str, object], fault: str) -> None:
    with pytest.raises(UsageError, match=fault) as caught:
        read_allocator_trace(written(tmp_path, **changes))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a": 1, "a": 2}', b"7"])
def test_a_file_that_is_no_json_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "trace.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"trace\.json"):
        read_allocator_trace(tmp_path / "trace.json")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "trace.json").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(UsageError, match="it is larger than 32 MiB"):
        read_allocator_trace(tmp_path / "trace.json")


def test_a_folder_and_a_missing_file_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read .*: it is a folder"):
        read_allocator_trace(tmp_path)
    with pytest.raises(UsageError, match=r"cannot read .*: No such file"):
        read_allocator_trace(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([[0, 5, 2 * MIB], [0, 5, 2 * MIB]], "event 1 of the allocator trace cannot be: block 0"),
        ([[0, 5, 2 * MIB], [3, 0, 2 * MIB]], "event 1 of the allocator trace cannot be: block 3"),
        ([[0, 5, 0]], "never reserves anything"),
    ],
)
def test_what_no_allocator_can_have_done_is_refused(
    tmp_path: Path, events: list[list[int]], fault: str
) -> None:
    with pytest.raises(UsageError, match=fault):
        replay(read_allocator_trace(written(tmp_path, events=events)))


# --- recording --------------------------------------------------------------------------------------------


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
    trace = trace_of(snapshot(*HISTORY), 1, device_name="NVIDIA GeForce RTX 4070", torch_version="2.13.0")
    assert trace.events == (
        AllocatorEvent(0, 100, 2 * MIB),
        AllocatorEvent(1, 3 * MIB, 22 * MIB),
        AllocatorEvent(0, 0, 22 * MIB),
        AllocatorEvent(2, 50, 22 * MIB),
    )
    assert (trace.device, trace.torch) == ("NVIDIA GeForce RTX 4070", "2.13.0")
    assert not trace.synthetic


def test_what_is_written_can_be_read_and_replayed(tmp_path: Path) -> None:
    trace = trace_of(snapshot(*HISTORY), 1, device_name="a card", torch_version="2.13.0")
    write_trace(trace, tmp_path / "trace.json")
    assert read_allocator_trace(tmp_path / "trace.json") == trace
    assert replay(trace) == (22 * MIB, 22 * MIB)


def test_pages_of_expandable_segments_count_as_reserved() -> None:
    mapped = [entry("segment_map", 4096, 20 * MIB), entry("alloc", 4096, 3 * MIB)]
    trace = trace_of(
        snapshot(*mapped, expandable_segments=True), 1, device_name="a card", torch_version="2.13.0"
    )
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
        trace_of(snapshot(*HISTORY, *extra, **settings), 1, device_name="a card", torch_version="2.13.0")
    assert caught.value.hint is not None


def test_without_a_card_there_is_nothing_to_record() -> None:
    with pytest.raises(DeviceError, match="on a CUDA device"):
        record(lambda: None, torch.device("cpu"))


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    trace = trace_of(snapshot(*HISTORY), 1, device_name="a card", torch_version="2.13.0")
    with pytest.raises(StorageError, match=r"cannot write .*trace\.json: No such file"):
        write_trace(trace, tmp_path / "missing" / "trace.json")
