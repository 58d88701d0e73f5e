"""The search over all lines: what is run, what is recorded, and what ends it. The journal is real."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.judge.bisection import STEP_S, Search
from bench.judge.limit import Line
from bench.judge.memory import is_contended
from bench.records.cell import CellResult, Failed, Outcome, Requested, Timeout
from bench.records.enums import Attention
from bench.records.metrics import Summary
from bench.records.reasons import (
    BeyondContext,
    FlashAttentionNotInstalled,
    TimeBudgetUsed,
    TimeLimitPassed,
    UnsupportedReason,
    WorkerKilled,
)
from bench.run.frontier import Finder, frontier_plan
from bench.run.isolation import Stopped
from bench.run.protocol import Step
from bench.run.run_spec import RunOptions, refuse_to_choose
from bench.run.session import Listener
from bench.store.journal import Header, Journal, Progress, read_progress
from bench.suite.cells import Cell
from bench.wording import outcomes
from tests.samples import cards
from tests.samples import records as sample

SHORT = Line(sample.requested(10, 128))
LONG = Line(sample.requested(10, 512))
EAGER = Line(sample.requested(10, 128, Attention.EAGER))
FLASH = Line(sample.requested(10, 128, Attention.FLASH_ATTENTION_2))
CONTEXT_S = 400
HANGS = outcomes.timeout(TimeLimitPassed(limit_s=60, during=None))
CRASHES = outcomes.failed(WorkerKilled(signal="SIGKILL", during=None))
TOO_LONG = BeyondContext(max_positions=5000, max_tokens=128, longest_clip_s=CONTEXT_S)

Truth = Callable[[Requested], Outcome | bool]


def unsupported_reason(requested: Requested) -> UnsupportedReason | None:
    if requested.attention is Attention.FLASH_ATTENTION_2:
        return FlashAttentionNotInstalled()
    return None if requested.clip_seconds <= CONTEXT_S else TOO_LONG


class CellTelemetry:
    """A listener that keeps what it is told."""

    def __init__(self) -> None:
        self.probes: list[tuple[float, int | None]] = []
        self.ends: list[str] = []

    def cell_begins(self, cell: Cell, number: int, total: int) -> None:
        raise AssertionError("nobody knows the total")

    def step_begins(self, step: Step) -> None:
        pass

    def probe_begins(self, cell: Cell, number: int | None, search: Search) -> None:
        self.probes.append((cell.requested.clip_seconds, number))

    def cell_ends(self, result: CellResult) -> None:
        self.ends.append(result.outcome.status)


class Playing:
    """In place of a session: outcomes by rule, written to the journal as a session does."""

    def __init__(self, truth: Truth, stop_after: int | None = None) -> None:
        self.truth = truth
        self.ran: list[Requested] = []
        self._stop_after = stop_after

    def unsupported_reason(self, requested: Requested) -> UnsupportedReason | None:
        return unsupported_reason(requested)

    def run_cell(self, cell: Cell, journal: Journal, listener: Listener) -> CellResult:
        if self._stop_after == len(self.ran):
            raise Stopped(2)
        self.ran.append(cell.requested)
        said = self.truth(cell.requested)
        result = (
            sample.measured(cell.requested)
            if said is True
            else sample.out_of_memory(cell.requested)
            if said is False
            else sample.not_measured(cell.requested, said)
        ).model_copy(update={"cell_id": cell.cell_id})
        journal.append(result)
        listener.cell_ends(result)
        return result


def up_to(limits: dict[Line, float]) -> Truth:
    return lambda requested: (
        requested.clip_seconds <= next(limit for line, limit in limits.items() if line.holds(requested))
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    unlike = {"cells", "schema_version", "content_hash", "derivation"}
    fields = sample.smoke().model_dump(mode="json", exclude=unlike)
    header = Header.model_validate({**fields, "plan": (), "frontier_step_s": STEP_S})
    opened = Journal.create(tmp_path / "a.journal.jsonl", Progress(header, ()))
    yield opened
    opened.close()


def finder(*lines: Line, known: tuple[CellResult, ...] = ()) -> Finder:
    return Finder(lines, {result.cell_id: result for result in known}, 10, unsupported_reason)


def recorded(journal: Journal) -> list[tuple[float, int, str]]:
    return [
        (cell.requested.clip_seconds, cell.requested.max_tokens, cell.outcome.status)
        for cell in read_progress(journal.path).done
    ]


def test_each_probe_is_an_outcome_in_the_journal_and_the_next_line_starts_where_this_one_ended(
    journal: Journal,
) -> None:
    search, told = finder(SHORT, LONG), CellTelemetry()
    session = Playing(up_to({SHORT: 85, LONG: 75}))
    assert search.sweep(session, journal, told) is None
    assert recorded(journal) == [
        (10, 128, "measured"),
        (20, 128, "measured"),
        (40, 128, "measured"),
        (80, 128, "measured"),
        (160, 128, "out_of_memory"),
        (120, 128, "out_of_memory"),
        (100, 128, "out_of_memory"),
        (90, 128, "out_of_memory"),
        (85, 128, "measured"),
        (85, 512, "out_of_memory"),
        (80, 512, "out_of_memory"),
        (70, 512, "measured"),
        (75, 512, "measured"),
    ]
    short, long = search.limits()
    assert (short.search.fits_s, short.search.misfit_s) == (85, 90)
    assert (long.search.fits_s, long.search.misfit_s) == (75, 80)
    assert [number for _, number in told.probes] == list(range(1, 14))
    assert search.probes == {SHORT: 9, LONG: 4}
    assert search.is_done()


def test_what_was_found_is_not_searched_again(journal: Journal) -> None:
    first = Playing(up_to({SHORT: 85, LONG: 85}))
    finder(SHORT, LONG).sweep(first, journal, CellTelemetry())
    known = read_progress(journal.path).done
    assert finder(SHORT, LONG, known=known).is_done()
    again = Playing(lambda requested: pytest.fail("nothing is left to try"))
    assert finder(SHORT, LONG, known=known).sweep(again, journal, CellTelemetry()) is None
    assert read_progress(journal.path).done == known


@pytest.mark.parametrize(("outcome", "status"), [(HANGS, "timeout"), (CRASHES, "failed")])
def test_a_failure_that_is_not_memory_ends_its_line_only(
    outcome: Timeout | Failed, status: str, journal: Journal
) -> None:
    def truth(requested: Requested) -> Outcome | bool:
        if requested.attention is Attention.EAGER and requested.clip_seconds == 20:
            return outcome
        return requested.clip_seconds <= 10

    search = finder(EAGER, SHORT)
    search.sweep(Playing(truth), journal, CellTelemetry())
    assert [status for *_, status in recorded(journal)] == [
        *("measured", status),
        *("measured", "out_of_memory", "out_of_memory"),
    ]
    eager, short = search.limits()
    assert eager.undecided is not None
    assert (eager.undecided.outcome, short.undecided) == (outcome, None)
    assert [(known.search.fits_s, known.search.misfit_s) for known in (eager, short)] == [
        (10, None),
        (10, 15),
    ]
    assert search.is_done()
    assert finder(EAGER, SHORT, known=read_progress(journal.path).done).is_done()


class Beside(Playing):
    """The same, while another program computes on the card."""

    def run_cell(self, cell: Cell, journal: Journal, listener: Listener) -> CellResult:
        assert len(self.ran) < 20, "the same clip again and again"
        result = super().run_cell(cell, journal, listener)
        seen = cards.device_memory(cards.measured().summary or Summary())
        return result.model_copy(update={"device_memory": seen.model_copy(update={"contended": True})})


def test_memory_that_another_program_took_ends_the_line_without_a_limit(journal: Journal) -> None:
    search = finder(SHORT)
    assert (
        search.sweep(Beside(lambda requested: requested.clip_seconds < 30), journal, CellTelemetry()) is None
    )
    (found,) = search.limits()
    assert found.search.misfit_s is None
    assert found.undecided is not None
    assert is_contended(found.undecided)


def test_no_clip_beyond_the_longest_that_is_asked_for_is_tried(journal: Journal) -> None:
    search = Finder((SHORT,), {}, 10, unsupported_reason, max_clip_s=60)
    session = Playing(up_to({SHORT: 10_000}))
    search.sweep(session, journal, CellTelemetry())
    assert [requested.clip_seconds for requested in session.ran] == [10, 20, 40, 60]
    (found,) = search.limits()
    assert (found.search.fits_s, found.search.misfit_s, found.is_cut) == (60, None, True)
    assert search.is_done()
    known = read_progress(journal.path).done
    assert len(known) == 4, "the end of the context was not reached, and nothing is recorded there"
    assert not finder(SHORT, known=known).is_done()


def test_a_line_that_the_time_budget_ends_has_no_outcome_and_the_next_one_is_tried(journal: Journal) -> None:
    class Spent(Playing):
        def run_cell(self, cell: Cell, journal: Journal, listener: Listener) -> CellResult:
            if cell.requested.clip_seconds < 40:
                return super().run_cell(cell, journal, listener)
            left_out = outcomes.skipped(TimeBudgetUsed(budget_s=90))
            return sample.not_measured(cell.requested, left_out)

    search = finder(EAGER, SHORT)
    assert search.sweep(Spent(lambda _: True), journal, CellTelemetry()) is None
    assert search.beyond_budget == {EAGER, SHORT}
    assert [(found.search.fits_s, found.next_s) for found in search.limits()] == [(20, 40), (20, 40)]
    assert search.probes == {EAGER: 2, SHORT: 2}
    assert not search.is_done()


def test_an_attention_that_is_unsupported_is_one_outcome(journal: Journal) -> None:
    search, told = finder(FLASH, SHORT), CellTelemetry()
    search.sweep(Playing(up_to({SHORT: 10})), journal, told)
    assert recorded(journal)[:2] == [(10, 128, "unsupported"), (10, 128, "measured")]
    assert told.probes[0][1] is None
    assert search.limits()[0].unsupported == FlashAttentionNotInstalled()
    assert search.is_done()


def test_the_search_stops_at_the_end_of_the_context(journal: Journal) -> None:
    search = finder(SHORT)
    session = Playing(up_to({SHORT: 10_000}))
    search.sweep(session, journal, CellTelemetry())
    assert [requested.clip_seconds for requested in session.ran] == [10, 20, 40, 80, 160, 320, 400]
    assert recorded(journal)[-1] == (405, 128, "unsupported")
    assert search.limits()[0].search.ends_at_ceiling
    assert search.is_done()


def test_a_signal_leaves_what_was_done_and_the_next_search_goes_on_from_it(journal: Journal) -> None:
    truth = up_to({SHORT: 85})
    stopped = Playing(truth, stop_after=6)
    assert finder(SHORT).sweep(stopped, journal, CellTelemetry()) == 2
    done = read_progress(journal.path).done
    assert len(done) == 6
    rest = Playing(truth)
    search = finder(SHORT, known=done)
    assert search.sweep(rest, journal, CellTelemetry()) is None
    assert [requested.clip_seconds for requested in rest.ran] == [100, 90, 85]
    assert search.limits()[0].search.fits_s == 85


def test_the_plan_has_no_cells_one_repeat_and_says_what_it_changed() -> None:
    plan, lines = frontier_plan(
        RunOptions(suite="standard", device="cpu", max_tokens=(512, 128)), refuse_to_choose
    )
    assert (plan.cells, plan.frontier_step_s) == ((), STEP_S)
    assert (plan.suite.measure.repeats, plan.suite.measure.max_repeats) == (1, 1)
    assert plan.suite_info.overrides == ("max_tokens", "repeats", "max_repeats")
    assert plan.suite_info.sha256 == plan.suite.sha256
    assert plan.suite_info.definition == plan.suite.model_dump(mode="json")
    order = [(line.asked.attention, line.asked.max_tokens) for line in lines]
    assert order == [
        (Attention.SDPA, 128),
        (Attention.SDPA, 512),
        (Attention.FLASH_ATTENTION_2, 128),
        (Attention.FLASH_ATTENTION_2, 512),
    ]
