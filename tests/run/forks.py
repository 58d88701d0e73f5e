"""Short commands without the start of a process each: see `fork_server`."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from tests.run.fork_server import Job

_LIBRARIES = "LD_LIBRARY_PATH"


class Forks:
    """Runs modules in forks of servers that live as long as this. One for each LD_LIBRARY_PATH: the linker
    reads it when a process starts."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        self._opened = opened
        self._servers: dict[str | None, subprocess.Popen[str]] = {}

    def run(
        self, module: str, *arguments: str, env: dict[str, str], cwd: Path
    ) -> "subprocess.CompletedProcess[str]":
        """Run a module to its end as `python -m` does, with nobody there to answer questions."""
        job: Job = {
            "module": module,
            "arguments": list(arguments),
            "environment": env,
            "folder": str(cwd),
            "out": str(self._out),
            "err": str(self._err),
        }
        server = self._server(env)
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(f"{json.dumps(job)}\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (self._out, self._err)]
        return subprocess.CompletedProcess([module, *arguments], code, *texts)

    def _server(self, env: dict[str, str]) -> "subprocess.Popen[str]":
        libraries = env.get(_LIBRARIES)
        if libraries not in self._servers:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.run.fork_server"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=Path(__file__).parents[2],
                env=os.environ | ({} if libraries is None else {_LIBRARIES: libraries}),
            )
            self._opened.enter_context(process)  # closes its input, at which it ends, and waits
            self._servers[libraries] = process
        return self._servers[libraries]
