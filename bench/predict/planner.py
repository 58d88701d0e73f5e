"""`bench plan`: the cells of a suite, each with the memory that it needs on devices that need not be here."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel

from bench.engines.support import longest_clip_s
from bench.errors import UsageError
from bench.hardware import budget
from bench.hardware.environment import environment, version_of
from bench.predict.caching_allocator import RULES_OF
from bench.predict.source import Source, source_of
from bench.predict.target import Target
from bench.records.enums import Provenance
from bench.records.prediction import Derivation, LongestClip
from bench.records.record import Environment, Record, SuiteInfo
from bench.run.run_spec import RunOptions, cells_of, origin_of
from bench.store import naming
from bench.store.record_files import seal
from bench.suite.cells import Cell
from bench.suite.overrides import suite_info
from bench.suite.suite import MAX_TOKENS, Suite, find_suite
from bench.units import clip_length

DEFAULT_SUITE: Final = "standard"

Headroom = Literal["headless", "desktop"]

_LOADING: Final = "tensor by tensor, as transformers does with a device_map: never more than the weights"
_CARD_WORKSPACE: Final = "cuBLAS as torch sets it; cuDNN as a range, from nothing to copies in its own layout"
_CPU_WORKSPACE: Final = "probed on this CPU with the real operators"


@dataclass(frozen=True)
class PlanRequest:
    """What is to be predicted, before it is said for which device."""

    suite: Suite
    suite_info: SuiteInfo
    cells: tuple[Cell, ...]
    source: Source


def programme(wishes: RunOptions) -> PlanRequest:
    """The cells that `bench run` would run, and the shapes of their model. Nothing heavy is imported.

    Raises:
        UsageError: a name or value that nothing fits, or a clip beyond the model's context.
        WeightsError: the shapes of the model cannot be had.
    """
    base = find_suite(wishes.suite or DEFAULT_SUITE)
    source = source_of(origin_of(wishes, base))
    _refuse_beyond_context(wishes, base, source.max_positions)
    suite, cells = cells_of(wishes, base, source.origin)
    return PlanRequest(suite, suite_info(suite, base=base), cells, source)


def _refuse_beyond_context(wishes: RunOptions, base: Suite, max_positions: int) -> None:
    """What the command line asks for can be asked for otherwise; a suite's own cells are unsupported."""
    if any(not 1 <= each <= MAX_TOKENS for each in wishes.max_tokens or ()):
        return  # which is refused by its own name
    tokens = min(wishes.max_tokens or base.axes.max_tokens)
    longest = longest_clip_s(max_positions, tokens, base.time_markers)
    beyond = [each for each in wishes.clip_seconds or () if isfinite(each) and each > longest]
    if beyond:
        raise UsageError(
            f"--clip-seconds: {clip_length(min(beyond))} is beyond the model's {max_positions:,} positions",
            hint=f"With {tokens} tokens to answer the longest clip is {longest} s",
        )


def _quiet(_what: str) -> None:
    """Nobody listens."""


class Planner:
    """Makes the records of a programme; traces and predictions are shared between devices."""

    def __init__(
        self, programme: PlanRequest, headroom: Headroom | None = None, told: Callable[[str], None] = _quiet
    ) -> None:
        from bench.predict.cells import Predictions
        from bench.predict.traced_model import TracedModel

        self._programme = programme
        self._headroom = headroom
        self._subject = TracedModel(programme.source, programme.suite.dtype, told)
        self._predictions = Predictions(
            self._subject, [cell.requested.max_tokens for cell in programme.cells]
        )
        self._environment = _environment()
        self._created_at = datetime.now(UTC).replace(microsecond=0)

    def record(self, target: Target, measured: Sequence[Record] = (), *, frontier: bool = True) -> Record:
        """The derived record of one device, held against what was measured on it.

        Without `frontier` the longest clips are not looked for.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        from bench.judge.calibration import compare
        from bench.predict.frontier import longest_clips

        source, cells = self._programme.source, self._programme.cells
        results = [self._predictions.cell(cell, target, source.max_positions) for cell in cells]
        longest = (
            longest_clips(cells, target, self._predictions, source.max_positions, self._headroom)
            if frontier
            else ()
        )
        fields: dict[str, BaseModel] = {
            "suite": self._programme.suite_info,
            "model": self._subject.info,
            "device": target.info,
            "environment": self._environment if target.card is None else _of_no_shell(self._environment),
            "derivation": self._derivation(target, longest),
        }
        derived = seal(
            {
                **{name: value.model_dump(mode="json") for name, value in fields.items()},
                "record_id": secrets.token_hex(6),
                "created_at": self._created_at.isoformat(),
                "provenance": Provenance.DERIVED.value,
                "machine_key": None,
                "cells": [result.model_dump(mode="json") for result in results],
            }
        )
        compared = compare(derived, measured)
        if not compared or derived.derivation is None:
            return derived
        held = derived.derivation.model_copy(update={"compared": compared})
        return seal(derived.model_copy(update={"derivation": held}).model_dump(mode="json"))

    def _derivation(self, target: Target, longest: tuple[LongestClip, ...]) -> Derivation:
        on_card = target.card is not None
        return Derivation(
            weights_source="configuration"
            if self._programme.source.tensors is None
            else "safetensors headers",
            loading=_LOADING,
            allocator=RULES_OF if on_card else None,
            workspace_source=_CARD_WORKSPACE if on_card else _CPU_WORKSPACE,
            headroom=self._headroom,
            driver_reserve=budget.DRIVER_RESERVE.term if on_card else None,
            context=budget.CONTEXT.term if on_card else None,
            desktop=budget.DESKTOP.term if on_card else None,
            longest_clips=longest,
        )


def _environment() -> Environment:
    return environment(torch=version_of("torch") or "", transformers=version_of("transformers") or "")


def _of_no_shell(here: Environment) -> Environment:
    """For a card: what this shell tells torch had no part in the prediction. On a CPU kernels were probed."""
    return here.model_copy(update={"variables": {}})


def record_path(record: Record, out: Path) -> Path:
    """Where a derived record goes below `out`."""
    name = naming.record_name(record.created_at, record.suite.name, "plan", record.record_id)
    return naming.folder(out, record.model.name, record.device.slug) / name
