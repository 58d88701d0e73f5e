"""Runs command lines of `bench` on one emulated machine after another, in one process.

`python -m tests.fake_driver.many_machines`: a line of standard input is JSON, the path of a scenario and a
list of command lines; a line of standard output is JSON, [exit code, output, errors] of each.
"""

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from unittest.mock import patch

from bench.cli.app import run
from bench.doctor.imports import try_imports


def main() -> None:
    """Answer line by line until the input ends."""
    answers = sys.stdout
    # The packages are the same on every machine, and their import takes seconds.
    with patch("bench.doctor.gather.try_imports", cache(try_imports)):
        for line in sys.stdin:
            scenario, commands = json.loads(line)
            os.environ["FAKE_NVML_SCENARIO"] = scenario
            answers.write(f"{json.dumps([_ran(command) for command in commands])}\n")
            answers.flush()


def _ran(command: list[str]) -> tuple[int, str, str]:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        code = run(command)
    return code, out.getvalue(), err.getvalue()


if __name__ == "__main__":
    main()
