"""The lean profile: the same output as faithful within the golden tolerance, in less memory."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bench.engines.interface import ModelSource, Request
from bench.engines.native.engine import NativeEngine
from bench.engines.native.profiles import settings_of
from bench.measure.memory import MemoryWatch
from bench.measure.observer import CombinedObserver
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker
from bench.moss_audio import MossAudioConfig, MossAudioModel, MossAudioProcessor
from bench.moss_audio.configuration import ConfigError
from bench.records.cell import Requested
from bench.records.enums import Attention, Phase, Profile, SdpaKernel, WeightMode
from tests.moss_audio.small import model_config, noise
from tests.moss_audio.test_golden import CLIPS, GOLDEN, TOLERANCE, largest_error
from tests.samples.records import GREEDY, tiny_requested

CPU = torch.device("cpu")


def requested(profile: Profile) -> Requested:
    return tiny_requested(
        model="tiny-a", weight_mode=WeightMode.LOCAL, profile=profile, clip_seconds=1.0, max_tokens=16
    )


def engine_for(profile: Profile) -> NativeEngine:
    source = ModelSource(name="tiny-a", weight_mode=WeightMode.LOCAL, directory=GOLDEN)
    engine = NativeEngine(source, CPU)
    engine.load(requested(profile))
    return engine


@pytest.fixture(scope="module")
def lean() -> NativeEngine:
    return engine_for(Profile.LEAN)


@pytest.fixture(scope="module")
def faithful() -> NativeEngine:
    return engine_for(Profile.FAITHFUL)


def request_of(samples: np.ndarray[tuple[int], np.dtype[np.float32]], text: str) -> Request:
    return Request(
        samples=samples,
        prompt=text,
        time_markers=True,
        max_tokens=16,
        forced_length=True,
        sampling=GREEDY,
        seed=3,
    )


def peaks(engine: NativeEngine, request: Request) -> dict[Phase, int]:
    tracker = AllocationTracker()
    tracker.adopt_all((*engine.weights(), *engine.buffers()))
    watch = MemoryWatch(tracker, Resident())
    with tracker:
        engine.generate(request, watch)
    return {phase: seen.allocated_peak_bytes or 0 for phase, seen in watch.phases.items()}


def test_settings_say_what_runs(faithful: NativeEngine, lean: NativeEngine) -> None:
    assert faithful.settings().logits_positions == "all"
    assert faithful.settings().encoder_chunks_at_once == 64
    assert faithful.settings().mlp_positions_at_once is None
    assert lean.settings().logits_positions == "last"
    assert lean.settings().encoder_chunks_at_once == settings_of(Profile.LEAN).encoder_chunks_at_once == 4
    assert lean.settings().mlp_positions_at_once == settings_of(Profile.LEAN).mlp_positions_at_once == 512
    assert lean.settings().embeddings == "device"  # on a CPU there is no host beside the device


@pytest.mark.parametrize("clip", CLIPS)
def test_lean_generates_the_tokens_of_the_released_model(lean: NativeEngine, clip: str) -> None:
    with np.load(GOLDEN / clip) as golden:
        generation = lean.generate(request_of(golden["waveform"], str(golden["prompt"])), CombinedObserver())
        assert generation.token_ids == tuple(golden["generated"].reshape(-1).tolist())


def test_where_torch_runs_math_for_groups_lean_calls_sdpa_without_them() -> None:
    """The dispatcher is asked once, at loading, as on a card whose fused kernels take no groups."""
    with sdpa_kernel(SDPBackend.MATH):
        ungrouped, grouped = engine_for(Profile.LEAN), engine_for(Profile.FAITHFUL)
    assert ungrouped.settings().sdpa_grouping == "ungrouped"
    assert grouped.settings().sdpa_grouping == "grouped"
    for clip in CLIPS:
        with np.load(GOLDEN / clip) as golden:
            generation = ungrouped.generate(
                request_of(golden["waveform"], str(golden["prompt"])), CombinedObserver()
            )
            assert generation.token_ids == tuple(golden["generated"].reshape(-1).tolist())


def test_calls_with_groups_are_of_sdpa_alone(lean: NativeEngine) -> None:
    assert lean.settings().sdpa_grouping == "grouped"
    source = ModelSource(name="tiny-a", weight_mode=WeightMode.LOCAL, directory=GOLDEN)
    eager = NativeEngine(source, CPU)
    eager.load(requested(Profile.LEAN).model_copy(update={"attention": Attention.EAGER}))
    assert eager.settings().sdpa_grouping is None


@pytest.mark.parametrize(
    ("profile", "kernel", "is_grouped"),
    [
        (Profile.FAITHFUL, "math", True),
        (Profile.LEAN, "math", False),
        (Profile.LEAN, "flash", True),
        (Profile.LEAN, "memory_efficient", True),
        (Profile.LEAN, None, False),
    ],
)
def test_groups_follow_the_kernel_that_takes_them(
    profile: Profile, kernel: SdpaKernel | None, is_grouped: bool
) -> None:
    assert settings_of(profile).is_grouped(kernel) is is_grouped


@pytest.mark.parametrize("chunks", [1, 2])
@pytest.mark.parametrize("positions", [1, 7, 64])
@pytest.mark.parametrize("clip", CLIPS)
def test_any_pieces_give_the_numbers_of_the_released_model(clip: str, chunks: int, positions: int) -> None:
    audio = replace(MossAudioConfig.from_pretrained(GOLDEN).audio_config, conv_chunksize=chunks)
    model = MossAudioModel.from_pretrained(
        GOLDEN, dtype=torch.float32, audio_config=audio, mlp_positions_at_once=positions
    )
    with np.load(GOLDEN / clip) as golden, torch.no_grad():
        inputs = MossAudioProcessor.from_pretrained(GOLDEN)(
            text=str(golden["prompt"]), audio=golden["waveform"]
        )
        encoded = model.encode_audio(**inputs)
        for key in ("encoder_last_hidden", "deepstack", "audio_embeds"):
            assert largest_error(getattr(encoded, key), torch.from_numpy(golden[key])) < TOLERANCE
        last = model(**inputs, logits_to_keep=1).logits
        assert largest_error(last, torch.from_numpy(golden["logits"])[:, -1:]) < TOLERANCE


@pytest.mark.parametrize("seconds", [9.0, 41.0, 60.0])
def test_lean_says_the_same_and_takes_less_in_every_phase_that_sets_the_peak(
    faithful: NativeEngine, lean: NativeEngine, seconds: float
) -> None:
    request = request_of(noise(seconds), "What is said here?")
    assert lean.generate(request, CombinedObserver()) == faithful.generate(request, CombinedObserver())
    usual, less = peaks(faithful, request), peaks(lean, request)
    assert all(less[phase] <= usual[phase] for phase in usual)
    if seconds > 16:  # more than four chunks
        assert less[Phase.ENCODE] < usual[Phase.ENCODE]
        assert less[Phase.PREFILL] < usual[Phase.PREFILL]


def test_no_positions_at_once_are_refused() -> None:
    values = model_config().to_dict()
    with pytest.raises(ConfigError, match="at least 1"):
        type(model_config())(**{**values, "mlp_positions_at_once": 0})
