"""A program that answers `python -m bench run` like a build that needs no time: its record lies ready."""

import json
import sys
from pathlib import Path

_SCRIPT = """#!{python}
import json, pathlib, sys, time
given = {given!r}
arguments = sys.argv[1:]
with open(given["calls"], "a") as calls:
    calls.write(json.dumps([given["name"], arguments]) + "\\n")
out = pathlib.Path(arguments[arguments.index("--out") + 1])
print(given["says"])
time.sleep(given["takes_s"])
if given["record"]:
    (out / "deeper").mkdir(parents=True)
    (out / "deeper" / "record.json").write_bytes(pathlib.Path(given["record"]).read_bytes())
sys.exit(given["code"])
"""


def environment(
    folder: Path, record: Path | None, *, code: int = 0, says: str = "", takes_s: float = 0.0
) -> Path:
    """A folder like a virtual environment's; every call is a line of `calls.jsonl` beside it."""
    python = folder / "bin" / "python"
    python.parent.mkdir(parents=True)
    given = {
        "name": folder.name,
        "calls": str(folder.parent / "calls.jsonl"),
        "record": None if record is None else str(record),
        "code": code,
        "says": says,
        "takes_s": takes_s,
    }
    python.write_text(_SCRIPT.format(python=sys.executable, given=given), encoding="utf-8")
    python.chmod(0o755)
    return folder


def calls(folder: Path) -> list[tuple[str, list[str]]]:
    """Who was called with what, in order."""
    lines = (folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()
    return [(name, arguments) for name, arguments in map(json.loads, lines)]
