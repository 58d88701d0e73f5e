"""Calls transformers' `generate` once, and announces every phase and token to an observer.

The native engine runs it on a device; a prediction traces the same call with tensors that have no memory.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer
from transformers.generation.utils import GenerateDecoderOnlyOutput

from bench.measure.observer import Observer
from bench.moss_audio import MossAudioModel
from bench.records.cell import Sampling
from bench.records.enums import Phase


def answer(
    model: MossAudioModel,
    inputs: Mapping[str, torch.Tensor],
    config: GenerationConfig,
    observer: Observer,
    *,
    logits_positions: Literal["all", "last"],
    streamer: BaseStreamer | None = None,
) -> GenerateDecoderOnlyOutput:
    """Answer a prompt with audio. Only `generate` itself waits for the device.

    Args:
        model: on the device of the inputs.
        inputs: the output of the processor, log-mel in the type of the model.
        config: from `generation_config`.
        observer: receives the begin of `encode`, `prefill` and `decode`, each token, and the end.
        logits_positions: upstream computes all of them, transformers the last one only.
        streamer: receives the token ids as they are made, which waits for the device.
    """
    output = model.generate(
        **inputs,
        streamer=streamer,
        generation_config=config,
        stopping_criteria=StoppingCriteriaList([_TokenSignal(observer, inputs["input_ids"].device)]),
        announce=lambda phase: observer.begin(Phase(phase)),
        logits_to_keep=1 if logits_positions == "last" else 0,
    )
    observer.end()
    return cast(GenerateDecoderOnlyOutput, output)  # the type of `return_dict_in_generate`


def generation_config(
    *, max_tokens: int, forced_length: bool, sampling: Sampling, end_of_answer: Sequence[int]
) -> GenerationConfig:
    """Return how to choose tokens and when to stop. With `forced_length` no answer ends early."""
    chosen: dict[str, Any] = {}
    if sampling.do_sample:
        chosen = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=max_tokens,
        min_new_tokens=max_tokens if forced_length else None,
        do_sample=sampling.do_sample,
        **chosen,
        eos_token_id=list(end_of_answer) or None,
        pad_token_id=end_of_answer[0] if end_of_answer else None,
        use_cache=True,
        return_dict_in_generate=True,  # names the cache that was used
    )


class _TokenSignal(StoppingCriteria):
    """A criterion that never stops. `generate` calls it once per token, which it announces."""

    def __init__(self, observer: Observer, device: torch.device) -> None:
        self._observer = observer
        self._first = True
        self._go_on = torch.zeros(1, dtype=torch.bool, device=device)

    def __call__(self, *_: object, **__: object) -> torch.Tensor:
        """Announce a token; ids and scores are not used."""
        self._observer.token()
        if self._first:
            self._observer.begin(Phase.DECODE)
            self._first = False
        return self._go_on
