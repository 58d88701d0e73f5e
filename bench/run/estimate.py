"""Rough estimates of the time of a run: bytes over bandwidth, operations over rate. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.judge.same_run import WORKER, request_key
from bench.suite.cells import Cell
from bench.suite.suite import Measure

_TOKENS_PER_SECOND_OF_AUDIO: Final = 12.5
_PROMPT_TOKENS: Final = 26
_CHUNK_S: Final = 4.0
# One 4 s chunk through the stem's convolutions, from their shapes: 8.3e9 multiply-adds.
_STEM_OPERATIONS_PER_CHUNK: Final = 1.66e10


@dataclass(frozen=True)
class Pace:
    """Assumed rates of a device and parameters of a model. On a GPU memory needs no pass of its own."""

    bytes_per_s: float
    operations_per_s: float
    load_bytes_per_s: float
    memory_passes: int
    start_s: float
    encoder_parameters: float
    language_parameters: float


class Correction:
    """The ratio of real to estimated times, from the cells that ran so far."""

    def __init__(self) -> None:
        self._estimated_s = 0.0
        self._took_s = 0.0

    def add(self, estimated_s: float, took_s: float) -> None:
        """Count a cell that ran."""
        self._estimated_s += estimated_s
        self._took_s += took_s

    @property
    def factor(self) -> float:
        """The factor for further estimates; 1 before the first cell."""
        return self._took_s / self._estimated_s if self._estimated_s else 1.0


# Rates of a two-core server CPU and of a mid-range card.
_CPU: Final = (8e9, 2.5e11, 1.5e9, 1)
_GPU: Final = (3e11, 2e13, 1.5e9, 0)
_START_S: Final = 6.0


def pace(device_kind: str, model: str) -> Pace:
    """Return the assumptions for a device and a model name (`tiny`, or a name that contains its size)."""
    rates = _GPU if device_kind == "cuda" else _CPU
    if model == "tiny":
        return Pace(*rates, start_s=_START_S, encoder_parameters=1e6, language_parameters=2e6)
    language = 7.9e9 if "8B" in model else 4.4e9
    return Pace(*rates, start_s=_START_S, encoder_parameters=6.4e8, language_parameters=language)


def cell_s(cell: Cell, measure: Measure, rates: Pace) -> float:
    """Return the seconds of one cell on a loaded model: warm-up, repeats and the memory pass."""
    asked = cell.requested
    audio_tokens = asked.clip_seconds * _TOKENS_PER_SECOND_OF_AUDIO
    stem = (
        asked.clip_seconds
        / _CHUNK_S
        * _STEM_OPERATIONS_PER_CHUNK
        * min(1.0, rates.encoder_parameters / 6.4e8)
    )
    encoder = 2 * rates.encoder_parameters * audio_tokens
    prefill = 2 * rates.language_parameters * (audio_tokens + _PROMPT_TOKENS)
    before = (stem + encoder + prefill) / rates.operations_per_s
    per_token = 2 * rates.language_parameters / rates.bytes_per_s + 2e-3
    passes = measure.repeats + rates.memory_passes
    return (passes + 1) * before + (passes * asked.max_tokens + measure.warmup_tokens) * per_token


def start_s(cell: Cell, measure: Measure, rates: Pace) -> float:
    """Return the seconds before the first cell of a group: worker start, load and cold call."""
    load = 2 * (rates.encoder_parameters + rates.language_parameters) / rates.load_bytes_per_s
    cold = cell_s(cell, measure, rates) / (measure.repeats + rates.memory_passes)
    return rates.start_s + load + cold


def run_s(cells: Sequence[Cell], measure: Measure, rates: Pace) -> float:
    """Return the seconds of all cells, with one worker start, one load and one cold call per group."""
    groups = {request_key(WORKER, cell.requested): cell for cell in reversed(cells)}
    starts = sum(start_s(first, measure, rates) for first in groups.values())
    return sum(cell_s(cell, measure, rates) for cell in cells) + starts
