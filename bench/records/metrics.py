"""The table of metrics. A field of `Summary` is a row of it; schemas, gates, pages and docs read the rows.

To add a metric: add a field here and compute its value in `bench/measure/summary.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, create_model

from bench.records.base import Bytes, Frozen, Interval, Seconds
from bench.units import Unit

PROCESS_NOISE: Final = 0.07
"""How far medians of a figure of speed may lie apart, as a share, before a check document says that machines
disagree. A choice; how far two runs may lie apart in a comparison is in `compare/evidence.py`."""
MEMORY_NOISE: Final = 0.01
"""The same of memory: a watched peak may fall between two looks, but sizes repeat far better. A choice."""
RESERVED_NOISE_BYTES: Final = 24 * 2**20
"""How far reserved memory of equal builds differs: the order of the addresses that the driver gives to
segments decides which free block the caching allocator takes. The largest difference that was seen; no bound.
"""


class Better(StrEnum):
    """The direction in which a metric improves."""

    HIGHER = "higher"
    LOWER = "lower"


class Kind(StrEnum):
    """Meaning of a difference: counted values repeat exactly, a watched peak may be missed, times vary."""

    COUNTED = "counted"
    WATCHED = "watched"
    TIMED = "timed"


class Section(Enum):
    """Where a metric is shown. All are in the tables of a page and in CSV."""

    STEPS = "steps"
    """Parts of a run: in those tables only."""
    SPEED = "speed"
    """Also in `speed` of the check document, and in Markdown."""
    MEMORY = "memory"
    """Also in `vram.largest` of the check document, and in Markdown."""
    ENERGY = "energy"
    """As speed, in the tables of memory."""
    CARD = "card"
    """As memory, in the table of the card."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row. `name`, `meaning` (Markdown) and `is_statistic` (over the repeats) come from its field.

    `noise_bytes`: by how much equal builds differ where nothing is wrong; such a difference is no change.
    """

    heading: str
    unit: Unit
    better: Better
    kind: Kind
    section: Section
    noise_bytes: int = 0
    name: str = ""
    meaning: str = ""
    is_statistic: bool = False

    @property
    def noise(self) -> float:
        """Assumed difference between two processes of one build, as a share."""
        return MEMORY_NOISE if self.unit is Unit.BYTES else PROCESS_NOISE

    def is_better(self, change: float) -> bool:
        """Whether a change that is not 0 is an improvement."""
        return (change > 0) == (self.better is Better.HIGHER)


FEWEST_BOOTSTRAPPED: Final = 5
"""Values from which on an interval is a bootstrap interval: of fewer it is their range. A 95 % percentile
bootstrap interval of the median of three covers it in 75 of 100 samples, of four in 87 or 88
(docs/comparing.md, tests/benchmarks/test_coverage.py).
"""
IntervalKind = Literal["bootstrap_95", "range"]
"""How an interval was made: 95 % percentile bootstrap, or from the least to the most of too few values."""


class Statistic(Frozen):
    """A metric over the repeats of one cell."""

    median: float
    p10: float
    p90: float
    interval: Interval | None = Field(
        description="of the median: 95 % bootstrap interval, below 5 repeats their range; null below 2"
    )
    interval_kind: IntervalKind | None = Field(
        default=None, description="bootstrap_95, or range; null without an interval, and in older records"
    )
    cv: float | None = Field(description="coefficient of variation; null below 2 repeats")
    n: int

    @property
    def kind(self) -> IntervalKind | None:
        """`interval_kind`; of an older record what it would be today. None without an interval.

        The bootstrap interval of three or four values always has the ends of their range.
        """
        if self.interval is None or self.interval_kind is not None:
            return self.interval_kind
        return kind_of(self.n)


def kind_of(values: int) -> IntervalKind:
    """The kind of interval for this number of values."""
    return "bootstrap_95" if values >= FEWEST_BOOTSTRAPPED else "range"


_Repeats = Statistic | None
_Once = float | None
_Size = Bytes | None
_SECONDS, _TOKENS_PER_S, _RATIO = Unit.SECONDS, Unit.TOKENS_PER_S, Unit.RATIO
_BYTES, _JOULES, _SHARE, _COUNT = Unit.BYTES, Unit.JOULES, Unit.SHARE, Unit.COUNT
_LOWER, _HIGHER = Better.LOWER, Better.HIGHER
_TIMED, _COUNTED, _WATCHED = Kind.TIMED, Kind.COUNTED, Kind.WATCHED
_STEPS, _SPEED, _MEMORY, _ENERGY = Section.STEPS, Section.SPEED, Section.MEMORY, Section.ENERGY


class Summary(Frozen):
    """One value per metric, null where not available: over the repeats of a cell where it is a `Statistic`.

    Every field but `labels` is a row of the table. The text below it is its meaning, in Markdown.
    """

    model_config = ConfigDict(use_attribute_docstrings=True)

    load_s: Annotated[Seconds | None, Metric("Load", _SECONDS, _LOWER, _TIMED, _STEPS)] = None
    """weights from disk or generator to the device; only on the cell whose worker loaded them"""
    preprocess_s: Annotated[_Repeats, Metric("Preprocess", _SECONDS, _LOWER, _TIMED, _STEPS)] = None
    """log-mel, prompt, and what `generate` sets up, to the start of the audio encoder; inside latency
    and time to first token, outside `encode_s`
    """
    encode_s: Annotated[_Repeats, Metric("Encode", _SECONDS, _LOWER, _TIMED, _STEPS)] = None
    """start of the audio encoder to the end of its adapters"""
    time_to_first_token_s: Annotated[_Repeats, Metric("First token", _SECONDS, _LOWER, _TIMED, _SPEED)] = None
    """t_first: preprocessing, encoder and prefill"""
    decode_tokens_per_s: Annotated[_Repeats, Metric("Decode", _TOKENS_PER_S, _HIGHER, _TIMED, _SPEED)] = None
    """(n - 1) / (t_last - t_first); null for one token"""
    latency_s: Annotated[_Repeats, Metric("Latency", _SECONDS, _LOWER, _TIMED, _SPEED)] = None
    """t_last: start to the last token"""
    real_time_factor: Annotated[_Repeats, Metric("Real-time factor", _RATIO, _LOWER, _TIMED, _SPEED)] = None
    """`latency_s` / `clip_seconds`; below 1 is faster than the sound"""
    generated_tokens: Annotated[int | None, Metric("Tokens out", _COUNT, _HIGHER, _COUNTED, _STEPS)] = None
    """n"""
    bandwidth_fraction: Annotated[_Once, Metric("Share of bandwidth", _SHARE, _HIGHER, _TIMED, _SPEED)] = None
    """`decode_bytes_per_token` x `decode_tokens_per_s` / the card's memory bandwidth; null where the
    catalog has none
    """
    bf16_fraction: Annotated[_Once, Metric("Share of BF16 rate", _SHARE, _HIGHER, _TIMED, _SPEED)] = None
    """`prefill_operations` / (`time_to_first_token_s` - `preprocess_s` - `encode_s`) / the card's BF16
    rate; null where the catalog has none. A card that boosts above its specification can pass 1
    """
    allocated_peak_bytes: Annotated[_Size, Metric("Allocated", _BYTES, _LOWER, _COUNTED, _MEMORY)] = None
    """most live tensor bytes of the framework in any phase but `load`, weights included"""
    reserved_peak_bytes: Annotated[
        _Size, Metric("Reserved", _BYTES, _LOWER, _COUNTED, _MEMORY, RESERVED_NOISE_BYTES)
    ] = None
    """most bytes held by the CUDA caching allocator; null on a CPU"""
    process_peak_bytes: Annotated[
        _Size, Metric("Process", _BYTES, _LOWER, _WATCHED, _MEMORY, RESERVED_NOISE_BYTES)
    ] = None
    """of the worker as the driver sees it; null where no driver was asked"""
    device_peak_bytes: Annotated[
        _Size, Metric("Whole device", _BYTES, _LOWER, _WATCHED, _MEMORY, RESERVED_NOISE_BYTES)
    ] = None
    """of the whole card as the driver sees it; null where no driver was asked"""
    resident_peak_bytes: Annotated[_Size, Metric("Resident", _BYTES, _LOWER, _WATCHED, _MEMORY)] = None
    """largest resident set of the worker; null where the system keeps no peak that can be reset"""
    energy_j: Annotated[_Once, Metric("Energy", _JOULES, _LOWER, _TIMED, _ENERGY)] = None
    """of one generation; null where nothing read the power"""
    energy_per_token_j: Annotated[_Once, Metric("Energy per token", _JOULES, _LOWER, _TIMED, _ENERGY)] = None
    """`energy_j` / `generated_tokens`"""
    energy_per_audio_second_j: Annotated[
        _Once, Metric("Energy per second of audio", _JOULES, _LOWER, _TIMED, _ENERGY)
    ] = None
    """`energy_j` / `clip_seconds`"""
    labels: tuple[str, ...] = ()
    """noisy, contended, throttled, spilled"""


def _rows(summary: type[Frozen]) -> Iterator[Metric]:
    for name, field in summary.model_fields.items():
        for row in field.metadata:
            if isinstance(row, Metric):
                meaning = " ".join((field.description or "").split())
                is_statistic = Statistic in get_args(field.annotation)
                yield replace(row, name=name, meaning=meaning, is_statistic=is_statistic)


METRICS: Final = {row.name: row for row in _rows(Summary)}
"""The rows of `Summary`, by name: what can be compared, gated and expected."""
NEEDED: Final = Metric(
    "Needed",
    _BYTES,
    _LOWER,
    _WATCHED,
    Section.CARD,
    RESERVED_NOISE_BYTES,
    name="needed_bytes",
    meaning="what a card must have for the cell, CUDA context included; in check documents and reports only",
)
FIGURES: Final = {**METRICS, NEEDED.name: NEEDED}
"""Every figure of a row of a check document: the metrics, and what is computed from a whole cell."""


def value(summary: Summary | None, metric: str) -> float | None:
    """The median of a metric, or its one value; None where it is not available.

    Raises:
        KeyError: no such metric.
    """
    found = stated(summary, metric)
    return found.median if isinstance(found, Statistic) else found


def stated(summary: Summary | None, metric: str) -> Statistic | float | int | None:
    """A metric as the summary states it.

    Raises:
        KeyError: no such metric.
    """
    found: Statistic | float | int | None = getattr(summary, METRICS[metric].name, None)
    return found


_Model = TypeVar("_Model", bound=BaseModel)


def with_fields(
    metrics: Iterable[Metric], field: Callable[[Metric], tuple[object, object]]
) -> Callable[[type[_Model]], type[_Model]]:
    """A class decorator that adds a field for each metric. `field` returns its type and default."""

    def extend(model: type[_Model]) -> type[_Model]:
        fields: dict[str, Any] = {metric.name: field(metric) for metric in metrics}
        return create_model(
            model.__name__, __base__=model, __module__=model.__module__, __doc__=model.__doc__, **fields
        )

    return extend
