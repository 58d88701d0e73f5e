"""Decode steps that were not traced: what is there in each, from the pattern of one. Pure.

Sizes grow by the same amount from step to step, so that the bytes at one place of the step are a convex
function of the step's number (growth is never negative): highest at one of its ends.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.envelope.events import DecodeStep, StepEvent
from bench.envelope.moments import ByteCounts, Flags, Indices, Moments, Peak, moments, workspace_moments


@dataclass(frozen=True, slots=True)
class DecodeSteps:
    """The pattern as arrays, one value an event. Changes are negative where a block is released.

    `age` is 1 where the block that is released was made in the step before, whose sizes it has. `changes` are
    those of step `first`, `first_changes` too but for blocks that were made before it. Blocks of one number
    are all KV cache or all not.
    """

    first: int
    changes: ByteCounts
    growth: ByteCounts
    age: Indices
    first_changes: ByteCounts
    is_cache: Flags
    workspace: ByteCounts
    kernels: Indices

    def peaks(self, begin: int, last: int, before: tuple[int, int]) -> list[Peak]:
        """The highest moments of steps `begin` to `last`, in order, where some of them must be the highest.

        Args:
            begin: the first of the steps, `first` or later. It is looked at alone, as it may follow on
                blocks of other sizes; for the others see the module.
            last: the last of the steps.
            before: KV cache and other bytes when `begin` starts.
        """
        numbers = sorted({begin, min(begin + 1, last), last})
        return [self._moments(number, self._at_start(number, begin, before)).peak() for number in numbers]

    def _changes(self, number: int) -> ByteCounts:
        """What each event of a step changes."""
        if number == self.first:
            return self.first_changes
        return self.changes + (number - self.first - self.age) * self.growth

    def _moments(self, number: int, before: tuple[int, int]) -> Moments:
        return moments(self._changes(number), self.is_cache, self.workspace, self.kernels, before)

    def _net(self, number: int) -> tuple[int, int]:
        """What a step leaves behind: KV cache and other bytes."""
        changes = self._changes(number)
        cache = int(changes[self.is_cache].sum())
        return cache, int(changes.sum()) - cache

    def _at_start(self, number: int, begin: int, before: tuple[int, int]) -> tuple[int, int]:
        """KV cache and other bytes when a step starts: the sum over the steps since `begin`."""
        steps = number - begin
        if steps == 0:
            return before
        first, second, last = self._net(begin), self._net(begin + 1), self._net(number - 1)
        cache, other = (
            before[kind] + first[kind] + (steps - 1) * (second[kind] + last[kind]) // 2 for kind in (0, 1)
        )
        return cache, other


def decode_steps(step: DecodeStep, traced: Mapping[int, tuple[int, bool]], taken: ByteCounts) -> DecodeSteps:
    """The steps that follow such a pattern.

    Args:
        step: the pattern.
        traced: blocks of the trace, to their bytes and whether they are KV cache.
        taken: the workspace of each kernel of the trace. It does not grow with the step.
    """
    made = {event.number: event for event in step.events if event.size_bytes}
    makers = [made[event.number] for event in step.events]
    signs = np.array([1 if event.size_bytes else -1 for event in step.events], dtype=np.int64)
    kernels = np.array([event.kernel for event in step.events], dtype=np.int64)
    return DecodeSteps(
        first=step.first,
        changes=signs * np.array([maker.size_bytes for maker in makers], dtype=np.int64),
        growth=signs * np.array([maker.growth_bytes for maker in makers], dtype=np.int64),
        age=np.array([event.age for event in step.events], dtype=np.int64),
        first_changes=signs * np.array(_first_sizes(step, makers, traced), dtype=np.int64),
        is_cache=np.array([maker.is_cache for maker in makers], dtype=np.bool_),
        workspace=workspace_moments(kernels, signs, taken),
        kernels=kernels,
    )


def _first_sizes(
    step: DecodeStep, makers: list[StepEvent], traced: Mapping[int, tuple[int, bool]]
) -> list[int]:
    """Sizes in step `first`: what it releases of the step before has the size that was traced."""
    return [
        traced[step.before[event.number]][0] if event.age else maker.size_bytes
        for event, maker in zip(step.events, makers, strict=True)
    ]
