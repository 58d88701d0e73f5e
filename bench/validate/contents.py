"""Hash, dates, suite and cells of a record, recomputed from the file."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final, cast

from pydantic import JsonValue

from bench.errors import SuiteError
from bench.records.cell import Requested
from bench.store.canonical import canonical
from bench.suite.cells import request
from bench.suite.suite import Suite, find_suite, shipped_suites
from bench.validate.candidate import Candidate, Found

FIRST_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""No bench existed before."""
_CLOCKS_DIFFER: Final = timedelta(days=1)
_ID_LETTERS: Final = 16


def contents(candidate: Candidate) -> Iterator[Found]:
    """Yield what is wrong with the document as a whole."""
    record = candidate.record
    if not candidate.is_intact:
        yield Found("hash_mismatch", "content_hash")
    yield from in_future(record.created_at, candidate.now)
    if record.created_at < FIRST_DAY:
        yield Found("date_before_bench", "created_at", {"stated": record.created_at.date().isoformat()})
    yield from _suite(candidate)
    yield from _ids(candidate)
    if candidate.suite is not None:
        yield from _cells(candidate, candidate.suite)


def in_future(created_at: datetime, now: datetime) -> Iterator[Found]:
    """Yield a finding where a record is dated after the time of the judgement."""
    if created_at - now > _CLOCKS_DIFFER:  # `now` may be the last day that a date can hold
        yield Found("date_in_future", "created_at", {"stated": created_at.date().isoformat()})


def _suite(candidate: Candidate) -> Iterator[Found]:
    stated, suite = candidate.record.suite, candidate.suite
    if hashlib.sha256(candidate.definition).hexdigest() != stated.sha256:
        yield Found("suite_hash_mismatch", "suite.sha256")
    if suite is None:
        yield Found("suite_unreadable", "suite.definition")
        return
    for name, value in (("name", suite.name), ("version", suite.version)):
        if getattr(stated, name) != value:
            facts = {"stated": getattr(stated, name), "defined": value}
            yield Found("suite_name_mismatch", f"suite.{name}", facts)
    is_ours = suite.name in shipped_suites() if stated.origin is None else stated.origin == "shipped"
    if is_ours:
        yield from _shipped(candidate, suite)
    else:
        yield Found("suite_own", "suite.origin", {"name": stated.name})


def _shipped(candidate: Candidate, suite: Suite) -> Iterator[Found]:
    """A suite that is said to be shipped differs from that only in what `overrides` names."""
    stated = candidate.record.suite
    base = _base(suite.name)
    if base is None or base.version != suite.version:
        yield Found("suite_unknown", "suite.version", {"name": suite.name, "version": suite.version})
        return
    changed = _changed(candidate.definition, suite.name)
    allowed = {*stated.overrides, *(("max_repeats",) if "repeats" in stated.overrides else ())}
    if _is_search(candidate, suite):
        allowed |= {"clip_seconds", "max_tokens", "attention"}
    for key in sorted(changed - allowed):
        yield Found("suite_not_shipped", f"suite.definition.{key}", {"name": suite.name, "key": key})


def _is_search(candidate: Candidate, suite: Suite) -> bool:
    """Whether the record is of a search for limits: that chooses its own lengths, and measures each once."""
    return candidate.record.frontier_step_s is not None and suite.measure.max_repeats == 1


@lru_cache(maxsize=64)
def _changed(definition: bytes, name: str) -> frozenset[str]:
    """The settings in which a definition differs from a shipped suite: records of one suite share them."""
    stated, shipped = dict(_flat(Suite.model_validate_json(definition))), dict(_flat(find_suite(name)))
    keys = stated.keys() | shipped.keys()  # `expect` is there only where something is expected
    return frozenset(key for key in keys if stated.get(key) != shipped.get(key))


@cache
def _base(name: str) -> Suite | None:
    """The shipped suite of this name."""
    try:
        return find_suite(name) if name in shipped_suites() else None
    except SuiteError:
        return None


def _flat(suite: Suite) -> Iterator[tuple[str, object]]:
    """Each setting by the last part of its name, as `overrides` names it."""
    content = suite.model_dump()
    for name in ("axes", "measure"):
        yield from content.pop(name).items()
    yield from content.items()


def _ids(candidate: Candidate) -> Iterator[Found]:
    documents = cast("list[dict[str, JsonValue]]", candidate.document["cells"])
    for place, cell in enumerate(documents):
        computed = hashlib.sha256(canonical(cell["requested"])).hexdigest()[:_ID_LETTERS]
        if cell["cell_id"] != computed:
            yield Found("cell_id_mismatch", f"cells[{place}].cell_id", {"computed": computed})


def _cells(candidate: Candidate, suite: Suite) -> Iterator[Found]:
    """Cells that are doubled, not of the suite, or missing. A search for limits chooses its own lengths."""
    record = candidate.record
    is_search = _is_search(candidate, suite)
    counted = Counter(_point(cell.requested) for cell in record.cells)
    for place, cell in enumerate(record.cells):
        point = _point(cell.requested)
        if counted[point] > 1:
            counted[point] = 1  # say it once
            yield Found("cell_doubled", f"cells[{place}]", {"cell_id": cell.cell_id})
    if not record.cells:
        if not is_search:
            yield Found("cell_missing", "cells", {"count": _size(suite)})
        return
    settings = _settings(_expected(candidate, suite))
    axes = suite.axes
    for place, cell in enumerate(record.cells):
        asked = cell.requested
        is_on_axes = is_search or (asked.clip_seconds in axes.clip_seconds)
        is_on_axes &= asked.max_tokens in axes.max_tokens and asked.attention in axes.attention
        if not is_on_axes or _settings(asked) != settings:
            yield Found("cell_foreign", f"cells[{place}].requested", {"cell_id": cell.cell_id})
    missing = 0 if is_search else _size(suite) - len({_point(cell.requested) for cell in record.cells})
    if missing > 0:
        yield Found("cell_missing", "cells", {"count": missing})


def _size(suite: Suite) -> int:
    axes = suite.axes
    return len(axes.clip_seconds) * len(axes.max_tokens) * len(axes.attention)


def _expected(candidate: Candidate, suite: Suite) -> Requested:
    """Return a cell of the suite; the clip is that of the first cell, which nothing else states."""
    axes, record = suite.axes, candidate.record
    point = axes.attention[0], axes.clip_seconds[0], axes.max_tokens[0]
    named = suite.model_copy(update={"model": record.model.name})
    return request(named, point, record.model.weight_mode, record.cells[0].requested.clip_source_sha256)


def _settings(requested: Requested) -> dict[str, object]:
    """Return all of a request but its place on the axes."""
    return {
        name: value for name, value in requested if name not in {"clip_seconds", "max_tokens", "attention"}
    }


def _point(requested: Requested) -> tuple[object, ...]:
    return requested.clip_seconds, requested.max_tokens, requested.attention
