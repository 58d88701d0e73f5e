"""`bench compare` on records from disk."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Say
from tests.samples.comparisons import cell, record, written


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Two builds on one card: the second has half the speed."""
    written(record(cell()), tmp_path / "old.json")
    written(record(cell(slow=2.0, extra_bytes=100 * 2**20), number=1), tmp_path / "new.json")
    return tmp_path


def test_without_gates_a_slower_build_is_no_failure(say: Say, records: Path) -> None:
    said = say("compare", "old.json", "new.json")
    assert (said.code, said.err) == (0, "")
    assert "slower" in said.out
    assert "\x1b" not in said.out


def test_a_failed_gate_is_exit_code_1_and_a_line_each(say: Say, records: Path) -> None:
    gates = ("--fail-on", "decode_tokens_per_s:-5%", "--fail-on", "reserved_peak_bytes:+0%")
    said = say("compare", "old.json", "new.json", *gates)
    assert said.code == 1
    first, second = said.err.splitlines()
    assert first.startswith("bench: gate failed: decode_tokens_per_s:-5%: -50.0 % (")
    assert second.startswith("bench: gate failed: reserved_peak_bytes:+0%: ")
    assert "2 of 2 gates failed" in said.out
    assert say("compare", "new.json", "old.json", *gates).code == 0


def test_an_undecided_gate_is_said_and_fails_only_if_strict(say: Say, records: Path) -> None:
    written(record(cell(slow=1.03), number=2), records / "near.json")
    command = ("compare", "old.json", "near.json", "--fail-on", "decode_tokens_per_s:-5%")
    said = say(*command)
    assert said.code == 0
    assert "Gate undecided: " in said.out
    assert "undecided  decode_tokens_per_s:-5%: -2.9 % (" in said.out
    assert "would decide it: about 4 runs of each build on one machine, or --interleave" in said.out
    (line,) = said.err.splitlines()
    assert line.startswith("bench: gate undecided: decode_tokens_per_s:-5%: -2.9 % (")
    assert "one run on each side" in line
    strict = say(*command, "--strict")
    assert (strict.code, strict.out) == (1, said.out)
    assert strict.err.splitlines() == [line]
    gate = ("--fail-on", "reserved_peak_bytes:+0%")
    assert say("compare", "old.json", "near.json", *gate, "--strict").code == 0
    both = say(
        "compare", "old.json", "new.json", *gate, *command[3:], "--fail-on", "latency_s:+90%", "--strict"
    )
    assert both.code == 1
    assert [line.split(": ")[1] for line in both.err.splitlines()] == [
        *("gate undecided", "gate failed", "gate failed")
    ]


def test_on_github_an_undecided_gate_is_a_warning_and_a_failed_one_an_error(
    say: Say, records: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gates = ("--fail-on", "latency_s:+90%", "--fail-on", "reserved_peak_bytes:+0%")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = say("compare", "old.json", "new.json", *gates, "--format", "json")
    json.loads(said.out)
    error, warning, *_ = said.err.splitlines()
    assert error.startswith("::error title=bench compare::gate failed: reserved_peak_bytes:+0%25: ")
    assert warning.startswith("::warning title=bench compare::gate undecided: latency_s:+90%25: ")
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::" not in say("compare", "old.json", "new.json", *gates).err


def test_no_document_has_a_path(say: Say, records: Path) -> None:
    """Sides have the names of cards, versions and dates; the folder of a person is nobody's concern."""
    folder = records / "home" / "jane"
    folder.mkdir(parents=True)
    for name in ("old.json", "new.json"):
        (records / name).rename(folder / name)
    sides = [str(folder / name) for name in ("old.json", "new.json")]
    for chosen in ("table", "json", "md", "html"):
        said = say("compare", *sides, "--fail-on", "latency_s:+30%", "--format", chosen)
        everything = "".join((said.out + said.err).split())
        assert "jane" not in everything
        assert "old.json" not in everything
        assert "NVIDIAGeForceRTX4070,bench0.1.0" in everything


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("old.json",), "two sides are needed"),
        (("old.json", "nothing.json"), "nothing.json: no such file"),
        (("old.json", "new.json", "--fail-on", "decode:-5%"), "no metric 'decode'"),
        (("old.json", "new.json", "--fail-on", "latency_s:-100%"), "cannot fall by 100%"),
        (("old.json", "new.json", "--format", "pdf"), "'pdf' is not one of"),
    ],
)
def test_what_is_wrong_is_one_line(say: Say, records: Path, arguments: tuple[str, ...], says: str) -> None:
    said = say("compare", *arguments)
    assert said.code == 2
    assert says in said.line()


def test_the_document_is_json_with_a_version(say: Say, records: Path) -> None:
    said = say("compare", "old.json", "new.json", "--format", "json")
    document = json.loads(said.out)
    assert document["schema_version"] == "1.1"
    assert document["against"][0]["overall"]["decode_tokens_per_s"]["verdict"] == "slower"


def test_markdown_and_the_page_are_printed(say: Say, records: Path) -> None:
    assert say("compare", "old.json", "new.json", "--format", "md").out.startswith(
        "## Comparison: MOSS-Audio-4B-Instruct"
    )
    assert say("compare", "old.json", "new.json", "--format", "html").out.startswith("<!doctype html>")


def test_a_gate_on_a_record_against_itself_is_refused(say: Say, records: Path) -> None:
    said = say("compare", "old.json", ".", "--fail-on", "latency_s:+20%")
    assert said.code == 2
    assert "both sides are the same record" in said.line()


def test_a_broken_file_of_a_folder_is_named_and_the_others_are_compared(say: Say, records: Path) -> None:
    folder = records / "main"
    folder.mkdir()
    (records / "old.json").rename(folder / "old.json")
    (folder / "zz.json").write_text('{"schema_version": "1.0", "record_id": 3}')
    said = say("compare", "main", "new.json")
    assert said.code == 0
    assert "slower" in said.out
    assert said.err.startswith(f"bench: {Path('main/zz.json')}: ")
    (folder / "old.json").write_text("{}")
    said = say("compare", "main", "new.json")
    assert said.code == 2
    named = [line.split(": ")[1] for line in said.err.splitlines()]
    assert named == [str(Path("main/old.json")), str(Path("main/zz.json"))]


def test_a_real_record_against_itself_differs_in_nothing(
    say: Say, finished_run: tuple[Path, str, str]
) -> None:
    folder = str(finished_run[0] / "results")
    said = say("compare", folder, folder, "--format", "json")
    (against,) = json.loads(said.out)["against"]
    assert {cell["result"] for cell in against["cells"]} == {"compared", "ran_in_neither"}
    changes = [change for cell in against["cells"] for change in cell["metrics"].values()]
    assert changes
    assert {change["change"] for change in changes} == {0.0}
    assert {change["verdict"] for change in changes} <= {"same", "same_within_noise", "cannot_tell"}
    assert said.code == 0
