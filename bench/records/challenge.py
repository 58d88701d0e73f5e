"""The challenge of a site: a nonce that nobody knew before, with a signature over it."""

from typing import Annotated, Final, Literal

from pydantic import Field

from bench.records.base import Frozen, Sha256, Utc

SITE: Final = r"^[!-~]{1,200}$"
"""An address: ASCII without blanks."""

Nonce = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Statement(Frozen):
    """What a site signs, in its RFC 8785 form."""

    schema_version: Literal["1.0"] = "1.0"
    site: str = Field(pattern=SITE, description="address of the site, as it names itself")
    nonce: Nonce = Field(description="16 random bytes in hex")
    issued_at: Utc = Field(description="by the clock of the site")
    public_key: Sha256 = Field(description="Ed25519: the 32 bytes of the key that signs, in hex")


class IssuedChallenge(Statement):
    """A challenge as a site gave it. `bench.identity.challenge` verifies the signature."""

    signature: str = Field(description="Ed25519 over the DSSE encoding: 64 bytes in base64", max_length=88)

    @property
    def statement(self) -> Statement:
        """What is signed."""
        return Statement(**{name: getattr(self, name) for name in Statement.model_fields})
