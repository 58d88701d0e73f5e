"""The yardstick: nothing but transformers' `generate` in a loop, forced to a length, in a process of its own.

Usage: python bare_generate.py CHECKPOINT CLIP_SECONDS TOKENS REPEATS

Prints decode tokens/s of each repeat as JSON. The rate is (n - 1) / (T(n) - T(1)) from the times of whole
calls, so that nothing runs inside the loop that a plain user would not have there.
"""

import json
import sys
from time import perf_counter

import torch

from bench.audio import clips
from bench.moss_audio import MossAudioModel, MossAudioProcessor


def main() -> None:
    """Measure and print."""
    directory, clip_seconds, tokens, repeats = (
        sys.argv[1],
        float(sys.argv[2]),
        int(sys.argv[3]),
        int(sys.argv[4]),
    )
    processor = MossAudioProcessor.from_pretrained(directory)
    model = MossAudioModel.from_pretrained(directory, dtype=torch.float32, attn_implementation="sdpa").eval()  # type: ignore[no-untyped-call]
    samples = clips.cut(clips.shipped_speech(), clip_seconds)
    inputs = processor(text="Describe this audio.", audio=samples)

    def timed(count: int) -> float:
        torch.manual_seed(0)
        start = perf_counter()
        model.generate(
            **inputs,
            max_new_tokens=count,
            min_new_tokens=count,
            do_sample=True,
            top_k=50,
            pad_token_id=0,
            logits_to_keep=0,
        )
        return perf_counter() - start

    timed(tokens)
    timed(8)
    rates = []
    for _ in range(repeats):
        one = timed(1)
        rates.append((tokens - 1) / (timed(tokens) - one))
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
