"""Runs modules in forks of one process that has imported bench: most of a short command is its start.

`python -m tests.run.fork_server`: a line of standard input is a job as JSON, a line of standard output is
its exit code, negative for the number of a signal. Not for what is about the start of Python or of bench.
"""

import gc
import json
import os
import runpy
import sys
from importlib import import_module
from typing import Final, TypedDict

# None of them reads the environment while it is imported, so huggingface_hub is not here.
_IMPORTED: Final = (
    *("bench.cli.app", "bench.cli.doctor", "bench.cli.gpus", "bench.cli.run_command", "bench.cli.run_output"),
    *("bench.doctor.diagnosis", "bench.doctor.gather", "bench.hardware.nvml", "bench.hardware.state"),
    *("bench.audio.clips", "bench.judge.prediction", "bench.run.estimate", "bench.run.runner"),
    *("bench.suite.messages", "bench.weights.checkpoint", "bench.weights.tiny"),
    *(
        "asyncio",
        "filelock",
        "numpy",
        "rich.console",
        "rich.table",
        "soundfile",
        "soxr",
        "ssl",
        "tqdm",
        "yaml",
    ),
)


class Job(TypedDict):
    """A module with its arguments, and the process that it finds; `out` and `err` are paths of files."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str
    out: str
    err: str


def main() -> None:
    """Run job after job until the input ends; in a fork, run one."""
    for name in _IMPORTED:
        import_module(name)
    gc.freeze()
    for line in sys.stdin:
        job: Job = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(job)
            runpy.run_module(job["module"], run_name="__main__", alter_sys=True)
            return
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{code}\n")
        sys.stdout.flush()


def _become(job: Job) -> None:
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, job["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
        (2, job["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
    ):
        opened = os.open(path, flags)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    # As `python -m` has it.
    sys.path[:1] = [job["folder"], *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    sys.argv = [job["module"], *job["arguments"]]


if __name__ == "__main__":
    main()
