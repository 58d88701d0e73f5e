"""Standard streams that never fail to write, since a reader can close them at any time.

Every library writes to the same two objects (click, rich, warnings, logging, tqdm), so that a reader that has
left, a full disk and a terminal that hung up are handled here alone.
"""

import errno
import io
import os
import select
import sys
from typing import TYPE_CHECKING, Final, Protocol, TextIO

import click

from bench.text import printable

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_NULL_IS_A_TERMINAL: Final = os.name == "nt"  # a console is no FileIO there; never run
_READER_LEFT = {errno.EPIPE, errno.EBADF, errno.ECONNRESET, errno.ESHUTDOWN} | (
    {errno.EINVAL} if os.name == "nt" else set()  # what Windows reports for a pipe without a reader
)


def secure() -> None:
    """Replace the standard streams by ones that never fail to write. Call this before any file is opened.

    A closed descriptor is opened on the null device first: the next file or pipe would get its number, and
    with it whatever is written to the stream.
    """
    for descriptor in range(3):
        _open_if_closed(descriptor)
    if sys.stdin is None:  # closed, or the process has no console (pythonw)
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - for the whole process
    sys.stdout, sys.stderr = _secured(sys.stdout, 1), _secured(sys.stderr, 2)


def echo(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print text from a file, a name or a driver; characters that can rewrite a terminal are replaced."""
    click.echo(printable(str(text)), err=err, nl=nl)


def failure(stream: TextIO) -> OSError | None:
    """Return the error of the first write that failed; None as long as all is written."""
    sink = _sink(stream)
    return None if sink is None else sink.failure


def lost_output(stream: TextIO) -> str | None:
    """Return the reason why output is incomplete; None if it is complete, or if its reader went away."""
    sink = _sink(stream)
    if sink is None or sink.failure is None or sink.was_terminal or sink.failure.errno in _READER_LEFT:
        return None
    return sink.failure.strerror or str(sink.failure)


def has_person() -> bool:
    """Whether standard input is a terminal. On Windows the null device of a service claims to be one."""
    raw: object = getattr(getattr(sys.stdin, "buffer", None), "raw", None)
    return sys.stdin.isatty() and not (_NULL_IS_A_TERMINAL and isinstance(raw, io.FileIO))


def can_ask(question: str) -> bool:
    """Print a question to standard error; False if nobody can see it, or nobody can type an answer."""
    if not has_person():
        return False
    click.echo(question, err=True, nl=False)
    return failure(sys.stderr) is None


class _Target(Protocol):
    """A raw file."""

    def write(self, content: memoryview, /) -> int | None:
        """Return the number of bytes written; None if the file would block."""


class _Sink(io.RawIOBase):
    """Passes bytes on until a write fails, and drops all later ones."""

    def __init__(self, target: _Target | None, descriptor: int) -> None:
        super().__init__()
        self._target = target
        self._descriptor = descriptor
        self.was_terminal = os.isatty(descriptor)
        # Without a target the stream was closed from the start.
        self.failure = OSError(errno.EBADF, os.strerror(errno.EBADF)) if target is None else None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether the descriptor is a terminal that has not hung up."""
        return self.failure is None and os.isatty(self._descriptor)

    def write(self, content: "ReadableBuffer", /) -> int:
        """Write everything, or nothing any more after a failure; return the size of `content`."""
        left = memoryview(content).cast("B")
        size = len(left)
        try:
            while left and self._target is not None and self.failure is None:
                count = self._target.write(left)
                if count is None:  # another program set the shared pipe or terminal to not block
                    select.select([], [self._descriptor], [])
                left = left[count or 0 :]
        except OSError as error:
            self.failure = error
        return size


def _sink(stream: TextIO) -> _Sink | None:
    buffer: object = getattr(stream, "buffer", None)
    raw: object = getattr(buffer, "raw", buffer)
    return raw if isinstance(raw, _Sink) else None


def _secured(stream: TextIO | None, descriptor: int) -> TextIO:
    """Return a text stream over the same raw file, which writes `?` for letters that its encoding lacks."""
    if stream is None:
        sink = _Sink(None, descriptor)
        return io.TextIOWrapper(io.BufferedWriter(sink), encoding="utf-8", errors="replace")
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(_Sink(getattr(stream.buffer, "raw", stream.buffer), descriptor)),
        encoding=stream.encoding,
        errors="replace",
        line_buffering=stream.line_buffering or stream.write_through,  # the latter with `python -u`
    )


def _open_if_closed(descriptor: int) -> None:
    try:
        os.fstat(descriptor)
    except OSError:
        opened = os.open(os.devnull, os.O_RDWR)
        if opened == descriptor:
            os.set_inheritable(opened, True)
        else:
            os.dup2(opened, descriptor)
            os.close(opened)
