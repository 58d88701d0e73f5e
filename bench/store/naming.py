"""Every file name and pattern of bench. No other module spells one (action.yml and the Makefile repeat two).

results/MODEL/SLUG/TIME-SUITE[-frontier]-ID.json           record of a run
                   TIME-SUITE-plan-ID.json                 record of `bench plan`
                   RECORD-KEY.bundle.json                  signed record; KEY begins the id of the key
                   RECORD-KEY.SITE.receipt.json            answer of a site or the Hub that took that bundle
                   TIME-SUITE[-frontier]-ID.journal.jsonl  journal of a run that has not ended
                   TIME-SUITE[-frontier]-ID.journal.{lock,pid}    while a process writes that journal
                   RECORD.junit.xml, RECORD.summary.md     of `bench run --ci`
results/{published,withdrawn}/ID.json                      decisions about an entry of a site: no records
results/keys/KEY.json                                      decision about a key, by its whole id: no record
results/received.jsonl                                     the order in which a receiver got the bundles
results/MODEL/SLUG/ID.bundle.json                          bundle that a receiver got
FOLDER/receiver.sqlite[.lock]                              database of a receiver; while a server has it
reports/MODEL/SLUG/RECORD.{html,check.json,md,csv}         report of one record
                   [HASH.][emulated-SIZE.]check.{html,json,md,csv}   report of a model on a card
reports/index.html                                         links to the reports of models on cards
OUT/{base,new}/0001.json                                   records of an interleaved comparison
"""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, get_args

from bench.store.untrusted import kind_of
from bench.units import MIB

RESULTS: Final = Path("results")
"""Default of `--out` of commands that write records."""
REPORTS: Final = Path("reports")
"""Default of `--out` of `bench report`."""
USER_FOLDER: Final = "moss-audio-bench"
"""In the user's folders for caches and settings."""
INDEX: Final = "records.sqlite"
SITE_INDEX: Final = "site.sqlite"
ORDER: Final = "received.jsonl"
RECEIVER: Final = "receiver.sqlite"
"""Default database of a receiver, in its folder."""

_IN_USE: Final = ".lock"
_RECORD: Final = ".json"
_BUNDLE: Final = ".bundle.json"
_RECEIPT: Final = ".receipt.json"
_JOURNAL: Final = ".journal.jsonl"
_LOCK: Final = ".journal.lock"
_OWNER: Final = ".journal.pid"
_CHECK: Final = "check"
_TIME: Final = "%Y%m%dT%H%M%SZ"
_KEY_DIGITS: Final = 8
_KEYS: Final = "keys"
_SITE_LETTERS: Final = 100

Kind = Literal["", "frontier", "plan"]
"""What a record is of: the cells of a suite, a search for limits, or a prediction."""


Decided = Literal["published", "withdrawn"]
"""What people decide about a record of a site, and the folder of such decisions."""


# --- folders ----------------------------------------------------------------------------------------------


def folder(root: Path, model: str, slug: str) -> Path:
    """The folder for one model on one device, of records and of reports alike."""
    return root / model / slug


# --- records and journals ---------------------------------------------------------------------------------


def record_name(created_at: datetime, suite: str, kind: Kind, record_id: str) -> str:
    """`20260607T201500Z-standard-plan-1f2e3d4c5b6a.json`: names sort by time."""
    words = filter(None, (created_at.strftime(_TIME), suite, kind, record_id))
    return "-".join(words) + _RECORD


def bundle_name(stem: str, key_id: str) -> str:
    """`20260607T201500Z-standard-1f2e3d4c5b6a-0a1b2c3d.bundle.json`: the record, and the key that signed."""
    return f"{stem}-{key_id[:_KEY_DIGITS]}{_BUNDLE}"


def submission_name(submission_id: str) -> str:
    """`0123456789abcdef.bundle.json`: a bundle that a receiver got, by its id."""
    return submission_id + _BUNDLE


def database_lock(file: Path) -> Path:
    """`receiver.sqlite` -> `receiver.sqlite.lock`: locked by the server of a database."""
    return file.with_name(file.name + _IN_USE)


def is_bundle(path: Path) -> bool:
    """Whether the file is named as a bundle."""
    return path.name.endswith(_BUNDLE)


def receipt_of(bundle: Path, site: str) -> Path:
    """`x-KEY.bundle.json` -> `x-KEY.example.org.receipt.json`, for each site one of its own."""
    words = re.findall(r"[a-z0-9.]+", site.lower().partition("://")[2])
    return bundle.with_name(
        f"{bundle.name.removesuffix(_BUNDLE)}.{'-'.join(words)[:_SITE_LETTERS]}{_RECEIPT}"
    )


def is_receipt(path: Path) -> bool:
    """Whether the file is named as a receipt."""
    return path.name.endswith(_RECEIPT)


def is_journal(path: Path) -> bool:
    """Whether the file is named as a journal."""
    return path.name.endswith(_JOURNAL)


def record_of(path: Path) -> Path:
    """`x.journal.jsonl` -> `x.json`; a record is its own."""
    return path.with_name(path.name.removesuffix(_JOURNAL) + _RECORD) if is_journal(path) else path


def journal_of(path: Path) -> Path:
    """`x.json` -> `x.journal.jsonl`; a journal is its own."""
    # Not with_name: `.` and `/` have none.
    return path if is_journal(path) else path.parent / (path.name.removesuffix(_RECORD) + _JOURNAL)


def lock_of(journal: Path) -> Path:
    """`x.journal.jsonl` -> `x.journal.lock`: locked by the process that writes the journal."""
    return journal.with_name(journal.name.removesuffix(_JOURNAL) + _LOCK)


def owner_of(journal: Path) -> Path:
    """`x.journal.jsonl` -> `x.journal.pid`: the number of the process that has the lock."""
    return journal.with_name(journal.name.removesuffix(_JOURNAL) + _OWNER)


def is_check(name: str) -> bool:
    """Whether the file, or a stem without its suffix, is named as a check document: `check`, `x.check`."""
    stem = name.removesuffix(_RECORD)
    return stem == _CHECK or stem.endswith(f".{_CHECK}")


def may_be_record(path: Path) -> bool:
    """Whether the file is named as a record can be: every JSON but check documents and receipts."""
    is_other = is_check(path.name) or is_receipt(path)
    return path.name.endswith(_RECORD) and not is_other and kind_of(path) != "folder"


def records_in(folder: Path) -> Iterator[Path]:
    """Files in this folder that may be records, in no order; none where there is no folder."""
    return filter(may_be_record, folder.glob(f"*{_RECORD}"))


def records_below(folder: Path) -> Iterator[Path]:
    """Files at any depth that may be records, in no order; decisions about records are none."""
    decisions = {folder / name for name in (*get_args(Decided), _KEYS)}
    found = (path for path in folder.rglob(f"*{_RECORD}") if path.parent not in decisions)
    return filter(may_be_record, found)


def decisions_in(folder: Path, decided: Decided) -> Iterator[Path]:
    """Files that decide about entries of a site, in no order."""
    return (folder / decided).glob(f"*{_RECORD}")


def key_file(folder: Path, key_id: str) -> Path:
    """The file that decides about a key."""
    return folder / _KEYS / f"{key_id}{_RECORD}"


def key_files_in(folder: Path) -> Iterator[Path]:
    """Files that decide about keys, in no order."""
    return (folder / _KEYS).glob(f"*{_RECORD}")


def journals_in(folder: Path) -> Iterator[Path]:
    """Journals in this folder, in no order."""
    return folder.glob(f"*{_JOURNAL}")


def journals_below(folder: Path) -> Iterator[Path]:
    """Journals at any depth, in no order."""
    return folder.rglob(f"*{_JOURNAL}")


def journals_of_suite(folder: Path, suite: str) -> tuple[Path, ...]:
    """Journals that runs of a suite, not searches for limits, have left in this folder, oldest first."""
    name = re.compile(rf"\d{{8}}T\d{{6}}Z-{re.escape(suite)}-[0-9a-f]{{12}}{re.escape(_JOURNAL)}")
    return tuple(sorted(path for path in journals_in(folder) if name.fullmatch(path.name)))


def plans_in(folder: Path) -> tuple[Path, ...]:
    """Files in this folder that may be records of predictions, newest first."""
    return tuple(sorted((path for path in records_in(folder) if "-plan-" in path.name), reverse=True))


# --- reports ----------------------------------------------------------------------------------------------


def report_name(stem: str, extension: str) -> str:
    """`x.html`, `x.check.json`: a check document never has the name of a record. `check` -> `check.json`."""
    middle = f".{_CHECK}" if f".{extension}" == _RECORD and not is_check(stem) else ""
    return f"{stem}{middle}.{extension}"


def overview(out: Path) -> Path:
    """The page that links to the reports below `out`."""
    return out / "index.html"


def check_stem(emulated_bytes: int | None, digest: str = "") -> str:
    """`check`, of an emulated card `emulated-12282MiB.check`, each with the first 8 digits of a hash before.

    `digest` keeps files apart that are about models of one name with other weights.
    """
    card = "" if emulated_bytes is None else f"emulated-{emulated_bytes // MIB}MiB"
    return ".".join(filter(None, (digest[:8], card, _CHECK)))


def junit_of(record: Path) -> Path:
    """`x.json` -> `x.junit.xml`: the cells as test cases."""
    return record.with_suffix(".junit.xml")


def summary_of(record: Path) -> Path:
    """`x.json` -> `x.summary.md`: the page of a build server."""
    return record.with_suffix(".summary.md")


# --- interleaved comparisons ------------------------------------------------------------------------------


def pair_record(out: Path, side: str, number: int) -> Path:
    """The record of one side of pair `number`, counted from 1."""
    return out / side / f"{number:04d}{_RECORD}"


def pair_numbers(out: Path) -> tuple[int, ...]:
    """Return the numbers of pairs with both records, in order."""
    first, second = (
        {int(path.stem) for path in records_in(out / side) if re.fullmatch(r"\d{4,}", path.stem)}
        for side in ("base", "new")
    )
    return tuple(sorted(first & second))
