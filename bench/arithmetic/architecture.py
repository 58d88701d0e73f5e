"""Exact counts from the shapes: parameters, bytes that a token reads, operations of a phase.

Conventions. A multiply-add counts as two operations. Counted are matrix products, convolutions and attention
products, which is where all but a per mille of the arithmetic is; norms, activations, softmax and rotary
positions are not. Attention of the language model is causal and counts the pairs of positions that the mask
lets through, L (L + 1) / 2: what the answer needs. A kernel that computes the other half does needless work.
The audio encoder works on whole chunks; the padding of a clip's last chunk is computed, and counted.
"""

from functools import cache
from typing import Final, NamedTuple

from bench.arithmetic.shapes import AudioShapes, LanguageShapes, Shapes

_KERNEL: Final = 9  # 3 x 3
_MATRICES_OF_A_GATED_MLP: Final = 3


class Parameters(NamedTuple):
    """Number of parameters of each part; `language_model` includes the embeddings, not `lm_head`."""

    audio_encoder: int
    audio_adapter: int
    deepstack_mergers: int
    language_model: int
    lm_head: int

    @property
    def total(self) -> int:
        """Parameters of the whole model."""
        return sum(self)


class Chunks(NamedTuple):
    """The encoder's division of a clip: `pieces` of `frames` mel frames, each with `tokens` tokens."""

    pieces: int
    frames: int
    tokens: int


def halved(length: int) -> int:
    """Length after one convolution of kernel 3, stride 2, padding 1."""
    return (length - 1) // 2 + 1


def audio_tokens(mel_frames: int) -> int:
    """Return the number of audio tokens of a clip: three halvings of its mel frames, 12.5 tokens a second."""
    return halved(halved(halved(mel_frames)))


def chunks(audio: AudioShapes, mel_frames: int) -> Chunks:
    """Divide a clip: up to one chunk as it is, a longer one into whole chunks, the last one padded."""
    pieces = -(-mel_frames // audio.chunk_frames)
    frames = mel_frames if pieces == 1 else audio.chunk_frames
    return Chunks(pieces, frames, audio_tokens(frames))


# --- parameters and bytes ---------------------------------------------------------------------------------


@cache
def parameters(shapes: Shapes) -> Parameters:
    """Parameters by part. For MOSS-Audio-4B: 5,222,820,736 in all."""
    text = shapes.language_config
    gated = _gated_mlp(shapes)
    vocabulary = text.vocab_size * text.hidden_size
    return Parameters(
        audio_encoder=_encoder_parameters(shapes.audio_config),
        audio_adapter=gated,
        deepstack_mergers=gated * shapes.injected_layers,
        language_model=vocabulary + text.num_hidden_layers * _layer_parameters(text) + text.hidden_size,
        lm_head=vocabulary,
    )


def kv_cache_bytes(text: LanguageShapes, positions: float, element_bytes: int) -> float:
    """Keys and values: 2 x layers x KV heads x head size x positions x bytes of a number."""
    per_position = 2 * text.num_hidden_layers * text.num_key_value_heads * text.head_dim
    return per_position * positions * element_bytes


def decode_bytes_per_token(
    shapes: Shapes, *, prompt_tokens: int, generated_tokens: int, element_bytes: int
) -> int:
    """Return the bytes that one decoded token must read, mean over the answer.

    All weights of the layers, the final norm and `lm_head`, one row of the embeddings, and the KV cache. The
    first token comes out of the prefill; step j after it reads prompt + j positions, its own among them, so
    that the mean over n - 1 steps is prompt + n / 2. Traffic from copying the cache is not included.
    """
    text = shapes.language_config
    weights = text.num_hidden_layers * _layer_parameters(text) + text.hidden_size
    read_once = weights + text.vocab_size * text.hidden_size + text.hidden_size
    positions = prompt_tokens + max(generated_tokens, 2) / 2
    # Keys and values are a pair: half a position has whole bytes too.
    return read_once * element_bytes + round(kv_cache_bytes(text, positions, element_bytes))


# --- operations -------------------------------------------------------------------------------------------


def encode_operations(shapes: Shapes, mel_frames: int) -> int:
    """Return the operations of audio encoder, adapter and DeepStack mergers over one clip."""
    audio = shapes.audio_config
    adapters = 2 * audio_tokens(mel_frames) * (1 + shapes.injected_layers) * _gated_mlp(shapes)
    cut = chunks(audio, mel_frames)
    per_chunk = _stem_operations(audio, cut) + audio.encoder_layers * _encoder_layer_operations(audio, cut)
    return cut.pieces * per_chunk + adapters


def prefill_operations(shapes: Shapes, *, prompt_tokens: int, logits_positions: int) -> int:
    """Return the operations of the prompt, including the logits of `logits_positions` positions.

    Upstream computes the logits of every position; the `lean` profile those of the last. Adding the DeepStack
    features is not a matrix product.
    """
    text = shapes.language_config
    matrices = _attention_weights(text) + _mlp_weights(text)
    per_layer = 2 * prompt_tokens * matrices + attention_operations(text, causal_pairs(prompt_tokens))
    logits = 2 * logits_positions * text.vocab_size * text.hidden_size
    return text.num_hidden_layers * per_layer + logits


def causal_pairs(positions: int) -> int:
    """Pairs of query and key that a causal mask lets through."""
    return positions * (positions + 1) // 2


def attention_operations(text: LanguageShapes, pairs: int) -> int:
    """Return the operations of one layer's attention over so many pairs of positions."""
    return 2 * 2 * pairs * text.num_attention_heads * text.head_dim


# --- the parts --------------------------------------------------------------------------------------------


def _gated_mlp(shapes: Shapes) -> int:
    inner = shapes.adapter_hidden_size
    return inner * (2 * shapes.audio_config.d_model + shapes.language_config.hidden_size)


def _attention_weights(text: LanguageShapes) -> int:
    heads = 2 * text.num_attention_heads + 2 * text.num_key_value_heads  # query and output, key and value
    return heads * text.head_dim * text.hidden_size


def _mlp_weights(text: LanguageShapes) -> int:
    return _MATRICES_OF_A_GATED_MLP * text.hidden_size * text.intermediate_size


def _layer_parameters(text: LanguageShapes) -> int:
    norms = 2 * text.hidden_size + 2 * text.head_dim  # before attention and MLP; of query and key
    return _attention_weights(text) + _mlp_weights(text) + norms


def _flat(audio: AudioShapes) -> int:
    """Width of the input of the stem's projection: channels x mel bins after three halvings."""
    return audio.downsample_hidden_size * audio_tokens(audio.num_mel_bins)


def _encoder_parameters(audio: AudioShapes) -> int:
    width, inner, channels = audio.d_model, audio.encoder_ffn_dim, audio.downsample_hidden_size
    convolutions = _KERNEL * (channels + 2 * channels * channels) + 3 * channels
    projection = _flat(audio) * width + width
    attention = 4 * width * width + 3 * width  # no bias on the keys
    mlp = 2 * width * inner + inner + width
    norms = 2 * 2 * width
    return convolutions + projection + audio.encoder_layers * (attention + mlp + norms) + 2 * width


def _stem_operations(audio: AudioShapes, cut: Chunks) -> int:
    bins, frames, inputs, total = audio.num_mel_bins, cut.frames, 1, 0
    for _ in range(3):
        bins, frames = halved(bins), halved(frames)
        total += 2 * bins * frames * audio.downsample_hidden_size * inputs * _KERNEL
        inputs = audio.downsample_hidden_size
    return total + 2 * cut.tokens * _flat(audio) * audio.d_model


def _encoder_layer_operations(audio: AudioShapes, cut: Chunks) -> int:
    matrices = 4 * audio.d_model * audio.d_model + 2 * audio.d_model * audio.encoder_ffn_dim
    attention = 2 * 2 * cut.tokens * cut.tokens * audio.d_model  # both ways inside the chunk
    return 2 * cut.tokens * matrices + attention
