"""New challenges of a site of the tests."""

from datetime import UTC, datetime
from pathlib import Path

from bench.identity.challenge import issue_challenge
from bench.identity.keys import SigningKey
from tests.identity.signers import signer


def new_challenge(seed: int = 50) -> bytes:
    """Return the answer of a site whose key is of this seed, issued now."""
    key = SigningKey(signer(seed), Path("never read"))
    return issue_challenge("https://results.example.org", datetime.now(UTC), key)
