"""Every allocation of torch's CPU allocator, as its profiler reports it, cut into named stretches.

The allocator reports each block that it gives and takes back, those inside an operator among them, which no
dispatcher ever sees: a convolution's reordered weights, the scratch of a product. It counts for the thread
that runs the operators. What was allocated before the profiler started is not in it.
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
    """A block that was given (positive) or taken back (negative), in bytes."""

    time_ns: int
    size_bytes: int


class Operator(NamedTuple):
    """An operator, from when to when it ran."""

    begin_ns: int
    end_ns: int
    name: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """What happened between one mark and the next. Live bytes count from the start of the profiler."""

    name: str
    before: int
    changes: tuple[Change, ...]

    def live(self) -> Iterator[int]:
        """Live bytes at its begin, and after each change."""
        live = self.before
        yield live
        for change in self.changes:
            live += change.size_bytes
            yield live

    @property
    def after(self) -> int:
        """Live bytes at its end."""
        return self.before + sum(change.size_bytes for change in self.changes)

    @property
    def peak(self) -> int:
        """Most live bytes."""
        return max(self.live())


class MemoryEvents:
    """Records while it is entered; `mark` ends a stretch and begins another. To be read after it was left.

        with MemoryEvents() as events:
            events.mark("product")
            result = a @ b
        events.stretches()[0].peak

    torch runs one profiler at a time.
    """

    def __init__(self) -> None:
        # Not torch.profiler.profile, which is the same and imports the compiler first: 2 s.
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
        """What follows has this name."""
        with record_function(_MARK + name):
            pass

    def stretches(self) -> tuple[Stretch, ...]:
        """All of them, in order; of what came before the first mark only the live bytes are left."""
        found: list[Stretch] = []
        live = place = 0
        ends = [time_ns for time_ns, _ in self._marks] + [None]
        for name, end_ns in zip(["", *(name for _, name in self._marks)], ends, strict=True):
            first = place
            while place < len(self._changes) and (end_ns is None or self._changes[place].time_ns < end_ns):
                place += 1
            found.append(Stretch(name, live, tuple(self._changes[first:place])))
            live = found[-1].after
        return tuple(found[1:])

    def operators_at(self, time_ns: int) -> tuple[str, ...]:
        """Which operators ran at that moment, the outermost first."""
        return tuple(one.name for one in sorted(self._operators) if one.begin_ns <= time_ns <= one.end_ns)


class PhaseMarks:
    """An observer of a generation that marks where its phases begin."""

    def begin(self, phase: Phase) -> None:
        """What follows belongs to this phase."""
        MemoryEvents.mark(phase)

    def token(self) -> None:
        """Tokens change nothing here."""

    def end(self) -> None:
        """What follows belongs to nobody."""
        MemoryEvents.mark("over")


@contextmanager
def _quietly() -> Iterator[None]:
    """The profiler tells standard error when it starts, unless this is set when it starts first."""
    chosen = os.environ.get(_LOG_LEVEL)
    if chosen is None:
        os.environ[_LOG_LEVEL] = _SILENT
    try:
        yield
    finally:
        if chosen is None:
            del os.environ[_LOG_LEVEL]
