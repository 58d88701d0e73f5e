"""After any sequence of changes a build with an index makes the same bytes as one without."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from bench.records.enums import WeightMode
from bench.records.record import Record
from bench.store import naming
from tests.site.results import (
    CARD,
    RUN,
    built,
    commit,
    confirm_key,
    decide,
    entry_id,
    files_of,
    key_id,
    put,
    put_edited,
    revoke_key,
    run,
)
from tests.validate.recipes import EIGHT, Recipe

RECIPES: Final = (
    RUN,
    RUN,
    replace(RUN, pace=2.0),
    replace(RUN, card="rtx-4070"),
    replace(RUN, weights=WeightMode.RANDOM, has_power=False),
    replace(RUN, model=EIGHT),
    Recipe(card=CARD, weights=WeightMode.TINY, suite="smoke"),
)


class Changes:
    """Changes of a folder of results, chosen by a seed."""

    def __init__(self, seed: int, repository: Path) -> None:
        self.results: Final = repository / "results"
        self.results.mkdir(parents=True)
        self._repository = repository
        self._random = random.Random(seed)
        self._commits = 0

    def change(self) -> None:
        """Change something."""
        kinds: tuple[Callable[[], None], ...] = (
            *(self.add, self.add, self.add, self.add, self.edit, self.decide, self.undo),
            *(
                self.remove,
                self.remove_card,
                self.swap,
                self.copy,
                self.commit,
                self.commit,
                self.begin_again,
                self.decide_key,
                self.decide_key,
            ),
        )
        self._random.choice(kinds)()

    def add(self) -> None:
        """A record, maybe under the name of another one, by any key or by nobody."""
        key, name = self._random.choice((None, 0, 1, 2)), f"n{self._random.randrange(6)}"
        put(self.results, self._record(), name, key=key, **({} if key is None else {"note": self._word()}))

    def edit(self) -> None:
        """A record with a wrong figure."""
        wrong = {"cells[0].summary.latency_s.median": 12_345.0}
        put_edited(self.results, self._record(), wrong, f"n{self._random.randrange(6)}")

    def remove(self) -> None:
        """A file is gone, and with it the decisions, which may have named it."""
        for path in self._some(1):
            path.unlink()
        self.undo()

    def remove_card(self) -> None:
        """A card is gone with all of its records."""
        for path in self._some(1):
            shutil.rmtree(path.parent)
        self.undo()

    def swap(self) -> None:
        """Two files change their names. Decisions go: what they are about may be replaced by its new name."""
        one, other = (*self._some(2), None, None)[:2]
        if one is not None and other is not None:
            content = one.read_bytes()
            one.write_bytes(other.read_bytes())
            other.write_bytes(content)
        self.undo()

    def copy(self) -> None:
        """A file is there again, with a name before all others."""
        for path in self._some(1):
            shutil.copyfile(path, path.with_name(f"a-{path.name.removeprefix('a-')}.json"))

    def decide(self) -> None:
        """A record arrives, and somebody decides about it."""
        record = self._record()
        put(self.results, record, f"decided-{entry_id(record)}")
        decide(self.results, self._random.choice(("published", "withdrawn")), entry_id(record), self._word())

    def decide_key(self) -> None:
        """A key is confirmed, by another account maybe, revoked, or neither."""
        key, account = self._random.choice((0, 1, 2)), self._random.choice(("ada", "bob"))
        kinds: tuple[Callable[[], object], ...] = (
            lambda: confirm_key(self.results, key, account),
            lambda: revoke_key(self.results, key, self._word()),
            lambda: naming.key_file(self.results, key_id(key)).unlink(missing_ok=True),
        )
        self._random.choice(kinds)()

    def undo(self) -> None:
        """No decision is left."""
        for decided in ("published", "withdrawn"):
            shutil.rmtree(self.results / decided, ignore_errors=True)

    def commit(self) -> None:
        """Some files are committed, in one commit, at some date."""
        self._commits += 1
        mark = self._repository / f"mark{self._commits}"
        mark.touch()
        date = f"2026-11-{self._random.randrange(10, 29)}T00:00:00Z"
        commit(self._repository, mark, *self._some(self._random.randrange(4)), date=date)

    def begin_again(self) -> None:
        """The history is forgotten."""
        shutil.rmtree(self._repository / ".git", ignore_errors=True)

    def _record(self) -> Record:
        return run(self._random.randrange(4), self._random.choice(RECIPES))

    def _word(self) -> str:
        return self._random.choice(("one", "two"))  # of one length: only the content differs

    def _some(self, most: int) -> list[Path]:
        found = sorted(self.results.glob("*/*/*.json"))
        return self._random.sample(found, min(most, len(found)))


@pytest.mark.parametrize("seed", range(3))
def test_any_sequence_of_changes(seed: int, tmp_path: Path) -> None:
    changes, chance = Changes(seed, tmp_path / "repository"), random.Random(seed)
    for _ in range(5):
        for _ in range(4):
            changes.change()
        out, index = tmp_path / chance.choice(("one", "two")), tmp_path / chance.choice(("a", "b"))
        built(changes.results, out, index)
        shutil.rmtree(tmp_path / "fresh", ignore_errors=True)
        built(changes.results, tmp_path / "fresh")
        assert files_of(out) == files_of(tmp_path / "fresh")
