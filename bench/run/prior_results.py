"""What earlier runs know of the cells of a plan: their records, and the journals that cut-short runs left."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.engines.registry import find_engine
from bench.errors import RecordError
from bench.hardware.environment import environment, version_of
from bench.hardware.machine_key import machine_key
from bench.judge.frontier import is_pruned
from bench.judge.memory import ran_out_beside_another
from bench.judge.same_run import LINE, PRIOR_RESULTS, Values, differing, request_key, values
from bench.records.aspects import Aspect
from bench.records.enums import WeightMode
from bench.records.record import CellResult, Requested
from bench.run.run_spec import Plan
from bench.store import naming
from bench.store.canonical import parse, sha256_of
from bench.store.journal import NotARunError, Progress, read_progress
from bench.wording.aspects import ASPECTS

_COMMIT_DIGITS: Final = 40


@dataclass(frozen=True)
class Known:
    """The newest outcome of each cell, and the files that they are from.

    `left_out` says why other records of the same cells do not count: what was different when they were made.
    """

    results: Mapping[str, CellResult]
    sources: tuple[Path, ...] = ()
    left_out: tuple[str, ...] = ()
    unreadable: tuple[Path, ...] = ()


def known(plan: Plan, out: Path, wanted: Collection[Requested]) -> Known:
    """What the records of this model and device below `out` hold of the cells that are wanted at any length.

    A record counts if it was made as this run would be: same weights, card, limit, versions and environment.
    What ran out of memory beside another program is not known: it is tried again.
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
            if request_key(LINE, cell.requested) in lines
        }
        changed = differing(values(PRIOR_RESULTS, progress.header), here)
        if cells and changed:
            left_out.update(dict.fromkeys(ASPECTS[aspect] for aspect in changed))
        elif cells:
            results |= cells
            sources.append(path)
    return Known(results, tuple(sources), tuple(left_out), tuple(unreadable))


def _read(plan: Plan, out: Path, unreadable: list[Path]) -> Iterator[tuple[Path, Progress]]:
    folder = naming.folder(out, plan.origin.name, plan.device.slug)
    journals = set(naming.journals_in(folder))
    # A run that is being resumed has both; `read_progress` takes the journal, which is the later one.
    stale = set(map(naming.record_of, journals))
    for path in sorted(journals | (set(naming.records_in(folder)) - stale)):
        try:
            yield path, read_progress(path)
        except NotARunError:
            continue
        except RecordError:
            unreadable.append(path)


def _of_the_card(done: Sequence[CellResult]) -> list[CellResult]:
    """Without what ran out of memory beside another program, and without what may follow from that."""
    disturbed = {cell.requested.attention for cell in done if ran_out_beside_another(cell)}
    return [
        cell
        for cell in done
        if not ran_out_beside_another(cell)
        and not (is_pruned(cell) and cell.requested.attention in disturbed)
    ]


def _here(plan: Plan) -> Values:
    """The aspects of this run, as far as they are known before it begins."""
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
    """The commit that was asked for; a branch or tag says nothing before the Hub was asked."""
    revision = plan.origin.revision
    return revision if revision is not None and len(revision) == _COMMIT_DIGITS else None


def _configuration(plan: Plan) -> str | None:
    """Of weights in a directory: two directories of one name need not hold one model."""
    if plan.origin.weight_mode is not WeightMode.LOCAL or plan.origin.directory is None:
        return None
    try:
        return sha256_of(parse((plan.origin.directory / "config.json").read_bytes()))
    except (OSError, RecordError):  # fetching the weights will say what is wrong with them
        return None
