"""Weights on this machine before a worker starts."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bench.errors import WeightsError
from bench.records.enums import WeightMode
from bench.run.fetch import fetch, tiny_directory
from bench.run.run_spec import Origin
from bench.run.runner import Weights
from bench.weights.interface import quiet
from tests.run.processes import LOCAL_DATA, cache_in
from tests.run.small_model import checkpoint


def never(repo: str, missing_bytes: int, place: Path) -> None:
    raise AssertionError(f"asked to download {repo}")


def test_random_weights_need_no_files() -> None:
    assert fetch(Origin(WeightMode.RANDOM, "MOSS-Audio-4B-Instruct"), never, quiet) == Weights()


def test_the_tiny_model_is_left_to_the_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("XDG_CACHE_HOME", LOCAL_DATA):
        monkeypatch.setenv(name, str(tmp_path))
    assert fetch(Origin(WeightMode.TINY, "tiny"), never, quiet) == Weights(directory=tiny_directory())
    assert not tiny_directory().exists()


def test_a_cache_that_cannot_be_written_costs_the_tiny_model_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("no folder")
    for name in ("XDG_CACHE_HOME", LOCAL_DATA):
        monkeypatch.setenv(name, str(tmp_path / "file"))
    notes: list[str] = []
    directory = fetch(Origin(WeightMode.TINY, "tiny"), never, quiet, notes.append).directory
    assert directory is not None
    assert directory.is_relative_to(tempfile.gettempdir())
    (note,) = notes
    assert note.startswith(f"{cache_in(tmp_path / 'file') / 'tiny-1'}: cannot be used (")
    assert note.endswith("); the tiny model is made in a temporary folder")


def test_the_temporary_folder_is_gone_at_the_end_of_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    program = "from bench.run.fetch import tiny_directory; print(tiny_directory().parent.is_dir())"
    caches = dict.fromkeys(("XDG_CACHE_HOME", LOCAL_DATA), str(tmp_path / "file"))
    environment = os.environ | caches | {"TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "True\n"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_directory_is_hashed_file_by_file(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    weights = fetch(Origin(WeightMode.LOCAL, "small", directory=directory), never, quiet)
    assert weights.directory == directory
    assert {"config.json", "processor_config.json"} <= {file.name for file in weights.files}


@pytest.mark.parametrize("name", ["processor_config.json", "vocab.json"])
def test_a_directory_without_what_makes_inputs_is_an_error(name: str, tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    if name == "vocab.json" and not (directory / name).exists():
        name = "tokenizer.json"
    (directory / name).unlink()
    with pytest.raises(WeightsError, match=f"has no {name}|tokenizer"):
        fetch(Origin(WeightMode.LOCAL, "small", directory=directory), never, quiet)


def test_a_model_of_which_nothing_is_known_is_refused_without_a_network(tmp_path: Path) -> None:
    program = (
        "from bench.errors import WeightsError\n"
        "from bench.records.enums import WeightMode\n"
        "from bench.run.fetch import check\n"
        "from bench.run.run_spec import Origin\n"
        "notes = []\n"
        "released = 'MOSS-Audio-4B-Instruct'\n"
        "check(Origin(WeightMode.HUB, released, repo='OpenMOSS-Team/' + released), notes.append)\n"
        "try:\n"
        "    check(Origin(WeightMode.HUB, 'me--mine', repo='me/mine'), notes.append)\n"
        "except WeightsError as error:\n"
        "    print(len(notes), error)\n"
    )
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert ended.stdout.startswith("1 The Hub cannot be reached")
    assert "me/mine" in ended.stdout
