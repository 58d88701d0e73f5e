"""Confirmations: files in which a key states to which account it belongs.

The key signs a statement with the URL of the file. That the file is at this URL is the consent of the
account, and the signature is the consent of the key: nobody can claim a key or an account of somebody else.
The statement names a site, and confirms nothing on another one.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from pydantic import Field, ValidationError

from bench.errors import GateError, RecordError, UsageError
from bench.identity.accounts import Account, account_of
from bench.identity.dsse import Signed, envelope_file, key_id_of, read_envelope
from bench.identity.web_url import MAX_URL, parse_url
from bench.records.base import Frozen, Sha256
from bench.store.canonical import canonical
from bench.store.faults import first_fault

if TYPE_CHECKING:
    from bench.identity.keys import SigningKey

MAX_BYTES: Final = 4_000
"""Of the file."""
PAYLOAD_TYPE: Final = "application/vnd.moss-audio-bench.confirmation+json"
_ANEW: Final = "Its owner makes a new one: bench submit --confirm URL --to SITE"


class _Statement(Frozen):
    """The payload of a confirmation."""

    schema_version: Literal["1.0"] = "1.0"
    site: str = Field(max_length=MAX_URL, description="address of the site")
    file: str = Field(max_length=MAX_URL, description="URL of this file")
    public_key: Sha256 = Field(description="Ed25519: the 32 bytes of the key that signs, in hex")


@dataclass(frozen=True)
class Confirmation:
    """A confirmation whose signature holds."""

    key_id: str
    account: Account
    site: str


def site_address(url: str) -> str:
    """Return the address of a site in its only spelling: `https://bench.example`, without a slash at the end.

    Raises:
        UsageError: it is no such address.
    """
    where = parse_url(url)
    if where.query:
        raise UsageError("the address of a site has no query", hint="Write https://HOST")
    return str(where).rstrip("/")


def sign_confirmation(url: str, site: str, key: "SigningKey") -> bytes:
    """Return the file with which the account of a URL confirms a key: the same bytes for the same input.

    Raises:
        UsageError: no account belongs to the URL, or the site has no such address.
    """
    statement = _Statement(site=site_address(site), file=account_of(url).url, public_key=key.public_key)
    return envelope_file(canonical(statement.model_dump(mode="json")), PAYLOAD_TYPE, key.signer)


def read_confirmation(content: bytes, name: str) -> Confirmation:
    """Return the confirmation in a file, its signature verified. `name`: of the file or its URL, for errors.

    Raises:
        RecordError: it is no confirmation.
        GateError: the signature does not hold.
    """
    signed, statement = _parsed(content, name)
    if not signed.holds_under(statement.public_key):
        raise GateError(f"{name}: the signature does not hold", hint=_ANEW)
    try:
        account, site = account_of(statement.file), site_address(statement.site)
    except UsageError as error:
        raise RecordError(f"{name}: is no confirmation of a key ({error.message})") from error
    if (account.url, site) != (statement.file, statement.site):
        raise RecordError(f"{name}: is no confirmation of a key (an address in it has another spelling)")
    return Confirmation(key_id_of(statement.public_key), account, site)


def require_same(found: Confirmation, url: str, site: str) -> None:
    """Check that a confirmation is for the place where it was found, and for this site.

    Raises:
        GateError: it is for another one.
        UsageError: no account belongs to the URL, or the site has no such address.
    """
    account, address = account_of(url), site_address(site)
    for what, stated, expected in (
        ("the URL", found.account.url, account.url),
        ("the site", found.site, address),
    ):
        if stated != expected:
            raise GateError(f"the confirmation is for {what} {stated}, not {expected}", hint=_ANEW)


def _parsed(content: bytes, name: str) -> tuple[Signed, _Statement]:
    try:
        signed = read_envelope(content, PAYLOAD_TYPE)
        return signed, _Statement.model_validate_json(signed.payload, strict=True)
    except ValidationError as error:
        raise RecordError(f"{name}: is no confirmation of a key ({first_fault(error)})") from error
    except RecordError as error:
        raise RecordError(f"{name}: is no confirmation of a key ({error.message})") from error
