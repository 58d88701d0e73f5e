"""Settings that may move the frontier, each as a change of what a prediction starts from. Used by
`what_moves_the_frontier.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from bench.engines.native import expected_tensors
from bench.engines.profiles import settings_of
from bench.moss_audio import MossAudioConfig
from bench.predict.caching_allocator import NATIVE, Rules
from bench.predict.events import Trace
from bench.predict.model import Loading, ModelMemory
from bench.predict.tracing.tracer import Setting, model_memory
from bench.records.enums import Attention, EncoderAttention, Profile
from bench.records.record import Sampling
from tools.frontier_caches import in_one_piece, on_the_host

DTYPE: Final = "bfloat16"
LEAN: Final = settings_of(Profile.LEAN)
_EMBEDDINGS: Final = "language_model.embed_tokens.weight"
_LAYERS: Final = "language_model.layers."
# What bitsandbytes keeps beside the weights: a float32 a row in 8 bits, a float32 for 64 weights in 4.
_SCALE_BYTES: Final = 4
_BLOCK: Final = 64

Reshape = Callable[[Trace], Trace]


def _as_it_is(trace: Trace) -> Trace:
    return trace


@dataclass(frozen=True)
class Case:
    """What a prediction starts from. `reshape` changes the trace, `setting` how it is made."""

    config: MossAudioConfig
    setting: Setting
    memory: ModelMemory
    rules: Rules = NATIVE
    loading: Loading = Loading.TENSOR_BY_TENSOR
    reshape: Reshape = _as_it_is


@dataclass(frozen=True)
class Change:
    """One setting. `is_lean`: part of that profile. `same_output`: within the golden tolerance."""

    name: str
    apply: Callable[[Case], Case]
    same_output: bool = True
    undo: Callable[[Case], Case] | None = None

    @property
    def is_lean(self) -> bool:
        """Only what is part of a profile can be left out of it."""
        return self.undo is not None


def faithful_case(config: MossAudioConfig) -> Case:
    """As upstream runs the model: SDPA in the language model, eager attention in the encoder, sampling."""
    setting = Setting(
        dtype=DTYPE,
        attention=Attention.SDPA,
        encoder_attention=EncoderAttention.EAGER,
        logits_positions="all",
        sampling=Sampling(do_sample=True, temperature=1.0, top_p=1.0, top_k=50),
        kind="cuda",
    )
    return Case(config, setting, model_memory(config, DTYPE))


def lean_case(config: MossAudioConfig) -> Case:
    """All changes of the profile together."""
    case = faithful_case(config)
    for change in CHANGES:
        case = change.apply(case) if change.is_lean else case
    return case


# --- the changes ------------------------------------------------------------------------------------------


def _set(**changes: object) -> Callable[[Case], Case]:
    return lambda case: replace(case, setting=replace(case.setting, **changes))  # type: ignore[arg-type]


def _embeddings_leave(case: Case) -> Case:
    place = list(expected_tensors(case.config)).index(_EMBEDDINGS)
    return replace(case, memory=replace(case.memory, leaving=(place,)))


def _embeddings_stay(case: Case) -> Case:
    return replace(case, memory=replace(case.memory, leaving=()))


def _quantised(bits: int) -> Callable[[Case], Case]:
    """Matrices of the language model's layers in so many bits; one of them in BF16 while it is used."""

    def apply(case: Case) -> Case:
        shapes = expected_tensors(case.config)
        sizes = list(case.memory.tensors)
        for place, (name, shape) in enumerate(shapes.items()):
            if name.startswith(_LAYERS) and len(shape) == 2:
                rows, columns = shape
                scales = rows if bits == 8 else rows * columns // _BLOCK
                sizes[place] = rows * columns * bits // 8 + scales * _SCALE_BYTES
        text = case.config.language_config
        one = text.hidden_size * text.intermediate_size * case.memory.element_bytes
        buffers = case.memory.buffers_bytes + one
        return replace(case, memory=replace(case.memory, tensors=tuple(sizes), buffers_bytes=buffers))

    return apply


def _reshaped(reshape: Reshape) -> Callable[[Case], Case]:
    return lambda case: replace(case, reshape=reshape)


def _loaded(loading: Loading) -> Callable[[Case], Case]:
    return lambda case: replace(case, loading=loading)


def _expandable(case: Case) -> Case:
    return replace(case, rules=Rules(expandable_segments=True))


CHANGES: Final = (
    Change(
        "logits of the last position only", _set(logits_positions="last"), undo=_set(logits_positions="all")
    ),
    Change(
        f"{LEAN.encoder_chunks_at_once} encoder chunks at once, not 64",
        _set(chunks_at_once=LEAN.encoder_chunks_at_once),
        undo=_set(chunks_at_once=None),
    ),
    Change(
        f"feed-forward layers in pieces of {LEAN.mlp_positions_at_once} positions",
        _set(mlp_positions_at_once=LEAN.mlp_positions_at_once),
        undo=_set(mlp_positions_at_once=None),
    ),
    Change("text embeddings on the host", _embeddings_leave, undo=_embeddings_stay),
    Change("SDPA in the encoder", _set(encoder_attention=EncoderAttention.SDPA)),
    Change("KV cache in one piece (`static`)", _reshaped(in_one_piece)),
    Change("KV cache on the host (`offloaded`)", _reshaped(on_the_host)),
    Change("`expandable_segments:True`", _expandable),
    Change("weights loaded shard by shard", _loaded(Loading.SHARD_BY_SHARD)),
    Change("weights loaded twice", _loaded(Loading.TWICE)),
    Change("8-bit weights", _quantised(8), same_output=False),
    Change("4-bit weights", _quantised(4), same_output=False),
)
