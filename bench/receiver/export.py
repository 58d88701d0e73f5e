"""The submissions as a folder of results, from which `bench site build` makes the pages."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.errors import UsageError
from bench.receiver.confirming import decided_keys
from bench.receiver.database import Database
from bench.receiver.states import ON_SITE, State
from bench.receiver.submissions import Submission, bodies_bytes, body, listed
from bench.store import naming
from bench.store.record_files import write_atomically
from bench.store.untrusted import kind_of, read_file


@dataclass(frozen=True, slots=True)
class Exported:
    """What a folder of results got: the submissions on the site, and the number of files that changed."""

    submissions: tuple[Submission, ...]
    changed: int


def export(database: Database, folder: Path) -> Exported:
    """Write what belongs on the site to a folder; remove what does not belong there any more.

    The folder has the bundles, the decisions of people about them and their keys, and the order in which the
    bundles came.

    Raises:
        UsageError: the folder has other files.
        StorageError: the database does not answer, or the disk refused a file.
    """
    _require_ours(folder)
    on_site, changed = database.read(lambda connection: _write_bundles(connection, folder))
    texts = dict(_decisions(folder, on_site))
    keys = {one.key_id for one in on_site}
    for key_id, content in database.read(lambda connection: list(decided_keys(connection, keys))):
        texts[naming.key_file(folder, key_id)] = content
    kept = texts.keys() | {_place(folder, one) for one in on_site}
    texts[folder / naming.ORDER] = "".join(_order(folder, on_site)).encode()
    for path, content in texts.items():
        changed += _put(path, content)
    changed += sum(_remove(path) for path in sorted(folder.rglob("*.json")) if _is_gone(path, kept))
    return Exported(tuple(on_site), changed)


def _require_ours(folder: Path) -> None:
    """Refuse a folder with other files: they would be removed."""
    if folder.exists() and not (folder / naming.ORDER).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: has other files", hint="Name a new folder, or one of an earlier export")


def _write_bundles(connection: sa.Connection, folder: Path) -> tuple[list[Submission], int]:
    """Bodies come one by one: together they can be larger than the memory. What is there stays as it is.

    A power cut can have left a file without its content: its size says so.
    """
    on_site, changed = list(listed(connection, ON_SITE)), 0
    sizes = bodies_bytes(connection, ON_SITE)
    for one in on_site:
        place = _place(folder, one)
        if _size(place) != sizes.get(one.id):
            content = body(connection, one.id)
            if content is not None:
                changed += _put(place, content)
    return on_site, changed


def _place(folder: Path, one: Submission) -> Path:
    """A sender chooses the name of a model: none is the file of the order."""
    model = f"{one.model}-model" if one.model.lower() == naming.ORDER else one.model
    return naming.folder(folder, model, one.slug) / naming.submission_name(one.id)


def _decisions(folder: Path, on_site: list[Submission]) -> Iterator[tuple[Path, bytes]]:
    """A reason with which somebody published what is suspicious, or withdrew it."""
    for one in on_site:
        if one.reason is not None:
            decided: naming.Decided = "withdrawn" if one.state is State.WITHDRAWN else "published"
            path = folder / decided / f"{one.content_hash.removeprefix('sha256:')}.json"
            yield path, (json.dumps({"reason": one.reason}) + "\n").encode()


def _order(folder: Path, on_site: list[Submission]) -> Iterator[str]:
    for one in on_site:
        path = _place(folder, one).relative_to(folder).as_posix()
        yield json.dumps({"path": path, "received_at": one.received_at.isoformat()}) + "\n"


def _put(path: Path, content: bytes) -> int:
    try:
        if _size(path) == len(content) and read_file(path, len(content)) == content:
            return 0
    except OSError:
        pass
    write_atomically(path, content, is_durable=False)
    return 1


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _is_gone(path: Path, kept: Collection[Path]) -> bool:
    """Whether nothing makes a file any more. A model can be called `x.json`: its folder is no file."""
    return path not in kept and kind_of(path) != "folder"


def _remove(path: Path) -> int:
    path.unlink()
    return 1
