"""Write the files that are generated: `schemas/`, the hashes of clips, and the marked parts of the docs.

python -m tools.generated
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import get_args

from bench import shipped
from bench.audio.clips import cut, sha256_of, shipped_speech
from bench.records.check import CheckPeaks, CheckRow, CheckSpeed
from bench.records.findings import Code, severity_of
from bench.records.json_schema import DOCUMENTS, render_json_schema
from bench.records.metrics import FIGURES
from bench.store.record_files import write_atomically
from bench.suite.suite import find_suite, shipped_suites
from bench.wording.findings import template
from tools import envelope_page, hf_mem, longest_clips, receiver_api
from tools.derived import ROOT
from tools.envelope_page import filled


def files() -> dict[Path, str]:
    """Every generated file, and its text."""
    texts = {
        ROOT / "docs" / "record.md": {"metrics": _lines(_metrics())},
        ROOT / "docs" / "check.md": {"metrics": _lines(_of_a_check())},
        envelope_page.PAGE: envelope_page.blocks(),
        ROOT / "docs" / "predictions.md": hf_mem.blocks(),
        ROOT / "docs" / "validating.md": {"findings": _lines(_findings())},
        ROOT / "README.md": {"longest": _lines(longest_clips.of_the_readme())},
        ROOT / "docs" / "longest-clips.md": {"longest": _lines(longest_clips.of_every_profile())},
    }
    schemas = {shipped.schemas() / name: render_json_schema(one) for name, one in DOCUMENTS.items()}
    pages = {page: filled(page.read_text(encoding="utf-8"), marked) for page, marked in texts.items()}
    made = {shipped.data("speech", "clips.json"): _clips(), receiver_api.DOCUMENT: receiver_api.document()}
    return {**schemas, **pages, **made}


def _clips() -> str:
    """The hashes of clips of the shipped speech, by their samples, of all lengths of the shipped suites."""
    speech = shipped_speech()
    lengths = {length for name in shipped_suites() for length in find_suite(name).axes.clip_seconds}
    clips = [cut(speech, length) for length in sorted(lengths)]
    return json.dumps({str(len(clip)): sha256_of(clip) for clip in clips}, indent=1) + "\n"


def _metrics() -> Iterator[str]:
    """The table of metrics, in Markdown."""
    yield "| name | definition | on pages | unit | better | kind |"
    yield "|---|---|---|---|---|---|"
    for name, metric in FIGURES.items():
        words = (metric.meaning, metric.heading, metric.unit.value, metric.better.value, metric.kind.value)
        yield f"| `{name}` | {' | '.join(words)} |"


def _of_a_check() -> Iterator[str]:
    """Which metrics each part of a check document has."""
    yield "| part | metrics |"
    yield "|---|---|"
    for part, model in (("speed", CheckSpeed), ("vram.largest", CheckPeaks), ("rows", CheckRow)):
        yield f"| `{part}` | {', '.join(f'`{name}`' for name in FIGURES if name in model.model_fields)} |"


def _findings() -> Iterator[str]:
    """Every finding of the validator."""
    yield "| code | severity | sentence |"
    yield "|---|---|---|"
    for code in get_args(Code):
        yield f"| `{code}` | {severity_of(code).value} | {template(code)} |"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(["", *lines, ""])


if __name__ == "__main__":
    for path, text in files().items():
        write_atomically(path, text.encode())
