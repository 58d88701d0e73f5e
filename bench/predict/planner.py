"""`bench plan`: derived records of devices that need not be in this machine."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from bench.engines.support import longest_clip_s
from bench.errors import UsageError
from bench.hardware import budget
from bench.hardware.budget import BudgetKind
from bench.hardware.card_costs import given_desktop
from bench.hardware.environment import environment
from bench.judge.prediction import budgets_from
from bench.packages import version_of
from bench.predict.allocator.caching import RULES_OF
from bench.predict.allocator.protocol import Measuring
from bench.predict.source import Source, source_of
from bench.predict.target import Target
from bench.predict.terms_cache import TermsCache
from bench.records.cell import CellResult
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


_LOADING: Final = "tensor by tensor, as transformers does with a device_map: never more than the weights"
_CARD_WORKSPACE: Final = "cuBLAS as torch sets it; cuDNN as a range, from nothing to copies in its own layout"
_CPU_WORKSPACE: Final = "probed on this CPU with the real operators"


@dataclass(frozen=True)
class PlanRequest:
    """The cells to predict, and the source of their model; without a device."""

    suite: Suite
    suite_info: SuiteInfo
    cells: tuple[Cell, ...]
    source: Source


def plan_request(options: RunOptions) -> PlanRequest:
    """Return the cells that `bench run` would run, and the shapes of their model; imports nothing heavy.

    Raises:
        UsageError: an unknown name, a bad value, or a clip beyond the model's context.
        WeightsError: the shapes of the model are not available.
    """
    base = find_suite(options.suite or DEFAULT_SUITE)
    source = source_of(origin_of(options, base))
    _refuse_beyond_context(options, base, source.max_positions)
    suite, cells = cells_of(options, base, source.origin)
    return PlanRequest(suite, suite_info(suite, base=base), cells, source)


def _refuse_beyond_context(options: RunOptions, base: Suite, max_positions: int) -> None:
    """Refuse such clips of the command line; in a suite they are unsupported cells."""
    if any(not 1 <= each <= MAX_TOKENS for each in options.max_tokens or ()):
        return  # a bad value, which is refused later
    tokens = min(options.max_tokens or base.axes.max_tokens)
    longest = longest_clip_s(max_positions, tokens, base.time_markers)
    beyond = [each for each in options.clip_seconds or () if isfinite(each) and each > longest]
    if beyond:
        raise UsageError(
            f"--clip-seconds: {clip_length(min(beyond))} is beyond the model's {max_positions:,} positions",
            hint=f"With {tokens} tokens to answer the longest clip is {longest} s",
        )


def _quiet(_message: str) -> None:
    """Drop progress messages."""


class Planner:
    """Makes the derived records of a plan request. Devices share traces and predictions.

    `announce` receives progress messages, such as `tracing 60 s, flash`. `desktop_bytes` is what a desktop
    takes, in place of each card's own figures. Unless `may_trace`, a clip that is not stored raises
    `NotStoredError`.
    """

    def __init__(
        self,
        request: PlanRequest,
        budget_kind: BudgetKind | None = None,
        announce: Callable[[str], None] = _quiet,
        cache: TermsCache | None = None,
        *,
        desktop_bytes: int | None = None,
        may_trace: bool = True,
    ) -> None:
        from bench.predict.cells import Predictions
        from bench.predict.planned_model import PlannedModel
        from bench.predict.shipped_table import ShippedTable

        self.request: Final = request
        self._budget_kind = budget_kind
        self._desktop = None if desktop_bytes is None else given_desktop(desktop_bytes)
        self.model: Final = PlannedModel(request.source, request.suite.dtype)
        measure = request.suite.measure
        has_headers = request.source.tensors is not None  # their order decides, too
        stored = () if has_headers else (ShippedTable(request.source.config_sha256),)
        answers = [cell.requested.max_tokens for cell in request.cells]
        measuring = Measuring(measure.warmup_tokens, measure.repeats)
        self._predictions = Predictions(
            self.model,
            answers,
            measuring,
            stored=stored,
            cache=cache,
            announce=announce,
            may_trace=may_trace,
        )
        self._stored = Predictions(self.model, answers, measuring, stored=stored, may_trace=False)
        self._environment = _environment()
        self.created_at: Final = datetime.now(UTC).replace(microsecond=0)

    def results(self, target: Target) -> list[CellResult]:
        """Return the predicted cells of one device.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        return [self._predictions.cell(cell, target) for cell in self.request.cells]

    def record(self, target: Target, measured: Sequence[Record] = ()) -> Record:
        """Return the derived record of one device, compared with records measured on it and calibrated.

        The comparison is with the prediction before calibration.

        Raises:
            UsageError: a prompt that cannot be counted without a tokenizer.
        """
        if not measured:
            return self._sealed(target, self.derivation(target))
        from bench.judge.calibration import compare

        plain = self._sealed(target, self.derivation(target), frontier=False)
        compared = compare(plain, measured)
        calibrated, ids = self._calibrated(target, plain, measured) if compared else (target, ())
        derivation = self.derivation(calibrated).model_copy(
            update={"compared": compared, "calibrated_by": ids}
        )
        return self._sealed(calibrated, derivation)

    def _calibrated(
        self, target: Target, plain: Record, measured: Sequence[Record]
    ) -> tuple[Target, tuple[str, ...]]:
        """Return the target with the costs that the records show, and the ids of these records."""
        from bench.judge.calibrated_costs import calibration

        if target.costs is None:
            return target, ()
        bare = replace(target, costs=replace(target.costs, convolution=False))
        without = self._sealed(bare, self.derivation(bare), frontier=False)
        found = calibration(plain, without, measured)
        return replace(target, costs=found.applied(target.costs)), found.records

    def _sealed(self, target: Target, derivation: Derivation, *, frontier: bool = True) -> Record:
        from bench.predict.other_ways import other_ways

        source, cells = self.request.source, self.request.cells
        results = self.results(target)
        if frontier and derivation.context is not None:
            longest = self.longest_clips(target, derivation)
            others = other_ways(cells, target, self._stored, source.max_positions, self.derivation)
            derivation = derivation.model_copy(update={"longest_clips": longest, "other_ways": others})
        fields: dict[str, BaseModel] = {
            "suite": self.request.suite_info,
            "model": self.model.info,
            "device": target.info,
            "environment": self._environment
            if target.card is None
            else _without_variables(self._environment),
            "derivation": derivation,
        }
        return seal(
            {
                **{name: value.model_dump(mode="json") for name, value in fields.items()},
                "record_id": secrets.token_hex(6),
                "created_at": self.created_at.isoformat(),
                "provenance": Provenance.DERIVED.value,
                "machine_key": None,
                "cells": [result.model_dump(mode="json") for result in results],
            }
        )

    def longest_clips(self, target: Target, derivation: Derivation) -> tuple[LongestClip, ...]:
        """Return the predicted frontier of a device under the terms of a derivation; empty for a CPU.

        Raises:
            NotStoredError: a clip is not stored, and nothing may be traced.
        """
        from bench.predict.frontier import longest_clips

        if derivation.context is None:
            return ()
        return longest_clips(
            self.request.cells,
            target,
            self._predictions,
            self.request.source.max_positions,
            budgets=budgets_from(derivation, target.info.memory_total_bytes),
            context_most_bytes=derivation.context.high_bytes,
        )

    def derivation(self, target: Target) -> Derivation:
        """Return how the figures of a device are found, without longest clips."""
        system, costs = target.system, target.costs
        return Derivation(
            weights_source="configuration" if self.request.source.tensors is None else "safetensors headers",
            loading=_LOADING,
            allocator=RULES_OF if system else None,
            workspace_source=_CARD_WORKSPACE if system else _CPU_WORKSPACE,
            system=system,
            headroom="desktop" if system and budget.has_wddm(system.os) else self._budget_kind,
            budget_basis=costs.basis if costs else None,
            read_at=costs.read_at if costs else None,
            driver_reserve=costs.reserve.term if costs else None,
            context=costs.context.term if costs else None,
            desktop=(self._desktop or costs.desktop).term if costs else None,
            desktop_is_given=costs is not None and self._desktop is not None,
        )


def _environment() -> Environment:
    return environment(torch=version_of("torch") or "", transformers=version_of("transformers") or "")


def _without_variables(here: Environment) -> Environment:
    """Return the environment of a card's prediction, which the variables of this shell do not affect."""
    return here.model_copy(update={"variables": {}})


def record_path(record: Record, out: Path) -> Path:
    """Return the path of a derived record below `out`."""
    name = naming.record_name(record.created_at, record.suite.name, "plan", record.record_id)
    return naming.folder(out, record.model.name, record.device.slug) / name
