"""Answers one question about one audio file, in this process, handing the text on as it comes."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.audio import clips
from bench.engines.interface import ModelSource, Request
from bench.errors import MachineError, UsageError
from bench.hardware.device import require_build
from bench.hardware.environment import version_of
from bench.measure.observer import Together
from bench.records.enums import Attention
from bench.records.record import Requested, Sampling
from bench.run.fetch import Confirm, fetch
from bench.run.run_spec import TINY, Choose, Plan, RunOptions, make_plan, support
from bench.weights.interface import Progress
from bench.wording.outcomes import reason

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
    wishes = RunOptions(
        suite="smoke" if question.model == TINY else "quick",
        gpu=question.gpu,
        device=question.device,
        model=question.model,
        revision=question.revision,
        attention=(question.attention,),
        audio=question.audio,
    )
    plan = make_plan(wishes, choose)
    requested = plan.cells[0].requested
    unsupported = support(plan)(requested)
    if unsupported is not None:
        raise MachineError(reason(unsupported), hint="Use --attention sdpa")
    require_build(plan.device, version_of("torch"))
    weights = fetch(plan.origin, confirm, progress)
    source = ModelSource(
        name=plan.origin.name, weight_mode=plan.origin.weight_mode, directory=weights.directory
    )
    # As a worker does: the device that was chosen is the only one that CUDA will find, once it is first used.
    os.environ |= {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": plan.device.uuid or ""}
    sound = clips.read_audio(question.audio)
    request = Request(
        samples=clips.cut(sound, sound.seconds),
        prompt=question.prompt,
        time_markers=requested.time_markers,
        max_tokens=question.max_tokens,
        forced_length=False,
        sampling=_GREEDY if question.greedy else requested.sampling,
        seed=requested.seed,
    )
    whole = requested.model_copy(update={"clip_seconds": sound.seconds, "max_tokens": question.max_tokens})
    _generate(source, plan, whole, request, say)


def _generate(
    source: ModelSource, plan: Plan, requested: Requested, request: Request, say: Callable[[str], None]
) -> None:
    import torch
    from transformers import TextStreamer

    from bench.engines.cuda import require_cuda
    from bench.engines.native import NativeEngine, quiet_transformers
    from bench.run.out_of_memory import out_of_memory

    class Saying(TextStreamer):
        """Hands text on instead of printing it."""

        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:  # noqa: ARG002
            say(text)

    quiet_transformers()
    device = torch.device(plan.device.kind)
    require_cuda(plan.device.kind)
    try:
        engine = NativeEngine(source, device)
        facts = engine.facts(requested.dtype)
        too_long = support(plan, facts.max_positions)(requested)
        if too_long is not None:
            raise UsageError(reason(too_long), hint="Cut the file")
        engine.load(requested)
        tokenizer = engine.processor().need_tokenizer()
        engine.generate(request, Together(), Saying(tokenizer, skip_prompt=True, skip_special_tokens=True))
    except (RuntimeError, MemoryError) as error:
        exhausted = out_of_memory(error, None, device)
        if exhausted is None:
            raise
        raise MachineError(f"out of memory: {exhausted.reason}", hint="Try a shorter clip") from error
