"""The model as a whole: where audio enters, caches, loading, and what it leaves behind."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from transformers import StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from bench.moss_audio import EncodedAudio, MossAudioConfig, MossAudioModel
from bench.moss_audio.configuration import ConfigError, audio_token_count
from bench.moss_audio.encoder import EncoderLayer
from bench.moss_audio.modeling import ModelInputError
from bench.predict.memory_events import MemoryEvents, Segment
from tests.moss_audio.small import encoder_config, mel, model_config, prompt, small_model

GOLDEN = Path(__file__).parents[1] / "data" / "golden" / "tiny-a"
FRAMES = 530


def inputs(frames: int = FRAMES, *, batch: int = 1) -> dict[str, Tensor]:
    return {
        **prompt(audio_token_count(frames), batch=batch),
        "audio_features": mel(frames, batch=batch),
    }


def reference_logits(model: MossAudioModel, given: dict[str, Tensor]) -> Tensor:
    """The whole model once more, as plain as it can be: layer by layer, with a full causal mask."""
    encoded, text = model.encode_audio(**given), model.language_model
    hidden = text.embed_tokens(given["input_ids"]).clone()
    slots = given["audio_slots"][0]
    hidden[0, slots] = encoded.audio_embeds[0]
    length = hidden.shape[1]
    positions = torch.arange(length)[None]
    rotary = text.rotary_emb(hidden, positions)
    mask = torch.full((1, 1, length, length), float("-inf")).triu(1)
    for index, layer in enumerate(text.layers):
        hidden = layer(hidden, attention_mask=mask, position_ids=positions, position_embeddings=rotary)
        if index < len(encoded.deepstack_embeds):
            hidden[0, slots] += encoded.deepstack_embeds[index][0]
    return model.lm_head(text.norm(hidden))  # type: ignore[no-any-return]


@torch.no_grad()
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
@pytest.mark.parametrize("frames", [20, 400, 530, 1203])
def test_audio_enters_at_its_slots_and_nowhere_else(attention: str, frames: int) -> None:
    model, given = small_model(model_config(attention=attention)), inputs(frames)
    assert model.language_model.config._attn_implementation == attention
    torch.testing.assert_close(model(**given).logits, reference_logits(model, given), atol=2e-4, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(("most", "injected"), [(0, 0), (1, 1), (2, 2), (9, 2), (None, 2)])
def test_the_first_taps_enter_the_first_layers(most: int | None, injected: int) -> None:
    """The rest of the taps has no merger: a checkpoint has one for each layer that takes a tap."""
    model, given = small_model(model_config(deepstack_num_inject_layers=most)), inputs()
    encoded = model.encode_audio(**given)
    assert (len(encoded.deepstack), len(encoded.deepstack_embeds)) == (2, injected)
    assert len(model.deepstack_audio_merger_list) == injected
    torch.testing.assert_close(model(**given).logits, reference_logits(model, given), atol=2e-4, rtol=1e-4)
    values = {**model.config.to_dict(), "deepstack_num_inject_layers": injected}
    same = MossAudioModel(MossAudioConfig(**values))
    same.load_state_dict(model.state_dict())
    assert torch.equal(same(**given).logits, model(**given).logits)


@torch.no_grad()
def test_an_encoder_without_taps_encodes() -> None:
    config = model_config(replace(encoder_config(), deepstack_encoder_layer_indexes=()))
    model, given = small_model(config), inputs()
    encoded = model.encode_audio(**given)
    assert tuple(encoded.deepstack.shape) == (0, *encoded.encoder_last_hidden.shape)
    torch.testing.assert_close(model(**given).logits, reference_logits(model, given), atol=2e-4, rtol=1e-4)


@torch.no_grad()
def test_audio_that_is_held_costs_its_embeddings_and_its_taps_during_the_prompt() -> None:
    """12.8 kB per token of MOSS-Audio-4B in BF16: 2 x (2,560 + 3 x 1,280) bytes."""
    given = inputs()
    held, released = (prompt_memory(hold_audio, given) for hold_audio in (True, False))
    config, tokens = model_config(), given["audio_slots"].shape[1]
    per_token = 4 * (config.language_config.hidden_size + 2 * config.audio_config.d_model)
    assert held.before - released.before == held.peak - released.peak == tokens * per_token
    assert held.after == released.after


def prompt_memory(hold_audio: bool, given: dict[str, Tensor]) -> Segment:
    model = small_model(model_config(hold_audio=hold_audio))
    with MemoryEvents() as events:
        output = model(**given, announce=events.mark)
        events.mark("over")
    assert output.logits.shape[1] == given["input_ids"].shape[1]
    return {segment.name: segment for segment in events.segments()}["prefill"]


@torch.no_grad()
def test_every_part_of_the_audio_matters() -> None:
    model, given = small_model(), inputs()
    encoded = model.encode_audio(**given)
    whole = model(**given).logits
    without = EncodedAudio(
        encoded.encoder_last_hidden, encoded.deepstack, encoded.audio_embeds, encoded.deepstack_embeds[:1]
    )
    text = {key: value for key, value in given.items() if key != "audio_features"}
    assert (model(**text, encoded_audio=without).logits - whole).abs().max() > 1e-2
    assert (model(input_ids=given["input_ids"]).logits - whole).abs().max() > 1e-2


@torch.no_grad()
def test_encoding_first_gives_the_same() -> None:
    model, given = small_model(), inputs()
    encoded = model.encode_audio(**given)
    text = {key: value for key, value in given.items() if key != "audio_features"}
    torch.testing.assert_close(model(**text, encoded_audio=encoded).logits, model(**given).logits)
    at_once = model.generate(**given, max_new_tokens=6, do_sample=False)
    torch.testing.assert_close(
        model.generate(**text, encoded_audio=encoded, max_new_tokens=6, do_sample=False), at_once
    )


@torch.no_grad()
def test_what_encode_audio_returns_is_read_by_name() -> None:
    model = small_model()
    encoded = model.encode_audio(**inputs())
    assert set(encoded) == {"encoder_last_hidden", "deepstack", "audio_embeds", "deepstack_embeds"}
    assert dict(encoded)["audio_embeds"] is encoded.audio_embeds
    assert encoded.deepstack.shape == (2, 1, 67, 16)
    assert len(encoded) == 4
    with pytest.raises(KeyError):
        encoded["__class__"]


@torch.no_grad()
def test_decoding_with_a_cache_is_the_same_as_reading_it_all_again() -> None:
    model, given = small_model(), inputs()
    tokens = model.generate(**given, max_new_tokens=8, min_new_tokens=8, do_sample=False)
    again = model.generate(**given, max_new_tokens=8, min_new_tokens=8, do_sample=False, use_cache=False)
    assert torch.equal(tokens, again)
    full = model(**{**given, "input_ids": tokens}).logits
    steps = model(**given, use_cache=True)
    for index in range(given["input_ids"].shape[1], tokens.shape[1]):
        steps = model(input_ids=tokens[:, index : index + 1], past_key_values=steps.past_key_values)
        torch.testing.assert_close(steps.logits[:, -1], full[:, index], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_beams_and_several_sequences_hear_the_same_clip() -> None:
    model, given = small_model(), inputs()
    beams = model.generate(**given, max_new_tokens=4, num_beams=3, do_sample=False)
    assert beams.shape == (1, given["input_ids"].shape[1] + 4)
    drawn = model.generate(**given, max_new_tokens=4, do_sample=True, num_return_sequences=3)
    assert drawn.shape[0] == 3


@torch.no_grad()
def test_clips_of_one_length_can_share_a_batch() -> None:
    model, given = small_model(), inputs(batch=2)
    together = model(**given).logits
    for row in range(2):
        alone = model(**{key: value[row : row + 1] for key, value in given.items()}).logits
        torch.testing.assert_close(together[row : row + 1], alone, atol=1e-4, rtol=1e-4)


class _Steps(BaseStreamer, StoppingCriteria):
    """Counts tokens as a streamer and as a stopping criterion."""

    def __init__(self) -> None:
        self.streamed, self.asked = 0, 0

    def put(self, value: Tensor) -> None:
        self.streamed += value.numel()

    def end(self) -> None:
        pass

    def __call__(self, input_ids: Tensor, scores: Any, **_: object) -> Tensor:
        self.asked += 1
        return torch.zeros(input_ids.shape[0], dtype=torch.bool)


@torch.no_grad()
def test_streamer_and_criteria_see_every_token() -> None:
    model, given, steps = small_model(), inputs(), _Steps()
    criteria = StoppingCriteriaList([steps])
    model.generate(**given, max_new_tokens=7, do_sample=True, streamer=steps, stopping_criteria=criteria)
    assert steps.streamed == given["input_ids"].numel() + 7
    assert steps.asked == 7


@torch.no_grad()
def test_audio_is_encoded_once_and_said_so() -> None:
    model, given = small_model(), inputs()
    calls: list[str] = []
    widths: list[int] = []
    head = model.lm_head.forward

    def watched(hidden: Tensor) -> Tensor:
        widths.append(hidden.shape[1])
        return cast(Tensor, head(hidden))

    model.lm_head.forward = watched
    options = {"max_new_tokens": 5, "do_sample": False, "announce": calls.append}
    model.generate(**given, **options, logits_to_keep=0)
    length = given["input_ids"].shape[1]
    assert widths == [length, 1, 1, 1, 1]  # as upstream: logits of every prompt position
    assert calls == ["encode", "prefill"]
    widths.clear()
    model.generate(**given, **options)
    assert widths == [1, 1, 1, 1, 1]  # transformers' own default


@torch.no_grad()
def test_the_last_logits_alone_are_the_last_of_all() -> None:
    model, given = small_model(), inputs()
    torch.testing.assert_close(model(**given, logits_to_keep=3).logits, model(**given).logits[:, -3:])
    plain = model(**given, return_dict=False)
    assert isinstance(plain, tuple)
    assert plain[0].shape[-1] == 97


@torch.no_grad()
def test_hidden_states_of_the_language_model_can_be_asked_for() -> None:
    model, given = small_model(), inputs()
    states = model(**given, output_hidden_states=True).hidden_states
    assert len(states) == model.config.language_config.num_hidden_layers + 1


def test_no_hook_is_left_behind() -> None:
    model = small_model()
    with torch.no_grad():
        model.generate(**inputs(), max_new_tokens=3, do_sample=False)
    for module in model.modules():
        hooks = (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks)
        assert not any(hooks), type(module)
        assert "forward" not in vars(module), type(module)


def test_gradients_reach_every_weight() -> None:
    model, given = small_model(), inputs()
    model(**given).logits.sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name


@torch.no_grad()
def test_inputs_that_do_not_belong_together_are_refused() -> None:
    model, given = small_model(), inputs()
    encoded = model.encode_audio(**given)
    with pytest.raises(ModelInputError, match="not both"):
        model(**given, encoded_audio=encoded)
    with pytest.raises(ModelInputError, match="audio_slots"):
        model(input_ids=given["input_ids"], audio_features=given["audio_features"])
    with pytest.raises(ModelInputError, match="audio needs"):
        model(**{**given, "audio_features": mel(FRAMES + 80)})


def test_only_safetensors_are_read(tmp_path: Path) -> None:
    for name in ("config.json", "generation_config.json"):
        shutil.copy(GOLDEN / name, tmp_path)
    model = MossAudioModel.from_pretrained(GOLDEN)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        MossAudioModel.from_pretrained(tmp_path)
    with pytest.raises(OSError, match="safetensors"):
        MossAudioModel.from_pretrained(tmp_path, use_safetensors=False)


def test_code_beside_the_weights_is_never_run(tmp_path: Path) -> None:
    copy = tmp_path / "with-code"
    shutil.copytree(GOLDEN, copy)
    text = (copy / "config.json").read_text()
    auto = '{"auto_map": {"AutoConfig": "configuration_moss_audio.MossAudioConfig"},'
    (copy / "config.json").write_text(text.replace("{", auto, 1))
    (copy / "configuration_moss_audio.py").write_text("raise SystemExit('ran')")
    assert MossAudioModel.from_pretrained(copy).config.model_type == "moss_audio"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_options_of_from_pretrained_work_as_people_know_them(dtype: torch.dtype) -> None:
    model = MossAudioModel.from_pretrained(
        GOLDEN,
        dtype=dtype,
        device_map={"": "cpu"},
        attn_implementation="eager",
        encoder_attn_implementation="sdpa",
    )
    assert model.dtype == dtype
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    assert model.language_model.config._attn_implementation == "eager"
    layer = model.audio_encoder.layers[0]
    assert isinstance(layer, EncoderLayer)
    assert layer.self_attn.implementation == "sdpa"
    with pytest.raises(ConfigError, match="no attention called 'flex'"):
        MossAudioModel.from_pretrained(GOLDEN, encoder_attn_implementation="flex")


def test_rotary_frequencies_survive_loading() -> None:
    model = MossAudioModel.from_pretrained(GOLDEN, dtype=torch.bfloat16)
    frequencies = model.language_model.rotary_emb.inv_freq
    expected = 1e6 ** (-torch.arange(0, 32, 2) / 32)
    torch.testing.assert_close(frequencies.float(), expected, atol=0, rtol=1e-5)
