"""Markdown that is pasted into a post."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.enums import WeightMode
from bench.records.record import Record
from bench.report.markdown import render
from bench.report.markdown_syntax import escape
from bench.report.view import view_of
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.named import RECORDS


def test_verdict_weights_and_the_answer_come_first_and_the_command_before_the_cells() -> None:
    text = render(view_of(sample.standard(WeightMode.RANDOM)))
    assert text.startswith("## Runs: MOSS-Audio-4B-Instruct on NVIDIA GeForce RTX 4070")
    first_table = text.index("| ---")
    assert text.index("random weights") < first_table
    assert text[:first_table].endswith(
        "| way to run it | budget | fits up to | likely fits up to | does not fit from |\n"
    )
    assert text.index("bench run --suite standard") < text.index("| clip |")


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_every_table_is_rectangular(record: Record) -> None:
    for table in render(view_of(record)).split("\n\n"):
        if table.startswith("|"):
            widths = {line.replace("\\|", "").count("|") for line in table.strip().splitlines()}
            assert len(widths) == 1


def test_every_outcome_is_told_with_its_reason() -> None:
    text = render(view_of(sample.standard()))
    for words in ("out of memory", "skipped", "timed out", "failed", "cuDNN error", sample.NO_FLASH):
        assert words in text


def test_hostile_strings_are_shown_and_do_nothing() -> None:
    text = render(view_of(sample.hostile()))
    prose = "".join(text.split("```")[::2])  # outside the fenced command, where all is literal
    assert "<script>" not in prose
    assert "<img" not in prose
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\|\\`x\\`" in prose
    assert "@all" not in prose
    assert "](http" not in prose.replace("\\](", "")
    assert "\x1b" not in text


def test_the_card_its_budget_and_energy_are_told() -> None:
    text = render(view_of(cards.rtx_4070()))
    assert "| Budget with a desktop | 11.59 GB (10.79 GiB); a desktop takes 0.78 GiB" in text
    assert "longest with a desktop" in text
    assert "Energy per token" in text
    assert "(not comparable)<br>" in text
    assert "beside a desktop" not in render(view_of(sample.standard()))


def test_hostile_words_of_a_driver_do_nothing() -> None:
    prose = "".join(render(view_of(cards.hostile())).split("```")[::2])
    assert "<script>" not in prose
    assert "@all" not in prose
    assert "\x1b" not in prose


def test_a_fence_is_longer_than_any_in_the_command() -> None:
    text = render(view_of(sample.renamed(sample.record([]), "suite", "a```b")))
    assert "````sh\nbench run --suite 'path/to/a```b.toml'" in text


@given(st.text(max_size=60))
def test_escaped_text_has_no_bare_pipe_backtick_or_tag(text: str) -> None:
    escaped = escape(text)
    assert "<" not in escaped
    assert ">" not in escaped
    for special in "|`":
        assert all(escaped[at - 1] == "\\" for at in range(len(escaped)) if escaped[at] == special)
