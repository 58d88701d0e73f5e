"""The native engine on a tiny checkpoint: what it announces, what it forces, what it keeps in memory."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bench.audio import clips
from bench.engines.interface import ModelSource, Request
from bench.engines.native.engine import NativeEngine
from bench.errors import BenchError, WeightsError
from bench.measure.kernels import KernelObserver
from bench.measure.memory import MemoryWatch
from bench.measure.observer import CombinedObserver
from bench.measure.resident import Resident
from bench.measure.tracker import AllocationTracker
from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention, EncoderAttention, Phase, Profile, WeightMode
from bench.weights.tiny import write_tiny_checkpoint
from tests.samples.records import GREEDY, SAMPLED, tiny_requested

CPU = torch.device("cpu")
REQUESTED = tiny_requested()


class Diary:
    """Writes down what an engine announces."""

    def __init__(self) -> None:
        self.entries: list[str] = []

    def begin(self, phase: Phase) -> None:
        self.entries.append(phase)

    def token(self) -> None:
        self.entries.append("token")

    def end(self) -> None:
        self.entries.append("end")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny"
    write_tiny_checkpoint(path)
    return path


def engine_for(directory: Path, requested: Requested = REQUESTED) -> NativeEngine:
    engine = NativeEngine(ModelSource(name="tiny", weight_mode=WeightMode.LOCAL, directory=directory), CPU)
    engine.load(requested)
    return engine


@pytest.fixture(scope="module")
def engine(directory: Path) -> NativeEngine:
    return engine_for(directory)


@pytest.fixture
def request_6s() -> Request:
    samples = clips.cut(clips.shipped_speech(), 6.0)
    return Request(
        samples=samples,
        prompt="Describe this audio.",
        time_markers=True,
        max_tokens=6,
        forced_length=True,
        sampling=GREEDY,
        seed=3,
    )


def test_every_phase_is_announced_in_order_and_every_token_once(
    engine: NativeEngine, request_6s: Request
) -> None:
    diary = Diary()
    engine.generate(request_6s, diary)
    tokens = ["token"] * 5
    assert diary.entries == ["preprocess", "encode", "prefill", "token", "decode", *tokens, "end"]


@pytest.mark.parametrize("sampling", [GREEDY, SAMPLED])
def test_the_length_is_forced_and_a_seed_repeats_its_tokens(
    engine: NativeEngine, request_6s: Request, sampling: Sampling
) -> None:
    request = replace(request_6s, sampling=sampling, max_tokens=40)
    first, second = (engine.generate(request, CombinedObserver()) for _ in range(2))
    assert len(first.token_ids) == 40
    assert first == second
    assert first.stop_reason == "length"
    eos = engine.processor().require_tokenizer().eos_token_id
    assert eos not in first.token_ids[:-1]


def test_seeds_differ_when_sampling(engine: NativeEngine, request_6s: Request) -> None:
    request = replace(request_6s, sampling=SAMPLED, max_tokens=30)
    other = replace(request, seed=4)
    assert (
        engine.generate(request, CombinedObserver()).token_ids
        != engine.generate(other, CombinedObserver()).token_ids
    )


def test_prompt_and_audio_tokens_are_those_of_the_clip(engine: NativeEngine, request_6s: Request) -> None:
    generation = engine.generate(request_6s, CombinedObserver())
    assert generation.audio_tokens == 75  # 12.5 a second
    assert generation.kv_cache == "DynamicCache"
    without = engine.generate(replace(request_6s, time_markers=False), CombinedObserver())
    # Markers at 2, 4 and 6 s: one digit each.
    assert generation.prompt_tokens - without.prompt_tokens == 3


@pytest.mark.parametrize(
    ("attention", "encoder", "seen", "seen_in_encoder"),
    [
        (Attention.SDPA, EncoderAttention.EAGER, "sdpa", "eager"),
        (Attention.EAGER, EncoderAttention.SDPA, "eager", "sdpa"),
    ],
)
def test_the_kernels_that_ran_are_seen_in_each_submodule(
    directory: Path,
    request_6s: Request,
    attention: Attention,
    encoder: EncoderAttention,
    seen: str,
    seen_in_encoder: str,
) -> None:
    requested = REQUESTED.model_copy(update={"attention": attention, "encoder_attention": encoder})
    kernels = KernelObserver()
    with kernels:
        engine_for(directory, requested).generate(request_6s, kernels)
    assert kernels.language_model().attention == seen
    assert kernels.encoder().attention == seen_in_encoder


def test_faithful_has_logits_of_every_position_and_lean_of_the_last(
    directory: Path, request_6s: Request
) -> None:
    def live_at_first_token(profile: Profile) -> tuple[int, int]:
        engine = engine_for(directory, REQUESTED.model_copy(update={"profile": profile}))
        tracker = AllocationTracker()
        for tensor in (*engine.weights(), *engine.buffers()):
            tracker.adopt(tensor)
        watch = MemoryWatch(tracker, Resident())
        with tracker:
            generation = engine.generate(request_6s, watch)
        return watch.phases[Phase.PREFILL].allocated_end_bytes or 0, generation.prompt_tokens

    vocabulary, float32 = 264, 4
    faithful, positions = live_at_first_token(Profile.FAITHFUL)
    lean, _ = live_at_first_token(Profile.LEAN)
    assert faithful - lean == (positions - 1) * vocabulary * float32


def test_settings_are_read_off_the_loaded_model(engine: NativeEngine) -> None:
    settings = engine.settings()
    assert settings.dtype == "float32"
    assert settings.logits_positions == "all"
    assert (settings.encoder_chunk_frames, settings.encoder_chunks_at_once) == (400, 64)
    assert settings.attention_provider == f"torch {torch.__version__}"


def test_facts_need_no_weights_and_agree_with_them(engine: NativeEngine, directory: Path) -> None:
    fresh = NativeEngine(ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=directory), CPU)
    facts = fresh.facts("float32")
    assert facts.parameters == sum(tensor.numel() for tensor in engine.weights())
    assert facts.weights_bytes == 4 * facts.parameters
    assert fresh.facts("bfloat16").weights_bytes == 2 * facts.parameters


def test_no_hooks_are_left_behind(engine: NativeEngine, request_6s: Request) -> None:
    engine.generate(request_6s, Diary())
    model, _ = engine._loaded()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_a_checkpoint_of_other_shapes_is_refused_before_it_is_loaded(directory: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(directory, broken)
    config = json.loads((broken / "config.json").read_text(encoding="utf-8"))
    config["adapter_hidden_size"] += 8
    (broken / "config.json").write_text(json.dumps(config), encoding="utf-8")
    source = ModelSource(name="broken", weight_mode=WeightMode.LOCAL, directory=broken)
    with pytest.raises(WeightsError, match="shape"):
        NativeEngine(source, CPU).facts("float32")


def test_it_says_so_when_it_was_not_loaded(directory: Path, request_6s: Request) -> None:
    source = ModelSource(name="tiny", weight_mode=WeightMode.TINY, directory=directory)
    with pytest.raises(BenchError, match="before it was loaded"):
        NativeEngine(source, CPU).generate(request_6s, Diary())


def test_the_checkpoints_own_settings_change_nothing_that_was_asked_for(
    directory: Path, tmp_path: Path, engine: NativeEngine, request_6s: Request
) -> None:
    own = {
        "do_sample": True,
        "temperature": 0.6,
        "top_k": 20,
        "top_p": 0.95,
        "repetition_penalty": 1.9,
        "no_repeat_ngram_size": 2,
        "num_beams": 2,
        "eos_token_id": [258, 7],
    }
    other = tmp_path / "other"
    shutil.copytree(directory, other)
    (other / "generation_config.json").write_text(json.dumps(own), encoding="utf-8")
    hostile = engine_for(other)
    for sampling in (GREEDY, SAMPLED):
        asked = replace(request_6s, sampling=sampling, max_tokens=30)
        answer = hostile.generate(asked, CombinedObserver())
        assert len(answer.token_ids) == 30
        assert 7 not in answer.token_ids[:-1], "its ids that end an answer still count"
        if 7 not in engine.generate(asked, CombinedObserver()).token_ids:
            assert answer.token_ids == engine.generate(asked, CombinedObserver()).token_ids
