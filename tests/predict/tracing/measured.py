"""What a real generation of a small model takes on the CPU, phase by phase, as the tracker saw it."""

import torch
from transformers import GenerationConfig

from bench.engines.native.answering import answer, generation_config
from bench.measure.memory import MemoryWatch
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker
from bench.moss_audio import MossAudioConfig
from bench.moss_audio.configuration import audio_token_count
from bench.predict.setting import Setting
from bench.records.enums import Phase
from bench.weights.random import random_model

SEED = 0


@torch.no_grad()
def measured_peaks(
    config: MossAudioConfig, setting: Setting, *, mel_frames: int, prompt_tokens: int, max_tokens: int
) -> dict[Phase, int]:
    """Most live bytes in each phase, weights and buffers left out."""
    if setting.chunks_at_once is not None:
        config.audio_config = type(config.audio_config).from_dict(
            {**config.audio_config.to_dict(), "conv_chunksize": setting.chunks_at_once}
        )
    config.hold_audio = setting.hold_audio
    dtype = getattr(torch, setting.dtype)
    model = random_model(
        config,
        dtype=dtype,
        device="cpu",
        seed=SEED,
        attention="eager" if setting.kernel == "eager" else "sdpa",
        encoder_attention=setting.encoder_attention.value,
    )
    model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    torch.manual_seed(SEED)
    tokens = audio_token_count(mel_frames)
    vocabulary = config.language_config.vocab_size
    with AllocationTracker() as tracker:
        tracker.adopt_all((*model.parameters(), *model.buffers()))
        kept = tracker.read().live
        inputs = {
            "input_ids": torch.randint(1, vocabulary, (1, prompt_tokens)),
            "attention_mask": torch.ones(1, prompt_tokens, dtype=torch.int64),
            "audio_features": torch.randn(1, config.audio_config.num_mel_bins, mel_frames).to(dtype),
            "audio_slots": torch.arange(tokens)[None],
        }
        watch = MemoryWatch(tracker, Resident())
        answer(
            model,
            inputs,
            generation_config(
                max_tokens=max_tokens, forced_length=True, sampling=setting.sampling, end_of_answer=[0]
            ),
            watch,
            logits_positions=setting.logits_positions,
        )
    return {phase: (seen.allocated_peak_bytes or 0) - kept for phase, seen in watch.phases.items()}
