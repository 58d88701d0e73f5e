"""GitHub annotations: workflow commands that add a line to the run. No text of a record is a command.

Syntax and escaping: GitHub's documentation of workflow commands, and `toolkit/packages/core/src/command.ts`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Final

from bench.records.expectations import ExpectationResult
from bench.report.ci.cases import Case, Result
from bench.report.interface import View
from bench.text import clean
from bench.wording import expectations

MAX_A_STEP: Final = 10
"""GitHub shows ten annotations of each level a step, and drops the others unseen."""

# A runner obeys `::command` at the begin of a line, and the older `##[command]` anywhere in it.
_COMMAND: Final = re.compile(r"(?:^|(?<=\r))(\s*:)(?=:)|(#)(?=#\[)", re.MULTILINE)
_BREAK: Final = "\u200b"
_IN_TEXT: Final = {ord("%"): "%25", ord("\r"): "%0D", ord("\n"): "%0A"}
_IN_PROPERTY: Final = _IN_TEXT | {ord(":"): "%3A", ord(","): "%2C"}


class Level(StrEnum):
    """Severity of an annotation, as GitHub names it."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A title and a line of text; both may contain text from a record."""

    level: Level
    title: str
    text: str

    def __str__(self) -> str:
        """The workflow command."""
        title = clean(self.title).translate(_IN_PROPERTY)
        return f"::{self.level} title={title}::{clean(self.text).translate(_IN_TEXT)}"


def render(view: View, cases: Sequence[Case]) -> str:
    """The commands of a run: failures, expectations not judged, and the verdict."""
    return commands(_all(view, cases))


def commands(annotations: Iterable[Annotation]) -> str:
    """One command a line; at most ten of a level."""
    by_level: dict[Level, list[Annotation]] = {level: [] for level in Level}
    for annotation in annotations:
        by_level[annotation.level].append(annotation)
    return "".join(f"{line}\n" for level in Level for line in _limited(by_level[level], level))


def inert(text: str) -> str:
    """The text, changed so that a runner takes no line of it for a command.

    >>> inert("::add-mask::x").startswith("::")
    False
    """
    return _COMMAND.sub(lambda found: found[0] + _BREAK, text)


def _limited(annotations: Sequence[Annotation], level: Level) -> Iterable[Annotation]:
    if len(annotations) <= MAX_A_STEP:
        return annotations
    more = f"{len(annotations) - MAX_A_STEP + 1} more: see the job summary or the JUnit file"
    return (*islice(annotations, MAX_A_STEP - 1), Annotation(level, "bench", more))


def _all(view: View, cases: Sequence[Case]) -> Iterator[Annotation]:
    yield Annotation(Level.NOTICE, f"bench: {view.verdict_word}", view.why)
    for case in cases:
        if case.result in {Result.ERROR, Result.FAILED}:
            yield Annotation(Level.ERROR, f"bench: {case.name}", case.why)
        elif unjudged := [
            finding for finding in case.findings if finding.met is ExpectationResult.NOT_JUDGED
        ]:
            wanted = ", ".join(map(expectations.wanted, unjudged))
            text = f"not judged: {wanted}; {expectations.found(unjudged[0])}"
            yield Annotation(Level.WARNING, f"bench: {case.name}", text)
    for miss in view.misses:
        text = f"{miss.status.word}: {miss.status.reason} ({', '.join(miss.cells)})"
        yield Annotation(Level.NOTICE, "bench: cells without figures", text)
