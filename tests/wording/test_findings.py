"""The sentence of each finding: made of facts that a rule gives, in units, and safe to show."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import get_args

import pytest

import bench
from bench.records.findings import Code, Severity
from bench.wording.findings import SEVERITIES, remedy, sentence, template

CODES: tuple[Code, ...] = get_args(Code)
RULES = sorted((Path(bench.__file__).parent / "validate").glob("*.py"))
HOSTILE = "a\u202eb\x1b[31m\nc\u2028d\x00"


def asked(code: Code) -> set[str]:
    """Return the names of the facts in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(template(code)) if name}


def strings() -> Iterator[str]:
    """Every text in the rules: codes, and keys of facts."""
    for path in RULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_code_has_a_sentence_and_what_would_clear_it() -> None:
    for code in CODES:
        text = sentence(code, dict.fromkeys(asked(code), 1.5))
        assert text[0].isupper() or text[0].isdigit(), code
        assert text.endswith(".")
        assert not text.endswith("..")
        assert remedy(code).endswith(".")
        assert "{" not in text


def test_every_code_is_found_by_a_rule_and_its_facts_are_given_there() -> None:
    known = set(strings())
    assert [code for code in CODES if code not in known] == []
    assert {code: asked(code) - known for code in CODES if asked(code) - known} == {}


@pytest.mark.parametrize("code", [code for code in CODES if asked(code)])
def test_text_of_a_file_comes_out_clean(code: Code) -> None:
    text = sentence(code, dict.fromkeys(asked(code), HOSTILE))
    assert text.isprintable()
    assert "\u202e" not in text


def test_numbers_have_the_units_of_their_names() -> None:
    memory = sentence("memory_above_card", {"found_bytes": 3 * 2**30, "most_bytes": 2**30})
    assert "3.00 GiB" in memory
    energy = sentence("energy_above_power", {"found_j": 412.0, "limit_w": 200.0, "took_s": 1.5})
    assert energy == "The energy of 412.0 J is more than 200.0 W give in 1.50 s."


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("latency_s", 0.0961531, "96.2 ms"),
        ("decode_tokens_per_s", 102.3456, "102.3 tok/s"),
        ("reserved_peak_bytes", 3 * 2**30, "3.00 GiB"),
    ],
)
def test_an_outlier_has_the_unit_of_its_metric(metric: str, value: float, words: str) -> None:
    facts = {"found": value, "ratio": 1.99975, "records": 3}
    assert sentence("outlier_of_card", facts, f"$.cells[0].summary.{metric}") == (
        f"The median {words} is 2 times that of 3 other records of this card."
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("summary.latency_s.median", "The summary states 4.5 s, the raw values give 4.25 s."),
        ("summary.latency_s.cv", "The summary states 4.5, the raw values give 4.25."),
        ("power.sm_clock_mhz.high", "The summary states 4.5 MHz, the raw values give 4.25 MHz."),
        ("repeats[2].token_times_s[3]", "The summary states 4.5 s, the raw values give 4.25 s."),
        ("", "The summary states 4.5, the raw values give 4.25."),
    ],
)
def test_two_values_that_differ_look_so_and_have_the_unit_of_their_figure(path: str, words: str) -> None:
    assert sentence("summary_mismatch", {"stated": 4.5, "computed": 4.25}, path) == words


def test_ratios_have_three_digits() -> None:
    assert sentence("spread_absurd", {"cv": 0.123456}) == "The repeats vary by 0.123 of their mean."


def test_what_is_unknown_is_nothing() -> None:
    text = sentence("summary_mismatch", {"stated": None, "computed": 4})
    assert text == "The summary states nothing, the raw values give 4."


def test_severities_have_one_and_several() -> None:
    assert set(SEVERITIES) == set(Severity)
    assert SEVERITIES[Severity.ERROR] == ("error", "errors")
