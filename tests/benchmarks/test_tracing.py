"""What each way to reuse traces saves: a sweep of clips of the 4B model, with it and without, in alternation.

The sweep is that of a plan: the clips of the `standard` suite, then the lengths of a search for the longest.
"""

from time import process_time
from typing import Final

import pytest

from bench.moss_audio.configuration import audio_token_count, released_config
from bench.predict.setting import Setting
from bench.predict.tracing.tracer import Reuse, Tracer
from bench.records.enums import EncoderAttention
from bench.suite.suite import find_suite
from tests.benchmarks.conftest import Pairs
from tests.samples.records import SAMPLED

SEARCHED_S: Final = (256, 260, 292, 308, 428, 436, 512, 516)
TEXT_TOKENS: Final = 26
FRAMES_PER_S: Final = 100
SETTING: Final = Setting(
    dtype="bfloat16",
    kernel="flash",
    is_grouped=True,
    encoder_attention=EncoderAttention.EAGER,
    logits_positions="all",
    sampling=SAMPLED,
    kind="cuda",
)


@pytest.mark.parametrize(
    ("what", "without"),
    [
        ("families of clips", Reuse(clips=False)),
        ("batches of encoder chunks", Reuse(parts=False)),
        ("spliced decode steps", Reuse(decode_steps=False)),
        ("all three", Reuse(clips=False, parts=False, decode_steps=False)),
    ],
)
def test_a_sweep_of_clips(pairs: Pairs, what: str, without: Reuse) -> None:
    def pair() -> tuple[float, float]:
        return _sweep_s(Reuse()), _sweep_s(without)

    pairs(f"tracing a sweep of clips, with / without {what}", pair, at_most=1)


def _sweep_s(reuse: Reuse) -> float:
    """Processor time: tracing is one thread, and waits for nothing."""
    tracer = Tracer(released_config("MOSS-Audio-4B-Instruct"), SETTING, reuse)
    begin_s = process_time()
    for clip_s in (*find_suite("standard").axes.clip_seconds, *SEARCHED_S):
        frames = round(clip_s * FRAMES_PER_S)
        tracer.trace(frames, audio_token_count(frames) + TEXT_TOKENS)
    return process_time() - begin_s
