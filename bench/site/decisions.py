"""Decisions of people about the results: which held records are published, which records are withdrawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from pydantic import TypeAdapter, ValidationError

from bench.errors import RecordError, UsageError
from bench.records.decision import Decision, EntryId
from bench.store import naming
from bench.store.canonical import parse
from bench.store.faults import first_fault
from bench.store.untrusted import read_file
from bench.text import clean, decode

_MOST_BYTES: Final = 2**16


@dataclass(frozen=True, slots=True)
class Decisions:
    """Reasons by the id of an entry, or by all digits of its content hash; cleaned."""

    published: Mapping[str, str]
    withdrawn: Mapping[str, str]

    def by_entry(self, hashes: Mapping[str, str]) -> Self:
        """Return the decisions by ids of entries. `hashes`: those of contents by id, the first ones first.

        Raises:
            RecordError: a decision names no entry. Nothing is built then: it may withdraw a record.
        """
        ids = {content_hash: entry_id for entry_id, content_hash in reversed(list(hashes.items()))}
        ids |= {entry_id: entry_id for entry_id in hashes}
        return type(self)(_named(self.published, ids, "published"), _named(self.withdrawn, ids, "withdrawn"))


def read_decisions(results: Path) -> Decisions:
    """Read all decisions of a folder of results.

    Raises:
        RecordError: a file is none. Nothing is built then: it may withdraw a record.
    """
    return Decisions(_read_all(results, "published"), _read_all(results, "withdrawn"))


def _named(reasons: Mapping[str, str], ids: Mapping[str, str], decided: naming.Decided) -> Mapping[str, str]:
    unknown = next((each for each in reasons if each not in ids), None)
    if unknown is not None:
        raise RecordError(
            f"{decided}/{unknown}.json: names no entry of the site",
            hint="Name it after the address of the record's page; a withdrawn record stays in the results",
        )
    return {ids[each]: reason for each, reason in reasons.items()}


def _read_all(results: Path, decided: naming.Decided) -> dict[str, str]:
    return {_id(path): _reason(path) for path in sorted(naming.decisions_in(results, decided))}


def _id(path: Path) -> str:
    try:
        return TypeAdapter(EntryId).validate_python(path.stem)
    except ValidationError as error:
        raise RecordError(
            f"{path}: is not named after an entry of the site",
            hint="Name it ID.json, with the 16 digits in the address of the record's page",
        ) from error


def _reason(path: Path) -> str:
    try:
        text = decode(read_file(path, _MOST_BYTES))
        parse(text)  # no key twice, no NaN
        return clean(Decision.model_validate_json(text, strict=True).reason)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint="Check the file") from error
    except ValidationError as error:
        raise RecordError(
            f"{path}: {first_fault(error)}", hint='Write {"reason": "..."}, with 1 to 500 letters'
        ) from error
    except UsageError as error:
        raise RecordError(f"{path}: {error.message}", hint='Write {"reason": "..."}') from error
