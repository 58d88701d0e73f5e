"""The one definition of what two runs must have in common, by the purpose for which they are put together.

A use is a tuple of aspects of a record (or of a journal's header, or of a cell that ran), or of fields of a
request. Two runs serve a use together where `differing` is empty, or where their `values` or keys are equal.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from bench.records.aspects import Aspect
from bench.records.base import Frozen
from bench.records.cell import Requested
from bench.records.enums import PUBLISHER, Attention, AttentionKernel, WeightMode
from bench.records.prediction import PlannedSystem
from bench.records.record import Record, WeightFile
from bench.wording import labels

# --- runs -------------------------------------------------------------------------------------------------

Use = tuple[Aspect, ...]
Values = Mapping[Aspect, object]

_SOFTWARE: Final = (Aspect.TORCH, Aspect.TRANSFORMERS, Aspect.BENCH)
_SETTINGS: Final = (Aspect.PACKAGES, Aspect.VARIABLES)
_CARD: Final = (
    *(Aspect.DEVICE_KIND, Aspect.DEVICE, Aspect.DEVICE_NAME, Aspect.DEVICE_MEMORY),
    Aspect.DEVICE_CAPABILITY,
)

RESUME: Final[Use] = (
    *(Aspect.SUITE, Aspect.CELLS),
    *(Aspect.MODEL, Aspect.REPO, Aspect.REVISION, Aspect.WEIGHT_MODE, Aspect.CONFIGURATION),
    *(Aspect.PARAMETERS, Aspect.WEIGHTS_SIZE, Aspect.WEIGHT_FILES),
    *_CARD,
    *(Aspect.CATALOGUED, Aspect.CATALOG_BANDWIDTH, Aspect.CATALOG_OPERATIONS),
    *(Aspect.DRIVER, Aspect.EMULATION, Aspect.MACHINE),
    *_SOFTWARE,
    *(Aspect.BENCH_COMMIT, Aspect.BENCH_DIRTY),
    *_SETTINGS,
)
"""Both parts become one record, under the header of the first."""

PRIOR_RESULTS: Final[Use] = (
    *(Aspect.REPO, Aspect.REVISION, Aspect.CONFIGURATION),
    *_CARD,
    *(Aspect.MACHINE, Aspect.DRIVER, Aspect.EMULATION),
    *_SOFTWARE,
    *_SETTINGS,
)
"""An outcome holds for the same cell here. Not the suite: cells are found by their requests; not the commit:
a search may go on after a change of bench that its version does not name."""

NEAREST_SIDE: Final[Use] = (
    *(Aspect.MODEL, Aspect.PROVENANCE, Aspect.WEIGHT_MODE, Aspect.DEVICE, Aspect.DEVICE_NAME),
    *(Aspect.SUITE_NAME, Aspect.SUITE_VERSION, Aspect.MACHINE),
)
"""What the sides of a comparison should share, the weightiest first: picks the records of a folder."""

ONE_SIDE: Final[Use] = (
    *NEAREST_SIDE,
    *(
        Aspect.SUITE_ORIGIN,
        Aspect.EMULATION,
        Aspect.DRIVER,
        *_SOFTWARE,
        Aspect.BENCH_COMMIT,
        Aspect.BENCH_DIRTY,
    ),
)
"""Records of one build on one device: their values count together as one side of a comparison."""

COMPARED_RUNS: Final[Use] = (
    *(Aspect.PROVENANCE, Aspect.EMULATION, Aspect.SUITE_NAME, Aspect.SUITE_VERSION, Aspect.SUITE_ORIGIN),
    Aspect.WARM_UP,
    *(Aspect.WEIGHT_MODE, Aspect.CONFIGURATION, Aspect.WEIGHT_FILES),
)
"""Both sides of a comparison. Not device and software: their change is what a comparison is for."""

COMPARED_ON_ONE_DEVICE: Final[Use] = (
    *(Aspect.RAN_DTYPE, Aspect.RAN_CACHE, Aspect.RAN_SAMPLING, Aspect.RAN_CLIP, Aspect.RAN_PROMPT_TOKENS),
    *(Aspect.RAN_ON, Aspect.RAN_THREADS),
    *(Aspect.RAN_ATTENTION, Aspect.RAN_OPERATORS),
    *(Aspect.RAN_ENCODER_ATTENTION, Aspect.RAN_ENCODER_OPERATORS),
)
"""What ran in a cell of both sides."""

_OF_THE_DEVICE: Final = {
    *(Aspect.RAN_ON, Aspect.RAN_THREADS, Aspect.RAN_OPERATORS, Aspect.RAN_ENCODER_OPERATORS)
}
COMPARED_ON_TWO_DEVICES: Final[Use] = tuple(
    aspect for aspect in COMPARED_ON_ONE_DEVICE if aspect not in _OF_THE_DEVICE
)
"""The same: other operators are another device's own."""

IMPROVEMENTS: Final[Use] = (
    *(Aspect.RAN_PROVIDER, Aspect.RAN_LOGITS, Aspect.RAN_CHUNK_FRAMES, Aspect.RAN_CHUNKS),
    *(Aspect.RAN_MLP_POSITIONS, Aspect.RAN_EMBEDDINGS),
    *(Aspect.RAN_KERNEL, Aspect.RAN_GROUPING, Aspect.RAN_ENCODER_KERNEL),
)
"""May differ between compared cells, and is named: a build may do it better on purpose.

Kernels may differ between two devices only: on one device their operators may not.
"""

SAME_DEVICE: Final[Use] = (Aspect.DEVICE_KIND, Aspect.DEVICE, Aspect.DEVICE_NAME)
"""Two cards of one kind count as the same device."""

SAME_CPU: Final[Use] = (*SAME_DEVICE, Aspect.CPU_CORES)

MERGED: Final[Use] = (
    *(Aspect.MODEL, Aspect.DEVICE, Aspect.REPO, Aspect.CONFIGURATION, Aspect.EMULATED_MEMORY),
)
"""One check document. Not software and weights: it states each figure's own provenance and environments."""

PREDICTED: Final[Use] = (Aspect.MODEL, Aspect.CONFIGURATION, Aspect.DEVICE_KIND, Aspect.DEVICE)
"""A prediction and a run of it. Shapes decide memory: a directory of the same name may hold others."""


_STEPS: Final = {aspect: tuple(aspect.value.split(".")) for aspect in Aspect}


def values(use: Use, run: Frozen) -> Values:
    """The value of each aspect of a use in a record, in a header or in a cell."""
    return {aspect: value(aspect, run) for aspect in use}


def value(aspect: Aspect, run: Frozen) -> object:
    """One value; None where a step of its path is null."""
    found: object = run
    for step in _STEPS[aspect]:
        if found is None:
            return None
        found = found.get(step) if isinstance(found, Mapping) else getattr(found, step)
    if aspect in _AS_SETS and isinstance(found, tuple):
        return frozenset((one.name, one.sha256) if isinstance(one, WeightFile) else one for one in found)
    return found


_AS_SETS: Final = {Aspect.WEIGHT_FILES, Aspect.RAN_OPERATORS, Aspect.RAN_ENCODER_OPERATORS}


def differing(before: Values, now: Values) -> tuple[Aspect, ...]:
    """The aspects that are not equal, in the order of `before`. One that `now` lacks is not known there."""
    return tuple(aspect for aspect, old in before.items() if aspect in now and now[aspect] != old)


def is_same_device(one: Record, other: Record) -> bool:
    """Whether both ran on the same kind of device; CPUs count with their cores."""
    use = SAME_CPU if one.device.kind == "cpu" else SAME_DEVICE
    return values(use, one) == values(use, other)


def is_published(weight_mode: WeightMode, repo: str | None) -> bool:
    """Whether weights are from a repository of those who released the model."""
    return weight_mode is WeightMode.HUB and (repo or "").partition("/")[0] == PUBLISHER


# --- requests ---------------------------------------------------------------------------------------------

Fields = tuple[str, ...]


def _all_but(*left_out: str) -> Fields:
    return tuple(name for name in Requested.model_fields if name not in left_out)


WORKER: Final[Fields] = (
    *("model", "weight_mode", "engine", "profile", "dtype", "attention", "encoder_attention"),
)
"""Decides the loaded model: cells that share these can share a worker."""

MEMORY: Final[Fields] = (
    *("model", "engine", "profile", "dtype", "attention", "encoder_attention"),
    *("clip_seconds", "max_tokens", "prompt", "time_markers"),
)
"""Decides memory. Not weights, seed, sampling or the sound of the clip."""

LINE: Final[Fields] = _all_but("clip_seconds")
"""A line of the frontier, on which a longer clip needs more memory."""

LINES: Final[Fields] = _all_but("clip_seconds", "max_tokens")
"""Lines of the frontier, of which one with more tokens needs more memory."""

KERNELS: Final[Fields] = _all_but("attention")
"""Cells of one record that may have run the same kernels under two names."""

VARIANT: Final[Fields] = (
    *("engine", "profile", "dtype", "encoder_attention", "time_markers", "weight_mode", "seed"),
)
"""Cells of one line in a report. Not what a report has axes for, nor what one model and card decide."""

SETTINGS: Final = (*VARIANT, "system", "kernel")
"""Names of the settings of a line: the request, the system of a prediction, the kernel that SDPA ran."""
_IN_WORDS: Final = {"system", "kernel"}


def request_key(fields: Fields, requested: Requested) -> tuple[object, ...]:
    """The values of these fields, in their order: equal for cells that serve the use together."""
    return tuple(getattr(requested, name) for name in fields)


def needs_more_of_everything(requested: Requested, than: Requested) -> bool:
    """Whether a request, another for the same worker, has no shorter clip and no fewer tokens than `than`."""
    return (
        requested != than
        and request_key(WORKER, requested) == request_key(WORKER, than)
        and requested.clip_seconds >= than.clip_seconds
        and requested.max_tokens >= than.max_tokens
    )


# --- settings of a line in a report ------------------------------------------------------------------------


def settings_of(
    wanted: Requested, *, system: PlannedSystem | None = None, kernel: AttentionKernel | None = None
) -> tuple[str, ...]:
    """The values of `SETTINGS` as strings, in that order; empty where there is none.

    `system`: of a prediction, in words. `kernel`: of a run, in words, where SDPA chose it: other attentions
    have one kernel only.
    """
    chosen = kernel if wanted.attention is Attention.SDPA else None
    return (
        *map(str, request_key(VARIANT, wanted)),
        "" if system is None else labels.system(system),
        "" if chosen is None else f"{labels.KERNELS[chosen]} kernel",
    )


def varying(settings: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The names of the settings that are not the same in all of these; kernels where two are known."""
    columns = dict(zip(SETTINGS, map(set, zip(*set(settings), strict=True)), strict=False))
    columns["kernel"] = columns.get("kernel", set()) - {""}
    return tuple(name for name, values in columns.items() if len(values) > 1)


def words_of(settings: Sequence[str], names: Collection[str]) -> tuple[str, ...]:
    """`profile lean`, `dtype float16`, `Windows with torch 2.13`: those of one cell that have these names."""
    named = (
        (name, value) for name, value in zip(SETTINGS, settings, strict=False) if name in names and value
    )
    return tuple(value if name in _IN_WORDS else f"{name.replace('_', ' ')} {value}" for name, value in named)
