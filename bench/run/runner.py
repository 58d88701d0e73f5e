"""Runs a plan to a sealed record: worker, header, journal, session."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.doctor.installed import require_build
from bench.engines.interface import ModelSource
from bench.engines.registry import find_engine
from bench.errors import RecordError, StorageError, UsageError
from bench.hardware.environment import environment
from bench.hardware.machine_key import machine_key
from bench.judge.same_run import RESUME, differing, values
from bench.packages import require
from bench.records.card import DeviceState
from bench.records.enums import Attention, Provenance, WeightMode
from bench.records.reasons import RunInterrupted, TimeBudgetUsed
from bench.records.record import ModelInfo, Record, WeightFile
from bench.run.child import Mailbox
from bench.run.cpu_consent import require_chosen
from bench.run.isolation import Isolation, Stopped
from bench.run.plan_estimate import estimate_of
from bench.run.protocol import Hello, Setup
from bench.run.run_spec import Plan, is_released, support
from bench.run.session import Listener, RunPolicy, Session
from bench.run.signals import signals_to
from bench.run.telemetry import watching
from bench.run.time_budget import TimeBudget
from bench.store import naming
from bench.store.journal import Header, Journal, PlannedCell, Progress, Resumed, read_progress
from bench.store.lock import lock_problem, owner
from bench.store.record_files import require_writable
from bench.suite.cells import Cell
from bench.wording.aspects import ASPECTS, changed


@dataclass(frozen=True)
class Weights:
    """The weights on disk; None for random ones. `directory` never enters a record."""

    directory: Path | None = None
    revision: str | None = None
    files: tuple[WeightFile, ...] = ()


@dataclass(frozen=True)
class OutputLocation:
    """The folder `out` for a new record, or the run that is resumed."""

    out: Path
    resumed: Resumed | None = None


@dataclass(frozen=True)
class RunResult:
    """The sealed record, its path, and what ended the run early: a signal by its number, the time budget."""

    record: Record
    path: Path
    signal_number: int | None
    time_budget: TimeBudgetUsed | None = None


class JournalKeptError(StorageError):
    """The disk refused a write during a run; the journal at `path` has all results so far."""

    def __init__(self, error: StorageError, path: Path) -> None:
        super().__init__(error.message, hint=f"{error.step}, then --resume {path}", step=error.step)
        self.path = path


def check(plan: Plan, location: OutputLocation) -> tuple[str, ...]:
    """Check what does not need weights or a worker: the output folder and the build of torch.

    Returns notes for a person.

    Raises:
        StorageError: the record cannot be written.
        PackageError: a package that the pages need is missing or too old.
        DeviceError: the device is a graphics card, and torch is built for the CPU only; or it is the CPU, and
            nobody chose it for a model of full size.
    """
    require_chosen(plan)
    require_writable(location.out)
    require("altair", "jinja2", "pandas")  # the pages are written last
    if find_engine(plan.suite.engine).uses_torch:
        require_build(plan.device)
    return tuple(filter(None, [lock_problem(location.out)]))


def needs_weights(plan: Plan, location: OutputLocation) -> bool:
    """Whether any remaining cell can run here; if none can, 10 GB need not be fetched.

    The record of a released model needs no files for that: its shapes are shipped.
    """
    if not find_engine(plan.suite.engine).reads_weights:
        return False
    if plan.origin.weight_mode is not WeightMode.HUB or not is_released(plan.origin.name):
        return True
    done = {cell.cell_id for cell in location.resumed.kept} if location.resumed is not None else set()
    unsupported_reason = support(plan)
    left = [cell.requested for cell in plan.cells if cell.cell_id not in done]
    if plan.challenge is not None and _is_challenge_left(location):
        left.append(plan.challenge.cell.requested)
    return any(unsupported_reason(requested) is None for requested in left)


def _is_challenge_left(location: OutputLocation) -> bool:
    return location.resumed is None or location.resumed.is_challenge_left


@dataclass(frozen=True)
class Running:
    """The session that runs cells, and the journal that stores their results."""

    session: Session
    journal: Journal
    hello: Hello


@contextmanager
def running(
    plan: Plan, weights: Weights, policy: RunPolicy, location: OutputLocation, mailbox: Mailbox
) -> Iterator[Running]:
    """Start the worker and the journal, and close both at the end. The caller seals the journal before.

    Raises:
        BenchError: the worker cannot start, or a resumed record does not fit.
        JournalKeptError: the disk refused a write after the begin of the journal.
        Stopped: a signal came before the first cell; nothing was written.
    """
    source = ModelSource(
        name=plan.origin.name, weight_mode=plan.origin.weight_mode, directory=weights.directory
    )
    setup = Setup(
        engine=plan.suite.engine,
        source=source,
        device=plan.compute_on,
        gpu_uuid=plan.device.uuid,
        dtype=plan.suite.dtype,
        audio=plan.audio,
        memory_limit_bytes=plan.emulation.limit_bytes if plan.emulation is not None else None,
        flash_attention=plan.compute_on == "cuda"
        and Attention.FLASH_ATTENTION_2 in plan.suite.axes.attention,
    )
    isolation = Isolation(setup, mailbox)
    with watching(plan.device.uuid) as watch:
        try:
            hello = isolation.hello()
            header = _header(plan, weights, hello, watch.state)
            progress, path = _start(header, location)
            resumed = location.resumed
            journal = Journal.create(path, progress, resumed.lock if resumed is not None else None)
            unsupported_reason = support(plan, hello.model.max_positions, hello.flash_attention_problem)
            session = Session(
                plan.cells,
                progress.done if resumed is None else resumed.kept,
                plan.suite.measure,
                isolation,
                unsupported_reason,
                policy=policy,
                device=header.device,
                watch=watch,
                budget=_time_budget(plan, policy),
                retried=resumed.failed if resumed is not None else (),
            )
            try:
                yield Running(session, journal, hello)
            except StorageError as error:
                raise JournalKeptError(error, path) from error
            finally:
                journal.close()
        finally:
            isolation.retire()


Sweep = Callable[[Session, Journal, Listener], int | None]
"""Chooses the cells that a session runs; returns the number of the signal that ended it, or None."""

Announce = Callable[[Hello], None]
"""Receives the report of the first worker, before the first cell."""


def run(
    plan: Plan,
    weights: Weights,
    policy: RunPolicy,
    location: OutputLocation,
    listener: Listener,
    *,
    sweep: Sweep = Session.run,
    announce: Announce = lambda _: None,
) -> RunResult:
    """Run the remaining cells of a plan, or those that `sweep` chooses, and seal the record.

    After them the challenge of the plan is answered, unless a signal or the time budget ended the run.

    Raises:
        BenchError: as `running`.
        Stopped: as `running`.
    """
    mailbox: Mailbox = Mailbox()
    with signals_to(mailbox.put), running(plan, weights, policy, location, mailbox) as started:
        announce(started.hello)
        signal_number = sweep(started.session, started.journal, listener)
        used = started.session.time_budget_used if signal_number is None else None
        challenge = plan.challenge if _is_challenge_left(location) else None
        if challenge is not None and signal_number is None and used is None:
            try:
                started.session.answer_challenge(challenge, started.journal, listener)
            except Stopped as stopped:
                signal_number = stopped.signal_number
        record, sealed = started.journal.seal(used or RunInterrupted())
    return RunResult(record, sealed, signal_number, used)


def _time_budget(plan: Plan, policy: RunPolicy) -> TimeBudget | None:
    if policy.time_budget_s is None:
        return None
    estimate = estimate_of(plan)

    def cell_s(cell: Cell, fresh: bool) -> float:
        if isinstance(estimate, str):  # then a cell begins while any time is left
            return 0.0
        return estimate.cell_s(cell) + (estimate.start_s(cell) if fresh else 0.0)

    return TimeBudget(policy.time_budget_s, cell_s)


def _header(plan: Plan, weights: Weights, hello: Hello, state: DeviceState | None) -> Header:
    return Header(
        record_id=secrets.token_hex(6),
        created_at=datetime.now(UTC).replace(microsecond=0),
        provenance=provenance_of(plan),
        suite=plan.suite_info,
        model=ModelInfo(
            name=plan.origin.name,
            repo=plan.origin.repo,
            revision=weights.revision,
            weight_mode=plan.origin.weight_mode,
            config_sha256=hello.model.config_sha256,
            parameters=hello.model.parameters,
            weights_bytes=hello.model.weights_bytes,
            files=weights.files,
        ),
        device=plan.device.info(),
        environment=environment(
            torch=hello.torch,
            transformers=hello.transformers,
            has_flash_kernels=hello.has_flash_kernels,
        ),
        machine_key=machine_key(plan.device.uuid),
        device_state=state,
        emulation=plan.emulation,
        frontier_step_s=plan.frontier_step_s,
        challenge=plan.challenge,
        plan=tuple(PlannedCell(cell_id=cell.cell_id, requested=cell.requested) for cell in plan.cells),
    )


def provenance_of(plan: Plan) -> Provenance:
    """Return the provenance of the figures in the record of this plan."""
    if plan.emulation is not None:
        return Provenance.EMULATED
    return Provenance.SMOKE if plan.origin.weight_mode is WeightMode.TINY else Provenance.MEASURED


def _start(header: Header, location: OutputLocation) -> tuple[Progress, Path]:
    """Return the results so far, and the path of the journal."""
    if location.resumed is None:
        return Progress(header, ()), _journal(location.out, header)
    path, before = location.resumed.path, location.resumed.progress
    require_same_run(path, before.header, header)
    return before, naming.journal_of(path)


def require_same_run(path: Path, before: Header, now: Header) -> None:
    """Check that the rest of a run may become one record with its first part.

    Raises:
        UsageError: they differ; the message names each difference once.
    """
    then, here = values(RESUME, before), values(RESUME, now)
    changes = {
        ASPECTS[aspect]: changed(aspect, then[aspect], here[aspect]) for aspect in differing(then, here)
    }
    if changes:
        raise UsageError(
            f"{path.name} cannot be resumed: {', '.join(changes.values())} changed since",
            hint="Start a new run instead",
        )


def _journal(out: Path, header: Header) -> Path:
    kind: naming.Kind = "" if header.frontier_step_s is None else "frontier"
    name = naming.record_name(header.created_at, header.suite.name, kind, header.record_id)
    return naming.journal_of(naming.folder(out, header.model.name, header.device.slug) / name)


def unfinished(plan: Plan, location: OutputLocation) -> tuple[Path, ...]:
    """Return the journals of interrupted runs of this suite, model and device, oldest first.

    Those of living runs are not among them.
    """
    folder = naming.folder(location.out, plan.origin.name, plan.device.slug)
    journals = naming.journals_of_suite(folder, plan.suite.name)
    return tuple(journal for journal in journals if owner(journal) is None and _may_be_of(plan, journal))


def _may_be_of(plan: Plan, journal: Path) -> bool:
    """Whether a journal can be of the plan's suite: an own one may have the name of a shipped one."""
    try:
        origin = read_progress(journal).header.suite.origin
    except RecordError:  # killed before its first line
        return True
    return origin in {None, plan.suite_info.origin}
