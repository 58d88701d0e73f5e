"""The longest clip that fits with one attention and max_tokens, from outcomes. Pure."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from math import ceil

from bench.judge.bisection import STEP_S, Search
from bench.judge.frontier import is_misfit, is_pruned
from bench.judge.memory import ran_out_while_contended
from bench.judge.same_run import LINE, LINES, request_key
from bench.records.cell import CellResult, Failed, Requested, Skipped, Timeout, Unsupported
from bench.records.reasons import BeyondContext, CellShape, FewerTokensDidNotFit, UnsupportedReason
from bench.suite.cells import Cell, cell_id
from bench.suite.suite import MAX_CLIP_S
from bench.wording import outcomes

Support = Callable[[Requested], UnsupportedReason | None]
"""Why a cell cannot run, known without running it; None if nothing is in the way."""


@dataclass(frozen=True)
class Line:
    """One attention and max_tokens, with everything else of a request but the length of the clip."""

    asked: Requested

    def cell(self, clip_seconds: float) -> Cell:
        """The cell of this line with a clip of that length."""
        requested = self.asked.model_copy(update={"clip_seconds": clip_seconds})
        return Cell(cell_id(requested), requested)

    def holds(self, requested: Requested) -> bool:
        """Whether this is a cell of the line."""
        return request_key(LINE, requested) == request_key(LINE, self.asked)

    def needs_more_than(self, requested: Requested) -> bool:
        """Whether it differs only in length and fewer tokens: what does not fit there does not fit here."""
        is_like_it = request_key(LINES, requested) == request_key(LINES, self.asked)
        return is_like_it and requested.max_tokens < self.asked.max_tokens


@dataclass(frozen=True)
class Limit:
    """The limit of one line, as far as it is known.

    `longest` is the outcome at `search.fits_s`. `is_inferred`: the smallest clip that does not fit was not
    tried, because it did not fit with fewer tokens. `unsupported`: why nothing of the line can run here.
    `undecided`: the probe that ends the search without a decision: from its length on nothing is known.
    `is_cut`: clips longer than the requested ones may fit.
    """

    line: Line
    search: Search
    longest: CellResult | None = None
    is_inferred: bool = False
    unsupported: UnsupportedReason | None = None
    undecided: CellResult | None = None
    is_cut: bool = False

    @property
    def next_s(self) -> float | None:
        """The clip length to try next; None if there is none."""
        return None if self.unsupported or self.undecided else self.search.next_s

    @property
    def at_most(self) -> int:
        """Upper bound of the probes that are left."""
        return 0 if self.next_s is None else self.search.at_most


def limit(
    line: Line,
    results: Collection[CellResult],
    start_s: float,
    unsupported_reason: Support,
    max_clip_s: float = MAX_CLIP_S,
) -> Limit:
    """The limit of a line after these outcomes. `start_s` is a guess; a reason means a cell cannot run.

    No clip longer than `max_clip_s` is tried.
    """
    unsupported = unsupported_reason(line.cell(STEP_S).requested)
    own = [result for result in results if line.holds(result.requested)]
    fits = {_clip_s(result): result for result in own if _fits(result)}
    search = Search.of(
        start_s=start_s,
        ceiling_s=_ceiling_s(line, own, unsupported_reason) if unsupported is None else 0.0,
        fits=fits,
        misfits=[_clip_s(result) for result in own if _was_tried_and_misfits(result)],
    )
    inferred_s = _inferred_s(line, results, search)
    if inferred_s is not None:
        search = replace(search, misfit_s=inferred_s)
    is_open = search.next_s is not None
    if is_open:
        search = replace(search, ceiling_s=min(search.ceiling_s, max_clip_s))
    return Limit(
        line,
        search,
        longest=fits[search.fits_s] if search.fits_s is not None else None,
        is_inferred=inferred_s is not None,
        unsupported=unsupported,
        undecided=_undecided(line, results, search),
        is_cut=is_open and search.next_s is None,
    )


def also_known(unsupported_reason: Support, results: Collection[CellResult]) -> Support:
    """Extend `unsupported_reason` by what only a worker can find out: an attention that failed when tried.

    A record of schema 1.0 has no codes: what it calls unsupported is tried again.
    """
    tried = {r.requested.attention for r in results if _fits(r) or _was_tried_and_misfits(r)}
    reasons = {
        result.requested.attention: reason
        for result in results
        if (reason := _unsupported(result)) is not None and not isinstance(reason, BeyondContext)
        if result.requested.attention not in tried
    }
    return lambda requested: unsupported_reason(requested) or reasons.get(requested.attention)


def end_of_line(
    found: Limit, results: Mapping[str, CellResult], unsupported_reason: Support
) -> CellResult | None:
    """The untried outcome that ends a line, for its record.

    Either the line, or the first clip beyond the model's context, is unsupported; or the clip did not fit
    with fewer tokens. None if the search is not at its end, ended between two clips that were tried, or the
    outcome is there already.
    """
    line, search = found.line, found.search
    if found.unsupported is not None:
        seen = any(line.holds(result.requested) for result in results.values() if _is_unsupported(result))
        cell = line.cell(max(STEP_S, STEP_S * round(search.start_s / STEP_S)))
        return None if seen else _result(cell, outcomes.unsupported(found.unsupported))
    if search.next_s is not None or found.is_cut:
        return None
    if search.ends_at_ceiling:
        cell = line.cell(STEP_S * (search.ceiling_s // STEP_S + 1))
        reason = unsupported_reason(cell.requested)
        if reason is None or cell.cell_id in results:
            return None
        return _result(cell, outcomes.unsupported(reason))
    if not found.is_inferred or search.misfit_s is None:
        return None
    cell = line.cell(search.misfit_s)
    if cell.cell_id in results:
        return None
    return _result(cell, outcomes.skipped(_spared(line, search.misfit_s, results.values())))


def _ceiling_s(line: Line, own: Collection[CellResult], unsupported_reason: Support) -> float:
    """The longest clip of the grid that can be tried at all.

    An earlier outcome may show where the model's context ends, which `unsupported_reason` need not know.
    """
    lengths = range(1, int(MAX_CLIP_S / STEP_S) + 1)
    first_too_long = bisect_left(
        lengths, True, key=lambda n: unsupported_reason(line.cell(n * STEP_S).requested) is not None
    )
    beyond = [_clip_s(result) for result in own if isinstance(_unsupported(result), BeyondContext)]
    return STEP_S * min([first_too_long, *(ceil(length / STEP_S) - 1 for length in beyond)])


def _inferred_s(line: Line, results: Collection[CellResult], search: Search) -> float | None:
    """The smallest clip that cannot fit as it did not with fewer tokens, where that says more than was tried.

    What ran with more tokens outweighs it.
    """
    lengths = [
        _clip_s(result)
        for result in results
        if (_was_tried_and_misfits(result) and line.needs_more_than(result.requested))
        or (is_pruned(result) and line.holds(result.requested))
    ]
    longest_s = max([search.fits_s or 0.0, *search.contradicted_by_s])
    inferred_s = min((length for length in lengths if length > longest_s), default=None)
    known_s = search.misfit_s
    return inferred_s if inferred_s is not None and (known_s is None or inferred_s < known_s) else None


def _undecided(line: Line, results: Collection[CellResult], search: Search) -> CellResult | None:
    """The shortest clip that ended without a decision, if the search would go as far as that.

    What took too long with fewer tokens takes too long with more.
    """
    next_s = search.next_s
    ended = (
        result
        for result in results
        if next_s is not None and (search.fits_s or 0.0) < _clip_s(result) <= next_s
        if (line.holds(result.requested) and _has_no_answer(result))
        or (line.needs_more_than(result.requested) and isinstance(result.outcome, Timeout))
    )
    return min(ended, key=_clip_s, default=None)


def _has_no_answer(result: CellResult) -> bool:
    return isinstance(result.outcome, Timeout | Failed) or ran_out_while_contended(result)


def _spared(line: Line, clip_s: float, results: Collection[CellResult]) -> FewerTokensDidNotFit:
    tokens = max(
        result.requested.max_tokens
        for result in results
        if _was_tried_and_misfits(result)
        and line.needs_more_than(result.requested)
        and _clip_s(result) == clip_s
    )
    return FewerTokensDidNotFit(smaller=CellShape(clip_seconds=clip_s, max_tokens=tokens))


def _clip_s(result: CellResult) -> float:
    return result.requested.clip_seconds


def _fits(result: CellResult) -> bool:
    return result.outcome.status == "measured" and not is_misfit(result)


def _was_tried_and_misfits(result: CellResult) -> bool:
    return is_misfit(result) and not is_pruned(result)


def _is_unsupported(result: CellResult) -> bool:
    return isinstance(result.outcome, Unsupported)


def _unsupported(result: CellResult) -> UnsupportedReason | None:
    return result.outcome.reason_code if isinstance(result.outcome, Unsupported) else None


def _result(cell: Cell, outcome: Unsupported | Skipped) -> CellResult:
    return CellResult(cell_id=cell.cell_id, requested=cell.requested, outcome=outcome)
