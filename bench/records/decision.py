"""What people decide about a record of a site, in a file `published/ID.json` or `withdrawn/ID.json`; about a
key in a file `keys/KEY.json`.
"""

from typing import Annotated, Final, Literal

from pydantic import JsonValue, StringConstraints

from bench.records.base import Frozen, Utc

DECISION_VERSION: Final = "1.0"

EntryId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}([0-9a-f]{48})?$")]
"""Id of a record on a site: the first 16 digits of its content hash, or all."""
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class Decision(Frozen):
    """The reason of a decision, which the site shows."""

    schema_version: Literal["1.0"] = DECISION_VERSION
    reason: Reason


class _KeyDecision(Frozen):
    """What the two kinds of decisions about a key have in common."""

    schema_version: Literal["1.0"] = DECISION_VERSION

    @property
    def file(self) -> bytes:
        """The content of the file."""
        return self.model_dump_json(indent=1).encode() + b"\n"


class KeyConfirmed(_KeyDecision):
    """An account confirms a key. `confirmation`: the file at its URL, which the key has signed."""

    confirmed_at: Utc
    reason: Reason
    confirmation: dict[str, JsonValue]


class KeyRevoked(_KeyDecision):
    """A key that somebody else can use, for the reason that the site shows: its records are held."""

    revoked_at: Utc
    reason: Reason
