"""From text and sound to inputs and back to text, with the golden tokenizer and without one."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.moss_audio import MossAudioProcessor
from bench.moss_audio.configuration import audio_token_count
from bench.moss_audio.processing import ProcessorError
from bench.moss_audio.prompt import PromptError
from bench.moss_audio.waveform import WaveformError
from tests.moss_audio.small import noise

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "tiny-a"
QUESTION = "Describe this audio."


@pytest.fixture(scope="module")
def processor() -> MossAudioProcessor:
    return MossAudioProcessor.from_pretrained(GOLDEN)


@pytest.mark.parametrize("seconds", [0.0126, 0.2, 1.99, 2.0, 4.0, 4.01, 9.07, 35.0])
@pytest.mark.parametrize("markers", [True, False])
def test_every_length_of_clip_gives_inputs_that_fit_together(
    processor: MossAudioProcessor, seconds: float, markers: bool
) -> None:
    clip = noise(seconds)
    inputs = processor(text=QUESTION, audio=clip, time_markers=markers)
    frames, slots = inputs["audio_features"].shape[-1], inputs["audio_slots"]
    assert frames == clip.size // 160
    assert slots.shape == (1, audio_token_count(frames))
    ids = inputs["input_ids"]
    assert ids.dtype == slots.dtype == torch.int64
    assert (ids.gather(1, slots) == 259).all()
    assert int((ids == 259).sum()) == slots.shape[1]
    bounds = (ids[0] == 260).nonzero(), (ids[0] == 261).nonzero()
    span = int(bounds[1]) - int(bounds[0]) - 1
    marks = sum(len(str(second)) for second in range(2, int(slots.shape[1] / 12.5) + 1, 2))
    assert span == slots.shape[1] + (marks if markers else 0)


def test_a_clip_too_short_for_one_frame_is_refused(processor: MossAudioProcessor) -> None:
    with pytest.raises(WaveformError, match="159 samples"):
        processor(text=QUESTION, audio=noise(159 / 16_000))


@pytest.mark.parametrize("audio", [None, [], np.zeros((2, 3, 4)), [noise(1), noise(1)]])
def test_what_is_no_clip_is_refused(processor: MossAudioProcessor, audio: object) -> None:
    with pytest.raises(WaveformError):
        processor(text=QUESTION, audio=audio)  # type: ignore[arg-type]  # that is the point


def test_a_list_of_questions_is_refused(processor: MossAudioProcessor) -> None:
    with pytest.raises(PromptError, match="one string"):
        processor(text=[QUESTION], audio=noise(1))  # type: ignore[arg-type]  # that is the point


def test_tensors_and_lists_of_samples_are_clips_too(processor: MossAudioProcessor) -> None:
    clip = noise(0.5)
    expected = processor(text=QUESTION, audio=clip)["audio_features"]
    for same in (torch.from_numpy(clip), clip.tolist(), clip.astype(np.float64), [clip]):
        found = processor(text=QUESTION, audio=same)["audio_features"]
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_stereo_at_44_kilohertz_becomes_the_same_length(processor: MossAudioProcessor) -> None:
    stereo = np.random.default_rng(0).normal(scale=0.1, size=(2, 88_200))
    inputs = processor(text=QUESTION, audio=stereo, sampling_rate=44_100)
    assert inputs["audio_features"].shape == (1, 128, 200)


def test_digits_in_the_text_are_text(processor: MossAudioProcessor) -> None:
    with_digits = processor(text="At 0:08?", audio=noise(3), time_markers=False)
    assert (with_digits["input_ids"] == 23).sum() == 1
    assert torch.equal(
        with_digits["audio_slots"], processor(text="At?", audio=noise(3), time_markers=False)["audio_slots"]
    )


def test_text_with_its_own_span_keeps_its_own_frame(processor: MossAudioProcessor) -> None:
    text = "<|im_start|>user\n<|audio_bos|><|AUDIO|><|audio_eos|>\nHi<|im_end|>\n<|im_start|>assistant\n"
    ids = processor(text=text, audio=noise(1))["input_ids"][0].tolist()
    assert ids[0] == 257
    assert ids[-10:] == processor.require_tokenizer()("assistant\n")["input_ids"]
    assert processor.decode([token for token in ids if token < 256]) == "user\n\nHi\nassistant\n"


def test_the_way_back(processor: MossAudioProcessor) -> None:
    ids = processor.require_tokenizer()("A dog, 3 times: é", add_special_tokens=False)["input_ids"]
    assert processor.decode([*ids, 258]) == "A dog, 3 times: é"
    assert processor.decode(torch.tensor([ids])) == "A dog, 3 times: é"
    assert processor.decode([*ids, 258], skip_special_tokens=False).endswith("<|im_end|>")
    assert processor.batch_decode(torch.tensor([ids, ids])) == ["A dog, 3 times: é"] * 2


def test_it_survives_being_written(processor: MossAudioProcessor, tmp_path: Path) -> None:
    processor.save_pretrained(tmp_path)
    again = MossAudioProcessor.from_pretrained(tmp_path)
    assert again.config == processor.config
    clip = noise(3)
    first, second = processor(text=QUESTION, audio=clip), again(text=QUESTION, audio=clip)
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert not MossAudioProcessor.from_pretrained(tmp_path, enable_time_marker=False).time_markers


@pytest.mark.parametrize("tokenizer_class", ["Qwen2Tokenizer", "PreTrainedTokenizerFast", None])
def test_the_layout_of_the_hub_is_read_without_running_its_code(
    tmp_path: Path, tokenizer_class: str | None, processor: MossAudioProcessor
) -> None:
    copy = tmp_path / "hub"
    shutil.copytree(GOLDEN, copy)
    (copy / "processing_moss_audio.py").write_text("raise SystemExit('ran')")
    auto = {"AutoConfig": "processing_moss_audio.Config", "AutoProcessor": "processing_moss_audio.Processor"}
    for name, change in (
        ("config.json", {"auto_map": auto}),
        ("processor_config.json", {"auto_map": auto}),
        ("tokenizer_config.json", {"tokenizer_class": tokenizer_class}),
    ):
        values = {**json.loads((copy / name).read_text()), **change}
        kept = {key: value for key, value in values.items() if value is not None}
        (copy / name).write_text(json.dumps(kept))
    clip, other = noise(3), MossAudioProcessor.from_pretrained(copy)
    expected = processor(text=QUESTION, audio=clip)["input_ids"]
    assert torch.equal(other(text=QUESTION, audio=clip)["input_ids"], expected)


def test_without_a_tokenizer_lengths_are_those_of_a_real_prompt() -> None:
    processor = MossAudioProcessor.without_tokenizer()
    inputs = processor(text=QUESTION, audio=noise(10))
    assert inputs["audio_slots"].shape == (1, 125)
    assert inputs["input_ids"].shape == (1, 24 + 2 + 125 + len("2") * 4 + len("10"))
    assert (inputs["input_ids"].gather(1, inputs["audio_slots"]) == 151654).all()
    bare = MossAudioProcessor.without_tokenizer(enable_time_marker=False)(text=QUESTION, audio=noise(10))
    assert bare["input_ids"].shape == (1, 24 + 2 + 125)
    with pytest.raises(PromptError, match="only the default prompt"):
        processor(text="Transcribe.", audio=noise(1))
    with pytest.raises(ProcessorError, match="no tokenizer"):
        processor.decode([1])


def test_another_sampling_rate_of_the_model_is_refused() -> None:
    config = json.loads((GOLDEN / "processor_config.json").read_text())
    config["mel_config"]["mel_sr"] = 24_000
    with pytest.raises(ProcessorError, match="24000 Hz"):
        MossAudioProcessor(None, config)


def test_a_directory_without_a_processor_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="processor_config"):
        MossAudioProcessor.from_pretrained(tmp_path)
