"""`bench site export`, `backup` and `restore`, as people call them while a receiver runs."""

from pathlib import Path

import pytest

from bench.receiver.database import Database
from bench.receiver.submissions import find
from tests.cli.conftest import Say
from tests.receiver.sent import look, sent


def test_the_export_is_what_the_site_is_built_from(say: Say, receiver: Database, tmp_path: Path) -> None:
    shown = sent(receiver, 1)
    sent(receiver, 2, note="not read yet")
    said = say("site", "export", "--out", "results")
    assert (said.code, said.out) == (0, "results: 1 on the site; 2 files changed\n")
    assert [path.name for path in (tmp_path / "results").rglob("*.json")] == [f"{shown.id}.bundle.json"]
    assert say("site", "export", "--out", "results").out.endswith("; 0 files changed\n")


def test_a_folder_with_other_files(say: Say, receiver: Database, tmp_path: Path) -> None:
    del receiver
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    said = say("site", "export", "--out", ".")
    assert said.code == 2
    assert "has other files" in said.line()


def test_a_backup_comes_back(say: Say, receiver: Database) -> None:
    one = sent(receiver, 1)
    said = say("site", "backup", "kept.sqlite")
    assert (said.code, said.err) == (0, "")
    assert said.out == "kept.sqlite: all of the database; the log verifies (entries: 1)\n"
    assert "exists already" in say("site", "backup", "kept.sqlite").line()
    sent(receiver, 2)
    refused = say("site", "restore", "kept.sqlite")
    assert refused.code == 2
    assert refused.line().endswith("Add --yes to replace them")
    said = say("site", "restore", "kept.sqlite", "--yes")
    assert (said.code, said.out) == (0, "kept.sqlite: restored; the log verifies (entries: 1)\n")
    assert look(receiver, find, one.id) == one


def test_a_backup_starts_a_new_receiver(say: Say, receiver: Database, tmp_path: Path) -> None:
    one = sent(receiver, 1, note="hello")
    say("site", "backup", "kept.sqlite")
    elsewhere = ("--database", f"sqlite:///{tmp_path}/new/receiver.sqlite")
    assert say("site", "restore", "kept.sqlite", *elsewhere).code == 0
    assert one.id in say("site", "queue", *elsewhere).out


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_is_backed_up_by_its_own_programs(say: Say, command: str) -> None:
    said = say("site", command, "kept.sqlite", "--database", "postgresql://me:secret@127.0.0.1:1/x")
    assert said.code == 2
    assert "pg_dump" in said.line()
    assert "secret" not in said.line()


def test_there_is_nothing_to_back_up(say: Say) -> None:
    said = say("site", "backup", "kept.sqlite", "--folder", "served")
    assert said.code == 2
    assert "no such database" in said.line()
    assert "no such file" in say("site", "restore", "kept.sqlite", "--folder", "served").line()
