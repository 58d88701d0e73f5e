"""Good records get no error, whatever ran, and an ordinary one gets nothing at all."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from bench.records.findings import Severity
from bench.store.record_files import find_records, write_record
from bench.validate.files import judge
from tests.cli.conftest import journal_of
from tests.engines.stand_in import PACED
from tests.run.forks import Forks
from tests.run.processes import bench, environment, only, write_suite
from tests.validate.good import NOW, good
from tests.validate.recipes import UNLISTED, Recipe, recipes

ROOT = Path(__file__).parents[2]
NOTES = {"suite_own", "card_not_catalogued"}


def test_there_are_two_hundred() -> None:
    hashes = {good(recipe).content_hash for recipe in recipes()[::20]}
    assert len(hashes) == len(recipes()[::20])
    assert len(set(recipes())) == len(recipes()) >= 200
    assert len({(each.card, each.system, each.weights, each.suite) for each in recipes()}) > 40


@pytest.mark.parametrize("part", range(8))
def test_good_records_get_no_error_and_nothing_suspicious(part: int, tmp_path: Path) -> None:
    for recipe in recipes()[part::8]:
        path = tmp_path / "record.json"
        write_record(good(recipe), path)
        found = judge(path, NOW)
        assert found.refusal is None
        about = [(each.code, each.path, each.facts) for each in found.findings if each.code not in NOTES]
        assert about == [], recipe
        assert {each.code for each in found.findings} == _notes(recipe), recipe


def _notes(recipe: Recipe) -> set[str]:
    own = {"suite_own"} if recipe.own or recipe.dtype else set()
    return own | ({"card_not_catalogued"} if recipe.card == UNLISTED else set())


def test_the_records_of_this_repository_get_no_error() -> None:
    now = datetime.now(UTC)
    found = [judge(path, now) for path in find_records(ROOT / "results")]
    assert len(found) > 40
    assert Counter(each.severity for one in found for each in one.findings)[Severity.ERROR] == 0
    assert [one.refusal for one in found if one.refusal] == []
    assert [one.findings for one in found if one.count(Severity.SUSPICIOUS)] == []


# --- real runs --------------------------------------------------------------------------------------------


def _judged(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Errors and suspicious findings about each record below a folder, by its provenance."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in find_records(folder):
        about = judge(path, datetime.now(UTC))
        assert about.refusal is None
        found[str(path)] = [
            (each.code, each.path) for each in about.findings if each.severity is not Severity.NOTE
        ]
    return found


def _assert_good(folder: Path, count: int) -> None:
    found = _judged(folder)
    assert len(found) == count
    assert [each for each in found.values() if each] == []


def _ran(ended: CompletedProcess[str]) -> None:
    assert ended.returncode == 0, ended.stderr


def test_a_run_of_the_tiny_model(finished_run: tuple[Path, str, str]) -> None:
    _assert_good(finished_run[0] / "results", 1)


@pytest.mark.emulated
def test_a_run_that_was_interrupted_and_resumed(
    finished_run: tuple[Path, str, str], tmp_path: Path, home: Path
) -> None:
    record = only(finished_run[0] / "results", "*.json")
    folder = tmp_path / "results" / record.parent.parent.name / record.parent.name
    folder.mkdir(parents=True)
    journal = journal_of(record, folder, done=1)
    suite = str(finished_run[0] / "mine.toml")
    _ran(bench("run", "--resume", str(journal), "--suite", suite, home=home, cwd=tmp_path))
    _assert_good(tmp_path / "results", 1)


@pytest.mark.emulated
def test_the_shipped_smoke_suite_shortened_on_a_card_that_is_emulated(tmp_path: Path, home: Path) -> None:
    short = ("--suite", "smoke", "--clip-seconds", "1,2", "--max-tokens", "1,4", "--repeats", "2")
    _ran(bench("run", *short, "--emulate-vram", "2GiB", home=home, cwd=tmp_path))
    _assert_good(tmp_path / "results", 1)


@pytest.mark.emulated
def test_a_search_for_limits(tmp_path: Path, home: Path) -> None:
    write_suite(tmp_path, clips="[10, 90]", tokens="[8]", repeats=3)
    search = ("frontier", "--suite", "mine.toml", "--emulate-vram", "589MiB")
    _ran(bench(*search, home=home, cwd=tmp_path))
    _assert_good(tmp_path / "results", 1)


@pytest.mark.emulated
def test_a_run_that_the_time_budget_ended(tmp_path: Path, home: Path) -> None:
    write_suite(tmp_path, tokens="[4, 8]", repeats=2)
    limited = ("run", "--suite", "mine.toml", "--time-budget", "1s")
    _ran(bench(*limited, home=home, cwd=tmp_path))
    _assert_good(tmp_path / "results", 1)


@pytest.mark.emulated
def test_a_run_of_an_engine_that_another_package_brings(
    tmp_path: Path, home: Path, stand_ins: dict[str, str]
) -> None:
    write_suite(tmp_path, tokens="[1, 4]", repeats=2, engine=PACED)
    _ran(bench("run", "--suite", "mine.toml", home=home, cwd=tmp_path, env=stand_ins))
    _assert_good(tmp_path / "results", 1)


@pytest.mark.emulated
def test_predictions_for_three_systems_and_of_the_tiny_model(
    forks: Forks, tmp_path: Path, home: Path
) -> None:
    env = environment(home)
    for system in ("linux", "windows", "wsl2"):
        plan = ("plan", "--gpu", "rtx-4070", "--os", system, "--out", "out")
        _ran(forks.run("bench", *plan, env=env, cwd=tmp_path))
    tiny = ("plan", "--gpu", "cpu", "--suite", "smoke", "--clip-seconds", "1", "--max-tokens", "4")
    _ran(forks.run("bench", *tiny, "--out", "out", env=env, cwd=tmp_path))
    _assert_good(tmp_path / "out", 4)
