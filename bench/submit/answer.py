"""What a site answers to a submission. It is untrusted: every text is cleaned, every field checked."""

from typing import Annotated, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bench.errors import RecordError
from bench.records.decision import EntryId
from bench.records.findings import Severity
from bench.store.canonical import parse
from bench.text import clean

MAX_BYTES: Final = 4 * 2**20
"""Largest answer that is read."""

_Text = Annotated[str, AfterValidator(clean)]


class _Answered(BaseModel):
    """Base of what is read from an answer. A site of a newer bench may answer more."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


class SiteFinding(_Answered):
    """A finding of a site. A newer bench may have codes that this one does not know."""

    code: str = Field(pattern=r"^[a-z0-9_]{1,60}$")
    severity: Severity
    path: _Text
    sentence: _Text
    remedy: _Text


class Accepted(_Answered):
    """The site has the bundle."""

    id: EntryId
    state: str = Field(pattern=r"^[a-z_]{1,32}$", description="such as valid, held or published")
    url: str = Field(pattern=r"^/[\w.~-][\w./~-]{0,200}$", description="page of the entry, below the site")
    findings: tuple[SiteFinding, ...]
    log_salt: str | None = Field(
        default=None, pattern=r"^[0-9a-f]{32}$", description="of the entries in the site's log; only at first"
    )


class Refused(_Answered):
    """The site does not take the bundle."""

    title: _Text
    findings: tuple[SiteFinding, ...] = ()


_Model = TypeVar("_Model", Accepted, Refused)


def read_answer(model: type[_Model], content: bytes) -> _Model | None:
    """Return an answer; None where the content is not one."""
    try:
        parse(content)  # refuses keys that occur twice
        return model.model_validate_json(content, strict=True)
    except (RecordError, ValidationError):
        return None
