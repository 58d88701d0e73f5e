"""Folders of results, as strangers send them, and the sites of them."""

import json
import os
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from bench.check.index_reading import no_progress
from bench.records.record import Record
from bench.site.build import Built, Task, Watch, build_site
from bench.store import naming
from bench.store.record_files import seal, write_atomically, write_record
from tests.identity.signers import bundled, confirmation, signer
from tests.validate.edits import Document, document_of, edited
from tests.validate.good import good
from tests.validate.recipes import Recipe

MODEL: Final = "MOSS-Audio-4B-Instruct"
CARD: Final = "rtx-4090"
PAGE: Final = (MODEL, CARD)
RUN: Final = Recipe(card=CARD, clips=(10.0,), tokens=(128,))
WATCH: Final = Watch(note=print, reading=no_progress, writing=no_progress)
_NOBODY: Final = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{who}_{what}": "tests@example.org"
        for who in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    },
}


@lru_cache(maxsize=256)
def run(seed: int, recipe: Recipe = RUN, machine: str | None = None) -> Record:
    """Return the record of one of many runs of a recipe, on a machine of this key."""
    record = good(replace(recipe, seed=seed))
    return record if machine is None else sealed(document_of(record), {"machine_key": machine})


def sealed(document: Document, changes: Mapping[str, Any]) -> Record:
    """Return a record with these values at these paths, hashed again."""
    changed = edited(changes, document)
    del changed["content_hash"]
    return seal(changed)


def put(results: Path, record: Record, name: str = "", *, key: int | None = None, **words: str) -> Path:
    """Write a record below the results; signed where a key is given, with a handle and a note."""
    folder = naming.folder(results, record.model.name, record.device.slug)
    if key is None:
        path = folder / f"{name or record.record_id}.json"
        write_record(record, path)
    else:
        path = folder / f"{name or record.record_id}-{key}.bundle.json"
        write_atomically(path, bundled(record, key, **words))
    return path


def put_edited(results: Path, record: Record, changes: Mapping[str, Any], name: str) -> Path:
    """Write a record that was edited and not hashed again."""
    path = naming.folder(results, record.model.name, record.device.slug) / f"{name}.json"
    write_atomically(path, json.dumps(edited(changes, document_of(record))).encode())
    return path


def decide(results: Path, decided: str, entry_id: str, reason: str) -> Path:
    """Write a decision."""
    path = results / decided / f"{entry_id}.json"
    write_atomically(path, json.dumps({"reason": reason}).encode())
    return path


def confirm_key(results: Path, key: int, account: str = "ada", *, reason: str = "known") -> Path:
    """Write that an account of GitHub confirms the key of a number."""
    url = f"https://raw.githubusercontent.com/{account}/notes/HEAD/key.txt"
    confirmed = json.loads(confirmation(url, seed=key))
    decision = {"confirmed_at": "2026-11-30T12:00:00Z", "reason": reason, "confirmation": confirmed}
    return _put_key(results, key, decision)


def revoke_key(results: Path, key: int, reason: str) -> Path:
    """Write that the key of a number was revoked."""
    return _put_key(results, key, {"revoked_at": "2026-11-30T12:00:00Z", "reason": reason})


def _put_key(results: Path, key: int, decision: JsonValue) -> Path:
    path = naming.key_file(results, key_id(key))
    write_atomically(path, json.dumps(decision).encode())
    return path


def key_id(key: int) -> str:
    """Return the id of the key of a number."""
    return signer(key).public_key.keyid


def entry_id(record: Record) -> str:
    """Return the id of the entry that keeps a record's content."""
    return record.content_hash.removeprefix("sha256:")[:16]


def git(folder: Path, *words: str, date: str = "2026-11-30T00:00:00Z") -> None:
    """Run git as nobody in particular, at a date."""
    dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    subprocess.run(
        ("git", *words), cwd=folder, env={**_NOBODY, **dates}, check=True, stdout=subprocess.DEVNULL
    )


def commit(folder: Path, *paths: Path, date: str = "2026-11-30T00:00:00Z") -> None:
    """Commit files, into a repository that is made where there is none."""
    if not (folder / ".git").exists():
        git(folder, "init", "-q")
    git(folder, "add", *(str(path) for path in paths))
    git(folder, "commit", "-q", "-m", "records", date=date)


def built(
    results: Path, out: Path, index: Path | None = None, predicted: Collection[tuple[str, str]] = ()
) -> Built:
    """Build the site of a folder; by default only cards with records have a page."""
    return build_site(Task(results, out, predicted), index, is_ours=True, watch=WATCH)


def files_of(out: Path) -> dict[str, bytes]:
    """Return the content of every file of a site."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
