"""All the files of a report, beside each other."""

from collections.abc import Iterable
from pathlib import Path
from typing import assert_never

from bench.report.interface import Format, Render, View
from bench.store import naming
from bench.store.record_files import write_atomically


def write_reports(view: View, directory: Path, formats: Iterable[Format], stem: str) -> tuple[Path, ...]:
    """Write `<stem>.html`, `.check.json`, `.md`, `.csv` into `directory`, each whole or not at all.

    `stem` of a merged view is `check`, or ends in `.check`.

    Returns the paths in the order of `formats`; a format named twice is written once.

    Raises:
        StorageError: the disk refused it.
    """
    paths = []
    for chosen in dict.fromkeys(formats):
        path = directory / naming.report_name(stem, chosen.value)
        write_atomically(path, renderer(chosen)(view).encode())
        paths.append(path)
    return tuple(paths)


def renderer(chosen: Format) -> Render:
    """The function that renders a format; its libraries load only when it is chosen."""
    match chosen:
        case Format.HTML:
            from bench.report.html import render
        case Format.JSON:
            from bench.report.bundle import render
        case Format.MARKDOWN:
            from bench.report.markdown import render
        case Format.CSV:
            from bench.report.csv import render
        case _:
            assert_never(chosen)
    return render


def render(view: View) -> str:
    """The document as JSON on one line."""
    return view.check.model_dump_json() + "\n"
