"""Answers one question about one audio file in this process, and streams the text."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.audio import clips
from bench.doctor.installed import require_build
from bench.engines.interface import EngineSetup, ModelSource, Request
from bench.engines.registry import find_engine
from bench.errors import MachineError, UsageError
from bench.hardware.device import notes
from bench.measure.observer import CombinedObserver
from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention
from bench.run.cpu_consent import require_chosen
from bench.run.fetch import Confirm, Note, drop, fetch
from bench.run.run_spec import TINY, Choose, Plan, RunOptions, make_plan, support
from bench.run.runner import Weights
from bench.weights.interface import Progress
from bench.wording.outcomes import reason

_GREEDY: Final = Sampling(do_sample=False, temperature=None, top_p=None, top_k=None)


@dataclass(frozen=True)
class InferRequest:
    """A question about an audio file, and the model and device that answer it."""

    audio: Path
    prompt: str
    max_tokens: int
    attention: Attention
    greedy: bool
    gpu: str | None = None
    device: str | None = None
    engine: str | None = None
    model: str | None = None
    revision: str | None = None


def answer(
    question: InferRequest,
    choose: Choose,
    confirm: Confirm,
    progress: Progress,
    say: Callable[[str], None],
    *,
    accept_cpu: Callable[[Plan], Plan] = lambda plan: plan,
    note: Note = drop,
) -> None:
    """Load the model, generate an answer, and pass each piece of its text to `say`.

    `accept_cpu` may ask whether a model of full size runs on the CPU where no card was found. `note` receives
    lines on the device and the weights.

    Raises:
        BenchError: the audio, the model or the device is not available.
    """
    plan = make_plan(_options(question), choose)
    for line in notes(plan.device):
        note(line)
    # Of the suite only the settings count: how long one answer takes is not known.
    require_chosen(accept_cpu(replace(plan, cells=())), small="--model tiny")
    requested = plan.cells[0].requested
    unsupported = support(plan)(requested)
    if unsupported is not None:
        raise MachineError(reason(unsupported), hint="Use --attention sdpa")
    engine = find_engine(requested.engine)
    if engine.uses_torch:
        require_build(plan.device)
    weights = fetch(plan.origin, confirm, progress, note) if engine.reads_weights else Weights()
    setup = EngineSetup(
        source=ModelSource(
            name=plan.origin.name, weight_mode=plan.origin.weight_mode, directory=weights.directory
        ),
        device=plan.compute_on,
        dtype=requested.dtype,
        flash_attention=question.attention is Attention.FLASH_ATTENTION_2,
    )
    # As in a worker: CUDA finds the chosen device only. It reads the variables at its first use.
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
    _generate(setup, plan, whole, request, say)


def _options(question: InferRequest) -> RunOptions:
    return RunOptions(
        suite="smoke" if question.model == TINY else "quick",
        gpu=question.gpu,
        device=question.device,
        engine=question.engine,
        model=question.model,
        revision=question.revision,
        attention=(question.attention,),
        audio=question.audio,
    )


def _generate(
    setup: EngineSetup, plan: Plan, requested: Requested, request: Request, say: Callable[[str], None]
) -> None:
    opened = find_engine(requested.engine).open(setup)
    broken = support(plan, None, opened.flash_attention_problem)(requested)
    if broken is not None:
        raise MachineError(reason(broken), hint="Use --attention sdpa")
    too_long = support(plan, opened.facts.max_positions)(requested)
    if too_long is not None:
        raise UsageError(reason(too_long), hint="Cut the file")
    try:
        opened.engine.load(requested)
        opened.engine.generate(request, CombinedObserver(), say)
    except (RuntimeError, MemoryError) as error:
        exhausted = opened.exhausted(error, None)
        if exhausted is None:
            raise
        raise MachineError(f"out of memory: {exhausted.reason}", hint="Try a shorter clip") from error
