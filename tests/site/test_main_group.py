"""Which weights of a model's name are the published ones."""

from dataclasses import replace
from pathlib import Path

from bench.records.record import Record
from bench.site.decisions import Decisions
from bench.site.interface import State
from bench.site.main_group import main_group
from bench.site.states import Opened
from bench.weights.checkpoint import shipped_configuration
from tests.site.entries import opened
from tests.site.results import MODEL, put, run, sealed
from tests.validate.edits import document_of

OTHER, ANOTHER = f"{1:064x}", f"{2:064x}"
SHIPPED = shipped_configuration(MODEL) or "none"


def of(seed: int, configuration: str, **changes: str) -> Record:
    """Return a record whose model has another configuration."""
    record = run(seed)
    return sealed(document_of(record), {"model.config_sha256": configuration, **changes})


def committed(root: Path, *files: tuple[Record, int | None]) -> list[Opened]:
    """Return records with their keys, committed in this order."""
    paths = [put(root, record, f"{nth:02d}", key=key) for nth, (record, key) in enumerate(files)]
    return opened(paths, root, Decisions({}, {}))


def chosen(root: Path, *files: tuple[Record, int | None]) -> str | None:
    group = main_group(committed(root, *files))
    return None if group is None else group.config_sha256


def test_the_shipped_configuration_outweighs_any_number_of_keys(tmp_path: Path) -> None:
    files = [(of(seed, OTHER), seed) for seed in range(3)]
    assert chosen(tmp_path, *files, (of(9, SHIPPED), 9)) == SHIPPED


def test_a_later_copy_with_another_configuration_changes_nothing(tmp_path: Path) -> None:
    copies = [(of(1, ANOTHER, record_id=f"{nth:012x}"), 2) for nth in range(3)]
    found = committed(tmp_path, (of(1, OTHER), 1), *copies)
    assert [one.state for one in found[1:]] == [State.REPLAYED] * 3
    group = main_group(found)
    assert group is not None
    assert group.config_sha256 == OTHER


def test_a_key_votes_once_and_unsigned_records_together(tmp_path: Path) -> None:
    one_key = [(of(seed, OTHER), 1) for seed in range(3)]
    unsigned = [(of(seed, OTHER), None) for seed in range(3, 6)]
    others = [(of(seed, ANOTHER), seed) for seed in range(6, 9)]
    assert chosen(tmp_path / "keys", *one_key, *others[:2]) == ANOTHER
    assert chosen(tmp_path / "unsigned", *unsigned, *others[:2]) == ANOTHER
    assert chosen(tmp_path / "equal", *one_key, *others[:1]) == OTHER, "the first of equals"


def test_where_all_records_are_taken_back_their_weights_are_still_published_ones(tmp_path: Path) -> None:
    found = committed(tmp_path, (of(1, OTHER), 1))
    group = main_group([replace(one, state=State.WITHDRAWN) for one in found])
    assert group is not None
    assert group.config_sha256 == OTHER


def test_no_published_weights_no_group(tmp_path: Path) -> None:
    assert chosen(tmp_path, (sealed(document_of(run(1)), {"model.repo": "ada/copy"}), 1)) is None
    assert main_group([]) is None
