"""All the files of a report, beside each other."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, assert_never

from bench.records.check import Check
from bench.records.schema import Record
from bench.records.store import write_atomically
from bench.report.interface import Format, Render, View
from bench.report.merged.traces import traces_of
from bench.report.merged.view import merged_view
from bench.report.view import build_view

_SUFFIXES: Final = {
    Format.HTML: ".html",
    Format.JSON: ".json",
    Format.MARKDOWN: ".md",
    Format.CSV: ".csv",
}


def write_reports(
    record: Record, directory: Path, formats: Iterable[Format], stem: str, path: str | None = None
) -> tuple[Path, ...]:
    """Write `<stem>.html`, `.check.json`, `.md`, `.csv` into `directory`, each whole or not at all.

    `path` leads from there to the record.

    Returns the paths in the order of `formats`; a format named twice is written once.

    Raises:
        StorageError: the disk refused it.
    """
    return _write(build_view(record, path), directory, formats, stem)


def write_merged(
    check: Check, directory: Path, formats: Sequence[Format], stem: str, newest_first: Iterable[Record] = ()
) -> tuple[Path, ...]:
    """The same of a merged document. `stem` is `check`, or ends in `.check`.

    A page takes memory over time from the records of `newest_first`, as many of them as it needs.

    Raises:
        StorageError: the disk refused it.
    """
    traces = traces_of(check, newest_first) if Format.HTML in formats else {}
    return _write(merged_view(check, traces), directory, formats, stem)


def _write(view: View, directory: Path, formats: Iterable[Format], stem: str) -> tuple[Path, ...]:
    paths = []
    for chosen in dict.fromkeys(formats):
        path = directory / file_name(stem, chosen)
        write_atomically(path, renderer(chosen)(view).encode())
        paths.append(path)
    return tuple(paths)


def file_name(stem: str, chosen: Format) -> str:
    """`check.json`, or `x.check.json` beside `x.json`: no reader of records takes it for one."""
    is_check = stem == "check" or stem.endswith(".check")
    middle = ".check" if chosen is Format.JSON and not is_check else ""
    return f"{stem}{middle}{_SUFFIXES[chosen]}"


def renderer(chosen: Format) -> Render:
    """The function that renders a format; its libraries load only when it is chosen."""
    match chosen:
        case Format.HTML:
            from bench.report.html import render
        case Format.JSON:
            from bench.report.check import render
        case Format.MARKDOWN:
            from bench.report.markdown import render
        case Format.CSV:
            from bench.report.csv import render
        case _:
            assert_never(chosen)
    return render
