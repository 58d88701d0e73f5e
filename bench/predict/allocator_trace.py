"""What a real CUDA allocator did, from a small JSON file, held against the model of it. Pure.

`bench.predict.allocator_history` writes such files. One is read as if a stranger had made it.
"""

from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field, ValidationError

from bench.errors import RecordError, UsageError
from bench.predict.caching_allocator import CachingAllocator, Rules
from bench.records.base import Frozen
from bench.store.canonical import parse

MAX_FILE_BYTES: Final = 32 * 2**20
MAX_EVENTS: Final = 1_000_000

_PICKLE_NAMES: Final = {".pickle", ".pkl", ".pt", ".pth"}
_PICKLE_STARTS: Final = (b"\x80", b"PK", b"(", b"]", b"}")
"""Pickles of protocol 2 and later, archives of `torch.save`, and lists and dicts of the older protocols."""
_HINT: Final = "Record one as docs/allocator.md says"

_Line = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[ -~]+$")]
_Bytes = Annotated[int, Field(ge=0, le=2**44)]


class AllocatorEvent(NamedTuple):
    """A block is allocated, or with 0 for `size_bytes` released; `reserved_bytes` is reserved afterwards."""

    block: Annotated[int, Field(ge=0)]
    size_bytes: _Bytes
    reserved_bytes: _Bytes


class AllocatorTrace(Frozen):
    """All allocations and releases of a process on one stream, from its first, with nothing given back.

    Sizes are those asked for, before rounding. `synthetic` marks a trace that no card made.
    """

    schema_version: Literal["1.0"] = "1.0"
    device: _Line
    torch: _Line
    expandable_segments: bool
    synthetic: bool = False
    events: Annotated[tuple[AllocatorEvent, ...], Field(min_length=1, max_length=MAX_EVENTS)]


class Replayed(NamedTuple):
    """Most reserved bytes: on the card, and by the model."""

    observed: int
    modelled: int

    @property
    def error(self) -> float:
        """How far the model is off, as a share of what was observed: positive where it says too much."""
        return self.modelled / self.observed - 1


def replay(trace: AllocatorTrace) -> Replayed:
    """The same allocations and releases through the model.

    Raises:
        UsageError: a block is allocated twice, or released without being there; nothing was ever reserved.
    """
    allocator = CachingAllocator(Rules(expandable_segments=trace.expandable_segments))
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
    return Replayed(observed, allocator.reserved_peak)


def read_allocator_trace(path: Path) -> AllocatorTrace:
    """A trace from disk.

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
        raise UsageError(f"{path}: {error.message}", hint=_HINT) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ascii(".".join(map(str, first["loc"]))[:100])[1:-1]
        raise UsageError(f"{path}: {where}: {first['msg']}", hint=_HINT) from error


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():  # a device or a pipe could go on for ever
            raise UsageError(f"{path} is no file", hint=_HINT)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise UsageError(f"{path} is larger than {MAX_FILE_BYTES // 2**20} MiB", hint=_HINT)
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", hint=_HINT) from error
