"""The fake driver: built once, then loaded by the real pynvml of a subprocess. README.md has more."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SOURCES: Final = ("nvml.c", "scenario.c", "worker.c")
SCENARIOS: Final = tuple(sorted(path.stem for path in (HERE / "scenarios").glob("*.txt")))


def build(into: Path) -> Path:
    """Compile the library, under the name that pynvml looks for, into a folder; the library's path."""
    library = into / "libnvidia-ml.so.1"
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    sources = [str(HERE / name) for name in SOURCES]
    subprocess.run(["gcc", *flags, "-o", str(library), *sources, "-lpthread", "-lm"], check=True)
    return library


def environment_of(scenario: str | Path, library: Path) -> dict[str, str]:
    """What a subprocess needs in its environment, beside the rest, to be on a machine with these cards.

    `scenario` is a name of SCENARIOS, or a file such as `variant` writes.
    """
    path = scenario if isinstance(scenario, Path) else HERE / "scenarios" / f"{scenario}.txt"
    if not path.is_file():
        raise FileNotFoundError(f"no scenario {scenario}: there are {', '.join(SCENARIOS)}")
    folders = [str(library.parent), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    return {"LD_LIBRARY_PATH": os.pathsep.join(folders), "FAKE_NVML_SCENARIO": str(path)}


def variant(
    into: Path, base: str, *lines: str, system: Sequence[str] = (), without: Sequence[str] = ()
) -> Path:
    """Another scenario like `base`: `lines` change its last card, `system` the machine.

    A line replaces the one with the same key; a `process` line is added. Lines of `base` that begin with a
    text of `without` are left out.

        variant(tmp_path, "rtx-4070-headless", "power UNKNOWN", system=["delay_us 1000"], without=["process"])
    """
    kept = [
        line
        for line in (HERE / "scenarios" / f"{base}.txt").read_text(encoding="utf-8").splitlines()
        if not line.startswith(tuple(without))
    ]
    first = kept.index("[gpu]")
    path = into / f"{base}-variant-{len(list(into.glob('*-variant-*')))}.txt"
    path.write_text("\n".join([*kept[:first], *system, *kept[first:], *lines]) + "\n", encoding="utf-8")
    return path
