"""The job summary: what is not met first, and never more than GitHub shows."""

from pydantic import JsonValue

from bench.records.record import Record
from bench.report.ci.cases import cases_of
from bench.report.ci.summary import render
from bench.report.view import view_of
from tests.samples import records as sample

EXPECT: JsonValue = [{"fits": True}, {"decode_tokens_per_s": ">= 30"}]


def page(record: Record) -> str:
    return render(view_of(record), cases_of(record))


def test_it_tells_verdict_expectations_and_figures() -> None:
    text = page(sample.record(sample.standard().cells, definition={"expect": EXPECT}))
    assert text.startswith("## Runs: MOSS-Audio-4B-Instruct on NVIDIA GeForce RTX 4070\n")
    assert "40 met, 4 not met, 52 not judged." in text
    first, second = text.index("| **not met** |"), text.index("| not judged |")
    assert first < second
    assert "| **not met** | 600 s, 512 tokens, sdpa | fits | out of memory: CUDA out of memory" in text
    assert "### Medians of the cells that ran" in text
    assert "| SDPA | 10 s × 128 | " in text


def test_a_suite_that_expects_nothing_says_nothing_of_it() -> None:
    assert "expects" not in page(sample.smoke())


def test_text_of_a_record_is_shown_and_does_nothing() -> None:
    text = page(sample.hostile())
    assert "<script>" not in text
    assert "http://evil" not in text
    assert "\n# [l]" not in text


def test_a_large_record_stays_within_what_github_shows() -> None:
    wants = [sample.requested(1.0 + n) for n in range(3000)]
    cells = [
        sample.not_measured(
            want, sample.out_of_memory(want).outcome.model_copy(update={"reason": f"{n} " * 150})
        )
        for n, want in enumerate(wants)
    ]
    record = sample.record([sample.measured(wants[0])]).model_copy(update={"cells": tuple(cells)})
    text = page(record)
    assert len(text.encode()) < 1_048_576
    assert "more reasons" in text or "more" in text
