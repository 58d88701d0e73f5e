"""A comparison as text, Markdown and a page: what is read first, and that nothing in a record is run."""

import re

import pytest

from bench.compare.compare import compare
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.records.record import DeviceInfo, Record
from bench.report.comparison import html, markdown, terminal
from bench.report.comparison.interface import ComparisonView
from bench.report.comparison.view import build_view
from tests.report.test_html import Page
from tests.samples import predictions
from tests.samples import records as sample
from tests.samples.comparisons import cell, record, requests

CARD = sample.RTX_4070.model_copy(update={"slug": "rtx-4090", "name": "NVIDIA GeForce RTX 4090"})


def view(base: Record, *news: Record, gates: tuple[str, ...] = ()) -> ComparisonView:
    sides = [side_of(f"{name}.json", [made]) for name, made in zip("abc", (base, *news), strict=False)]
    return build_view(compare(sides[0], sides[1:], [parse_gate(gate) for gate in gates]))


@pytest.fixture(scope="module")
def slower() -> ComparisonView:
    first, second = requests(2)
    base = record(cell(first), cell(second))
    new = record(cell(first, slow=2.5, extra_bytes=2**20), sample.out_of_memory(second), number=1)
    return view(base, new, gates=("decode_tokens_per_s:-5%", "reserved_peak_bytes:+50%"))


def test_the_terminal_says_first_that_gates_failed(slower: ComparisonView) -> None:
    text = terminal.as_text(slower)
    head = text.splitlines()[:7]
    assert "Gate failed: " in head[0]
    assert "2 of 2 gates failed; Decode -60.0 % slower; " in " ".join(head)
    assert "1 of 2 cells compared, 1 no longer runs" in " ".join(head)
    assert "fail  decode_tokens_per_s:-5%: 1 cell no longer runs that ran in the base" in text
    assert "-60.0 % slower" in text
    assert "no longer runs: ran, then out of memory" in text
    assert max(map(len, text.splitlines())) <= terminal.WIDTH


def test_the_comment_has_the_gates_the_change_and_folds_the_cells(slower: ComparisonView) -> None:
    text = markdown.render(slower)
    assert text.index("| ❌ fail | decode_tokens_per_s:-5% |") < text.index("**slower**")
    assert "<details><summary>1 cell " in text
    assert "| 20 s × 128 (SDPA) | no longer runs: ran, then out of memory |" in text


def test_the_page_is_whole_quiet_and_says_the_same(slower: ComparisonView) -> None:
    page = Page(html.render(slower))
    assert not {"script", "img", "link", "iframe", "form"} & set(page.names())
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert str(policy).startswith("default-src 'none';")
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert "2 of 2 gates failed" in page.text()
    assert "-60.0 % slower" in page.text()


def test_three_cards_stand_side_by_side() -> None:
    wants = requests(2)
    here = record(*map(cell, wants))
    others = [
        record(*(cell(want, slow=slow) for want in wants), device=CARD, number=n)
        for n, slow in ((1, 0.5), (2, 2))
    ]
    beside = view(here, *others)
    text = terminal.as_text(beside)
    row = next(line for line in text.splitlines() if line.strip().startswith("Decode "))
    assert "faster" in row
    assert "slower" in row
    assert "changed  device: NVIDIA GeForce RTX 4070 -> NVIDIA GeForce RTX 4090" in text
    assert "|  | NVIDIA GeForce RTX 4090, bench 0.1.0 (07d5c0e), 2026-06-07, record 00" in markdown.render(
        beside
    )
    assert (
        "Side by side, relative to NVIDIA GeForce RTX 4070, bench 0.1.0 " in Page(html.render(beside)).text()
    )


def test_smoke_against_real_says_why_and_whose_each_side_is() -> None:
    beside = view(record(cell()), sample.smoke())
    assert beside.stamp != beside.sides[0].stamp
    for text in (
        terminal.as_text(beside),
        markdown.render(beside).replace("*", ""),
        Page(html.render(beside)).text(),
    ):
        assert "smoke" in text
        assert beside.stamp in text
        assert beside.sides[0].stamp in " ".join(text.split())
        assert "not comparable" in text
        assert "provenance: measured against smoke" in text
        assert "0 of 0" not in text


def empty_columns(table: list[list[str]]) -> list[str]:
    """Headings of columns without any entry."""
    return [head for head, *cells in zip(*table, strict=True) if cells and not any(cells)]


def tables(comment: str) -> list[list[list[str]]]:
    """The tables of a comment: rows of cells, the heading first."""
    found: list[list[list[str]]] = [[]]
    for line in comment.splitlines():
        if line.startswith("|"):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
        elif found[-1]:
            found.append([])
    return [[rows[0], *rows[2:]] for rows in found if rows]


def derived(card: DeviceInfo, number: int) -> Record:
    made = predictions.derived_record(device=card, clips=(10.0, 30.0), tokens=(128,))
    return made.model_copy(update={"record_id": f"{number:012x}"})


@pytest.mark.parametrize(
    "kind", ["derived", "derived against measured", "cpu", "three", "no cell", "neither"]
)
def test_no_table_and_no_column_is_empty(kind: str) -> None:
    first, second = requests(2)
    plan = derived(predictions.RTX_4070, 1)
    made = {
        "derived": lambda: view(plan, derived(predictions.RTX_5060_TI, 2), derived(predictions.RTX_4070, 3)),
        "derived against measured": lambda: view(plan, record(cell(first)), record(cell(second))),
        "cpu": lambda: view(*(record(cell(first), number=n, device=sample.CPU) for n in (1, 2))),
        "three": lambda: view(record(cell(first)), record(cell(first), number=1), record(cell(second))),
        "no cell": lambda: view(record(cell(first)), record(cell(second), number=1)),
        "neither": lambda: view(*(record(sample.out_of_memory(first), number=n) for n in (1, 2))),
    }[kind]()
    comment = tables(markdown.render(made))
    assert all(len(rows) > 1 for rows in comment)
    assert [head for rows in comment for head in empty_columns(rows)] == []
    page = html.render(made)
    assert page.count("<tbody>") == page.count("<tbody>\n<tr>") == page.count("</tbody>")
    assert not re.search(r'<th scope="col"></th>', page)
    lines = terminal.as_text(made).splitlines()
    rules = [n for n, line in enumerate(lines) if set(line.strip()) == {"─"}]
    assert all(lines[n + 1].strip() for n in rules)


def test_two_predictions_say_that_nothing_ran_and_show_both_ends() -> None:
    made = view(derived(predictions.RTX_4070, 1), derived(predictions.RTX_5060_TI, 2))
    for text in (terminal.as_text(made), markdown.render(made), Page(html.render(made)).text()):
        assert "nothing ran" in text
        assert "95 %" not in text
        assert "hange of both ends" in text
        assert "longest clip that fits, headless, 128 tokens (SDPA)" in " ".join(text.split())


def test_of_many_cells_every_format_says_how_many_are_left_out_and_where_they_are() -> None:
    wants = requests(520)
    base = record(*map(cell, wants))
    new = record(*map(cell, wants[:260]), *map(sample.out_of_memory, wants[260:]), number=1)
    made = view(base, new)
    comment = markdown.render(made)
    assert comment.count("200 more lines left out here: `--format json` has them all.") == 2
    assert "CSV" not in comment
    assert "more cells" not in comment
    page = html.render(made)
    assert page.count("60 more left out here: --format json has them all.") == 2
    assert page.count('<tr><th scope="row">') < 260
    assert "and 200 more cells; --format json has them all" in terminal.as_text(made)


def test_nothing_from_a_record_gets_out_of_its_place() -> None:
    hostile = sample.hostile()
    bad = side_of(sample.HOSTILE, [hostile])
    made = build_view(compare(bad, [bad]))
    page = Page(html.render(made))
    assert "script" not in page.names()
    assert "img" not in page.names()
    comment = markdown.render(made)
    assert "<script>" not in comment
    assert "http://evil" not in comment
    assert all(line.isprintable() for line in terminal.as_text(made).splitlines())
