import errno
import json
import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pydantic import JsonValue

from bench.errors import RecordError, StorageError
from bench.predict.planner import record_path
from bench.records.enums import Provenance
from bench.records.record import Record
from bench.store.canonical import content_hash, parse
from bench.store.disk import disk_errors
from bench.store.record_files import (
    MAX_RECORD_BYTES,
    find_records,
    measured_records,
    read_record,
    render,
    seal,
    write_atomically,
    write_record,
)
from tests.records.strategies import RECORDS
from tests.samples import records as sample
from tests.samples.predictions import derived_record

WHOLE = {"smoke": sample.smoke, "standard": sample.standard, "interrupted": sample.interrupted}


@pytest.fixture
def smoke(tmp_path: Path) -> Path:
    path = tmp_path / "smoke.json"
    write_record(sample.smoke(), path)
    return path


def edited(path: Path, **changes: JsonValue) -> Path:
    """The record with other top-level values, and the hash that belongs to them."""
    document: dict[str, Any] = json.loads(path.read_text()) | changes
    document["content_hash"] = content_hash(document)
    path.write_text(json.dumps(document))
    return path


def fault(path: Path) -> str:
    """What a person is told about this file: always one line that names it."""
    with pytest.raises(RecordError) as caught:
        read_record(path)
    line = str(caught.value)
    assert line.startswith(str(path))
    assert line.isprintable()
    assert len(line) < len(str(path)) + 600
    return line


@pytest.mark.parametrize("make", WHOLE.values(), ids=WHOLE)
def test_what_is_written_is_read_back(make: Any, tmp_path: Path) -> None:
    record = make()
    write_record(record, tmp_path / "a" / "new" / "folder.json")
    assert read_record(tmp_path / "a" / "new" / "folder.json") == record


def test_hostile_text_is_kept_as_it_is(tmp_path: Path) -> None:
    write_record(sample.hostile(), tmp_path / "r.json")
    assert read_record(tmp_path / "r.json") == sample.hostile()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(RECORDS)
def test_any_record_survives_the_disk(tmp_path_factory: pytest.TempPathFactory, record: Record) -> None:
    path = tmp_path_factory.mktemp("records") / "r.json"
    write_record(record, path)
    again = read_record(path)
    assert again == record
    assert render(again) == render(record)


def test_a_record_has_one_line_per_cell_so_that_it_can_be_diffed() -> None:
    record = sample.standard()
    lines = render(record).splitlines()
    assert sum(line.lstrip().startswith('{"cell_id"') for line in lines) == len(record.cells)


def test_the_largest_standard_record_stays_under_3_mb() -> None:
    assert len(render(sample.all_measured_48()).encode()) < 3_000_000


def test_the_hash_belongs_to_the_record_as_written_not_to_how_it_came() -> None:
    """Left-out defaults, another time zone or fractions of a second in the input must not break it."""
    fields = sample.smoke().model_dump(mode="json")
    noon = datetime(2026, 7, 1, 12, 0, 0, 250_000, tzinfo=timezone(timedelta(hours=2)))
    record = seal({**fields, "created_at": noon.isoformat()})
    document = parse(render(record))
    assert isinstance(document, dict)
    assert document["content_hash"] == content_hash(document)
    assert datetime.fromisoformat(str(document["created_at"])) == noon.replace(microsecond=0)


def test_times_are_written_in_utc() -> None:
    noon = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    record = seal({**sample.smoke().model_dump(mode="json"), "created_at": noon.isoformat()})
    assert record.model_dump(mode="json")["created_at"] == "2026-07-01T10:00:00Z"
    assert record.created_at == noon.astimezone(UTC)


def test_a_changed_figure_is_noticed(smoke: Path) -> None:
    smoke.write_text(smoke.read_text().replace('"generated_tokens":4', '"generated_tokens":5', 1))
    assert "content_hash does not match" in fault(smoke)


def test_a_record_of_schema_1_0_keeps_its_version_and_hash(smoke: Path) -> None:
    old = json.loads(edited(smoke, schema_version="1.0").read_text())
    del old["frontier_step_s"]  # as if 1.0 lacked it
    old["content_hash"] = content_hash(old)
    smoke.write_text(json.dumps(old))
    record = read_record(smoke)
    assert (record.schema_version, record.content_hash) == ("1.0", old["content_hash"])
    assert record.frontier_step_s is None
    assert seal(record.model_dump(mode="json")).schema_version == "1.1"


def test_the_hash_of_a_record_of_schema_1_0_is_checked_too(smoke: Path) -> None:
    path = edited(smoke, schema_version="1.0")
    path.write_text(path.read_text().replace("a1b2c3d4e5f6", "a1b2c3d4e5f7"))
    assert "content_hash does not match" in fault(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_record_that_powershell_saved_is_read_and_its_hash_verified(smoke: Path, encoding: str) -> None:
    text = smoke.read_text(encoding="utf-8").replace("\n", "\r\n")
    smoke.write_bytes(text.encode(encoding))
    assert read_record(smoke) == sample.smoke()
    smoke.write_bytes(text.replace('"seed":0', '"seed":1').encode(encoding))
    assert "content_hash does not match" in fault(smoke)


def test_a_record_in_another_encoding_says_how_to_save_it(smoke: Path) -> None:
    smoke.write_bytes(smoke.read_text(encoding="utf-8").encode("utf-16-le"))
    assert fault(smoke) == (
        f"{smoke}: seems to be UTF-16-LE text without a byte order mark. "
        "Save it as UTF-8 (in PowerShell: Set-Content -Encoding utf8)"
    )


@pytest.mark.parametrize("version", ["2.0", "0.9", None, 1.0, "x" * 9999, "\n\x1b[31m"])
def test_another_schema_version_is_named_before_anything_else(smoke: Path, version: JsonValue) -> None:
    line = fault(edited(smoke, schema_version=version, cells="of another shape"))
    assert "schema version" in line
    assert "'1.0' or '1.1'" in line


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"record_id": "short"}, "record_id"),
        ({"device": None}, "device"),
        ({"provenance": "invented"}, "provenance"),
        ({"surplus": 1}, "surplus"),
        ({"evil\n\x1b[31mkey": 1}, "evil"),
        ({"created_at": "2026-07-01T10:00:00"}, "created_at"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "created_at"),  # the year 0 in UTC
        ({"created_at": "9999-12-31T23:59:59-14:00"}, "created_at"),
        ({"cells": [{"outcome": {"status": "evil\nstatus"}}]}, "cells.0"),
    ],
    ids=str,
)
def test_a_fault_is_named_with_its_place(smoke: Path, changes: dict[str, JsonValue], place: str) -> None:
    assert place in fault(edited(smoke, **changes))


@pytest.mark.parametrize("value", ["4.2", True, -1.0, {}], ids=repr)
def test_text_does_not_pass_for_a_number(smoke: Path, value: JsonValue) -> None:
    """A reader that took "4.2" for 4.2 would hold another document than the one that was hashed."""
    cells: Any = json.loads(smoke.read_text())["cells"]
    cells[0]["repeats"][0]["latency_s"] = value
    assert "cells.0.repeats.0.latency_s" in fault(edited(smoke, cells=cells))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"\x00" * 100,
        b"\xff\xfe",
        b'{"schema_version": "1.0", "n": NaN}',
        b'{"schema_version": "1.0", "n": 1e999}',
        b'{"schema_version": "1.0", "n": 123456789012345678901234567890}',
        b'{"schema_version": "1.0", "\\ud800": 1}',
        b'{"schema_version": "1.0", "schema_version": "1.0"}',
        b'{"schema_version": "1.0", "n": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=lambda content: content[:40],
)
def test_what_is_no_record_is_told_in_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(content)
    fault(path)


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    with path.open("wb") as file:
        file.truncate(MAX_RECORD_BYTES + 1)
    assert "it is larger than 512 MiB" in fault(path)


def test_missing_files_folders_and_devices_are_no_records(tmp_path: Path) -> None:
    assert "No such file" in fault(tmp_path / "missing.json")
    assert "it is a folder" in fault(tmp_path)
    assert "it is not a regular file" in fault(Path("/dev/zero"))


# --- atomic writes ----------------------------------------------------------------------------------------

WRITER = textwrap.dedent("""
    import sys
    from itertools import cycle
    from pathlib import Path
    from bench.store.record_files import read_record, write_record
    target, *sources = map(Path, sys.argv[1:])
    records = [read_record(source) for source in sources]
    for number, record in enumerate(cycle(records)):
        write_record(record, target)
        print(number, flush=True)
""")


def test_a_writer_killed_at_any_moment_leaves_one_whole_record(tmp_path: Path) -> None:
    old, new, target = tmp_path / "old.json", tmp_path / "new.json", tmp_path / "out" / "r.json"
    write_record(sample.smoke(), old)
    write_record(sample.interrupted(), new)
    expected = {old.read_bytes(), new.read_bytes()}
    for rounds in range(4):
        command = [sys.executable, "-c", WRITER, str(target), str(old), str(new)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(3 + 7 * rounds):
                assert writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)  # somewhere in the next write
        assert target.read_bytes() in expected
        read_record(target)
        assert find_records(target.parent) == (target,)


LIMITED = textwrap.dedent("""
    import resource, signal, sys
    from pathlib import Path
    from bench.errors import StorageError
    from bench.store.record_files import read_record, write_record
    record = read_record(Path(sys.argv[1]))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        write_record(record, Path(sys.argv[2]))
    except StorageError as error:
        sys.exit(str(error))
""")


def test_a_full_disk_is_one_line_and_leaves_the_old_record(smoke: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "r.json"
    write_atomically(target, b"the old one")
    command = [sys.executable, "-c", LIMITED, str(smoke), str(target)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"{target}: cannot be written (File too large)")
    assert len(answer.stderr.splitlines()) == 1
    assert target.read_bytes() == b"the old one"
    assert list(target.parent.iterdir()) == [target]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 4096


@pytest.mark.parametrize(
    ("number", "step", "hint"),
    [
        (errno.ENOSPC, "Free space", "Free space or choose another --out"),
        (errno.EROFS, "Make it writable", "Make it writable or choose another --out"),
        (errno.ENAMETOOLONG, "Make it writable", "Make it writable or choose another --out"),
    ],
)
def test_space_helps_where_the_disk_is_full_alone(number: int, step: str, hint: str) -> None:
    with pytest.raises(StorageError) as caught, disk_errors(Path("r.json")):
        raise OSError(number, os.strerror(number))
    assert (caught.value.step, caught.value.hint) == (step, hint)


def test_a_file_where_a_folder_should_be_is_one_line(smoke: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written") as caught:
        write_record(sample.smoke(), smoke / "below" / "r.json")
    assert caught.value.exit_code == 3
    assert "--out" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_records_can_be_read_by_others(smoke: Path) -> None:
    assert smoke.stat().st_mode & 0o777 == 0o644


# --- finding ----------------------------------------------------------------------------------------------


def test_a_folder_holds_its_records_sorted_and_nothing_else(smoke: Path, tmp_path: Path) -> None:
    deep = tmp_path / "model" / "device" / "b.json"
    write_record(sample.smoke(), deep)
    for other in ("a.check.json", "check.json", "a.html", "a.journal.jsonl"):
        (tmp_path / "model" / other).write_text("{}")
    (tmp_path / "model" / "folder.json").mkdir()
    assert find_records(tmp_path) == (deep, smoke)


def test_a_file_is_itself(smoke: Path) -> None:
    assert find_records(smoke) == (smoke,)


def test_nothing_to_find_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"contains no records.*bench run"):
        find_records(tmp_path)
    with pytest.raises(RecordError, match="no such file"):
        find_records(tmp_path / "nowhere")


def test_an_unfinished_run_is_no_record_and_says_how_to_finish_it(tmp_path: Path) -> None:
    journal = tmp_path / "20260607T201500Z-smoke-1f2e3d4c5b6a.journal.jsonl"
    journal.write_text("{}\n", encoding="utf-8")
    for asked in (tmp_path, journal):
        with pytest.raises(
            RecordError, match=r"is unfinished. Finish it: bench run --resume .*journal\.jsonl"
        ):
            find_records(asked)


def test_measured_records_are_found_and_broken_ones_are_named(tmp_path: Path) -> None:
    derived = derived_record()
    folder = record_path(derived, tmp_path).parent
    assert measured_records(tmp_path, "nothing", "here") == ((), ())
    measured = derived.model_copy(update={"derivation": None, "provenance": Provenance.MEASURED})
    write_record(derived, record_path(derived, tmp_path))
    write_record(seal(measured.model_dump(mode="json")), folder / "measured.json")
    (folder / "broken.json").write_text(render(derived)[:-9], encoding="utf-8")
    found, notes = measured_records(tmp_path, derived.model.name, derived.device.slug)
    assert [record.provenance for record in found] == [Provenance.MEASURED]
    assert len(notes) == 1
    assert "broken.json" in notes[0]


NOBODY = 65534


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert measured_records(tmp_path, "small", "rtx-4070") == ((), ())


def test_a_path_that_the_disk_refuses_is_noted(tmp_path: Path) -> None:
    records, (note,) = measured_records(tmp_path / ("x" * 300), "small", "rtx-4070")
    assert records == ()
    assert "cannot be read (" in note


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may read everything: for a moment, be nobody."""
    own = os.geteuid()
    if own == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(own)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach; those of `tmp_path` are for their owner alone."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folder_that_may_not_be_read_is_noted(open_folder: Path, depth: int) -> None:
    folder = open_folder / "results" / "small" / "rtx-4070"
    folder.mkdir(parents=True)
    closed = (open_folder / "results", folder.parent, folder)[depth]
    closed.chmod(0)
    try:
        with without_privileges():
            records, (note,) = measured_records(open_folder / "results", "small", "rtx-4070")
    finally:
        closed.chmod(0o700)
    assert records == ()
    assert note == f"left out of the comparison: {folder}: cannot be read (Permission denied)"


def test_a_time_that_utc_cannot_hold_is_named_without_words_of_the_library(smoke: Path) -> None:
    line = fault(edited(smoke, created_at="9999-12-31T23:59:59-14:00"))
    assert ": created_at: the time in UTC is outside" in line
