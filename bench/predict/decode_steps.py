"""Decode steps that were not traced: what is there in each, from the pattern of one. Pure.

Sizes grow by the same amount from step to step, so that the bytes at one place of the step are a convex
function of the step's number (growth is never negative): highest at one of its ends. Only the first steps may
differ from that, as they release blocks from before the pattern, which may be of any size.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bench.predict.events import DecodeStep, StepEvent
from bench.predict.memory_series import (
    ByteCounts,
    Flags,
    Indices,
    MemorySeries,
    Peak,
    moments,
    workspace_moments,
)


@dataclass(frozen=True, slots=True)
class DecodeSteps:
    """The pattern as arrays, one value an event. Changes are negative where a block is released.

    `changes` are those of step `first` as if all before it were alike, `age` tells how many steps ago the
    block was made that is released, whose size it has. `first_changes` are the true ones of the steps that
    release blocks from before the pattern. Blocks of one number are all KV cache or all not.
    """

    first: int
    changes: ByteCounts
    growth: ByteCounts
    age: Indices
    first_changes: tuple[ByteCounts, ...]
    is_cache: Flags
    workspace: ByteCounts
    kernels: Indices

    def peaks(self, begin: int, last: int, before: tuple[int, int]) -> list[Peak]:
        """The highest moments of those of the steps `begin` to `last` that can be the highest, in order.

        Args:
            begin: the first of the steps, the pattern's own or a later one.
            last: the last of the steps.
            before: KV cache and other bytes when `begin` starts.
        """
        alike = max(begin, self.first + len(self.first_changes))
        found = []
        for number in range(begin, min(alike, last) + 1):
            found.append(self._moments(number, before).peak())
            before = _sum(before, self._net(number))
        if last > alike:
            found.append(self._moments(last, self._skipped(alike + 1, last, before)).peak())
        return found

    def _changes(self, number: int) -> ByteCounts:
        """What each event of a step changes."""
        since = number - self.first
        if since < len(self.first_changes):
            return self.first_changes[since]
        return self.changes + (since - self.age) * self.growth

    def _moments(self, number: int, before: tuple[int, int]) -> MemorySeries:
        return moments(self._changes(number), self.is_cache, self.workspace, self.kernels, before)

    def _net(self, number: int) -> tuple[int, int]:
        """What a step leaves behind: KV cache and other bytes."""
        changes = self._changes(number)
        cache = int(changes[self.is_cache].sum())
        return cache, int(changes.sum()) - cache

    def _skipped(self, number: int, end: int, before: tuple[int, int]) -> tuple[int, int]:
        """KV cache and other bytes when step `end` starts: the steps from `number` on are a series."""
        first, last = self._net(number), self._net(end - 1)
        cache, other = ((end - number) * (first[kind] + last[kind]) // 2 for kind in (0, 1))
        return _sum(before, (cache, other))


def decode_steps(step: DecodeStep, traced: Mapping[int, int], taken: ByteCounts) -> DecodeSteps:
    """The steps that follow such a pattern.

    Args:
        step: the pattern.
        traced: blocks of the trace, to their bytes.
        taken: the workspace of each kernel of the trace. It does not grow with the step.
    """
    made = {event.number: event for event in step.events if event.size_bytes}
    makers = [made[event.number] for event in step.events]
    signs = np.array([1 if event.size_bytes else -1 for event in step.events], dtype=np.int64)
    kernels = np.array([event.kernel for event in step.events], dtype=np.int64)
    oldest = max((event.age for event in step.events), default=0)
    return DecodeSteps(
        first=step.first,
        changes=signs * np.array([maker.size_bytes for maker in makers], dtype=np.int64),
        growth=signs * np.array([maker.growth_bytes for maker in makers], dtype=np.int64),
        age=np.array([event.age for event in step.events], dtype=np.int64),
        first_changes=tuple(signs * _sizes(step, makers, since, traced) for since in range(oldest)),
        is_cache=np.array([maker.is_cache for maker in makers], dtype=np.bool_),
        workspace=workspace_moments(kernels, signs, taken),
        kernels=kernels,
    )


def _sizes(step: DecodeStep, makers: list[StepEvent], since: int, traced: Mapping[int, int]) -> ByteCounts:
    """Sizes of the blocks of one of the first steps, those from before the pattern as they were traced."""
    return np.array(
        [
            maker.size_bytes + (since - event.age) * maker.growth_bytes
            if event.age <= since
            else traced[step.before[event.age - since - 1][event.number]]
            for event, maker in zip(step.events, makers, strict=True)
        ],
        dtype=np.int64,
    )


def _sum(some: tuple[int, int], more: tuple[int, int]) -> tuple[int, int]:
    return some[0] + more[0], some[1] + more[1]
