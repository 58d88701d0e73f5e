"""The bundle: a record that somebody has signed, as an in-toto statement in a DSSE envelope.

The payload is the RFC 8785 form of a `Statement`. It contains no time, so that the same record, key, note and
handle give the same bytes.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from bench.records.base import Frozen, Sha256
from bench.records.record import Record

SUBMISSION_VERSION: Final = "1.0"
LICENSE: Final = "CC0-1.0"
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:moss-audio-bench:submission:1"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
MAX_NOTE: Final = 500
"""Characters."""
MOST_BYTES: Final = 4 * 2**20
"""Of a bundle that a site receives: a record of the suite `standard` takes about 0.7 MB."""

HANDLE: Final = r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,37}[A-Za-z0-9])?$"
"""A name that a sender chooses: letters, digits and `._-` inside, at most 39 characters."""


class Submission(Frozen):
    """What a sender states: the record, its licence, and who speaks."""

    schema_version: Literal["1.0"]
    license: Literal["CC0-1.0"] = Field(description="of the record, the note and the handle")
    public_key: Sha256 = Field(description="Ed25519: the 32 bytes of the key that signs, in hex")
    handle: Annotated[str, Field(pattern=HANDLE)] | None = Field(
        description="name that the sender chose; nobody has confirmed it"
    )
    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE)] | None
    record: Record


class Digest(Frozen):
    """Hash of a subject."""

    sha256: Sha256 = Field(description="of the record: its content_hash")


class Subject(Frozen):
    """The record that the statement is about."""

    name: str = Field(pattern=r"^[0-9a-f]{12}$", description="record_id")
    digest: Digest


class Statement(Frozen):
    """The payload of a bundle (in-toto Statement v1)."""

    type_: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: tuple[Subject]
    predicate_type: Literal["urn:moss-audio-bench:submission:1"] = Field(alias="predicateType")
    predicate: Submission


class Signature(Frozen):
    """The signature of an envelope."""

    keyid: Sha256 = Field(description="SHA-256 of the public key with its type, as securesystemslib has it")
    sig: str = Field(description="Ed25519: 64 bytes in base64", max_length=88)


class Envelope(Frozen):
    """The file of a bundle (DSSE 1.0), with exactly one signature."""

    payload: str = Field(description="a statement in its RFC 8785 form, in base64")
    payload_type: Literal["application/vnd.in-toto+json"] = Field(alias="payloadType")
    signatures: tuple[Signature]
