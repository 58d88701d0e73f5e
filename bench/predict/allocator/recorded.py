"""Traces of a real CUDA caching allocator: recorded on a card, kept as JSON, and replayed by the model of it.

A file is read as untrusted input. Recording imports torch; reading and replaying do not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, ValidationError

from bench.errors import DeviceError, MachineError, RecordError, StorageError, UsageError
from bench.predict.allocator.caching import AllocatorSettings, CachingAllocator
from bench.records.base import Frozen
from bench.store.canonical import parse
from bench.store.untrusted import read_file

if TYPE_CHECKING:
    import torch

MAX_FILE_BYTES: Final = 32 * 2**20
MAX_EVENTS: Final = 1_000_000

_PICKLE_NAMES: Final = {".pickle", ".pkl", ".pt", ".pth"}
_PICKLE_STARTS: Final = (b"\x80", b"PK", b"(", b"]", b"}")
"""Pickles of protocol 2 and later, archives of `torch.save`, and lists and dicts of the older protocols."""
_HINT: Final = "Record one as docs/allocator.md says"

_GROWTH: Final = {"segment_alloc", "segment_map"}
_IGNORED: Final = {"free_requested", "snapshot", "user_defined"}
"""Actions of the allocator's history: those that take memory from the driver, and those without effect."""

_Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[ -~]+$")]
_Bytes = Annotated[int, Field(ge=0, le=2**44)]


class AllocatorEvent(NamedTuple):
    """A block is allocated, or with 0 for `size_bytes` released; `reserved_bytes` is reserved afterwards."""

    block: Annotated[int, Field(ge=0)]
    size_bytes: _Bytes
    reserved_bytes: _Bytes


class AllocatorTrace(Frozen):
    """All allocations and releases of a process on one stream, from its first, with no memory returned.

    Sizes are as requested, before rounding. `synthetic` marks a trace that no card made.
    """

    schema_version: Literal["1.0"] = "1.0"
    device: _Line
    torch: _Line
    expandable_segments: bool
    synthetic: bool = False
    events: Annotated[tuple[AllocatorEvent, ...], Field(min_length=1, max_length=MAX_EVENTS)]


class Replayed(NamedTuple):
    """Peaks of reserved bytes: on the card, and by the model."""

    observed: int
    modelled: int

    @property
    def error(self) -> float:
        """Error of the model as a share of the observed peak: positive where the model is too high."""
        return self.modelled / self.observed - 1


def replay(trace: AllocatorTrace) -> Replayed:
    """Replay the allocations and releases through the model.

    Raises:
        UsageError: a block is allocated twice, or released without being there; nothing was ever reserved.
    """
    allocator = CachingAllocator(AllocatorSettings(expandable_segments=trace.expandable_segments))
    for place, event in enumerate(trace.events):
        try:
            if event.size_bytes:
                allocator.allocate(event.block, event.size_bytes)
            else:
                allocator.release(event.block)
        except (KeyError, ValueError) as error:
            raise UsageError(
                f"event {place} of the allocator trace cannot be: block {event.block}", hint=_HINT
            ) from error
    observed = max(event.reserved_bytes for event in trace.events)
    if observed == 0:
        raise UsageError("the allocator trace never reserves anything", hint=_HINT)
    return Replayed(observed, allocator.reserved)


def read_allocator_trace(path: Path) -> AllocatorTrace:
    """Read a trace from disk.

    Raises:
        UsageError: the file cannot be read, is too large, a pickle, or anything but such a trace.
    """
    content = _content(path)
    if path.suffix.lower() in _PICKLE_NAMES or content.startswith(_PICKLE_STARTS):
        raise UsageError(
            f"{path} is a pickle, which could run anything, and is not read",
            hint="Export a trace as JSON instead, as docs/allocator.md says",
        )
    try:
        return AllocatorTrace.model_validate(parse(content))
    except RecordError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint or _HINT) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ascii(".".join(map(str, first["loc"]))[:100])[1:-1]
        raise UsageError(f"{path}: {where}: {first['msg']}", hint=_HINT) from error


def _content(path: Path) -> bytes:
    try:
        return read_file(path, MAX_FILE_BYTES)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint=_HINT) from error


# --- recording on a card -------------------------------------------------------------------------------


def record(work: Callable[[], object], device: "torch.device") -> AllocatorTrace:
    """Run `work` on this device, and return its allocations, releases and reserved bytes.

    Uses `torch.cuda.memory._record_memory_history`, without stack traces. What `work` returns stays alive
    until the end of the trace.

    Raises:
        DeviceError: the device is no CUDA device; or this process has used it before, so that the beginning
            is missing.
        MachineError: the history cannot be used: see `trace_of`.
    """
    import torch

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
        torch_version=str(torch.__version__),
    )


def trace_of(
    snapshot: Mapping[str, Any], device_index: int, *, device_name: str, torch_version: str
) -> AllocatorTrace:
    """Return the trace of a `torch.cuda.memory._snapshot()` whose history begins with an empty cache.

    Raises:
        MachineError: memory ran out or was released, several streams or pools were used, or the allocator
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
        torch=torch_version,
        expandable_segments=bool(settings["expandable_segments"]),
        events=tuple(_events(entries)),
    )


def write_trace(trace: AllocatorTrace, path: Path) -> None:
    """Write the trace as JSON, in one line.

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
    """Number the blocks in order: their addresses are reused, and private."""
    live: dict[int, int] = {}
    reserved = count = 0
    for entry in entries:
        action = entry["action"]
        if action in _GROWTH:
            reserved += entry["size"]
        elif action == "alloc":
            live[entry["addr"]] = count
            yield AllocatorEvent(count, entry["size"], reserved)
            count += 1
        elif action == "free_completed":
            yield AllocatorEvent(live.pop(entry["addr"]), 0, reserved)
        else:
            _refuse(action not in _IGNORED, f"the allocator did '{action}'")


def _refuse(is_so: bool, why: str) -> None:
    if is_so:
        raise MachineError(
            f"this history is nothing to hold a model against: {why}",
            hint="Record with default settings, on one stream, on a card with memory to spare",
        )
