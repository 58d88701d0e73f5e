"""Good records with a challenge and its answer: what a run with `--challenge` writes, without a model."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Final

from bench.arithmetic.architecture import audio_tokens
from bench.audio import clips
from bench.engines.support import prompt_positions
from bench.identity.challenge import PAYLOAD_TYPE
from bench.identity.dsse import public_key_of, sign_payload
from bench.predict.setting import mel_frames
from bench.records.cell import CellResult, Effective, Measured, Outcome, Requested
from bench.records.challenge import IssuedChallenge, Statement
from bench.records.enums import Attention
from bench.records.record import Challenge, CheckedAnswer, Record
from bench.store.canonical import canonical
from bench.store.record_files import seal
from bench.suite.cells import cell_id
from bench.suite.challenge import ANSWER_TOKENS, CHALLENGE_S, PIECE_SAMPLES, challenge_request, excerpt_starts
from bench.suite.suite import Suite
from tests.identity.signers import signer

SITE: Final = "https://results.example.org"
NONCE: Final = "00112233445566778899aabbccddeeff"
IDS: Final = tuple(range(100, 100 + ANSWER_TOKENS))
SITE_KEY: Final = 50
"""Seed of the key of the site."""
_MEASURED: Final = Measured()


def challenged(
    record: Record,
    *,
    nonce: str = NONCE,
    site_key: int = SITE_KEY,
    ids: Sequence[int] | None = IDS,
    outcome: Outcome = _MEASURED,
    checks: Record | None = None,
) -> Record:
    """Return the record of the same run with a challenge. `checks`: the record whose answer it checks."""
    heard = _heard(nonce)
    suite = Suite.model_validate(record.suite.definition).model_copy(update={"model": record.model.name})
    requested = challenge_request(suite, record.model.weight_mode, heard)
    answered = isinstance(outcome, Measured)
    cell = CellResult(
        cell_id=cell_id(requested),
        requested=requested,
        effective=_effective(record, requested) if answered else None,
        outcome=outcome,
    )
    challenge = Challenge(
        issued=issued(record, nonce, site_key),
        checks=None if checks is None else checked(checks),
        excerpt_starts=excerpt_starts(nonce),
        cell=cell,
        token_ids=tuple(ids) if ids is not None and answered else None,
    )
    return seal({**record.model_dump(mode="json"), "challenge": challenge.model_dump(mode="json")})


def issued(record: Record, nonce: str = NONCE, site_key: int = SITE_KEY) -> IssuedChallenge:
    """Return a challenge of a minute before the run."""
    key = signer(site_key)
    statement = Statement(
        site=SITE,
        nonce=nonce,
        issued_at=record.created_at - timedelta(minutes=1),
        public_key=public_key_of(key),
    )
    envelope = sign_payload(canonical(statement.model_dump(mode="json")), PAYLOAD_TYPE, key)
    match envelope["signatures"]:
        case [{"sig": str(signature)}]:
            return IssuedChallenge(**dict(statement), signature=signature)
    raise AssertionError(envelope)


def checked(record: Record) -> CheckedAnswer:
    """Return the answer in a record, to be checked."""
    assert record.challenge is not None
    assert record.challenge.token_ids is not None
    return CheckedAnswer(content_hash=record.content_hash, token_ids=record.challenge.token_ids)


@cache
def _heard(nonce: str) -> str:
    return clips.sha256_of(clips.excerpt(excerpt_starts(nonce), PIECE_SAMPLES))


def _effective(record: Record, requested: Requested) -> Effective:
    """Return the settings of a cell of the record with SDPA, about the excerpt."""
    cells = (cell for cell in record.cells if cell.requested.attention is Attention.SDPA)
    seen = next(cell.effective for cell in cells if cell.effective is not None)
    return seen.model_copy(
        update={
            "sampling": requested.sampling,
            "clip_sha256": requested.clip_source_sha256,
            "clip_samples": round(CHALLENGE_S * 16_000),
            "audio_tokens": audio_tokens(mel_frames(CHALLENGE_S)),
            "prompt_tokens": prompt_positions(CHALLENGE_S),
        }
    )


def broken_signature() -> str:
    """Return a signature that nobody made."""
    return base64.b64encode(bytes(64)).decode()
