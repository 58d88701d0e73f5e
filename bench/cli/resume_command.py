"""The command that finishes an interrupted run."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from bench.run.run_spec import Plan
    from bench.run.session import RunPolicy


@dataclass(frozen=True)
class ResumeCommand:
    """The options that a record does not contain and a resumed run needs again: paths, and how to run."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, given: dict[str, Any], plan: "Plan", policy: "RunPolicy", *, out: Path | None) -> Self:
        """The command for a run with these options."""
        suite = given["suite"]
        values = {
            "--suite": suite if suite is not None and suite.endswith(".toml") else None,
            "--gpu": given["gpu"],
            "--device": given["device"],
            "--model": plan.origin.directory,
            "--audio": plan.audio,
            "--isolate": policy.isolate if policy.isolate != "group" else None,
            "--out": out,
        }
        words = [word for name, value in values.items() if value is not None for word in (name, str(value))]
        return cls((*words, *([] if policy.prune else ["--no-prune"])))

    def command(self, record: Path) -> str:
        """`bench run --resume RECORD ...`, to be copied into a shell."""
        return shlex.join(["bench", "run", "--resume", str(record), *self.words])
