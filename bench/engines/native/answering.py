"""One call of transformers' `generate`, which announces every phase and token to an observer.

The native engine runs it on a device; a prediction traces the same call with fake tensors.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer
from transformers.generation.utils import GenerateDecoderOnlyOutput

from bench.measure.observer import Observer
from bench.moss_audio import MossAudioModel
from bench.records.enums import Phase
from bench.records.record import Sampling


def answer(
    model: MossAudioModel,
    inputs: Mapping[str, torch.Tensor],
    config: GenerationConfig,
    observer: Observer,
    *,
    logits_positions: Literal["all", "last"],
    streamer: BaseStreamer | None = None,
) -> GenerateDecoderOnlyOutput:
    """Answer a prompt with audio. Nothing here waits for the device, but for what `generate` itself asks.

    Args:
        model: on the device of the inputs.
        inputs: what the processor made, log-mel in the type of the model.
        config: from `generation_config`.
        observer: gets the begin of `encode`, `prefill` and `decode`, each token, and the end.
        logits_positions: transformers would keep the last position only; upstream computes them all.
        streamer: gets the token ids as they come, which does wait for the device.
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
    return cast(GenerateDecoderOnlyOutput, output)  # as return_dict_in_generate has it


def generation_config(
    *, max_tokens: int, forced_length: bool, sampling: Sampling, end_of_answer: Sequence[int]
) -> GenerationConfig:
    """How to choose tokens, and when to stop. With `forced_length` no end of an answer comes early."""
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
        return_dict_in_generate=True,  # which names the cache that was really used
    )


class _TokenSignal(StoppingCriteria):
    """Never stops anything: `generate` calls it once per token, which is when the observer has to know."""

    def __init__(self, observer: Observer, device: torch.device) -> None:
        self._observer = observer
        self._first = True
        self._go_on = torch.zeros(1, dtype=torch.bool, device=device)

    def __call__(self, *_: object, **__: object) -> torch.Tensor:
        """Called after each token with all ids and scores so far, which are not looked at."""
        self._observer.token()
        if self._first:
            self._observer.begin(Phase.DECODE)
            self._first = False
        return self._go_on
