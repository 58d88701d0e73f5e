"""Records what the CUDA caching allocator of this machine does, for the model of it to be held against."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch

from bench.errors import DeviceError, MachineError, StorageError
from bench.predict.allocator_trace import AllocatorEvent, AllocatorTrace

_TAKES: Final = {"segment_alloc", "segment_map"}
_OF_NO_INTEREST: Final = {"free_requested", "snapshot", "user_defined"}


def record(work: Callable[[], object], device: torch.device) -> AllocatorTrace:
    """Do the work on this device, and tell what it allocated and released, and what that reserved.

    Uses `torch.cuda.memory._record_memory_history`, without stack traces. What `work` returns stays alive
    until the end of the trace.

    Raises:
        DeviceError: the device is no CUDA device; or this process has used it before, so that the beginning
            is missing.
        MachineError: the allocator was not left to itself: see `trace_of`.
    """
    if device.type != "cuda" or not torch.cuda.is_available():
        raise DeviceError("allocations are recorded on a CUDA device", hint="Run this where one is")
    torch.cuda.init()  # type: ignore[no-untyped-call]
    if torch.cuda.memory_reserved(device) > 0:
        raise DeviceError("this process has used the card before", hint="Record in a process of its own")
    torch.cuda.memory._record_memory_history(context=None, device=device)
    try:
        kept = work()
        torch.cuda.synchronize(device)
        snapshot: Mapping[str, Any] = torch.cuda.memory._snapshot(device)
        del kept
    finally:
        torch.cuda.memory._record_memory_history(enabled=None, device=device)
    return trace_of(
        snapshot,
        torch.cuda._utils._get_device_index(device, optional=True),
        device_name=torch.cuda.get_device_name(device),
    )


def trace_of(snapshot: Mapping[str, Any], device_index: int, *, device_name: str) -> AllocatorTrace:
    """A snapshot of `torch.cuda.memory._snapshot()`, whose history begins with an empty cache, as a trace.

    Raises:
        MachineError: memory ran out or was given back, several streams or pools were used, or the allocator
            has settings that the model does not know.
    """
    settings: Mapping[str, Any] = snapshot["allocator_settings"]
    _refuse(settings.get("max_split_size", -1) not in {-1, 2**64 - 1}, "max_split_size_mb is set")
    _refuse(settings.get("garbage_collection_threshold", 0) > 0, "garbage_collection_threshold is set")
    divisions: Mapping[str, int] = settings.get("roundup_power2_divisions", {})
    _refuse(any(divisions.values()), "roundup_power2_divisions is set")
    entries: Sequence[Mapping[str, Any]] = snapshot["device_traces"][device_index]
    _refuse(len({entry["stream"] for entry in entries if "stream" in entry}) > 1, "several streams were used")
    return AllocatorTrace(
        device=device_name,
        torch=str(torch.__version__),
        expandable_segments=bool(settings["expandable_segments"]),
        events=tuple(_events(entries)),
    )


def write_trace(trace: AllocatorTrace, path: Path) -> None:
    """Write it as JSON, one line.

    Raises:
        StorageError: the file cannot be written.
    """
    try:
        path.write_text(trace.model_dump_json() + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror}", hint="Name a folder that can be written to"
        ) from error


def _events(entries: Sequence[Mapping[str, Any]]) -> Iterator[AllocatorEvent]:
    """Blocks are numbered as they come: their addresses are used again, and are nobody's business."""
    live: dict[int, int] = {}
    reserved = count = 0
    for entry in entries:
        action = entry["action"]
        if action in _TAKES:
            reserved += entry["size"]
        elif action == "alloc":
            live[entry["addr"]] = count
            yield AllocatorEvent(count, entry["size"], reserved)
            count += 1
        elif action == "free_completed":
            yield AllocatorEvent(live.pop(entry["addr"]), 0, reserved)
        else:
            _refuse(action not in _OF_NO_INTEREST, f"the allocator did '{action}'")


def _refuse(is_so: bool, why: str) -> None:
    if is_so:
        raise MachineError(
            f"this history is nothing to hold a model against: {why}",
            hint="Record with default settings, on one stream, on a card with memory to spare",
        )
