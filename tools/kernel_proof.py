"""How well predictions hold for each attention kernel and profile: against torch's profiler, at full size.

    python -m tools.kernel_proof                 the peak of each phase, in Markdown (minutes, 16 GB)
    python -m tools.kernel_proof --format json   the same figures

MOSS-Audio-4B-Instruct with random weights in BF16 on the CPU answers clips through `generate`, watched by the
profiler, which sees every block of the allocator. `flash` is the fused kernel of the CPU. Where SDPA is
called without groups, as `lean` calls it on Windows, that kernel takes the place of the memory-efficient one.
`math` is torch's, as `faithful` runs it on Windows. The weights are left out on both sides.
"""

import argparse
import gc
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from typing import Final, Literal, NamedTuple

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.audio.clips import cut, shipped_speech
from bench.engines.native.answering import answer, generation_config
from bench.engines.native.engine import quiet_transformers
from bench.engines.native.profiles import settings_of
from bench.moss_audio import MossAudioConfig, MossAudioModel, MossAudioProcessor
from bench.moss_audio.attention import GROUPED, UNGROUPED, register_ungrouped
from bench.moss_audio.configuration import released_config
from bench.moss_audio.language import PiecewiseMLP
from bench.predict.cpu_workspace import ProbedWorkspace
from bench.predict.memory_events import MemoryEvents, PhaseMarks
from bench.predict.prediction import OnCpu, predict
from bench.predict.setting import Setting
from bench.predict.tracing.tracer import Tracer, model_memory
from bench.records.enums import EncoderAttention, Profile
from bench.units import clip_length
from bench.weights.random import random_model
from tools.envelope_proof import DTYPE, MODEL, PHASES, PROMPT, SAMPLING, SEED, Pair

TOKENS: Final = 4


class Combination(NamedTuple):
    """One generation to be predicted and watched."""

    clip_seconds: int
    profile: Profile
    kernel: Literal["flash", "math"]
    is_grouped: bool


COMBINATIONS: Final = (
    Combination(60, Profile.FAITHFUL, "flash", True),
    Combination(60, Profile.FAITHFUL, "math", True),
    Combination(60, Profile.LEAN, "flash", True),
    Combination(60, Profile.LEAN, "flash", False),
)


class Row(NamedTuple):
    """A combination, and the peak of each of its phases."""

    combination: Combination
    prompt_tokens: int
    peaks: dict[str, Pair]


def rows(combinations: Sequence[Combination]) -> Iterator[Row]:
    """Watch and predict each combination; one model in memory for all of them."""
    own = released_config(MODEL)
    pieces = settings_of(Profile.LEAN).mlp_positions_at_once
    config = MossAudioConfig(**{**own.to_dict(), "mlp_positions_at_once": pieces})
    register_ungrouped()
    model = random_model(config, dtype=getattr(torch, DTYPE), device="cpu", seed=SEED)
    memory, workspace = model_memory(own, DTYPE), ProbedWorkspace()
    for one in combinations:
        prompt_tokens, seen = _watch(model, one)
        asked = _setting(one)
        trace = Tracer(own, asked).trace(one.clip_seconds * 100, prompt_tokens)
        workspace.prepare(trace.kernels)
        predicted = predict(
            trace,
            memory,
            OnCpu(workspace),
            mel_frames=one.clip_seconds * 100,
            logits_positions=asked.logits_positions,
            max_tokens=[TOKENS],
        )[TOKENS]
        peaks = {
            phase.value: Pair(
                predicted.phases[phase].allocated_peak_bytes
                - predicted.weights_bytes
                - predicted.phases[phase].buffers_bytes,
                seen[phase],
            )
            for phase in PHASES
        }
        yield Row(one, prompt_tokens, peaks)


def _setting(one: Combination) -> Setting:
    profile = settings_of(one.profile)
    return Setting(
        dtype=DTYPE,
        kernel=one.kernel,
        is_grouped=one.is_grouped,
        encoder_attention=EncoderAttention.EAGER,
        logits_positions=profile.logits_positions,
        sampling=SAMPLING,
        kind="cpu",
        chunks_at_once=profile.encoder_chunks_at_once,
        mlp_positions_at_once=profile.mlp_positions_at_once,
    )


@torch.no_grad()
def _watch(model: MossAudioModel, one: Combination) -> tuple[int, dict[str, int]]:
    """Generate as the native engine does; return the length of the prompt and the peak of each phase."""
    _adjust(model, one)
    processor = MossAudioProcessor.without_tokenizer()
    samples = cut(shipped_speech(), one.clip_seconds)
    config = generation_config(max_tokens=TOKENS, forced_length=True, sampling=SAMPLING, end_of_answer=[0])
    gc.collect()
    chosen = sdpa_kernel(SDPBackend.MATH) if one.kernel == "math" else nullcontext()
    with MemoryEvents() as events, chosen:
        inputs = processor(text=PROMPT, audio=samples)
        inputs["audio_features"] = inputs["audio_features"].to(getattr(torch, DTYPE))
        logits = settings_of(one.profile).logits_positions
        answer(model, inputs, config, PhaseMarks(), logits_positions=logits)
    return inputs["input_ids"].shape[1], {segment.name: segment.peak for segment in events.segments()}


def _adjust(model: MossAudioModel, one: Combination) -> None:
    """Give the model the settings of the combination."""
    profile = settings_of(one.profile)
    audio = released_config(MODEL).audio_config
    chunks = profile.encoder_chunks_at_once or audio.conv_chunksize
    model.audio_encoder.config = type(audio).from_dict({**audio.to_dict(), "conv_chunksize": chunks})
    model.language_model.config._attn_implementation = GROUPED if one.is_grouped else UNGROUPED
    for module in model.modules():
        if isinstance(module, PiecewiseMLP):
            module.positions_at_once = profile.mlp_positions_at_once or sys.maxsize


# --- the answer -------------------------------------------------------------------------------------------

HEAD: Final = ("clip", "profile", "kernel", "SDPA called", "phase", "predicted", "profiler", "difference")


def markdown(found: Iterator[Row]) -> Iterator[str]:
    """Yield a table, line by line, as soon as a row is known."""
    yield _line(HEAD)
    yield _line(["---:", "---", "---", "---", "---", "---:", "---:", "---:"])
    largest = 0.0
    for row in found:
        one = row.combination
        called = "with groups" if one.is_grouped else "without groups"
        for phase, pair in row.peaks.items():
            sizes = [f"{size / 1e6:,.1f} MB" for size in pair]
            first = (clip_length(one.clip_seconds), one.profile, one.kernel, called, phase)
            yield _line([*first, *sizes, f"{pair.difference:+.2%}"])
            largest = max(largest, abs(pair.difference))
    yield f"\nLargest difference: {largest:.2%}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_json(found: Iterator[Row]) -> str:
    """Return the same figures."""
    return json.dumps(
        [
            {
                **row.combination._asdict(),
                "prompt_tokens": row.prompt_tokens,
                "peaks": {phase: pair._asdict() for phase, pair in row.peaks.items()},
            }
            for row in found
        ],
        indent=2,
    )


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    options = parser.parse_args(arguments)
    quiet_transformers()
    found = rows(COMBINATIONS)
    for line in [as_json(found)] if options.format == "json" else markdown(found):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
