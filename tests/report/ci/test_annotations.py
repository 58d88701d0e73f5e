"""GitHub's annotations: what they say, how they are escaped, and that nothing else becomes a command."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench.records.record import Record
from bench.report.ci.annotations import MAX_A_STEP, Annotation, Level, inert, render
from bench.report.ci.cases import cases_of
from bench.report.view import view_of
from tests.samples import records as sample

COMMAND = re.compile(r"::(error|warning|notice) title=[^:,\r\n]*::[^\r\n]*")
ODD = st.text(alphabet=st.sampled_from(list("::,%\r\n \t#[]a\x85\u2028\ufeff")), max_size=30)


def rendered(record: Record) -> list[str]:
    return render(view_of(record), cases_of(record)).splitlines()


def is_command(line: str) -> bool:
    """As the runner reads a line: `::` after leading space, or the older `##[` anywhere."""
    return line.lstrip().startswith("::") or "##[" in line


def test_what_is_not_met_is_an_error_and_what_is_not_judged_a_warning() -> None:
    expect: JsonValue = [{"fits": True, "clip_seconds": [600], "max_tokens": [512]}]
    lines = rendered(sample.record(sample.standard().cells, definition={"expect": expect}))
    assert (
        "::error title=bench%3A 600 s%2C 512 tokens%2C sdpa::expected fits, found out of memory: "
        "CUDA out of memory: tried to allocate 1.21 GiB"
    ) in lines
    assert any(
        line.startswith("::error title=bench%3A 300 s%2C 256 tokens%2C sdpa::failed: ") for line in lines
    )
    assert any(
        line.startswith(
            "::warning title=bench%3A 600 s%2C 512 tokens%2C flash_attention_2::not judged: fits; "
        )
        for line in lines
    )
    assert sum(line.startswith("::notice title=bench%3A Runs") for line in lines) == 1


def test_no_level_has_more_than_github_shows() -> None:
    expect: JsonValue = [{"decode_tokens_per_s": ">= 1000"}]
    lines = rendered(sample.record(sample.standard().cells, definition={"expect": expect}))
    for level in Level:
        assert sum(line.startswith(f"::{level} ") for line in lines) <= MAX_A_STEP
    (more,) = (line for line in lines if line.startswith("::error title=bench::"))
    shown = sum(line.startswith("::error ") for line in lines) - 1
    unmet = sum(
        case.result in {"failed", "error"}
        for case in cases_of(sample.record(sample.standard().cells, definition={"expect": expect}))
    )
    assert more == f"::error title=bench::{unmet - shown} more: see the job summary or the JUnit file"


@given(title=ODD | st.text(), text=ODD | st.text())
def test_an_annotation_is_one_command_whatever_it_says(title: str, text: str) -> None:
    assert COMMAND.fullmatch(str(Annotation(Level.ERROR, title, text)))


def test_a_record_cannot_add_a_command_of_its_own() -> None:
    lines = rendered(sample.hostile())
    assert all(COMMAND.fullmatch(line) for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "::set-output name=a::b",
        "  ::add-mask::x",
        "a\n::error::b",
        "a\r::error::b",
        "GPU ##[add-mask]x",
        "###[error]",
        "::::",
        "\u2003::x",
    ],
)
def test_a_line_of_a_record_is_no_command(text: str) -> None:
    assert any(is_command(line) for line in text.splitlines())
    assert not any(is_command(line) for line in inert(text).splitlines())


@given(ODD | st.text())
def test_no_line_is_a_command_and_harmless_text_stays_as_it_is(text: str) -> None:
    lines = re.split(r"\r\n|\r|\n", text)
    changed = inert(text)
    assert not any(is_command(line) for line in re.split(r"\r\n|\r|\n", changed))
    if not any(is_command(line) for line in lines):
        assert changed == text
