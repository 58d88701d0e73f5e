"""`bench plan` as people and scripts meet it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from bench.cli.app import cli
from bench.engines.native.sdpa_rules import NEWEST_RULES
from bench.records.prediction import Derivation, Term
from bench.records.record import Record
from bench.store.record_files import find_records, read_record
from bench.units import MIB
from tests.cli.conftest import Say
from tests.fake_driver.driver import environment_of, variant
from tests.run.forks import Forks
from tests.run.processes import environment
from tests.run.small_model import configuration

ONE = ("--clip-seconds", "4", "--max-tokens", "8", "--attention", "sdpa")


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(configuration(tmp_path))


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ("--gpu rtx-407", 2, "no graphics card is called 'rtx-407'. Did you mean rtx-4070"),
        ("--gpu nosuch", 2, "no graphics card is called 'nosuch'. `bench gpus` lists the names"),
        ("--gpu gb10", 2, "No prediction is possible for NVIDIA GB10: the catalog has no memory size for it"),
        ("--gpu rtx-4070 --any-gpu", 2, "--any-gpu and --gpu are both given. Use one of them"),
        ("--any-gpu --out there", 2, "--any-gpu and --out are both given"),
        ("--headless --desktop", 2, "--headless and --desktop are both given. Leave both out to see both"),
        ("--clip-seconds 0", 2, "--clip-seconds: 0.0 is too short. Use 0.2 to 3600 seconds"),
        ("--clip-seconds -5", 2, "--clip-seconds: -5.0 is too short"),
        ("--clip-seconds nan", 2, "--clip-seconds: NaN is not a finite number"),
        ("--clip-seconds 1e9", 2, "1e+09 s is beyond the model's 40,960 positions. With 128 tokens"),
        ("--clip-seconds 3000", 2, "3000 s is beyond the model's 40,960 positions"),
        ("--clip-seconds 2830 --max-tokens 1024", 2, "to answer the longest clip is 2792 s"),
        ("--max-tokens 0", 2, "--max-tokens: 0 is too small. Use whole numbers from 1 to 8192"),
        ("--max-tokens 9999999", 2, "--max-tokens: 9999999 is too large"),
        ("--clip-seconds 60 --max-tokens 40960", 2, "--max-tokens: 40960 is too large. Use whole numbers"),
        ("--clip-seconds 60 --max-tokens 999999999999", 2, "--max-tokens: 999999999999 is too large"),
        ("--attention flash", 2, "--attention: 'flash' is not an attention backend"),
        ("--suite nosuch", 2, "there is no suite 'nosuch'"),
        ("--weights random --model nope", 2, "no shapes are known for random weights of 'nope'"),
        ("--model ./nope", 2, "'./nope': no such directory, and no name on the Hub"),
        ("--model empty", 3, "empty has no config.json. Set --model to a MOSS-Audio checkpoint"),
        ("--os macos", 2, "is not one of 'linux', 'windows', 'wsl2'"),
        ("--os windows --headless", 2, "--headless: Windows always has a desktop. Leave it out, or add --os"),
        ("--os wsl2 --headless --any-gpu", 2, "--headless: WSL2 always has a desktop"),
        ("--os windows --headless --desktop", 2, "--headless and --desktop are both given"),
        ("--torch two", 2, "--torch: 'two' is not a version of torch. Give a release, such as 2.13"),
        ("--torch=", 2, "--torch"),
        ("--torch 2.8.1", 2, "--torch: 2.8.1 is too old. bench needs torch 2.9 or newer"),
        ("--gpu cpu --os windows", 2, "--os says nothing about a CPU. Leave it out"),
        ("--gpu cpu --torch 2.14", 2, "--torch says nothing about a CPU. Leave it out"),
        ("--gpu cpu --desktop-uses 1GiB", 2, "--desktop-uses says nothing about a CPU. Leave it out"),
        ("--headless --desktop-uses 1GiB", 2, "--headless and --desktop-uses are both given"),
        ("--desktop-uses many", 2, "--desktop-uses"),
        ("--format xml", 2, "is not one of 'table', 'json'"),
    ],
)
def test_options(say: Say, tmp_path: Path, options: str, code: int, told: str) -> None:
    (tmp_path / "empty").mkdir()
    card = [] if "gpu" in options else ["--gpu", "rtx-4070"]
    said = say("plan", *card, *options.split(" "))
    assert said.code == code
    assert told in said.line()


def test_the_longest_clip_that_it_names_is_taken(say: Say, model: str) -> None:
    for length, code in (("2792", 0), ("2793", 2)):
        options = ("--clip-seconds", length, "--max-tokens", "1024", "--attention", "sdpa")
        assert say("plan", "--gpu", "rtx-4070", "--model", model, *options).code == code


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        (("language_config", "hidden_size"), "language_config.hidden_size: Field required"),
        (("language_config",), "language_config: Field required"),
        (("language_config", "max_position_embeddings"), "max_position_embeddings: Field required"),
        (("model_type",), "its model_type is not stated, not moss_audio"),
    ],
)
def test_a_configuration_that_lacks_something(
    say: Say, tmp_path: Path, missing: tuple[str, ...], told: str
) -> None:
    directory = configuration(tmp_path, without=missing)
    said = say("plan", "--gpu", "rtx-4070", "--model", str(directory))
    assert said.code in {2, 3}
    assert told in said.line()


@pytest.mark.parametrize(("text", "told"), [("{", "is not valid JSON"), ("[]", "is not a JSON object")])
def test_a_configuration_that_is_none_is_a_bad_file(say: Say, tmp_path: Path, text: str, told: str) -> None:
    directory = configuration(tmp_path)
    (directory / "config.json").write_text(text)
    said = say("plan", "--gpu", "rtx-4070", "--model", str(directory))
    assert said.code == 2
    assert told in said.line()


def test_a_configuration_that_no_model_can_be_built_of(say: Say, tmp_path: Path) -> None:
    directory = configuration(tmp_path, tie_word_embeddings=True)
    said = say("plan", "--gpu", "rtx-4070", "--model", str(directory), *ONE)
    assert said.code == 2
    assert "Cannot tie word embeddings" in said.line()


@pytest.mark.parametrize(
    ("part", "key", "value", "told"),
    [
        ("language_config", "num_hidden_layers", 10**9, "less than or equal to 1000"),
        ("language_config", "max_position_embeddings", 10**12, "a whole number from 1 to 1048576"),
        ("language_config", "hidden_act", "nosuch", "cannot be used: KeyError"),
        ("language_config", "head_dim", 3, "cannot be used: "),
        ("language_config", "rms_norm_eps", "much", "cannot be used: "),
        ("language_config", "rope_scaling", {"rope_type": "nosuch"}, "cannot be used: "),
        ("audio_config", "activation_function", "nosuch", "cannot be used: "),
        ("audio_config", "layer_norm_eps", None, "cannot be used: "),
        ("audio_config", "num_mel_bins", 1, None),
    ],
)
def test_a_hostile_configuration_is_refused_in_one_line(
    say: Say, tmp_path: Path, part: str, key: str, value: object, told: str | None
) -> None:
    directory = configuration(tmp_path)
    values = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    values[part][key] = value
    (directory / "config.json").write_text(json.dumps(values), encoding="utf-8")
    said = say("plan", "--gpu", "rtx-4070", "--model", str(directory), *ONE)
    assert said.code == (0 if told is None else 2)
    if told is not None:
        assert told in said.line()


def test_without_a_card_here_the_examples_are_named(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.hardware.device.gpus", tuple)
    said = say("plan")
    assert said.code == 2
    assert "Name one, such as --gpu rtx-4070" in said.line()


def test_one_card_prints_its_record(say: Say, model: str, tmp_path: Path) -> None:
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--format", "json")
    assert (said.code, said.err) == (0, "")
    record = Record.model_validate(json.loads(said.out))
    (cell,) = record.cells
    assert (record.device.slug, record.provenance, cell.outcome.status) == (
        "rtx-4070",
        "derived",
        "predicted",
    )
    assert cell.envelope is not None
    assert not list(tmp_path.rglob("results"))


def test_two_cards_print_two_records_and_a_table_for_each(say: Say, model: str) -> None:
    cards = ("--gpu", "rtx-4070", "--gpu", "rtx-4090", "--gpu", "rtx-4070")
    said = say("plan", *cards, "--model", model, *ONE, "--format", "json")
    found = [Record.model_validate(each).device.slug for each in json.loads(said.out)["records"]]
    assert found == ["rtx-4070", "rtx-4090"]
    said = say("plan", *cards, "--model", model, *ONE)
    *_, first, second = said.out.splitlines()
    assert first.startswith("NVIDIA GeForce RTX 4070  Predicted: fits")
    assert second.startswith("NVIDIA GeForce RTX 4090  Predicted: fits")


def test_the_whole_catalog(say: Say, model: str) -> None:
    said = say("plan", "--any-gpu", "--model", model, *ONE, "--format", "json")
    found = json.loads(said.out)
    by_slug = {card["slug"]: card for card in found["cards"]}
    totals = [card["memory_total_bytes"] for card in found["cards"] if card["memory_total_bytes"]]
    assert totals == sorted(totals)
    assert by_slug["gb10"]["verdict"] == "unknown"
    assert by_slug["rtx-2080-ti"]["verdict"] == "unsupported"
    kinds = ("headless", "headless_likely", "desktop", "desktop_likely")
    assert {found[f"smallest_{kind}"] for kind in kinds} == {found["cards"][0]["slug"]}
    assert (by_slug["rtx-4070"]["headless_likely"], by_slug["gb10"]["headless_likely"]) == (True, False)
    said = say("plan", "--any-gpu", "--model", model, *ONE, "--desktop")
    assert "smallest card that likely fits with a desktop  rtx-" in said.out
    assert "headless" not in said.out
    assert "4 s, 8 tokens, sdpa (predicted, nothing was run)" in said.out


def test_windows_has_no_budget_without_a_desktop(say: Say, model: str) -> None:
    windows = ("--model", model, "--os", "windows", "--torch", "2.14.1+cu130")
    said = say("plan", "--gpu", "rtx-4070", *windows, *ONE, "-v")
    assert "Windows, torch 2.14" in said.out
    words = " ".join(said.out.split())
    assert "the run is slow instead of ending" in words
    assert "with a desktop" in words
    assert "headless" not in words
    assert "without a desktop" not in words.lower()
    said = say("plan", "--any-gpu", *windows, *ONE, "--format", "json")
    found = json.loads(said.out)
    assert found["system"] == {"os": "windows", "torch": "2.14"}
    assert (found["headroom"], found["smallest_headless"]) == ("desktop", None)
    kernels = {card["slug"]: card["attention_kernels"] for card in found["cards"]}
    assert (kernels["rtx-4070"], kernels["gb10"]) == (["memory_efficient"], [])


def test_a_release_without_known_rules_is_used_and_named(say: Say, model: str) -> None:
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--torch", "99.1", "--format", "json")
    assert json.loads(said.out)["derivation"]["system"]["torch"] == "99.1"
    assert said.err == f"torch 99.1: no newer attention kernels are known than those of {NEWEST_RULES}\n"


@pytest.mark.parametrize(("room", "other"), [("headless", "desktop"), ("desktop", "headless")])
def test_the_catalog_says_nothing_of_a_room_that_was_not_asked_for(
    say: Say, model: str, room: str, other: str
) -> None:
    said = say("plan", "--any-gpu", f"--{room}", "--model", model, *ONE, "--format", "json")
    found = json.loads(said.out)
    assert found[f"smallest_{room}"] == found["cards"][0]["slug"]
    assert (found["headroom"], found[f"smallest_{other}"]) == (room, None)
    assert found["cards"][0]["verdict"] == {"headless": "runs_headless", "desktop": "runs"}[room]


def test_out_writes_a_record_and_its_page_and_nothing_else_does(say: Say, model: str, tmp_path: Path) -> None:
    options = ("plan", "--gpu", "rtx-4070", "--model", model, *ONE)
    say(*options)
    assert not (tmp_path / "results").exists()
    said = say(*options, "--out", "mine")
    (path,) = find_records(tmp_path / "mine")
    assert path.parent == tmp_path / "mine" / "small" / "rtx-4070"
    assert read_record(path).provenance == "derived"
    page = path.with_suffix(".html")
    assert page.is_file()
    assert said.out.splitlines()[-2:] == [str(each.relative_to(tmp_path)) for each in (path, page)]


@pytest.mark.parametrize("taken", ["mine", "mine/small"])
def test_an_out_that_cannot_be_written_is_found_before_the_work(
    say: Say, model: str, tmp_path: Path, taken: str
) -> None:
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("")
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--out", "mine")
    assert said.code == 3
    assert re.search(
        rf"{taken[-5:]}: cannot be written \(.+\)\. Make it writable or choose another --out", said.line()
    )


def test_what_cannot_be_written_in_the_end_was_printed(say: Say, model: str, tmp_path: Path) -> None:
    (tmp_path / "mine" / "small").mkdir(parents=True)
    (tmp_path / "mine" / "small" / "rtx-4070").write_text("")
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--out", "mine")
    assert said.code == 3
    assert "cannot be written" in said.err
    assert "Predicted: fits" in said.out


def test_paths_do_not_stand_in_the_json(say: Say, model: str) -> None:
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--out", "mine", "--format", "json")
    assert json.loads(said.out)["provenance"] == "derived"
    assert [line.startswith(str(Path("mine/small/rtx-4070"))) for line in said.err.splitlines()] == [
        True,
        True,
    ]


def test_a_record_that_cannot_be_read_is_named_and_left_out(say: Say, model: str, tmp_path: Path) -> None:
    folder = tmp_path / "results" / "small" / "rtx-4070"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text("{}")
    said = say("plan", "--gpu", "rtx-4070", "--model", model, *ONE, "--format", "json")
    assert said.code == 0
    assert "broken.json" in said.err
    assert json.loads(said.out)["derivation"]["compared"] == []


def offered(*words: str) -> set[str]:
    """What the shell shows behind these words, the last of which is not finished."""
    complete = ShellComplete(cli, {}, "bench", "_BENCH_COMPLETE")
    return {item.value for item in complete.get_completions(list(words[:-1]), words[-1])}


def test_the_shell_offers_cards_the_cpu_and_suites() -> None:
    assert {"rtx-4070", "rtx-4070-ti"} <= offered("plan", "--gpu", "rtx-407")
    assert offered("plan", "--gpu", "cp") == {"cpu"}
    assert "rtx-4070" not in offered("plan", "--gpu", "rtx-4070", "--gpu", "rtx-407")
    assert offered("plan", "--suite", "sta") == {"standard"}
    assert offered("plan", "--os", "w") == {"windows", "wsl2"}
    assert NEWEST_RULES in offered("plan", "--torch", "")
    assert "plan" in offered("pl")


# --- what the driver of this machine reports --------------------------------------------------------------

PlannedHere = Callable[..., tuple[Derivation, int | None, str]]


@pytest.fixture
def planned_here(fake_nvml: Path, forks: Forks, home: Path, model: str) -> PlannedHere:
    """Plan on the machine of a scenario: terms, total and standard error."""

    def plan(*options: str, scenario: str | Path) -> tuple[Derivation, int | None, str]:
        emulated = environment(home) | environment_of(scenario, fake_nvml)
        command = ("plan", "--model", model, *ONE, "--format", "json", *options)
        said = forks.run("bench", *command, env=emulated, cwd=home)
        assert said.returncode == 0, said.stderr
        record = Record.model_validate_json(said.stdout)
        assert record.derivation is not None
        return record.derivation, record.device.memory_total_bytes, said.stderr

    return plan


def sizes(term: Term | None) -> tuple[int, int]:
    assert term is not None
    return term.low_bytes // MIB, term.high_bytes // MIB


def test_a_card_of_this_machine_has_the_budget_that_its_driver_reports(planned_here: PlannedHere) -> None:
    for options in ((), ("--gpu", "rtx-4070")):
        terms, total, _ = planned_here(*options, scenario="rtx-4070-desktop")
        assert (terms.budget_basis, total) == ("this_machine", 12282 * MIB)
        assert terms.read_at is not None
        assert (sizes(terms.driver_reserve), sizes(terms.desktop)) == ((434, 434), (824, 824))
        assert sizes(terms.context) == (80, 828)
        assert "firefox" not in terms.model_dump_json()
    terms, _, _ = planned_here("--desktop-uses", "300MiB", scenario="rtx-4070-desktop")
    assert (terms.budget_basis, terms.desktop_is_given) == ("this_machine", True)
    assert (sizes(terms.driver_reserve), sizes(terms.desktop)) == ((434, 434), (300, 300))


@pytest.mark.parametrize(
    ("options", "scenario"),
    [
        (("--catalog",), "rtx-4070-desktop"),
        (("--os", "windows"), "rtx-4070-desktop"),
        (("--gpu", "rtx-4090"), "rtx-4070-desktop"),
        (("--gpu", "rtx-4070"), "turing"),
        ((), "old-driver"),
    ],
)
def test_what_no_driver_here_reports_is_of_the_catalog(
    planned_here: PlannedHere, options: tuple[str, ...], scenario: str
) -> None:
    terms, _, _ = planned_here(*options, scenario=scenario)
    assert (terms.budget_basis, terms.read_at) == ("catalog", None)
    low, high = sizes(terms.desktop)
    assert low < high


def test_of_two_equal_cards_the_plan_is_for_the_freer_one(planned_here: PlannedHere, tmp_path: Path) -> None:
    twins = variant(tmp_path, "two-cards", "name NVIDIA GeForce RTX 4070", "memory.total 12282MiB")
    terms, _, err = planned_here("--gpu", "rtx-4070", scenario=twins)
    assert terms.budget_basis == "this_machine"
    assert "2 cards here are rtx-4070: number 1 of them in PCI order is used" in err
