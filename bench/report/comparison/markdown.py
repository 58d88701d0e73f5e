"""A comparison as a comment on a pull request: gates, the overall change, then the cells, folded."""

from collections.abc import Iterator
from typing import Final

from bench.report.comparison.interface import CellLines, ComparisonView, SideView
from bench.report.comparison.view import LEGEND
from bench.report.markdown_syntax import bullets, escape, table

_ELSEWHERE: Final = "`--format json` has them all"
_MARKS: Final = {"passed": "✅", "failed": "❌", "cannot tell": "❔"}


def render(view: ComparisonView) -> str:
    """The comment as text. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {view.title}: {escape(view.model)}, comparison with {escape(view.base)}",
        f"Suite {escape(view.suite)}. **{escape(view.stamp)}**. {escape(view.method)}",
        _side_by_side(view) if len(view.sides) > 1 else "",
        *(block for side in view.sides for block in _side(view, side)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _side_by_side(view: ComparisonView) -> str:
    head = ["", *(f"{escape(side.label)} ({escape(side.device)})" for side in view.sides)]
    lines = [
        [heading, *(escape(side.overall[name].brief) if name in side.overall else "" for side in view.sides)]
        for name, heading in view.metrics.items()
    ]
    return table(head, lines, elsewhere=_ELSEWHERE)


def _side(view: ComparisonView, side: SideView) -> Iterator[str]:
    yield f"### {escape(side.label)} on {escape(side.device)}\n\n**{escape(side.headline)}**"
    yield "" if side.stamp == view.stamp else f"**{escape(side.stamp)}**"
    yield bullets(f"not comparable: {reason}" for reason in side.reasons)
    if side.marks:
        lines = ([f"{_MARKS[m.word]} {m.word}", escape(m.gate), escape(m.why)] for m in side.marks)
        yield table(["", "gate", "why"], lines, elsewhere=_ELSEWHERE)
    if side.overall:
        head = ["over all cells", "change", "verdict", "95 % interval", "p", "values"]
        lines = (
            [o.metric, o.change, f"**{o.word}**{_note(o.note)}", o.interval, o.p, o.values]
            for o in side.overall.values()
        )
        yield table(head, lines, elsewhere=_ELSEWHERE)
    yield _cells(view, side)
    yield _ended(side)
    yield bullets(side.lone)
    if side.differences:
        lines = ([*map(escape, one)] for one in side.differences)
        yield table(["what else changed", "base", "new"], lines, elsewhere=_ELSEWHERE)
    yield bullets(side.caveats)
    yield "\n".join(f"{escape(fact.label)}: {escape(fact.text)}  " for fact in side.records)


def _cells(view: ComparisonView, side: SideView) -> str:
    compared = [cell for cell in side.cells if cell.lines]
    if not compared:
        return ""
    head = ["cell", *view.metrics.values()]
    body = table(head, (_figures(view, cell) for cell in compared), elsewhere=_ELSEWHERE)
    title = f"{len(compared)} cell{'' if len(compared) == 1 else 's'} ({escape(LEGEND)})"
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _figures(view: ComparisonView, cell: CellLines) -> list[str]:
    briefs = (escape(cell.lines[name].brief) if name in cell.lines else "" for name in view.metrics)
    return [escape(cell.name), *briefs]


def _ended(side: SideView) -> str:
    ended = [cell for cell in side.cells if cell.ended]
    if not ended:
        return ""
    lines = ([escape(c.name), escape(c.ended), escape("; ".join(c.reasons))] for c in ended)
    return table(["cells without figures", "", "why"], lines, elsewhere=_ELSEWHERE)


def _note(note: str) -> str:
    return f": {escape(note)}" if note else ""
