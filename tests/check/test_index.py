"""The index: read once, noticed when changed, trusted never."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from bench.check.group import GroupKey
from bench.check.index import Index, use_index
from bench.check.summarise import read_summary
from bench.check.summary import RecordSummary, brief_of
from bench.errors import RecordError, UsageError
from bench.records.check import Check
from bench.store.record_files import write_record
from bench.validate.reading import read_judged
from tests.samples import cards
from tests.samples import predictions as derived
from tests.samples import records as sample
from tests.samples.reruns import MACHINES, merged, rerun

FIRST = rerun(sample.standard(), 1, machine=MACHINES[0])
SECOND = rerun(sample.standard(), 2, machine=MACHINES[1], faster=1.3)


class Reader:
    """Reads entries, and remembers which files it read."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, path: Path) -> RecordSummary:
        self.read.append(path.name)
        return read_summary(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_record(FIRST, tmp_path / "a.json")
    write_record(SECOND, tmp_path / "b.json")
    return tmp_path


@pytest.fixture
def notes() -> list[str]:
    return []


def checks(
    place: Path | None, paths: list[Path], reader: Reader | None = None, notes: list[str] | None = None
) -> dict[str, Check]:
    """The merged documents of these files, by the card."""

    def work(index: Index) -> dict[str, Check]:
        index.update(paths, reader or read_summary)
        return {key.slug: index.check(key, lambda path: path.name) for key in index.groups()}

    said = notes if notes is not None else []
    return use_index(place, said.append, work)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.json"))


def test_what_comes_out_is_what_merging_the_records_gives(folder: Path) -> None:
    (check,) = checks(folder / "i.sqlite", files(folder)).values()
    plain = merged(FIRST, SECOND)
    assert [record.path for record in check.records] == ["a.json", "b.json"]
    unnamed = tuple(record.model_copy(update={"path": None}) for record in check.records)
    assert check.model_copy(update={"records": unnamed}) == plain
    assert checks(None, files(folder)) == {"rtx-4070": check}


def test_a_file_is_read_when_it_enters_and_when_it_changes(folder: Path) -> None:
    reader, place = Reader(), folder / "i.sqlite"
    checks(place, files(folder), reader)
    checks(place, files(folder), reader)
    assert reader.read == ["a.json", "b.json"]
    write_record(rerun(sample.standard(), 3), folder / "b.json")
    checks(place, files(folder), reader)
    assert reader.read == ["a.json", "b.json", "b.json"]


def test_a_change_that_keeps_size_and_date_is_noticed(folder: Path) -> None:
    """Somebody sets the date back: the change of the metadata has a date of its own."""
    reader, place, path = Reader(), folder / "i.sqlite", folder / "a.json"
    checks(place, files(folder), reader)
    before, content = path.stat(), path.read_text()
    path.write_text(content.replace("Describe this audio.", "describe this audio."))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    use_index(place, print, lambda index: index.update(files(folder), reader))
    assert reader.read == ["a.json", "b.json", "a.json"]


def test_removed_and_unnamed_files_do_not_count(folder: Path) -> None:
    place = folder / "i.sqlite"
    checks(place, files(folder))
    assert len(checks(place, [folder / "a.json"])["rtx-4070"].records) == 1
    (folder / "b.json").unlink()
    assert len(checks(place, files(folder))["rtx-4070"].records) == 1
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("SELECT count(*) FROM files").fetchone() == (1,)
        assert database.execute("SELECT count(DISTINCT file) FROM cells").fetchone() == (1,)


def test_copies_of_a_record_count_once(folder: Path) -> None:
    (folder / "copy.json").write_bytes((folder / "a.json").read_bytes())
    (check,) = checks(folder / "i.sqlite", files(folder)).values()
    assert [record.path for record in check.records] == ["a.json", "b.json"]


def test_equal_predictions_count_once_in_the_files_too(tmp_path: Path) -> None:
    plan = derived.derived_record()
    write_record(plan, tmp_path / "old.json")
    write_record(rerun(plan, 1), tmp_path / "new.json")

    def work(index: Index) -> list[str]:
        index.update(files(tmp_path), read_summary)
        (key,) = index.groups()
        assert len(index.check(key, lambda path: path.name).records) == 1
        return [path.name for path in index.files(key)]

    assert use_index(None, print, work) == ["new.json"]


def test_groups_are_models_on_cards_and_a_played_card_is_another(folder: Path) -> None:
    write_record(cards.emulated(), folder / "c.json")
    write_record(sample.smoke(), folder / "d.json")

    def work(index: Index) -> list[tuple[str, int | None, int]]:
        index.update(files(folder), read_summary)
        return sorted((key.slug, key.emulated_bytes, len(index.files(key))) for key in index.groups())

    found = use_index(None, print, work)
    assert found == [("cpu", None, 1), ("h200", 12_878_610_432, 1), ("rtx-4070", None, 2)]


def test_what_is_wrong_with_a_file_is_remembered_until_it_changes(folder: Path) -> None:
    (folder / "bad.json").write_text("{")
    reader, place = Reader(), folder / "i.sqlite"

    def work(index: Index) -> list[str]:
        index.update(files(folder), reader)
        return [str(fault) for fault in index.faults()]

    first = use_index(place, print, work)
    assert use_index(place, print, work) == first
    assert "bad.json: not valid JSON" in first[0]
    assert reader.read.count("bad.json") == 1
    write_record(rerun(sample.standard(), 5), folder / "bad.json")
    assert use_index(place, print, work) == []


def test_an_interrupted_indexing_keeps_what_was_done(folder: Path) -> None:
    reader, place = Reader(), folder / "i.sqlite"

    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use_index(place, print, lambda index: index.update([folder / "a.json"], reader, interrupted))
    checks(place, files(folder), reader)
    assert reader.read == ["a.json", "b.json"]


def break_version(database: sqlite3.Connection) -> None:
    database.execute("UPDATE made SET version = '0.0.1 0'")


def break_body(database: sqlite3.Connection) -> None:
    database.execute("""UPDATE cells SET body = '{"cell_id": 1}'""")


def break_head(database: sqlite3.Connection) -> None:
    database.execute("UPDATE heads SET body = '[]'")


def break_key(database: sqlite3.Connection) -> None:
    database.execute("""UPDATE groups SET key = replace(key, 'rtx-4070', '../../escape')""")


def add_trigger(database: sqlite3.Connection) -> None:
    database.execute("CREATE TRIGGER t AFTER INSERT ON files BEGIN DELETE FROM files; END")


def drop_table(database: sqlite3.Connection) -> None:
    database.execute("DROP TABLE cells")


@pytest.mark.parametrize(
    "breakage", [break_version, break_body, break_head, break_key, add_trigger, drop_table]
)
def test_what_is_not_as_it_was_left_is_made_again_with_one_line(
    breakage: object, folder: Path, notes: list[str]
) -> None:
    place = folder / "i.sqlite"
    before = checks(place, files(folder))
    with closing(sqlite3.connect(place)) as database:
        assert callable(breakage)
        breakage(database)
        database.commit()
    reader = Reader()
    assert checks(place, files(folder), reader, notes) == before
    assert reader.read == ["a.json", "b.json"]
    (note,) = notes
    assert note.endswith("the index is made again")
    assert checks(place, files(folder), reader, notes) == before
    assert len(notes) == 1


@pytest.mark.parametrize("at", [0, 16, 100, 5_000, 20_000])
def test_bytes_that_were_overwritten_are_found(at: int, folder: Path, notes: list[str]) -> None:
    place = folder / "i.sqlite"
    before = checks(place, files(folder))
    content = bytearray(place.read_bytes())
    content[at : at + 12_000] = os.urandom(1)[:1] * len(content[at : at + 12_000])
    place.write_bytes(content)
    if at <= 68:  # not even its header says that it is ours
        with pytest.raises(UsageError, match="is not an index of bench"):
            checks(place, files(folder))
        assert use_index(place, notes.append, lambda index: index.groups(), is_ours=True) == ()
    else:
        assert checks(place, files(folder), None, notes) == before


def test_a_file_of_somebody_else_is_left_alone(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "mine.db")) as database:
        database.execute("CREATE TABLE notes (text)")
    for name in ("a.json", "mine.db"):
        before = (folder / name).read_bytes()
        with pytest.raises(UsageError, match="is not an index of bench"):
            checks(folder / name, files(folder))
        assert (folder / name).read_bytes() == before


def test_an_index_that_cannot_be_used_costs_one_line(folder: Path, notes: list[str]) -> None:
    want = checks(None, files(folder))
    (folder / "taken").write_text("")
    (folder / "dangling").symlink_to(folder / "nowhere" / "i.sqlite")
    for place in (folder / "taken" / "i.sqlite", folder / "dangling"):
        assert checks(place, files(folder), notes=notes) == want
    assert [line.partition(": ")[2] for line in notes] == [
        "the index cannot be used (File exists); every record is read again",
        "the index cannot be used (unable to open database file); every record is read again",
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_the_index_is_not_waited_for(folder: Path, notes: list[str]) -> None:
    os.mkfifo(folder / "pipe")
    assert use_index(folder / "pipe", notes.append, lambda index: index.groups(), is_ours=True) == ()
    assert notes == [
        f"{folder / 'pipe'}: the index cannot be used (it is not a file); every record is read again"
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files")
def test_a_disk_that_fills_while_records_are_indexed_costs_one_line(folder: Path) -> None:
    """The process may write no file that is longer than the empty index."""
    use_index(folder / "i.sqlite", print, lambda index: None)
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from bench.check.index import use_index\n"
        "from bench.check.summarise import read_summary\n"
        "folder = Path(sys.argv[1])\n"
        "limit = (folder / 'i.sqlite').stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        "def work(index):\n"
        "    index.update(sorted(folder.glob('*.json')), read_summary)\n"
        "    return len(index.groups())\n"
        "print(use_index(folder / 'i.sqlite', print, work))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=False
    )
    said, groups = ended.stdout.splitlines()
    assert "i.sqlite: the index cannot be used (" in said
    assert groups == "1"


def test_two_runs_at_once_leave_one_whole_index(folder: Path) -> None:
    for nth in range(3, 12):
        write_record(rerun(sample.smoke(), nth), folder / f"{nth}.json")
    place, found = folder / "i.sqlite", list[dict[str, Check]]()
    threads = [threading.Thread(target=lambda: found.append(checks(place, files(folder)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    assert found[0] == found[1] == found[2]
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM files").fetchone() == (11,)


def test_many_files_are_read_in_other_processes_with_the_same_result(tmp_path: Path) -> None:
    paths = [tmp_path / f"{nth}.json" for nth in range(70)]
    for nth, path in enumerate(paths):
        write_record(rerun(sample.smoke(), nth), path)
    progress: list[tuple[int, int]] = []

    def work(index: Index) -> Check:
        index.update(paths, read_summary, lambda done, total: progress.append((done, total)))
        (key,) = index.groups()
        return index.check(key, lambda path: None)

    check = use_index(tmp_path / "i.sqlite", print, work)
    assert check == merged(*(rerun(sample.smoke(), nth) for nth in range(70)))
    assert progress == [(64, 70), (70, 70)]


def test_a_key_never_leaves_its_folder() -> None:
    with pytest.raises(ValueError, match="slug"):
        GroupKey(model="m", slug="../x", repo=None, config_sha256="", emulated_bytes=None)


def test_heads_and_cells_of_each_file_also_of_copies(folder: Path) -> None:
    write_record(FIRST, folder / "copy.json")

    def work(index: Index) -> None:
        index.update(files(folder), read_judged)
        briefs = list(index.briefs())
        assert [path for path, *_ in briefs] == [str(path) for path in files(folder)]
        assert [group for _, group, _ in briefs] == list(index.groups()) * 3
        for path, (_, _, brief) in zip(files(folder), briefs, strict=True):
            read = read_judged(path)
            assert brief == brief_of(read.head)
            assert list(index.heads([path])) == [read.head]
            assert index.cells(path) == read.cells
        assert index.cells(folder / "none.json") == ()
        with pytest.raises(RecordError, match=r"none.json: was removed"):
            list(index.heads([folder / "none.json"]))

    use_index(None, print, work)


def test_fewer_files_can_be_chosen_afterwards(folder: Path) -> None:
    def work(index: Index) -> None:
        index.update(files(folder), read_summary)
        (key,) = index.groups()
        index.choose([folder / "b.json"])
        assert index.files(key) == (folder / "b.json",)
        assert [record.id for record in index.check(key, lambda _: None).records] == [SECOND.record_id]
        index.choose(files(folder))
        assert len(index.check(key, lambda _: None).records) == 2

    use_index(None, print, work)


def test_what_was_kept_is_there_until_other_code_opens_the_index(folder: Path) -> None:
    place = folder / "i.sqlite"
    use_index(place, print, lambda index: index.keep({"a": b"1", "b": b"2"}))
    assert use_index(place, print, lambda index: (index.kept("a"), index.kept("c"))) == (b"1", None)
    assert use_index(place, print, lambda index: index.kept("a"), made_by="another") is None
