"""What earlier runs know of the cells of a plan: their records, and the journals that cut-short runs left."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import RecordError
from bench.hardware.environment import environment, version_of
from bench.hardware.machine_key import machine_key
from bench.judge.frontier import is_pruned
from bench.judge.memory import ran_out_beside_another
from bench.records.enums import WeightMode
from bench.records.record import CellResult, Environment, Requested
from bench.run.run_spec import Plan
from bench.store import naming
from bench.store.canonical import parse, sha256_of
from bench.store.journal import Header, NotARunError, Progress, read_progress

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
    here, key = _environment(), machine_key(plan.device.uuid)
    shapes = {_shape(requested) for requested in wanted}
    results: dict[str, CellResult] = {}
    sources: list[Path] = []
    left_out: dict[str, None] = {}
    unreadable: list[Path] = []
    for path, progress in sorted(_read(plan, out, unreadable), key=lambda item: item[1].header.created_at):
        cells = {
            cell.cell_id: cell for cell in _of_the_card(progress.done) if _shape(cell.requested) in shapes
        }
        changed = _changes(progress.header, plan, here, key)
        if cells and changed:
            left_out.update(dict.fromkeys(changed))
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


def _shape(requested: Requested) -> str:
    """Everything of a request but the length of its clip."""
    return requested.model_dump_json(exclude={"clip_seconds"})


def _environment() -> Environment:
    return environment(torch=version_of("torch") or "", transformers=version_of("transformers") or "")


def _changes(header: Header, plan: Plan, here: Environment, key: str | None) -> list[str]:
    """What has to be the same for an outcome to hold here too, and is not."""
    then, model, device = header.environment, header.model, header.device
    pairs: dict[str, tuple[object, object]] = {
        "the model": (model.repo, plan.origin.repo),
        "the revision": (model.revision, _commit(plan) or model.revision),
        "the configuration": (model.config_sha256, _configuration(plan) or model.config_sha256),
        "the device": (
            (device.kind, device.slug, device.memory_total_bytes),
            (plan.device.kind, plan.device.slug, plan.device.memory_total_bytes),
        ),
        "the graphics card": (header.machine_key, key),
        "the driver": (device.driver, plan.device.driver),
        "the emulated card": (header.emulation, plan.emulation),
        "torch": (then.torch, here.torch),
        "transformers": (then.transformers, here.transformers),
        "bench": (then.bench_version, here.bench_version),
        "the packages": (then.packages, here.packages),
        "the environment variables": (then.variables, here.variables),
    }
    return [name for name, (old, new) in pairs.items() if old != new]


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
