"""Operators of the model in plain words, for readers who do not know its source."""

import re
from typing import Final

from bench.records.enums import Phase
from bench.text import MAX_NAME, clean

_LAYER: Final = r"language_model\.layers\.\d+"
_ENCODER: Final = r"audio_encoder\.layers\.\d+"
_ANY: Final = r".*"
# The scores of the whole vocabulary in float32, what top-k leaves of them, and the draw.
_CHOOSING: Final = r".*(where|masked_fill|softmax|topk|sort|argmax|multinomial|_to_copy|div|lt)\b.*"

# Scope of the module, operator, phases, words. The first match counts; others are shown raw.
_RULES: Final[tuple[tuple[str, str, frozenset[Phase], str], ...]] = tuple(
    (scope, name, frozenset(phases or Phase), words)
    for scope, name, phases, words in (
        (r"audio_encoder(\.conv\d)?", r".*gelu.*", (), "stem GELU"),
        (r"audio_encoder\.conv\d", _ANY, (), "stem convolution"),
        (r"audio_encoder\.stem_proj", _ANY, (), "stem projection"),
        (r"audio_encoder", r".*cat\b.*", (), "joining the chunks"),
        (r"audio_encoder", r".*pad.*", (), "cutting the clip into chunks"),
        (rf"{_ENCODER}\.self_attn(\..*)?", _ANY, (), "attention of the encoder"),
        (rf"{_ENCODER}\.(fc\d|activation)", _ANY, (), "MLP of the encoder"),
        (rf"{_ENCODER}(\..*)?", _ANY, (), "layer of the encoder"),
        (r"audio_encoder\.layer_norm", _ANY, (), "final norm of the encoder"),
        (r"audio_adapter(\..*)?", _ANY, (), "audio adapter"),
        (r"deepstack_audio_merger_list(\..*)?", _ANY, (), "DeepStack merger"),
        (r"language_model\.embed_tokens", _ANY, (), "text embeddings"),
        (rf"{_LAYER}\.mlp(\..*)?", _ANY, (), "MLP of a layer"),
        (rf"{_LAYER}\.self_attn", r".*cat\b.*", (Phase.DECODE,), "KV cache, old and new at once"),
        (rf"{_LAYER}\.self_attn", r".*(softmax|matmul|bmm).*", (), "attention scores"),
        (rf"{_LAYER}\.self_attn(\..*)?", _ANY, (), "attention of a layer"),
        (rf"{_LAYER}", r".*scatter_add.*", (), "adding DeepStack features"),
        (rf"{_LAYER}\.\w*norm", _ANY, (), "norm of a layer"),
        (r"language_model\.norm", _ANY, (), "final norm"),
        (r"lm_head", _ANY, (), "logits"),
        (_ANY, _ANY, (Phase.LOAD,), "loading the weights"),
        (_ANY, _ANY, (Phase.PREPROCESS,), "the inputs"),
        (r"", r".*stack\b.*", (Phase.ENCODE,), "collecting what the encoder made"),
        (r"", r".*scatter\b.*", (Phase.ENCODE, Phase.PREFILL), "placing the audio in the prompt"),
        (r"", _CHOOSING, (Phase.PREFILL, Phase.DECODE), "choosing the next token"),
        (r"", r".*(bitwise|isin|logical).*", (Phase.PREFILL, Phase.DECODE), "between two tokens"),
    )
)
_OF_EVERY_POSITION: Final = "logits of every position"


def plain(phase: Phase, operator: str, *, all_logits: bool) -> str:
    """`lm_head: aten::mm` -> `logits of every position`; an operator without words stays as it is.

    `all_logits`: the prefill computes the logits of all positions, as upstream does, not of the last alone.
    """
    shown = clean(operator, MAX_NAME)
    scope, _, name = shown.rpartition(": ")
    for of_scope, of_name, phases, words in _RULES:
        if phase in phases and re.fullmatch(of_scope, scope) and re.fullmatch(of_name, name):
            whole = words == "logits" and phase is Phase.PREFILL and all_logits
            return _OF_EVERY_POSITION if whole else words
    return shown
