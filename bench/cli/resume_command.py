"""The command that finishes an interrupted run."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from bench.run.run_spec import Plan


@dataclass(frozen=True)
class ResumeCommand:
    """What a record does not hold, so that it has to be said again: paths, and how to run."""

    words: tuple[str, ...]

    @classmethod
    def of(
        cls, wished: dict[str, Any], plan: "Plan", *, out: Path | None, isolate: str, no_prune: bool
    ) -> Self:
        """Of a run that was asked for like this."""
        suite = wished["suite"]
        values = {
            "--suite": suite if suite is not None and suite.endswith(".toml") else None,
            "--gpu": wished["gpu"],
            "--device": wished["device"],
            "--model": plan.origin.directory,
            "--audio": plan.audio,
            "--isolate": isolate if isolate != "group" else None,
            "--out": out,
        }
        words = [word for name, value in values.items() if value is not None for word in (name, str(value))]
        return cls((*words, *(["--no-prune"] if no_prune else [])))

    def command(self, record: Path) -> str:
        """`bench run --resume RECORD ...`, to be copied into a shell."""
        return shlex.join(["bench", "run", "--resume", str(record), *self.words])
