"""Builds the site anew whenever submissions have changed, in a process of its own."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from bench.errors import BenchError, StorageError
from bench.processes import python_command, python_environment
from bench.receiver import ledger
from bench.receiver.database import Database
from bench.receiver.export import export
from bench.receiver.ledger import Head
from bench.receiver.moderation import forget_old, published
from bench.receiver.states import State

_LOOKS_S: Final = 2.0
"""Commands of moderators change the database from other processes: how often the log is looked at."""
_AGAIN_S: Final = 30.0
"""After a failure."""
_FORGETS_S: Final = 3600.0
_STOPS_S: Final = 30.0
_NICE: Final = 10


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of a receiver: the results that the site is built from, the site, and the index of builds."""

    results: Path
    public: Path
    index: Path

    @classmethod
    def below(cls, folder: Path) -> Self:
        """The usual names."""
        return cls(folder / "results", folder / "public", folder / "site.sqlite")


class Publisher:
    """A thread that exports and builds. `log` takes a line for each build, and for one that failed.

    `origin`: address of the site, as its pages name it. `site_key`: id of the key that issues its challenges.
    After a failure the site stays as it was.
    """

    def __init__(
        self,
        database: Database,
        places: Places,
        origin: str,
        log: Callable[[str], None],
        *,
        site_key: str | None = None,
    ) -> None:
        self._database = database
        self._places = places
        self._origin = origin
        self._site_key = site_key
        self._log = log
        self._forgets = False
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._building: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._run, name="publisher")

    def __enter__(self) -> Self:
        """Begin with a build."""
        self._changed.set()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop after the build that has begun, or interrupt it after half a minute."""
        self._stopping.set()
        self._changed.set()
        self._thread.join(_STOPS_S)
        while self._thread.is_alive():
            building = self._building
            if building is not None:
                building.terminate()
            self._thread.join(_LOOKS_S)

    def changed(self) -> None:
        """Say that there is something to build."""
        self._changed.set()

    def _run(self) -> None:
        shown: Head | None = None  # a process that was killed can have left half a site
        forgot_at = -_FORGETS_S
        while not self._stopping.is_set():
            self._changed.wait(_AGAIN_S if shown is None else _LOOKS_S)
            self._changed.clear()
            if self._stopping.is_set():
                return
            if time.monotonic() - forgot_at >= _FORGETS_S:
                self.forget()
                forgot_at = time.monotonic()
            try:
                end = self._database.read(ledger.head)
                if end != shown:  # whatever changes a submission is in the log
                    self.publish(anyway=shown is None)
                    shown = end
            except (BenchError, OSError) as error:
                shown = None
                self._log(f"the site was not built: {error}")

    def forget(self) -> None:
        """Delete what is older than it is kept, from the files of the database too. A failure is logged."""
        now = datetime.now(UTC)
        try:
            self._forgets |= self._database.write(lambda connection: forget_old(connection, now))
            if self._forgets:
                self._database.forget_deleted()
                self._forgets = False
        except StorageError as error:
            self._log(f"old addresses are kept for an hour more: {error}")

    def publish(self, *, anyway: bool = False) -> None:
        """Export, build, and note what the site shows now. `anyway`: build although nothing has changed.

        Raises:
            BenchError: a folder, the database or the disk refused it, or the build failed.
        """
        exported = export(self._database, self._places.results)
        shown = [one.id for one in exported.submissions if one.state is State.VALID]
        if not (exported.changed or shown or anyway):
            return
        self._build()
        self._database.write(lambda connection: published(connection, shown, datetime.now(UTC)))
        self._log(f"the site was built, with {len(exported.submissions):,} submissions")

    def _build(self) -> None:
        places = self._places
        arguments = ("site", "build", str(places.results), "--out", str(places.public))
        options = ("--receiver", self._origin, "--index", str(places.index))
        key = () if self._site_key is None else ("--site-key", self._site_key)
        command = python_command("bench", *arguments, *options, *key)
        with subprocess.Popen(
            command,
            env=python_environment(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as building:
            self._building = building
            if os.name != "nt":
                psutil.Process(building.pid).nice(_NICE)  # who sends a bundle waits for an answer
            _, said = building.communicate()
            self._building = None
        if building.returncode:
            last = (said.strip().splitlines() or ["no message"])[-1]
            raise BenchError(f"bench site build ended with {building.returncode}: {last}")
