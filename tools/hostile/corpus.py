"""All hostile files, and what each must get."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.store.canonical import content_hash
from tools.derived import ROOT
from tools.hostile.bases import base
from tools.hostile.case import Case
from tools.hostile.of_bundles import of_bundles
from tools.hostile.of_challenges import of_challenges
from tools.hostile.of_claims import of_claims, of_physics, of_series
from tools.hostile.of_figures import of_cells, of_metrics
from tools.hostile.of_files import of_files

FOLDER: Final = ROOT / "tests" / "data" / "hostile"
EXPECTED: Final = FOLDER / "expected.json"


def cases() -> Iterator[Case]:
    """Every case."""
    for some in (
        *(of_metrics, of_cells, of_claims, of_physics, of_series, of_challenges, of_files, of_bundles),
    ):
        yield from some()


def content_of(case: Case) -> bytes:
    """Return the content of a case's file."""
    if case.content is not None:
        return case.content
    document = base(case.base)
    if case.edit is not None:
        case.edit(document)
    if case.is_hashed:
        document["content_hash"] = content_hash(document)
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def files() -> dict[Path, bytes]:
    """Return every file, and what each must get."""
    every = list(cases())
    expected = {f"{case.name}.json": {"codes": case.codes, "exit_code": case.exit_code} for case in every}
    found = {FOLDER / f"{case.name}.json": content_of(case) for case in every}
    return {**found, EXPECTED: json.dumps(expected, indent=1).encode() + b"\n"}
