"""What becomes of each file: errors, replays, decisions, and who came first."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.check.group import GroupKey
from bench.check.summary import brief_of
from bench.errors import RecordError
from bench.records.findings import Finding, Severity
from bench.site.commit_order import Commit, History
from bench.site.decisions import Decisions
from bench.site.interface import State
from bench.site.states import SHORT, Opened, Placed, Received, in_order, place
from tests.site.entries import UNSIGNED, entry, received_of
from tests.site.results import built, put, run, sealed
from tests.validate.edits import Document, document_of

NONE = Decisions({}, {})
FIRST, SECOND = datetime(2026, 11, 21, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)
ERROR = Finding(
    code="hash_mismatch", severity=Severity.ERROR, path="$", facts={}, sentence="wrong", remedy="right"
)
SUSPICION = ERROR.model_copy(update={"code": "reading_unusual", "severity": Severity.SUSPICIOUS})


def received(
    seed: int,
    *,
    key: str | None = None,
    series: tuple[str, ...] = (),
    findings: tuple[Finding, ...] = (),
    committed_at: datetime | None = FIRST,
    **changes: object,
) -> Received:
    """Return a file of the record of a seed."""
    judged = {"key_id": key, "signature_holds": key is not None, "series": series, "findings": findings}
    head = entry(run(seed)).head.model_copy(update={**changes, "judged": UNSIGNED.model_copy(update=judged)})
    return received_of(head, f"{seed}-{key}.json", committed_at)


def states(*files: Received, decisions: Decisions = NONE) -> list[State]:
    return [one.state for one in place(files, decisions)]


def ids(placed: list[Placed]) -> list[str]:
    return [one.id for one in placed]


def test_records_that_share_nothing_are_published() -> None:
    placed = place([received(1, series=("a",)), received(2, series=("b",))], NONE)
    assert [one.state for one in placed] == [State.PUBLISHED] * 2
    assert ids(placed) == [run(seed).content_hash[7:][:SHORT] for seed in (1, 2)]


def test_the_same_bytes_twice_are_one_entry() -> None:
    assert len(place([received(1, key="a"), received(1, key="a")], NONE)) == 1


def test_a_second_key_for_the_same_record_is_a_replay_of_the_first() -> None:
    first, second = place([received(1, key="a"), received(1, key="b")], NONE)
    assert (first.state, second.state) == (State.PUBLISHED, State.REPLAYED)
    assert second.keeper == first.id
    assert second.id != first.id


def test_repeats_of_another_record_are_a_replay() -> None:
    kept, copy = place([received(1, series=("a", "b")), received(2, series=("c", "b"))], NONE)
    assert (copy.state, copy.keeper) == (State.REPLAYED, kept.id)


def test_a_record_with_errors_keeps_nothing_and_takes_no_short_id() -> None:
    wrong, good = place([received(1, key="a", findings=(ERROR,)), received(1, key="b")], NONE)
    assert (wrong.state, good.state) == (State.REFUSED, State.PUBLISHED)
    assert good.id == run(1).content_hash[7:][:SHORT]
    assert wrong.id != good.id


def test_suspicion_holds_until_a_person_decides() -> None:
    file = received(1, findings=(SUSPICION,))
    (held,) = place([file], NONE)
    assert held.state is State.HELD
    (published,) = place([file], Decisions({held.id: "looked at"}, {}))
    assert (published.state, published.reason) == (State.PUBLISHED, "looked at")


def test_nobody_can_publish_errors_or_replays() -> None:
    files = [received(1, key="a"), received(1, key="b"), received(2, findings=(ERROR,))]
    every = {one.id: "please" for one in place(files, NONE)}
    assert states(*files, decisions=Decisions(every, {})) == [
        State.PUBLISHED,
        State.REPLAYED,
        State.REFUSED,
    ]


def test_a_withdrawn_record_still_keeps_its_content() -> None:
    files = [received(1, key="a"), received(1, key="b")]
    own = place(files, NONE)[0].id
    first, second = place(files, Decisions({}, {own: "asked for"}))
    assert (first.state, first.reason) == (State.WITHDRAWN, "asked for")
    assert second.state is State.REPLAYED


def test_a_decision_can_name_all_digits_of_the_content() -> None:
    files = [received(1, key="a"), received(1, key="b"), received(2)]
    whole = run(2).content_hash[7:]
    assert states(*files, decisions=Decisions({}, {whole: "asked for"}))[2] is State.WITHDRAWN
    copy = place(files, NONE)[1].id
    assert states(*files, decisions=Decisions({}, {copy: "asked for"}))[:2] == [
        State.PUBLISHED,
        State.WITHDRAWN,
    ]


@pytest.mark.parametrize("unknown", ["0" * SHORT, "0" * 64])
def test_a_decision_about_no_record_is_an_error(unknown: str) -> None:
    with pytest.raises(RecordError, match=f"withdrawn/{unknown}.json: names no entry"):
        place([received(1)], Decisions({}, {unknown: "asked for"}))


def test_a_date_after_the_commit_is_an_error_and_without_one_is_not_judged() -> None:
    dated = datetime(2026, 11, 20, tzinfo=UTC)
    early = received(1, committed_at=datetime(2026, 11, 1, tzinfo=UTC), created_at=dated)
    assert states(early) == [State.REFUSED]
    assert states(received(1, committed_at=SECOND, created_at=dated)) == [State.PUBLISHED]
    assert states(received(1, committed_at=None, created_at=dated)) == [State.PUBLISHED]


def test_a_key_is_known_since_the_commit_of_its_first_record() -> None:
    date = datetime(2026, 10, 1, tzinfo=UTC)
    placed = place(
        [
            received(1, key="a", committed_at=FIRST, created_at=date),
            received(2, key="a", committed_at=SECOND, created_at=date),
            received(3),
        ],
        NONE,
    )
    assert [one.first_seen for one in placed] == [FIRST, FIRST, None]


def test_ids_that_begin_alike_are_told_apart() -> None:
    alike = "sha256:" + "a" * 63
    placed = place([received(1, hash=f"{alike}1"), received(2, hash=f"{alike}2")], NONE)
    assert ids(placed) == ["a" * SHORT, "a" * 63 + "2"]


def test_files_in_the_order_of_commits_then_names(tmp_path: Path) -> None:
    head = entry(run(1)).head
    names = ("late.json", "b/early.json", "a/early.json", "new.json")
    commits = {
        "late.json": Commit(1, SECOND),
        "b/early.json": Commit(0, FIRST),
        "a/early.json": Commit(0, FIRST),
    }
    files = [(str(tmp_path / name), GroupKey.of(head), brief_of(head)) for name in names]
    found = in_order(files, tmp_path, History(is_known=True, commits=commits))
    assert [one.path for one in found] == ["a/early.json", "b/early.json", "late.json", "new.json"]
    assert found[-1].committed_at is None


def test_a_head_that_was_not_judged_is_an_error() -> None:
    head = entry(run(1)).head.model_copy(update={"judged": None})
    (placed,) = place([received(1)], NONE)
    with pytest.raises(ValueError, match="was not judged"):
        Opened.of(placed, head)
    with pytest.raises(ValueError, match="was not judged"):
        brief_of(head)


def test_an_opened_file_has_its_findings_and_that_of_its_date() -> None:
    dated = datetime(2026, 11, 20, tzinfo=UTC)
    early = datetime(2026, 11, 1, tzinfo=UTC)
    (placed,) = place([received(1, committed_at=early, created_at=dated, findings=(SUSPICION,))], NONE)
    head = entry(run(1)).head.model_copy(
        update={"judged": UNSIGNED.model_copy(update={"findings": (SUSPICION,)})}
    )
    opened = Opened.of(placed, head)
    assert [each.code for each in opened.findings] == ["date_in_future", SUSPICION.code]
    assert opened.state is State.REFUSED


def swapped(document: Document) -> None:
    for cell in document["cells"]:
        for series in (cell["repeats"], cell["power"]["energies_j"]):
            series[0], series[1] = series[1], series[0]


def nudged(document: Document) -> None:
    for cell in document["cells"]:
        for repeat in cell["repeats"]:
            repeat["token_times_s"][5] += 1e-9


@pytest.mark.parametrize("edit", [swapped, nudged])
def test_an_edited_copy_under_another_key_is_a_replay_and_reproduces_nothing(
    tmp_path: Path, edit: Callable[[Document], None]
) -> None:
    copied = document_of(run(1))
    edit(copied)
    put(tmp_path / "results", run(1), "a", key=1)
    put(tmp_path / "results", sealed(copied, {"record_id": "abcdefabcdef"}), "b", key=2)
    found = built(tmp_path / "results", tmp_path / "out")
    assert (found.states[State.PUBLISHED], found.states[State.REPLAYED]) == (1, 1)
    lines = (tmp_path / "out" / "data" / "records.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2, "the copy is in no table"
