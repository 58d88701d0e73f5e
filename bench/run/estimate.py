"""Rough estimates of the time of a run: operations over rate, bytes over bandwidth, and fixed costs. Pure.

Operations and bytes are counted from the shapes of the model. The rates of a CPU are those of one core of a
server, measured with the tiny model at 1 s to 1,000 s clips; the test of this module has the times. Those of
a card are its catalog's, and no run has checked the estimates that follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bench.arithmetic import architecture
from bench.arithmetic.shapes import Shapes
from bench.engines.support import audio_positions
from bench.hardware.catalog import Card
from bench.judge.same_run import WORKER, request_key
from bench.records.cell import Requested
from bench.records.enums import Attention, Profile
from bench.suite.cells import Cell
from bench.suite.suite import Measure

Basis = Literal["checked", "dtype", "catalog"]
"""What the rates rest on: runs have checked them; they may not hold for the dtype; they are the catalog's."""

LONGEST_CHECKED_S: Final = 1000.0
"""The longest clip of which runs have checked the estimate."""

_TEXT_TOKENS: Final = 26
_FRAMES_PER_S: Final = 100
_ELEMENT_BYTES: Final = {"float32": 4, "float16": 2, "bfloat16": 2}

_PROCESS_S: Final = 2.0
_WORKER_S: Final = 4.5
_LOAD_BYTES_PER_S: Final = 1.5e9
_PREPROCESS_S_PER_S: Final = 1e-3
_EAGER_PASSES: Final = 24
"""Times that eager attention reads or writes its matrix of scores."""
_CACHE_PASSES: Final = 2
"""Times that a step copies the whole cache, to append one position."""

_CORE_OPERATIONS_PER_S: Final = 5e10
_CORE_BYTES_PER_S: Final = 8e9
_CPU_BYTES_PER_S: Final = 4e10
_CPU_LAYER_S: Final = 1e-3
_WATCHED_LAYER_S: Final = 1.7e-3
_GPU_LAYER_S: Final = 6e-4
_OF_THE_CATALOG: Final = 0.6


@dataclass(frozen=True)
class Rates:
    """Assumed rates of a device. `layer_s` is the time to start the operators of one layer.

    `watched_layer_s` is added where each operator is observed, and `memory_passes` generations count memory.
    """

    operations_per_s: float
    bytes_per_s: float
    layer_s: float
    watched_layer_s: float
    memory_passes: int
    overlaps: bool
    basis: Basis


def cpu_rates(threads: int, dtype: str) -> Rates:
    """Return the rates of a CPU that computes on so many cores."""
    return Rates(
        operations_per_s=threads * _CORE_OPERATIONS_PER_S,
        bytes_per_s=min(threads * _CORE_BYTES_PER_S, _CPU_BYTES_PER_S),
        layer_s=_CPU_LAYER_S,
        watched_layer_s=_WATCHED_LAYER_S,
        memory_passes=1,
        overlaps=False,
        basis="checked" if dtype == "float32" else "dtype",
    )


def card_rates(card: Card | None) -> Rates | None:
    """Return the rates of a card; None where the catalog does not have them."""
    if card is None or not card.memory_bandwidth_bytes_per_s or not card.bf16_operations_per_s:
        return None
    return Rates(
        operations_per_s=_OF_THE_CATALOG * card.bf16_operations_per_s,
        bytes_per_s=_OF_THE_CATALOG * card.memory_bandwidth_bytes_per_s,
        layer_s=_GPU_LAYER_S,
        watched_layer_s=0.0,
        memory_passes=0,
        overlaps=True,
        basis="catalog",
    )


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


@dataclass(frozen=True)
class Estimate:
    """Estimated seconds of cells of one model on one device."""

    shapes: Shapes
    measure: Measure
    rates: Rates

    def generation_s(self, requested: Requested, max_tokens: int, *, watched: bool = False) -> float:
        """Return the seconds of one generation of so many tokens."""
        rates, text = self.rates, self.shapes.language_config
        element = _ELEMENT_BYTES[requested.dtype]
        prompt = audio_positions(requested.clip_seconds, requested.time_markers) + _TEXT_TOKENS
        frames = max(1, round(requested.clip_seconds * _FRAMES_PER_S))
        operations = architecture.encode_operations(self.shapes, frames) + architecture.prefill_operations(
            self.shapes,
            prompt_tokens=prompt,
            logits_positions=1 if requested.profile is Profile.LEAN else prompt,
        )
        scores = text.num_hidden_layers * text.num_attention_heads * prompt * prompt
        passes = _EAGER_PASSES if requested.attention is Attention.EAGER else 0
        computed_s = operations / rates.operations_per_s + passes * scores * element / rates.bytes_per_s
        step_bytes = architecture.decode_bytes_per_token(
            self.shapes, prompt_tokens=prompt, generated_tokens=max_tokens, element_bytes=element
        ) + _CACHE_PASSES * architecture.kv_cache_bytes(text, prompt + max_tokens / 2, element)
        started_s = text.num_hidden_layers * (rates.layer_s + rates.watched_layer_s * watched)
        read_s = step_bytes / rates.bytes_per_s
        step_s = max(read_s, started_s) if rates.overlaps else read_s + started_s
        return requested.clip_seconds * _PREPROCESS_S_PER_S + computed_s + max_tokens * step_s

    def cell_s(self, cell: Cell) -> float:
        """Return the seconds of one cell on a loaded model: warm-up, repeats and the memory pass.

        A noisy cell is repeated more often, as far as its budget goes: half of that is counted. No cell takes
        longer than its limit.
        """
        measure, requested = self.measure, cell.requested
        plain_s = self.generation_s(requested, requested.max_tokens)
        more = min(measure.max_repeats - measure.repeats, measure.cell_budget_s / plain_s) / 2
        warm_up_tokens = min(measure.warmup_tokens, requested.max_tokens)
        warm_up_s = self.generation_s(requested, warm_up_tokens, watched=True)
        memory_s = self.generation_s(requested, requested.max_tokens, watched=True)
        whole_s = (measure.repeats + more) * plain_s + warm_up_s + self.rates.memory_passes * memory_s
        return min(whole_s, measure.cell_limit_s)

    def start_s(self, cell: Cell) -> float:
        """Return the seconds before the first cell of a group: worker start, load and cold call."""
        requested = cell.requested
        weights = architecture.parameters(self.shapes).total * _ELEMENT_BYTES[requested.dtype]
        cold_s = self.generation_s(requested, requested.max_tokens)
        return _WORKER_S + weights / _LOAD_BYTES_PER_S + cold_s

    def run_s(self, cells: Sequence[Cell]) -> float:
        """Return the seconds of all cells, with the start of the command and of each group's worker."""
        groups = {request_key(WORKER, cell.requested): cell for cell in reversed(cells)}
        if not groups:
            return 0.0
        return _PROCESS_S + sum(map(self.cell_s, cells)) + sum(map(self.start_s, groups.values()))
