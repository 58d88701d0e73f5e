"""Settings and clips of traces of the 4B model."""

from itertools import accumulate

from bench.moss_audio.configuration import audio_token_count
from bench.predict.setting import Setting
from bench.predict.trace import Trace
from bench.records.enums import EncoderAttention
from tests.samples.records import SAMPLED

FULL_SIZE = "MOSS-Audio-4B-Instruct"


def setting(**changes: object) -> Setting:
    given = {
        "dtype": "bfloat16",
        "kernel": "flash",
        "is_grouped": True,
        "encoder_attention": EncoderAttention.EAGER,
        "logits_positions": "all",
        "sampling": SAMPLED,
        "kind": "cpu",
    }
    return Setting(**{**given, **changes})  # type: ignore[arg-type]


def prompt_of(mel_frames: int) -> int:
    return audio_token_count(mel_frames) + 100


def levels(trace: Trace) -> list[int]:
    sizes = {event.block: event.size_bytes for event in trace.events if event.size_bytes}
    return list(accumulate(event.size_bytes or -sizes[event.block] for event in trace.events))
