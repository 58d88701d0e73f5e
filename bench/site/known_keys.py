"""Decisions of people about keys: which account confirms a key, and which keys were revoked.

No account is stated by hand: it follows from the URL in a file that the key itself has signed.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

from pydantic import JsonValue, ValidationError

from bench.errors import GateError, RecordError, UsageError
from bench.identity.accounts import Account
from bench.identity.confirmation import read_confirmation
from bench.records.decision import KeyConfirmed, KeyRevoked
from bench.store import naming
from bench.store.canonical import parse
from bench.store.faults import first_fault
from bench.store.untrusted import read_file
from bench.text import clean, decode

_MOST_BYTES: Final = 2**16
_KEY_ID: Final = re.compile(r"[0-9a-f]{64}")
_FORM: Final = "docs/site.md shows the two kinds of such files"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An account confirms a key."""

    account: Account
    at: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """Somebody else can use a key. `reason`: cleaned."""

    reason: str


KnownKeys = Mapping[str, Confirmed | Revoked]
"""Decisions by the id of a key."""
NO_KEYS: Final[KnownKeys] = MappingProxyType({})


def read_known_keys(results: Path) -> KnownKeys:
    """Read all decisions about keys in a folder of results. The signature of each confirmation is verified.

    Raises:
        RecordError: a file is none, or is about another key. Nothing is built then: it may revoke a key.
    """
    return {_key_id(path): _read(path) for path in sorted(naming.key_files_in(results))}


def _key_id(path: Path) -> str:
    if _KEY_ID.fullmatch(path.stem) is None:
        raise RecordError(
            f"{path}: is not named after a key", hint="Name it KEY.json, with all 64 digits of its id"
        )
    return path.stem


def _read(path: Path) -> Confirmed | Revoked:
    try:
        text = decode(read_file(path, _MOST_BYTES))
        document = parse(text)  # no key twice, no NaN
        return _decision(text, document, path)
    except OSError as error:
        raise RecordError(f"{path}: cannot be read ({error.strerror})", hint="Check the file") from error
    except ValidationError as error:
        raise RecordError(f"{path}: {first_fault(error)}", hint=_FORM) from error
    except (UsageError, GateError) as error:
        raise RecordError(f"{path}: {error.message}", hint=error.hint or _FORM) from error


def _decision(text: str, document: JsonValue, path: Path) -> Confirmed | Revoked:
    if isinstance(document, dict) and "revoked_at" in document:
        return Revoked(clean(KeyRevoked.model_validate_json(text, strict=True).reason))
    decision = KeyConfirmed.model_validate_json(text, strict=True)
    found = read_confirmation(json.dumps(decision.confirmation).encode(), "confirmation")
    if found.key_id != path.stem:
        raise RecordError("is about another key", hint=f"Name it {found.key_id}.json")
    return Confirmed(found.account, decision.confirmed_at)
