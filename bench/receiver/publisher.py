"""Builds the site anew whenever submissions have changed, in a process of its own."""

import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import psutil

from bench.errors import BenchError
from bench.processes import python_command, python_environment
from bench.receiver.database import Database
from bench.receiver.export import export
from bench.receiver.moderation import forget_old, published
from bench.receiver.states import State

_LOOKS_S: Final = 60.0
"""Commands of moderators change the database from other processes: how often it is looked at."""
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

    `origin`: address of the site, as its pages name it. After a failure the site stays as it was.
    """

    def __init__(self, database: Database, places: Places, origin: str, log: Callable[[str], None]) -> None:
        self._database = database
        self._places = places
        self._origin = origin
        self._log = log
        self._changed = threading.Event()
        self._stopping = threading.Event()
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

    def changed(self) -> None:
        """Say that there is something to build."""
        self._changed.set()

    def _run(self) -> None:
        is_sure = False  # a process that was killed can have left half a site
        while not self._stopping.is_set():
            self._changed.wait(_LOOKS_S)
            self._changed.clear()
            if self._stopping.is_set():
                return
            try:
                self.publish(anyway=not is_sure)
                is_sure = True
            except (BenchError, OSError) as error:
                is_sure = False
                self._log(f"the site was not built: {error}")

    def publish(self, *, anyway: bool = False) -> None:
        """Export, build, and note what the site shows now. `anyway`: build although nothing has changed.

        Raises:
            BenchError: a folder, the database or the disk refused it, or the build failed.
        """
        now = datetime.now(UTC)
        self._database.write(lambda connection: forget_old(connection, now))
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
        command = python_command("bench", *arguments, *options)
        with subprocess.Popen(
            command,
            env=python_environment(os.environ),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as building:
            if os.name != "nt":
                psutil.Process(building.pid).nice(_NICE)  # who sends a bundle waits for an answer
            _, said = building.communicate()
        if building.returncode:
            last = (said.strip().splitlines() or ["no message"])[-1]
            raise BenchError(f"bench site build ended with {building.returncode}: {last}")
