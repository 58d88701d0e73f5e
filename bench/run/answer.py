"""Answers one question about one audio file, in this process, handing the text on as it comes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import clips
from bench.measure.observer import Together
from bench.records.schema import Attention, Sampling
from bench.run.fetch import Confirm, fetch
from bench.run.plan import TINY, Choose, Wishes, make_plan
from bench.weights.interface import Progress

_GREEDY: Final = Sampling(do_sample=False, temperature=None, top_p=None, top_k=None)


@dataclass(frozen=True)
class Question:
    """What is asked, and of which model on which device."""

    audio: Path
    prompt: str
    max_tokens: int
    attention: Attention
    greedy: bool
    gpu: str | None = None
    device: str | None = None
    model: str | None = None
    revision: str | None = None


def answer(
    question: Question, choose: Choose, confirm: Confirm, progress: Progress, say: Callable[[str], None]
) -> None:
    """Load the model, ask, and `say` each piece of text as it is generated.

    Raises:
        BenchError: the audio, the model or the device cannot be had.
    """
    tiny = question.model == TINY
    wishes = Wishes(
        suite="smoke" if tiny else "quick",
        gpu=question.gpu,
        device=question.device,
        model=None if tiny else question.model,
        revision=question.revision,
        attention=(Attention(question.attention),),
        audio=question.audio,
    )
    plan = make_plan(wishes, choose)
    weights = fetch(plan.origin, confirm, progress)

    import torch
    from transformers import TextStreamer

    from bench.engines.interface import ModelSource, Request
    from bench.engines.native import NativeEngine, quiet_transformers

    class Saying(TextStreamer):
        """Hands text on instead of printing it."""

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
            say(text)

    source = ModelSource(
        name=plan.origin.name, weight_mode=plan.origin.weight_mode, directory=weights.directory
    )
    requested = plan.cells[0].requested
    quiet_transformers()
    engine = NativeEngine(source, torch.device(plan.device.kind))
    engine.facts(requested.dtype)
    engine.load(requested)
    request = Request(
        samples=clips.read_audio(question.audio).samples,
        prompt=question.prompt,
        time_markers=requested.time_markers,
        max_tokens=question.max_tokens,
        forced_length=False,
        sampling=_GREEDY if question.greedy else requested.sampling,
        seed=requested.seed,
    )
    tokenizer = engine.processor().need_tokenizer()
    streamer = Saying(tokenizer, skip_prompt=True, skip_special_tokens=True)
    engine.generate(request, Together(), streamer)
