"""Paths from a report to the records that it was made from."""

import os
from collections.abc import Callable
from pathlib import Path


def linker(folder: Path) -> Callable[[Path], str | None]:
    """From a report in `folder` to a record, where both lie below the current folder.

    Elsewhere a path would tell the reader of a page what folders its maker has: then there is no link.
    """
    here = Path.cwd()
    start = folder.resolve()

    def link(record: Path) -> str | None:
        record = record.resolve()
        if not record.is_relative_to(here) or not start.is_relative_to(here):
            return None
        path = Path(os.path.relpath(record, start)).as_posix()
        return path if path.isprintable() else None

    return link
