"""Predictions for the cards of the catalog, as check documents: the same bytes on every machine."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

import bench
from bench.check.document import merge
from bench.check.summarise import summarise
from bench.check.summary import RecordSummary
from bench.engines.native.sdpa_rules import NEWEST_RULES
from bench.errors import UsageError
from bench.hardware.catalog import cards
from bench.predict.planned_system import planned_system
from bench.predict.planner import Planner, plan_request
from bench.predict.target import Target, targets
from bench.records.check import Check
from bench.records.enums import OperatingSystem
from bench.records.record import Environment, Record
from bench.run.run_spec import RunOptions, is_released, released_names

SYSTEMS: Final[tuple[OperatingSystem, ...]] = ("linux", "wsl2", "windows")
NO_DATE: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""A prediction is made anew by every build: its date would say when that was."""
_NOWHERE: Final = Environment(
    bench_version=bench.__version__,
    bench_commit=None,
    bench_dirty=None,
    python="",
    torch=None,
    transformers=None,
    packages={},
    os="",
    kernel="",
    cpu=None,
    cpu_cores=None,
    ram_bytes=None,
)


def predicted_pages() -> tuple[tuple[str, str], ...]:
    """Every released model on every card of known memory: what has a page without any record."""
    known = [card.slug for card in cards() if card.memory_total_bytes is not None]
    return tuple((model, slug) for model in released_names() for slug in sorted(known))


@lru_cache(maxsize=16)  # of all cards they would take hundreds of megabytes
def prediction(model: str, slug: str) -> Check | None:
    """Return the prediction of the standard suite on each system; None where bench has none."""
    if not is_released(model):
        return None
    summaries = list(_summaries(model, slug))
    return merge(summaries) if summaries else None


def _summaries(model: str, slug: str) -> Iterator[RecordSummary]:
    planner = _planner(model)
    for system in SYSTEMS:
        target = _target(slug, system)
        if target is not None:
            yield _everywhere(planner.record(target))


@lru_cache(maxsize=1)
def _planner(model: str) -> Planner:
    return Planner(plan_request(RunOptions(model=model)), may_trace=False)


def _target(slug: str, system: OperatingSystem) -> Target | None:
    if all(card.slug != slug for card in cards()):
        return None
    try:
        (target,) = targets([slug], planned_system(system, NEWEST_RULES))
    except UsageError:  # a card of unknown memory
        return None
    return target


def _everywhere(record: Record) -> RecordSummary:
    """Return the summary of a prediction without what depends on the time and on this machine."""
    nameless = {"record_id": "0" * 12, "content_hash": "", "created_at": NO_DATE, "environment": _NOWHERE}
    summary = summarise(record.model_copy(update=nameless))
    digest = hashlib.sha256(summary.model_dump_json().encode()).hexdigest()
    named = {"id": digest[:12], "hash": f"sha256:{digest}", "content": digest}
    return summary.model_copy(update={"head": summary.head.model_copy(update=named)})
