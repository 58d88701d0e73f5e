"""The highest moment of each phase, beyond the weights, from one trace for any number of new tokens. Pure.

The events of a trace are summed once. An answer longer than those traced goes on in decode steps that are all
alike but for their sizes: few of them are looked at, however long the answer is (`decode_steps` says which,
and why these are enough; the tests walk through every step).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.predict.decode_steps import DecodeSteps, decode_steps
from bench.predict.events import Event, Kernel, Trace
from bench.predict.memory_series import NOBODY, Flags, MemorySeries, Peak, highest, moments, workspace_moments
from bench.records.enums import Phase


@dataclass(frozen=True, slots=True)
class PhasePeak:
    """One phase at its highest: `allocated_bytes` is the sum of the next three. Bytes, without the weights.

    `kernel` is who caused it, None where it is what the phase found when it began. `activations_peak_bytes`
    and `workspace_peak_bytes` are the most at once in this phase, at whatever moment.
    """

    allocated_bytes: int
    cache_bytes: int
    activations_bytes: int
    workspace_bytes: int
    kernel: Kernel | None
    activations_peak_bytes: int
    workspace_peak_bytes: int


def phase_peaks(
    trace: Trace, max_tokens: Sequence[int], workspace: Callable[[Kernel], int]
) -> dict[int, dict[Phase, PhasePeak]]:
    """For each number of new tokens, the highest moment of each phase that the answer has, phases in order.

    An answer of one token has no decode phase. `workspace` says what a kernel takes beside its tensors while
    it runs; it is asked of kernels that tell their shapes.

    Raises:
        ValueError: less than one token; or more than were traced, of a trace without a pattern to go on.
    """
    walked = _walk(trace, workspace)
    return {
        tokens: {phase: _named(peak, trace.kernels) for phase, peak in walked.peaks(tokens).items()}
        for tokens in max_tokens
    }


@dataclass(frozen=True, slots=True)
class _Walk:
    """A trace with its running sums, which answers of all lengths share."""

    tokens_at: tuple[int, ...]
    moments: MemorySeries
    stretches: dict[Phase, tuple[int, int]]
    steps: DecodeSteps | None

    def peaks(self, tokens: int) -> dict[Phase, Peak]:
        if tokens < 1:
            raise ValueError(f"An answer has at least one token, not {tokens}")
        traced = min(tokens, len(self.tokens_at))
        events = self.tokens_at[traced - 1]
        found = {
            phase: self.moments.between(first, min(end, events)).peak()
            for phase, (first, end) in self.stretches.items()
            if first < events
        }
        if tokens > traced:
            known = [found[Phase.DECODE]] if Phase.DECODE in found else []
            found[Phase.DECODE] = highest([*known, *self._beyond(traced, tokens, events)])
        return found

    def _beyond(self, traced: int, tokens: int, events: int) -> list[Peak]:
        if self.steps is None:
            raise ValueError(f"This trace ends after {traced} tokens, without a decode step to go on with")
        before = int(self.moments.cache[events]), int(self.moments.activations[events])
        return self.steps.peaks(traced, tokens - 1, before)


def _walk(trace: Trace, workspace: Callable[[Kernel], int]) -> _Walk:
    taken = np.array([workspace(k) if k.call is not None else 0 for k in trace.kernels], dtype=np.int64)
    sizes = {event.block: event.size_bytes for event in trace.events if event.size_bytes}
    changes = np.array([event.size_bytes or -sizes[event.block] for event in trace.events], dtype=np.int64)
    kernels = np.array([event.kernel for event in trace.events], dtype=np.int64)
    taken_then = workspace_moments(kernels, changes, taken)
    return _Walk(
        tokens_at=trace.tokens_at,
        moments=moments(changes, _is_cache(trace.events), taken_then, kernels, (0, 0)),
        stretches=_stretches([trace.kernels[event.kernel].phase for event in trace.events]),
        steps=decode_steps(trace.step, sizes, taken) if trace.step is not None else None,
    )


def _is_cache(events: Sequence[Event]) -> Flags:
    """A release says nothing of its own: it is of the kind of its block."""
    cache = {event.block for event in events if event.is_cache}
    return np.array([event.block in cache for event in events], dtype=np.bool_)


def _stretches(phases: Sequence[Phase]) -> dict[Phase, tuple[int, int]]:
    """From which event to before which each phase goes; phases follow on each other."""
    ends = {phase: place + 1 for place, phase in enumerate(phases)}
    first = [0, *ends.values()]
    return {phase: (begin, end) for begin, (phase, end) in zip(first, ends.items(), strict=False)}


def _named(peak: Peak, kernels: Sequence[Kernel]) -> PhasePeak:
    return PhasePeak(
        allocated_bytes=peak.allocated_bytes,
        cache_bytes=peak.cache_bytes,
        activations_bytes=peak.activations_bytes,
        workspace_bytes=peak.workspace_bytes,
        kernel=None if peak.kernel == NOBODY else kernels[peak.kernel],
        activations_peak_bytes=peak.activations_peak_bytes,
        workspace_peak_bytes=peak.workspace_peak_bytes,
    )
