"""Private text anywhere in a record is found, with its place and without the text itself."""

import pytest
from pydantic import JsonValue

from tests.validate.edits import edited, judged

TOKEN = "hf_AbCdEfGhIjKlMnOpQrStUvWx"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("environment.cpu", TOKEN),
        ("environment.kernel", "/home/alice/linux"),
        ("environment.os", "of alice@example.org"),
        ("device.driver", "GPU-8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c"),
        ("model.revision", "1652922012345"),
        ("suite.definition.title", r"C:\Users\Alice"),
        ("cells[0].device_memory.source", "serial 12345678"),
    ],
)
def test_it_is_found_wherever_it_is(path: str, value: JsonValue) -> None:
    findings = [each for each in judged(edited({path: value})) if each.code == "private_text"]
    assert [each.path for each in findings] == [f"$.{path}"]
    assert str(value) not in findings[0].model_dump_json()


def test_a_key_is_text_as_well() -> None:
    findings = judged(edited({"environment.packages": {TOKEN: "1"}}))
    assert ("private_text", "$.environment.packages") in {(each.code, each.path) for each in findings}


def test_a_private_key_is_not_in_the_path_of_what_is_below_it() -> None:
    document = edited({"environment.variables": {"ada@example.org": "of bob@example.org"}})
    found = [each for each in judged(document) if each.code == "private_text"]
    assert [each.path for each in found] == ["$.environment.variables", "$.environment.variables.[...]"]
    assert "example.org" not in "".join(each.model_dump_json() for each in found)


def test_no_name_of_a_series_hides_a_text() -> None:
    found = judged(edited({"environment.packages": {"token_times_s": f"1.0 {TOKEN}"}}))
    assert [(each.code, each.path) for each in found] == [
        ("private_text", "$.environment.packages.token_times_s")
    ]


def test_text_behind_numbers_is_an_error_of_the_suite() -> None:
    found = judged(edited({"suite.definition.axes.clip_seconds": [10.0, TOKEN]}))
    assert "suite_unreadable" in {each.code for each in found}
