"""The four answers about each record of a card."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.records.enums import WeightMode
from bench.records.record import Record
from bench.site.card_entries import CardRecords, entries_of
from bench.site.decisions import Decisions
from bench.site.interface import MOST_COUNTED, Apart, Entry, Plausible, Signature, State
from bench.site.known_keys import read_known_keys
from bench.units import GIB, MIB
from tests.site.entries import opened
from tests.site.results import CARD, RUN, confirm_key, put, put_edited, revoke_key, run, sealed
from tests.validate.edits import document_of
from tests.validate.recipes import Recipe

NONE = Decisions({}, {})
SLOW = replace(RUN, pace=2.0)


class Folder:
    """Results of one card, with their entries."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[Path] = []

    def put(self, record: Record, name: str = "", *, key: int | None = None) -> None:
        self.files.append(put(self.root, record, name, key=key))

    def entries(self, decisions: Decisions = NONE) -> dict[str, Entry]:
        """Return the entries by the path of their file."""
        card = CardRecords.of(opened(self.files, self.root, decisions, read_known_keys(self.root)))
        return {Path(one.path).name: one for one in entries_of(card)}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_keys_that_agree_reproduce_each_other_and_nobody_is_confirmed(folder: Folder) -> None:
    for seed in range(3):
        folder.put(run(seed, machine=f"{seed:032x}"), f"{seed}", key=seed)
    found = folder.entries()
    assert {one.state for one in found.values()} == {State.PUBLISHED}
    for one in found.values():
        assert one.answers.integrity.signature is Signature.SIGNED
        assert one.answers.plausibility.answer is Plausible.PLAUSIBLE
        assert not one.answers.identity.is_confirmed
        agreed = one.answers.reproduction
        assert (agreed.confirmed, agreed.unconfirmed, agreed.cards, agreed.disagreeing) == (0, 2, 2, 0)
        others = {other.id for other in found.values()} - {one.id}
        assert set(agreed.agreeing_ids) == others


def test_fifty_fresh_keys_that_agree_confirm_nothing(folder: Folder) -> None:
    for seed in range(50):
        folder.put(run(seed), f"{seed:02d}", key=seed)
    found = folder.entries().values()
    assert {one.answers.reproduction.confirmed for one in found} == {0}
    assert {one.answers.reproduction.unconfirmed for one in found} == {MOST_COUNTED}
    assert {one.answers.reproduction.cards for one in found} == {None}


def test_accounts_reproduce_and_keys_without_one_are_counted_apart(folder: Folder) -> None:
    for seed in range(6):
        folder.put(run(seed), f"{seed}", key=seed)
    for key, account in ((0, "ada"), (1, "ADA"), (2, "bob"), (3, "eve")):
        confirm_key(folder.root, key, account)
    found = {name[0]: one for name, one in folder.entries().items()}
    agreed = {name: one.answers.reproduction for name, one in found.items()}
    assert (agreed["0"].confirmed, agreed["0"].unconfirmed) == (2, 2), "not the other key of ada"
    assert (agreed["2"].confirmed, agreed["2"].unconfirmed) == (2, 2), "both keys of ada are one"
    assert (agreed["5"].confirmed, agreed["5"].unconfirmed) == (3, 1)
    assert found["1"].id not in agreed["0"].agreeing_ids
    identity = found["1"].answers.identity
    assert (identity.account, identity.is_confirmed) == ("github.com/ada", True)
    assert identity.account_url == "https://raw.githubusercontent.com/ADA/notes/HEAD/key.txt"
    assert not found["5"].answers.identity.is_confirmed


def test_a_revoked_key_holds_its_records_until_a_person_publishes_one(folder: Folder) -> None:
    for seed in range(3):
        folder.put(run(seed), f"{seed}", key=seed)
    folder.put(run(7), "again", key=0)
    revoke_key(folder.root, 0, "stolen")
    found = folder.entries()
    for name in ("0-0.bundle.json", "again-0.bundle.json"):
        assert (found[name].state, found[name].answers.identity.revoked) == (State.HELD, "stolen")
        assert found[name].answers.plausibility.answer is Plausible.PLAUSIBLE
    other = found["1-1.bundle.json"]
    assert (other.state, other.answers.reproduction.unconfirmed) == (State.PUBLISHED, 1)
    one = found["0-0.bundle.json"]
    again = folder.entries(Decisions({one.id: "sent before the theft"}, {}))
    assert again["0-0.bundle.json"].state is State.PUBLISHED
    assert again["again-0.bundle.json"].state is State.HELD
    assert again["0-0.bundle.json"].answers.identity.revoked == "stolen"


def test_records_of_a_revoked_key_are_no_measure_for_others(folder: Folder) -> None:
    for seed in range(2):
        folder.put(run(seed), f"{seed}", key=seed)
    for seed in range(10, 14):
        folder.put(run(seed, SLOW), f"slow{seed}", key=seed)
        revoke_key(folder.root, seed, "made by one person")
    found = folder.entries()
    assert {found[f"{nth}-{nth}.bundle.json"].state for nth in range(2)} == {State.PUBLISHED}


def test_of_a_record_that_is_not_shown_no_account_is_named(folder: Folder) -> None:
    folder.put(run(1), "mine", key=1)
    confirm_key(folder.root, 1)
    (mine,) = folder.entries().values()
    assert mine.answers.identity.account == "github.com/ada"
    (mine,) = folder.entries(Decisions({}, {mine.id: "asked for"})).values()
    assert (mine.state, mine.answers.identity.account) == (State.WITHDRAWN, None)
    assert "github" not in mine.model_dump_json()


def test_one_that_disagrees_is_shown_to_disagree_with_links(folder: Folder) -> None:
    for seed in range(2):
        folder.put(run(seed), f"{seed}", key=seed)
    folder.put(run(2, SLOW), "2", key=2)
    found = folder.entries()
    odd = found["2-2.bundle.json"]
    assert (odd.answers.reproduction.unconfirmed, odd.answers.reproduction.disagreeing) == (0, 2)
    assert len(odd.answers.reproduction.disagreeing_ids) == 2
    assert found["0-0.bundle.json"].answers.reproduction.disagreeing == 1


def test_an_outlier_is_held_with_its_numbers_until_a_person_publishes_it(folder: Folder) -> None:
    for seed in range(4):
        folder.put(run(seed), f"{seed}", key=seed)
    folder.put(run(9, SLOW), "odd", key=9)
    found = folder.entries()
    odd = found["odd-9.bundle.json"]
    assert odd.state is State.HELD
    assert odd.answers.plausibility.answer is Plausible.HELD
    assert "outlier_of_card" in {each.code for each in odd.findings}
    assert found["0-0.bundle.json"].answers.reproduction.disagreeing == 0, "held ones are not compared with"
    again = folder.entries(Decisions({odd.id: "an undervolted card"}, {}))["odd-9.bundle.json"]
    assert (again.state, again.reason) == (State.PUBLISHED, "an undervolted card")
    assert again.answers.plausibility.answer is Plausible.HELD, "no decision changes an answer"


def test_a_record_of_another_kind_of_device_changes_no_limit(folder: Folder) -> None:
    """A CPU repeats to a factor of 2: one record that says it is of a CPU must not excuse the others."""
    folder.put(sealed(document_of(run(20)), {"device.kind": "cpu", "device.slug": CARD}), "0", key=20)
    for seed in range(4):
        folder.put(run(seed), f"{seed + 1}", key=seed)
    folder.put(run(9, replace(RUN, pace=1.6)), "odd", key=9)
    assert folder.entries()["odd-9.bundle.json"].state is State.HELD


def test_many_records_of_one_key_hold_nobody_else(folder: Folder) -> None:
    for seed in range(2):
        folder.put(run(seed), f"{seed}", key=seed)
    for seed in range(10, 14):
        folder.put(run(seed, SLOW), f"slow{seed}", key=9)
    found = folder.entries()
    assert {found[f"{nth}-{nth}.bundle.json"].state for nth in range(2)} == {State.PUBLISHED}


def test_keys_that_anybody_can_make_hold_no_record_of_an_account(folder: Folder) -> None:
    for seed in range(2):
        folder.put(run(seed), f"{seed}", key=seed)
    confirm_key(folder.root, 0)
    for seed in range(10, 14):
        folder.put(run(seed, SLOW), f"slow{seed}", key=seed)
    found = folder.entries()
    assert found["0-0.bundle.json"].state is State.PUBLISHED
    assert found["1-1.bundle.json"].state is State.HELD, "without an account one key is as good as another"


def test_an_account_is_one_voice_and_other_accounts_can_hold_its_record(folder: Folder) -> None:
    folder.put(run(0), "0", key=0)
    confirm_key(folder.root, 0)
    for seed in range(10, 14):
        folder.put(run(seed, SLOW), f"slow{seed}", key=seed)
        confirm_key(folder.root, seed, "bob")
    assert folder.entries()["0-0.bundle.json"].state is State.PUBLISHED
    for seed, account in ((12, "eve"), (13, "joe")):
        confirm_key(folder.root, seed, account)
    assert folder.entries()["0-0.bundle.json"].state is State.HELD


def test_a_signature_that_does_not_hold_shows_nobodys_key(folder: Folder, tmp_path: Path) -> None:
    path = put(tmp_path, run(1), "victim", key=1)
    envelope = json.loads(path.read_bytes())
    sent = json.loads(put(tmp_path, run(2), "other", key=1).read_bytes())
    envelope["signatures"][0]["sig"] = sent["signatures"][0]["sig"]
    path.write_text(json.dumps(envelope))
    folder.files.append(path)
    answers = folder.entries()["victim-1.bundle.json"].answers
    assert answers.integrity.signature is Signature.BROKEN
    assert answers.identity.key_id is None


def test_what_never_counts(folder: Folder) -> None:
    kinds = {
        Apart.RANDOM: replace(RUN, weights=WeightMode.RANDOM, has_power=False),
        Apart.LOCAL: replace(RUN, weights=WeightMode.LOCAL),
        Apart.EMULATED: replace(RUN, emulated_bytes=12 * GIB - 6 * MIB),
    }
    folder.put(run(0), "real", key=0)
    for kind, recipe in kinds.items():
        folder.put(run(1, recipe), kind.value, key=1)
    found = folder.entries()
    for kind in kinds:
        one = found[f"{kind.value}-1.bundle.json"]
        assert (one.apart, one.counts) == (kind, False)
        assert one.answers.reproduction.unconfirmed == 0
    assert found["real-0.bundle.json"].counts
    assert found["real-0.bundle.json"].answers.reproduction.unconfirmed == 0


def test_local_weights_never_count_whatever_repository_they_name(folder: Folder) -> None:
    folder.put(sealed(document_of(run(1)), {"model.weight_mode": "local"}), "alone")
    assert folder.entries()["alone.json"].apart is Apart.LOCAL
    folder.put(run(2), "real")
    assert {name: one.apart for name, one in folder.entries().items()} == {
        "alone.json": Apart.LOCAL,
        "real.json": None,
    }


def test_a_smoke_run_never_counts(folder: Folder) -> None:
    folder.put(run(1, Recipe(card=CARD, weights=WeightMode.TINY, suite="smoke")), "smoke")
    assert folder.entries()["smoke.json"].apart is Apart.SMOKE


def test_of_a_refused_record_the_senders_words_are_not_repeated(folder: Folder, tmp_path: Path) -> None:
    path = put_edited(tmp_path, run(1), {"cells[0].summary.latency_s.median": 1.0}, "edited")
    folder.files.append(path)
    folder.files.append(put(tmp_path, run(2), "private", key=1, note="write to me@example.org"))
    found = folder.entries()
    assert {one.state for one in found.values()} == {State.REFUSED}
    assert "me@example.org" not in "".join(one.model_dump_json() for one in found.values())
    edited = found["edited.json"].answers
    assert (edited.integrity.hash_holds, edited.plausibility.answer) == (False, Plausible.REFUSED)


def test_the_newest_comes_first(folder: Folder) -> None:
    for seed, day in ((1, 20), (2, 22), (3, 21)):
        folder.put(sealed(document_of(run(seed)), {"created_at": f"2026-11-{day}T00:00:00Z"}), f"{day}")
    assert list(folder.entries()) == ["22.json", "21.json", "20.json"]
