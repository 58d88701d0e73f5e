"""Results of earlier runs for the cells of a plan, from records and from journals of interrupted runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.engines.registry import find_engine
from bench.errors import RecordError, WeightsError
from bench.hardware.environment import environment
from bench.hardware.machine_key import machine_key
from bench.judge.frontier import is_pruned
from bench.judge.memory import ran_out_while_contended
from bench.judge.same_run import LINE, PRIOR_RESULTS, Values, differing, request_key, values
from bench.packages import version_of
from bench.records.aspects import Aspect
from bench.records.cell import CellResult, Failed, Requested, Timeout
from bench.records.enums import WeightMode
from bench.records.reasons import CardLost, NoNewWorker, NotRecordable
from bench.run.run_spec import Plan
from bench.store import naming
from bench.store.journal import NotARunError, Progress, read_progress
from bench.weights.checkpoint import config_sha256
from bench.wording.aspects import ASPECTS

_COMMIT_DIGITS: Final = 40


@dataclass(frozen=True)
class PriorResults:
    """The newest result of each cell by its id, and the files that contain them.

    `left_out` names the differences for which other records of the same cells do not count.
    """

    results: Mapping[str, CellResult]
    sources: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()
    unreadable: tuple[Path, ...] = ()


def prior_results(
    plan: Plan, out: Path, wanted: Collection[Requested], *, retry_failed: bool = False
) -> PriorResults:
    """Return the results below `out` of cells that differ from the wanted ones in clip length at most.

    A record counts if it has the weights, card, limit, versions and environment of this run. Left out, so
    that they run again, are cells that ran out of memory while another program used the card, those that had
    less time than this run gives them, and those whose failure had nothing to do with the cell; with
    `retry_failed` all that failed or timed out.
    """
    here = _here(plan)
    lines = {request_key(LINE, requested) for requested in wanted}
    results: dict[str, CellResult] = {}
    sources: list[Path] = []
    left_out: dict[str, None] = {}
    unreadable: list[Path] = []
    for path, progress in sorted(_read(plan, out, unreadable), key=lambda item: item[1].header.created_at):
        cells = {
            cell.cell_id: cell
            for cell in _of_the_card(progress.done)
            if request_key(LINE, cell.requested) in lines and not _runs_again(cell, plan, retry_failed)
        }
        changed = differing(values(PRIOR_RESULTS, progress.header), here)
        if cells and changed:
            left_out.update(dict.fromkeys(ASPECTS[aspect] for aspect in changed))
        elif cells:
            results |= cells
            sources.append(path)
    return PriorResults(results, tuple(sources), tuple(left_out), tuple(unreadable))


def _read(plan: Plan, out: Path, unreadable: list[Path]) -> Iterator[tuple[Path, Progress]]:
    folder = naming.folder(out, plan.origin.name, plan.device.slug)
    journals = set(naming.journals_in(folder))
    # A resumed run has both; `read_progress` reads the journal, which is newer.
    stale = set(map(naming.record_of, journals))
    for path in sorted(journals | (set(naming.records_in(folder)) - stale)):
        try:
            yield path, read_progress(path)
        except NotARunError:
            continue
        except RecordError:
            unreadable.append(path)


def _of_the_card(done: Sequence[CellResult]) -> list[CellResult]:
    """Drop cells that ran out of memory because of another program, and cells that were skipped for that."""
    disturbed = {cell.requested.attention for cell in done if ran_out_while_contended(cell)}
    return [
        cell
        for cell in done
        if not ran_out_while_contended(cell)
        and not (is_pruned(cell) and cell.requested.attention in disturbed)
    ]


def _runs_again(cell: CellResult, plan: Plan, retry_failed: bool) -> bool:
    """Whether the cell failed or timed out, and that does not say how it ends now."""
    outcome = cell.outcome
    if not isinstance(outcome, Failed | Timeout):
        return False
    if retry_failed or outcome.reason_code is None:
        return True
    if isinstance(outcome.reason_code, NoNewWorker | NotRecordable | CardLost):
        return True
    during = outcome.reason_code.during
    if during is None or during.name == "load":
        return True
    return isinstance(outcome, Timeout) and outcome.limit_s < plan.suite.measure.cell_limit_s


def _here(plan: Plan) -> Values:
    """Return the aspects of this run that are known before it begins."""
    uses_torch = find_engine(plan.suite.engine).uses_torch
    software = environment(
        torch=version_of("torch") or "" if uses_torch else None,
        transformers=version_of("transformers") or "" if uses_torch else None,
    )
    commit, configuration = _commit(plan), _configuration(plan)
    return {
        Aspect.REPO: plan.origin.repo,
        **({} if commit is None else {Aspect.REVISION: commit}),
        **({} if configuration is None else {Aspect.CONFIGURATION: configuration}),
        Aspect.DEVICE_KIND: plan.device.kind,
        Aspect.DEVICE: plan.device.slug,
        Aspect.DEVICE_NAME: plan.device.info().name,
        Aspect.DEVICE_MEMORY: plan.device.memory_total_bytes,
        Aspect.DEVICE_CAPABILITY: plan.device.info().compute_capability,
        Aspect.MACHINE: machine_key(plan.device.uuid),
        Aspect.DRIVER: plan.device.driver,
        Aspect.EMULATION: plan.emulation,
        Aspect.TORCH: software.torch,
        Aspect.TRANSFORMERS: software.transformers,
        Aspect.BENCH: software.bench_version,
        Aspect.PACKAGES: software.packages,
        Aspect.VARIABLES: software.variables,
    }


def _commit(plan: Plan) -> str | None:
    """Return the commit that the plan names; None for a branch or tag, which only the Hub can resolve."""
    revision = plan.origin.revision
    return revision if revision is not None and len(revision) == _COMMIT_DIGITS else None


def _configuration(plan: Plan) -> str | None:
    """Return the hash of a local config.json: directories of one name may contain different models."""
    if plan.origin.weight_mode is not WeightMode.LOCAL or plan.origin.directory is None:
        return None
    try:
        return config_sha256(plan.origin.directory / "config.json")
    except (WeightsError, RecordError):  # fetching the weights reports the error
        return None
