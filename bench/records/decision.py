"""What people decide about a record of a site: a file `published/ID.json` or `withdrawn/ID.json`."""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from bench.records.base import Frozen

DECISION_VERSION: Final = "1.0"

EntryId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}([0-9a-f]{48})?$")]
"""Id of a record on a site: the first 16 digits of its content hash, or all."""


class Decision(Frozen):
    """The reason of a decision, which the site shows."""

    schema_version: Literal["1.0"] = DECISION_VERSION
    reason: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(min_length=1, max_length=500)
