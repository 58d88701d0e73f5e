"""Every allocation of torch's CPU allocator, as its profiler reports it, cut into named segments.

The allocator reports each block that it allocates and releases, including those inside an operator, which the
dispatcher does not see: a convolution's reordered weights, the scratch of a product. It reports the thread
that runs the operators, and nothing that was allocated before the profiler started.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, NamedTuple, Self

from torch.autograd.profiler import profile, record_function

from bench.records.enums import Phase

_LOG_LEVEL: Final = "KINETO_LOG_LEVEL"
_SILENT: Final = "99"
_MARK: Final = "bench: "
_MEMORY: Final = "[memory]"


class Change(NamedTuple):
    """A block that was allocated (positive) or released (negative), in bytes."""

    time_ns: int
    size_bytes: int


class Operator(NamedTuple):
    """An operator, with its begin and end."""

    begin_ns: int
    end_ns: int
    name: str


@dataclass(frozen=True, slots=True)
class Segment:
    """The changes between one mark and the next. Live bytes count from the start of the profiler."""

    name: str
    before: int
    changes: tuple[Change, ...]

    def live(self) -> Iterator[int]:
        """Yield the live bytes at the begin, and after each change."""
        live = self.before
        yield live
        for change in self.changes:
            live += change.size_bytes
            yield live

    @property
    def after(self) -> int:
        """Live bytes at the end."""
        return self.before + sum(change.size_bytes for change in self.changes)

    @property
    def peak(self) -> int:
        """Most live bytes."""
        return max(self.live())


class MemoryEvents:
    """Records while its context is open; `mark` ends a segment and begins another. Read it after closing.

        with MemoryEvents() as events:
            events.mark("product")
            result = a @ b
        events.segments()[0].peak

    torch runs one profiler at a time.
    """

    def __init__(self) -> None:
        # torch.profiler.profile does the same and first imports the compiler: 2 s.
        self._profile = profile(profile_memory=True)
        self._changes: list[Change] = []
        self._marks: list[tuple[int, str]] = []
        self._operators: list[Operator] = []

    def __enter__(self) -> Self:
        with _quietly():
            self._profile.__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._profile.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        for event in self._profile.kineto_results.events():  # type: ignore[union-attr]
            name = event.name()
            if name == _MEMORY:
                self._changes.append(Change(event.start_ns(), event.nbytes()))  # type: ignore[union-attr]
            elif name.startswith(_MARK):
                self._marks.append((event.start_ns(), name.removeprefix(_MARK)))
            else:
                self._operators.append(Operator(event.start_ns(), event.end_ns(), name))
        self._changes.sort(key=lambda change: change.time_ns)
        self._marks.sort()

    @staticmethod
    def mark(name: str) -> None:
        """Begin a segment of this name."""
        with record_function(_MARK + name):
            pass

    def segments(self) -> tuple[Segment, ...]:
        """Return the segments, in order; what precedes the first mark is in their live bytes only."""
        found: list[Segment] = []
        live = place = 0
        ends = [time_ns for time_ns, _ in self._marks] + [None]
        for name, end_ns in zip(["", *(name for _, name in self._marks)], ends, strict=True):
            first = place
            while place < len(self._changes) and (end_ns is None or self._changes[place].time_ns < end_ns):
                place += 1
            found.append(Segment(name, live, tuple(self._changes[first:place])))
            live = found[-1].after
        return tuple(found[1:])

    def operators_at(self, time_ns: int) -> tuple[str, ...]:
        """Names of the operators that ran at this time, the outermost first."""
        return tuple(one.name for one in sorted(self._operators) if one.begin_ns <= time_ns <= one.end_ns)


class PhaseMarks:
    """An observer of a generation that marks where its phases begin."""

    def begin(self, phase: Phase) -> None:
        """Begin the segment of this phase."""
        MemoryEvents.mark(phase)

    def token(self) -> None:
        """Tokens change nothing here."""

    def end(self) -> None:
        """Begin a segment outside the generation."""
        MemoryEvents.mark("over")


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the profiler from writing to standard error at its first start."""
    chosen = os.environ.get(_LOG_LEVEL)
    if chosen is None:
        os.environ[_LOG_LEVEL] = _SILENT
    try:
        yield
    finally:
        if chosen is None:
            del os.environ[_LOG_LEVEL]
