"""Many records to reports."""

from pathlib import Path

from bench.check.index_reading import no_progress
from bench.report.groups import Task, report_all
from bench.store.record_files import write_record
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.reruns import rerun


def written(folder: Path, *, each: bool) -> list[str]:
    """The files, below the folder of reports, that two records of one card and one of a CPU make."""
    paths = tuple(folder / f"{nth}.json" for nth in range(3))
    for path, record in zip(
        paths, (rerun(cards.rtx_4070(), 1), rerun(cards.rtx_4070(), 2), sample.smoke()), strict=True
    ):
        write_record(record, path)
    found: list[Path] = []
    task = Task(paths, ("json",), folder / "reports", each)
    faults = report_all(task, None, is_ours=False, note=print, wrote=found.append, progress=no_progress)
    assert faults == ()
    return sorted(path.name for path in found)


def test_one_report_for_each_model_on_each_card(tmp_path: Path) -> None:
    assert written(tmp_path, each=False) == ["check.json", "check.json"]


def test_with_each_every_record_has_its_own_too(tmp_path: Path) -> None:
    names = ["0.check.json", "1.check.json", "2.check.json", "check.json", "check.json"]
    assert written(tmp_path, each=True) == names


def test_a_broken_record_is_named_and_the_others_are_reported(tmp_path: Path) -> None:
    good, broken = tmp_path / "good.json", tmp_path / "broken.json"
    write_record(cards.rtx_4070(), good)
    broken.write_text("{}")
    found: list[Path] = []
    task = Task((good, broken), ("csv",), tmp_path / "reports")
    (fault,) = report_all(task, None, is_ours=False, note=print, wrote=found.append, progress=no_progress)
    assert "broken.json" in str(fault)
    assert [path.name for path in found] == ["check.csv"]
