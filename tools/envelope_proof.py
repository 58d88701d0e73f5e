"""How well the envelope holds: predictions against what torch's allocator saw on this machine, at full size.

    python tools/envelope_proof.py                 the tables of docs/predictions.md (minutes, 14 GB)
    python tools/envelope_proof.py --format json   the same figures, phase by phase

MOSS-Audio-4B-Instruct with random weights in BF16 on the CPU answers clips through `generate`. Two observers
that share no code with the predictions watch: torch's profiler, which hears of every block that the allocator
gives, workspace of kernels among them; and a tracker at the dispatcher, which sees tensors. The weights are
left out on both sides. The resident set is that of a process of its own.
"""

import argparse
import gc
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import torch

from bench.audio.clips import cut, shipped_speech
from bench.engines.interface import ModelSource, Request
from bench.engines.native.answering import answer, generation_config
from bench.engines.native.engine import NativeEngine, quiet_transformers
from bench.measure.memory import MemoryWatch
from bench.measure.observer import CombinedObserver
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker
from bench.moss_audio import MossAudioModel, MossAudioProcessor
from bench.moss_audio.configuration import released_config
from bench.moss_audio.encoder import EncoderAttention as AttentionModule
from bench.predict.cpu_workspace import ProbedWorkspace
from bench.predict.cuda_workspace import no_workspace
from bench.predict.memory_events import MemoryEvents, PhaseMarks
from bench.predict.prediction import OnCpu, predict
from bench.predict.setting import Setting
from bench.predict.tracing.tracer import Tracer, model_memory
from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention, EncoderAttention, Phase, Profile, WeightMode
from bench.records.prediction import Envelope
from bench.units import both_units, clip_length
from bench.weights.random import random_model

MODEL: Final = "MOSS-Audio-4B-Instruct"
DTYPE: Final = "bfloat16"
PROMPT: Final = "Describe this audio."
# As upstream and the suites have it.
SAMPLING: Final = Sampling(do_sample=True, temperature=1.0, top_p=1.0, top_k=50)
SEED: Final = 0
PHASES: Final = (Phase.ENCODE, Phase.PREFILL, Phase.DECODE)


class Combination(NamedTuple):
    """One generation to be predicted and watched."""

    clip_seconds: int
    encoder: EncoderAttention
    logits: Literal["all", "last"]
    tokens: int


EAGER, SDPA = EncoderAttention.EAGER, EncoderAttention.SDPA
COMBINATIONS: Final = (
    Combination(5, EAGER, "all", 4),
    Combination(5, SDPA, "last", 64),
    Combination(30, EAGER, "all", 64),
    Combination(30, SDPA, "last", 4),
    Combination(60, EAGER, "last", 4),
    Combination(60, SDPA, "all", 4),
    Combination(120, EAGER, "all", 4),
    Combination(120, SDPA, "last", 4),
)
# In a process of its own: the longest clip, where activations are largest.
IN_ITS_OWN_PROCESS: Final = (Combination(30, SDPA, "all", 4), Combination(120, EAGER, "all", 4))


class Pair(NamedTuple):
    """Bytes, without the weights."""

    predicted: int
    seen: int

    @property
    def difference(self) -> float:
        """Of the prediction, as a share of what was seen."""
        return self.predicted / self.seen - 1


@dataclass(frozen=True, slots=True)
class Row:
    """A combination: per phase what the allocator gave at most, and what the tensors took at most.

    `workspace` is the kernels' part of the prediction at that moment.
    """

    combination: Combination
    allocated: dict[Phase, Pair]
    tensors: dict[Phase, Pair]
    workspace: dict[Phase, int]

    @property
    def highest(self) -> Phase:
        """The phase of the peak."""
        return max(self.allocated, key=lambda phase: self.allocated[phase].seen)


class ResidentSet(NamedTuple):
    """A process before it loads the weights, and at its highest: bytes."""

    prompt_tokens: int
    before: int
    peak: int


class ResidentRow(NamedTuple):
    """The resident set: predicted is what is allocated at most, weights among it, and the process before."""

    combination: Combination
    before: int
    peak: Pair


# --- predicted --------------------------------------------------------------------------------------------


class Predictions:
    """Envelopes of combinations. Traces are shared by answers of all lengths, probes by all."""

    def __init__(self) -> None:
        self._config = released_config(MODEL)
        self._memory = model_memory(self._config, DTYPE)
        self._workspace = ProbedWorkspace()

    def envelopes(self, combination: Combination, prompt_tokens: int) -> tuple[Envelope, Envelope]:
        """With the workspace of kernels, and of tensors alone."""
        frames = combination.clip_seconds * 100
        trace = Tracer(self._config, _setting(combination)).trace(frames, prompt_tokens)
        self._workspace.prepare(trace.kernels)
        both = (
            predict(
                trace,
                self._memory,
                OnCpu(workspace),
                mel_frames=frames,
                logits_positions=combination.logits,
                max_tokens=[combination.tokens],
            )[combination.tokens]
            for workspace in (self._workspace, no_workspace)
        )
        with_workspace, tensors = both
        return with_workspace, tensors


def _setting(combination: Combination) -> Setting:
    return Setting(
        dtype=DTYPE,
        kernel="flash",
        is_grouped=True,
        encoder_attention=combination.encoder,
        logits_positions=combination.logits,
        sampling=SAMPLING,
        kind="cpu",
    )


def _beyond_the_weights(envelope: Envelope, phase: Phase) -> int:
    found = envelope.phases[phase]
    return found.allocated_peak_bytes - envelope.weights_bytes - found.buffers_bytes


# --- seen -------------------------------------------------------------------------------------------------


class Observation(NamedTuple):
    """Most bytes in each phase, as the allocator gave them and as the dispatcher saw tensors."""

    prompt_tokens: int
    allocated: dict[Phase, int]
    tensors: dict[Phase, int]


@torch.no_grad()
def watch(model: MossAudioModel, combination: Combination) -> Observation:
    """Generate as the native engine does, watched from the inputs on."""
    for module in model.modules():
        if isinstance(module, AttentionModule):
            module.implementation = combination.encoder.value
    processor = MossAudioProcessor.without_tokenizer()
    samples = cut(shipped_speech(), combination.clip_seconds)
    config = generation_config(
        max_tokens=combination.tokens, forced_length=True, sampling=SAMPLING, end_of_answer=[0]
    )
    gc.collect()
    tracker = AllocationTracker()
    tracker.adopt_all([*model.parameters(), *model.buffers()])
    weights = tracker.read().live
    tensors = MemoryWatch(tracker, Resident())
    with MemoryEvents() as events, tracker:
        inputs = processor(text=PROMPT, audio=samples)
        inputs["audio_features"] = inputs["audio_features"].to(getattr(torch, DTYPE))
        watching = CombinedObserver(PhaseMarks(), tensors)
        output = answer(model, inputs, config, watching, logits_positions=combination.logits)
    prompt_tokens = inputs["input_ids"].shape[1]
    if output.sequences.shape[1] != prompt_tokens + combination.tokens:
        raise RuntimeError("the answer has another length")
    peaks = {segment.name: segment.peak for segment in events.segments()}
    return Observation(
        prompt_tokens,
        {phase: peaks[phase] for phase in PHASES},
        {phase: (tensors.phases[phase].allocated_peak_bytes or 0) - weights for phase in PHASES},
    )


def rows(combinations: Sequence[Combination]) -> Iterator[Row]:
    """One model in memory for all of them."""
    model = random_model(released_config(MODEL), dtype=getattr(torch, DTYPE), device="cpu", seed=SEED)
    predictions = Predictions()
    for combination in combinations:
        seen = watch(model, combination)
        full, tensors = predictions.envelopes(combination, seen.prompt_tokens)
        yield Row(
            combination,
            {p: Pair(_beyond_the_weights(full, p), seen.allocated[p]) for p in PHASES},
            {p: Pair(_beyond_the_weights(tensors, p), seen.tensors[p]) for p in PHASES},
            {p: full.phases[p].workspace_bytes for p in PHASES},
        )


# --- the resident set -------------------------------------------------------------------------------------


def resident_rows(combinations: Sequence[Combination]) -> Iterator[ResidentRow]:
    """Each in a process of its own."""
    predictions = Predictions()
    for combination in combinations:
        command = [sys.executable, __file__, "--resident", json.dumps(combination)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seen = ResidentSet(*json.loads(output.splitlines()[-1]))
        envelope, _ = predictions.envelopes(combination, seen.prompt_tokens)
        predicted = envelope.allocated_peak_bytes + seen.before
        yield ResidentRow(combination, seen.before, Pair(predicted, seen.peak))


def resident_set(combination: Combination) -> ResidentSet:
    """Load the native engine, answer once, and read the largest resident set of it all."""
    resident = Resident()
    engine = NativeEngine(
        ModelSource(name=MODEL, weight_mode=WeightMode.RANDOM, directory=None), torch.device("cpu")
    )
    samples = cut(shipped_speech(), combination.clip_seconds)
    before = resident.now()
    resident.begin()
    engine.load(_requested(combination))
    request = Request(samples, PROMPT, True, combination.tokens, True, SAMPLING, SEED)
    answered = engine.generate(request, CombinedObserver())
    peak = resident.peak()
    if peak is None:
        raise RuntimeError("This system does not keep the peak of the resident set")
    return ResidentSet(answered.prompt_tokens, before, peak)


def _requested(combination: Combination) -> Requested:
    if combination.logits != "all":
        raise ValueError(
            "the engine computes the last logits in its lean profile, which changes more than that"
        )
    return Requested(
        model=MODEL,
        weight_mode=WeightMode.RANDOM,
        engine="native",
        profile=Profile.FAITHFUL,
        dtype=DTYPE,
        attention=Attention.SDPA,
        encoder_attention=combination.encoder,
        clip_seconds=combination.clip_seconds,
        clip_source_sha256=shipped_speech().sha256,
        max_tokens=combination.tokens,
        prompt=PROMPT,
        time_markers=True,
        sampling=SAMPLING,
        seed=SEED,
    )


# --- the answer -------------------------------------------------------------------------------------------

HEAD: Final = (
    *(
        "clip",
        "encoder",
        "logits",
        "tokens",
        "peak in",
        "predicted",
        "workspace in it",
        "profiler",
        "difference",
    ),
    *("tensors predicted", "tensors seen", "difference"),
)


def markdown(found: Iterable[Row], processes: Iterable[ResidentRow]) -> Iterator[str]:
    """Two tables, line by line, as soon as they are known."""
    yield _line(HEAD)
    yield _line(["---:", "---", "---", "---:", "---", *["---:"] * 7])
    all_rows = list[Row]()
    for row in found:
        all_rows.append(row)
        one, phase = row.combination, row.highest
        yield _line(
            [
                *(clip_length(one.clip_seconds), one.encoder, one.logits, str(one.tokens), phase),
                *_cells(row.allocated[phase], _mb(row.workspace[phase])),
                *_cells(row.tensors[phase]),
            ]
        )
    workspace = max(abs(pair.difference) for row in all_rows for pair in row.allocated.values())
    tensors = max(abs(pair.difference) for row in all_rows for pair in row.tensors.values())
    yield f"\nLargest difference of any phase: {workspace:.2%}, of tensors alone {tensors:.2%}.\n"
    yield _line(
        ["clip", "encoder", "process before loading", "predicted with it", "resident peak", "difference"]
    )
    yield _line(["---:", "---", "---:", "---:", "---:", "---:"])
    for process in processes:
        clip, encoder = clip_length(process.combination.clip_seconds), process.combination.encoder
        sizes = [both_units(size) for size in (process.before, *process.peak)]
        yield _line([clip, encoder, *sizes, f"{process.peak.difference:+.2%}"])


def _cells(pair: Pair, *between: str) -> list[str]:
    return [_mb(pair.predicted), *between, _mb(pair.seen), f"{pair.difference:+.2%}"]


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:,.1f} MB"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_json(found: Iterable[Row], processes: Iterable[ResidentRow]) -> str:
    """The same figures, and those of every phase."""
    return json.dumps(
        {
            "combinations": [
                {
                    **row.combination._asdict(),
                    "allocated": {phase: pair._asdict() for phase, pair in row.allocated.items()},
                    "tensors": {phase: pair._asdict() for phase, pair in row.tensors.items()},
                    "workspace": row.workspace,
                }
                for row in found
            ],
            "resident": [
                {**row.combination._asdict(), "before": row.before, **row.peak._asdict()} for row in processes
            ],
        },
        indent=2,
    )


def main(arguments: Sequence[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--format", choices=["markdown", "json"], default="markdown")
    parser.add_argument("--resident", help=argparse.SUPPRESS)  # how it starts processes of its own
    options = parser.parse_args(arguments)
    quiet_transformers()
    if options.resident is not None:
        clip, encoder, logits, tokens = json.loads(options.resident)
        one = Combination(clip, EncoderAttention(encoder), logits, tokens)
        lines: Iterable[str] = [json.dumps(resident_set(one))]
    elif options.format == "json":
        lines = [as_json(rows(COMBINATIONS), resident_rows(IN_ITS_OWN_PROCESS))]
    else:
        lines = markdown(rows(COMBINATIONS), resident_rows(IN_ITS_OWN_PROCESS))
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
