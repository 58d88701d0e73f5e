"""What `bench run` prints at its end."""

from pathlib import Path

import pytest

from bench.cli.again import Again
from bench.cli.run_output import print_ending
from bench.errors import StorageError
from bench.run.campaign import Ending
from tests import sample_records as sample


@pytest.fixture
def ending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ending:
    """Of a whole run of the sweep, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Ending(sample.standard(), Path("results/MOSS-Audio-4B-Instruct/rtx-4070/a.json"), None)


def test_the_record_is_named_even_if_the_report_cannot_be_written(
    ending: Ending, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "reports").write_text("in the way")
    with pytest.raises(StorageError, match="reports/"):
        print_ending(ending, None, Again(()))
    assert f"record  {ending.path}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("out", "report"),
    [
        (None, "reports/MOSS-Audio-4B-Instruct/rtx-4070/a.html"),
        (Path("results"), "results/MOSS-Audio-4B-Instruct/rtx-4070/a.html"),
    ],
)
def test_the_report_lies_where_the_records_were_asked_for(
    ending: Ending, out: Path | None, report: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_ending(ending, out, Again(()))
    assert f"report  {report}" in capsys.readouterr().out
    assert (tmp_path / report).is_file()


def test_an_interrupted_run_names_the_command_that_finishes_it(
    ending: Ending, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = Ending(sample.interrupted(), Path("my results/a.json"), 2)
    print_ending(stopped, None, Again(("--no-prune",)))
    assert capsys.readouterr().out.endswith(
        "interrupted; finish it with\n  bench run --resume 'my results/a.json' --no-prune\n"
    )
    assert not (tmp_path / "reports").exists()
