"""A comparison as a comment on a pull request: gates, the overall change, then the cells, folded."""

from collections.abc import Iterator
from typing import Final

from bench.report.comparison.interface import CellLines, ComparisonView, GateLine, Line, SideView
from bench.report.comparison.view import LEGEND, evidence
from bench.report.markdown_syntax import bullets, escape, table

_ELSEWHERE: Final = "`--format json` has them all"
_MARKS: Final = {"pass": "✅", "fail": "❌", "undecided": "❔"}


def render(view: ComparisonView) -> str:
    """The comment as text. Untrusted strings show as they are and do nothing."""
    blocks = [
        f"## {view.title}: {escape(view.model)}, comparison with {escape(view.base)}",
        f"Suite {escape(view.suite)}. **{escape(view.stamp)}**. {escape(view.method)}",
        _side_by_side(view) if view.beside else "",
        *(block for side in view.sides for block in _side(view, side)),
    ]
    return "\n\n".join(filter(None, blocks)) + "\n"


def _side_by_side(view: ComparisonView) -> str:
    head = ["", *(escape(side.label) for side in view.beside)]
    lines = [
        [heading, *(escape(side.overall[name].brief) if name in side.overall else "" for side in view.beside)]
        for name, heading in view.metrics.items()
    ]
    return table(head, lines, elsewhere=_ELSEWHERE)


def _side(view: ComparisonView, side: SideView) -> Iterator[str]:
    yield f"### {escape(side.label)}\n\n**{escape(side.headline)}**"
    yield "" if side.stamp == view.stamp else f"**{escape(side.stamp)}**"
    yield bullets(f"not comparable: {reason}" for reason in side.reasons)
    if side.marks:
        lines = ([f"{_MARKS[m.word]} {m.word}", escape(m.gate), _why(m)] for m in side.marks)
        yield table(["", "gate", "why"], lines, elsewhere=_ELSEWHERE)
    if side.overall:
        columns = evidence(side)
        lines = (
            [o.metric, *(_verdict(o) if name == "word" else getattr(o, name) for name in columns)]
            for o in side.overall.values()
        )
        yield table(["over all cells", *columns.values()], lines, elsewhere=_ELSEWHERE)
        yield "\n".join(f"({n}) {escape(note)}  " for n, note in enumerate(side.notes, 1))
    yield _cells(side)
    yield _ended(side)
    yield bullets(side.lone)
    if side.differences:
        lines = ([*map(escape, one)] for one in side.differences)
        yield table(["what else changed", "base", "new"], lines, elsewhere=_ELSEWHERE)
    yield bullets(side.caveats)
    yield "\n".join(f"{escape(fact.label)}: {escape(fact.text)}  " for fact in side.records)


def _cells(side: SideView) -> str:
    compared = [cell for cell in side.cells if cell.lines]
    if not compared:
        return ""
    head = ["cell", *side.metrics.values()]
    body = table(head, (_figures(side, cell) for cell in compared), elsewhere=_ELSEWHERE)
    title = f"{len(compared)} cell{'' if len(compared) == 1 else 's'} ({escape(LEGEND)})"
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _figures(side: SideView, cell: CellLines) -> list[str]:
    briefs = (escape(cell.lines[name].brief) if name in cell.lines else "" for name in side.metrics)
    return [escape(cell.name), *briefs]


def _ended(side: SideView) -> str:
    ended = [cell for cell in side.cells if cell.ended]
    if not ended:
        return ""
    head = ["cells without figures", "", *(["why"] if any(cell.reasons for cell in ended) else [])]
    lines = ([escape(c.name), escape(c.ended), escape("; ".join(c.reasons))][: len(head)] for c in ended)
    return table(head, lines, elsewhere=_ELSEWHERE)


def _why(mark: GateLine) -> str:
    return escape(mark.why) + (f". Would decide it: {escape(mark.remedy)}" if mark.remedy else "")


def _verdict(line: Line) -> str:
    return f"**{line.word}**" + (f" ({line.mark})" if line.mark else "")
