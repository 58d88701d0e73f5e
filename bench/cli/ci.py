"""`bench run --ci`: the files for a build server, and a log without workflow commands."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from bench.cli.streams import echo
from bench.errors import BenchError
from bench.store import naming

if TYPE_CHECKING:
    from bench.cli.run_output import RunSummary
    from bench.report.ci.line import Files

_SUMMARY: Final = "GITHUB_STEP_SUMMARY"


class InertStream(io.TextIOBase):
    """Passes whole lines on, changed so that none is a workflow command."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._begun = ""

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Pass on whole lines, and keep the rest until its line ends."""
        from bench.report.ci.annotations import inert

        *whole, self._begun = (self._begun + text).split("\n")
        for line in whole:
            self._stream.write(inert(line) + "\n")
        return len(text)

    def flush(self) -> None:
        """Flush the whole lines."""
        self._stream.flush()

    def end(self) -> None:
        """Pass on a last line without an end."""
        if self._begun:
            self.write("\n")
        self.flush()


def run_in_ci(work: "Callable[[], tuple[int, RunSummary | None]]") -> int:
    """Run with a log without commands, then print annotations on GitHub and the line for scripts.

    An error gets its line too, with its exit code.
    """
    from bench.report.ci.annotations import inert
    from bench.report.ci.line import Files, render

    try:
        with _harmless():
            code, finished = work()
            files = Files() if finished is None else _write(finished)
    except BenchError as error:
        _annotate_error(error)
        click.echo(render(error.exit_code, None, Files(), ()))
        error.message = inert(error.message)  # it becomes a line of the log
        raise
    if finished is None:
        click.echo(render(code, None, files, ()))
    else:
        _annotate(finished)
        click.echo(render(code, finished.view.verdict, files, finished.cases))
    return code


@contextmanager
def _harmless() -> Iterator[None]:
    out, err = InertStream(sys.stdout), InertStream(sys.stderr)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        out.end()
        err.end()


def _write(finished: "RunSummary") -> "Files":
    """Write JUnit XML and a Markdown summary next to the record, and the summary where GitHub reads it."""
    from bench.report.ci import junit, summary
    from bench.report.ci.line import Files
    from bench.store.record_files import write_atomically

    record = finished.result.path
    cases, page = naming.junit_of(record), naming.summary_of(record)
    text = summary.render(finished.view, finished.cases)
    write_atomically(cases, junit.render(finished.result.record, finished.cases).encode())
    write_atomically(page, text.encode())
    echo(f"junit   {cases}\nsummary {page}")
    _append_summary(text)
    return Files(record=record, report=finished.report, junit=cases, summary=page)


def _append_summary(text: str) -> None:
    """Append the summary to GitHub's page. A failure is reported and does not end the run."""
    target = os.environ.get(_SUMMARY)
    if target:
        try:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            click.echo(f"the file that {_SUMMARY} names cannot be written: {error.strerror}", err=True)


def _annotate(finished: "RunSummary") -> None:
    from bench.report.ci.annotations import render

    if on_github():
        click.echo(render(finished.view, finished.cases), nl=False)


def _annotate_error(error: BenchError) -> None:
    from bench.report.ci.annotations import Annotation, Level

    if on_github():
        click.echo(str(Annotation(Level.ERROR, "bench", str(error))))


def on_github() -> bool:
    """Whether a runner of GitHub reads what is printed."""
    return os.environ.get("GITHUB_ACTIONS") == "true"
