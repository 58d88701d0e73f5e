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


def test_what_is_unknown_is_nothing() -> None:
    text = sentence("summary_mismatch", {"stated": None, "computed": 4})
    assert text == "The summary states nothing, the raw values give 4."


def test_severities_have_one_and_several() -> None:
    assert set(SEVERITIES) == set(Severity)
    assert SEVERITIES[Severity.ERROR] == ("error", "errors")
