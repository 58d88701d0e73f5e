"""What a reader must know before believing a record: one sentence each, the weightiest first."""

from collections.abc import Callable, Iterator
from typing import Final

from bench.judge.card import about_the_card, about_the_card_in_cells, share
from bench.judge.caveats_derived import about_the_prediction
from bench.judge.frontier import is_pruned
from bench.judge.memory import is_emulated
from bench.judge.prediction import Budgets, is_derived
from bench.judge.same_kernels import SameKernels
from bench.judge.same_run import is_published
from bench.records.enums import Label, Provenance, WeightMode
from bench.records.record import CellResult, Record, Skipped

_LABELS: Final = {
    Label.NOISY: "vary more between repeats than they should (marked noisy)",
    Label.CONTENDED: "shared the device with other work (marked contended)",
    Label.THROTTLED: "ran while the device slowed itself down (marked throttled)",
    Label.SPILLED: "took more than the card has, so that part of them lay in system memory (marked spilled)",
}


def is_smoke(record: Record) -> bool:
    """A run of the tiny model, whichever of the two places says so."""
    return record.provenance is Provenance.SMOKE or record.model.weight_mode is WeightMode.TINY


def caveats(record: Record, budgets: Budgets, alike: SameKernels) -> tuple[str, ...]:
    """Everything that limits what the figures of a record mean."""
    return (
        *_about_the_run(record, budgets),
        *about_the_card(record),
        *_about_the_cells(record),
        *about_the_card_in_cells(record, alike),
    )


def _about_the_run(record: Record, budgets: Budgets) -> Iterator[str]:
    if is_smoke(record):
        yield (
            "Tiny model of the same architecture: no figure here, neither memory nor speed, "
            "is one of the real model."
        )
    if is_derived(record):
        yield "Derived from the architecture: nothing was run."
    yield from _about_the_weights(record)
    yield from about_the_prediction(record, budgets) if is_derived(record) else _about_the_device(record)


def _about_the_weights(record: Record) -> Iterator[str]:
    """Of weights that were not loaded only the shapes count."""
    model, what = record.model, "Shapes" if is_derived(record) else "Weights"
    if model.weight_mode is WeightMode.RANDOM and not is_derived(record):
        yield (
            "Random weights of the exact shapes: memory does not depend on their values and speed "
            "hardly does, but the text that came out means nothing."
        )
    if model.weight_mode is WeightMode.HUB and not is_published(model.weight_mode, model.repo):
        yield f"{what} of {model.repo}: not the released ones."
    if model.weight_mode is WeightMode.LOCAL:
        yield f"{what} from a local folder: nothing shows that they are the published ones."


def _about_the_device(record: Record) -> Iterator[str]:
    on_cpu = record.device.kind == "cpu"
    if is_emulated(record) and on_cpu:
        yield (
            "The card was emulated on a CPU, which counted its memory: what fits is meant for that card, "
            "the speed means nothing."
        )
    elif is_emulated(record):
        yield (
            "The memory limit was emulated: what fits is meant for the smaller card, "
            "the speed is the larger one's."
        )
    elif on_cpu:
        yield "Ran on the CPU: neither memory nor speed is that of a graphics card."


def _about_the_cells(record: Record) -> Iterator[str]:
    counted: tuple[tuple[Callable[[CellResult], bool], str], ...] = (
        (_was_interrupted, "not run because the run was interrupted; resuming it runs them"),
        (is_pruned, "not run because a smaller one had run out of memory"),
        (_failed, "failed or passed the time limit for a reason other than memory"),
        (_other_kernels, "ran with other attention kernels than were asked for"),
        (_stopped_early, "stopped before the tokens that were asked for"),
    )
    for holds, words in counted:
        yield from share(record, sum(map(holds, record.cells)), words)
    for label, words in _LABELS.items():
        marked = sum(1 for cell in record.cells if cell.summary and label in cell.summary.labels)
        yield from share(record, marked, words)


def _was_interrupted(cell: CellResult) -> bool:
    return isinstance(cell.outcome, Skipped) and cell.outcome.cause == "interrupted"


def _failed(cell: CellResult) -> bool:
    return cell.outcome.status in {"failed", "timeout"}


def _other_kernels(cell: CellResult) -> bool:
    ran = cell.effective.language_model if cell.effective is not None else None
    return ran is not None and ran.attention != cell.requested.attention.value


def _stopped_early(cell: CellResult) -> bool:
    return any(repeat.generated_tokens < cell.requested.max_tokens for repeat in cell.repeats)
