"""The job summary in Markdown: verdict, expectations, and the cells, small enough for GitHub to show."""

from collections.abc import Iterator, Sequence
from typing import Final

from bench.judge.expectations import count
from bench.records.expectations import ExpectationResult, Finding
from bench.report.ci.cases import Case
from bench.report.interface import Row, View
from bench.report.markdown_syntax import bullets, escape, misses, table
from bench.text import clean
from bench.wording import expectations

# GitHub shows up to 1 MiB a step.
_MAX_FINDINGS: Final = 200
_MAX_ROWS: Final = 1000
_FIGURES: Final = ("decode_tokens_per_s", "time_to_first_token_s", "latency_s", "real_time_factor")
_WORDS: Final = {
    ExpectationResult.MET: "met",
    ExpectationResult.NOT_MET: "not met",
    ExpectationResult.NOT_JUDGED: "not judged",
}


def render(view: View, cases: Sequence[Case]) -> str:
    """The whole page. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {escape(view.verdict_word)}: {escape(view.identity.model)} on {escape(view.identity.gpu)}",
        f"**{escape(view.stamp)}**",
        escape(view.why),
        bullets(view.caveats),
        *_expectations(cases),
        *_cells(view),
        *misses(view),
        f"Record `{view.identity.record_id}`, `{view.identity.content_hash}`",
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _expectations(cases: Sequence[Case]) -> Iterator[str]:
    findings = tuple(finding for case in cases for finding in case.findings)
    if findings:
        counts = count(findings)
        yield "### What the suite expects"
        yield ", ".join(f"{counts[met]:,} {_WORDS[met]}" for met in ExpectationResult if counts[met]) + "."
        unmet = [
            (case, each) for case in cases for each in case.findings if each.met is not ExpectationResult.MET
        ]
        unmet.sort(key=lambda pair: pair[1].met is not ExpectationResult.NOT_MET)
        lines = (_line(case, finding) for case, finding in unmet[:_MAX_FINDINGS])
        if unmet:
            yield table(["", "cell", "expected", "found"], lines) + _more(len(unmet), _MAX_FINDINGS)


def _line(case: Case, finding: Finding) -> list[str]:
    word = _WORDS[finding.met]
    mark = f"**{word}**" if finding.met is ExpectationResult.NOT_MET else word
    wanted, found = expectations.wanted(finding), expectations.found(finding)
    return [mark, escape(case.name), escape(wanted), escape(clean(found))]


def _cells(view: View) -> Iterator[str]:
    ran = [row for row in view.rows if row.status.code == "measured"]
    if ran:
        yield f"### Medians of the cells that ran\n\n{escape(view.stamp)}"
        head = ["attention", "clip × tokens", "decode", "first token", "latency", "RTF", "memory", ""]
        yield table(head, map(_row, ran[:_MAX_ROWS])) + _more(len(ran), _MAX_ROWS)


def _row(row: Row) -> list[str]:
    figures = (row.figures[name].text for name in _FIGURES)
    return [escape(row.variant), row.shape, *figures, row.peak.text, escape(", ".join(row.marks))]


def _more(lines: int, most: int) -> str:
    return f"\n\n{lines - most:,} more are in the record." if lines > most else ""
