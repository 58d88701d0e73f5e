"""The challenge cell: what a run asks the model about the excerpt of a nonce, the same in every suite.

The excerpt has five pieces of the shipped speech in a row. Of one piece alone about 70 answers could be
computed beforehand, since pieces that begin within a second have nearly one answer; of five in a row about
a thousand million.
"""

import hashlib
from typing import Final

from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention, WeightMode
from bench.shipped import SPEECH_SAMPLES
from bench.suite.suite import Suite

ANSWER_TOKENS: Final = 32
PIECES: Final = 5
PIECE_SAMPLES: Final = 32_000
"""Of one piece: 2 s."""
CHALLENGE_S: Final = PIECES * PIECE_SAMPLES / 16_000
_PROMPT: Final = "Describe this audio."
"""Random weights come with the ids of this prompt alone."""
_PREFIX: Final = "moss-audio-bench challenge 1"
_USED_BYTES: Final = 8


def excerpt_starts(nonce: str) -> tuple[int, ...]:
    """Return the first sample of each piece.

    Piece k (0 to 4) begins at the first 8 bytes, big-endian, of the SHA-256 of the ASCII text
    `moss-audio-bench challenge 1 NONCE K`, modulo the number of places at which a whole piece begins.
    """
    places = SPEECH_SAMPLES - PIECE_SAMPLES + 1
    digests = (hashlib.sha256(f"{_PREFIX} {nonce} {nth}".encode()).digest() for nth in range(PIECES))
    return tuple(int.from_bytes(digest[:_USED_BYTES], "big") % places for digest in digests)


def challenge_request(suite: Suite, weight_mode: WeightMode, excerpt_sha256: str) -> Requested:
    """Return what the challenge cell of a run asks for.

    Of the suite count model, engine, profile, dtype and the encoder's attention. Every device has SDPA.
    """
    return Requested(
        model=suite.model,
        weight_mode=weight_mode,
        engine=suite.engine,
        profile=suite.profile,
        dtype=suite.dtype,
        attention=Attention.SDPA,
        encoder_attention=suite.encoder_attention,
        clip_seconds=CHALLENGE_S,
        clip_source_sha256=excerpt_sha256,
        max_tokens=ANSWER_TOKENS,
        prompt=_PROMPT,
        time_markers=True,
        sampling=Sampling(do_sample=False, temperature=None, top_p=None, top_k=None),
        seed=0,
    )
