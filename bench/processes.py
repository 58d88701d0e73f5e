"""Python processes that run this build of bench, whatever the current folder contains.

As a program, `python -P .../bench/processes.py MODULE ARGUMENT...` runs a module of the bench in this folder.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_SAFE: Final = "PYTHONSAFEPATH"
_PATH: Final = "PYTHONPATH"


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of bench in this Python, as `python -P -m MODULE` would.

    The child has the bench of its parent, although nothing puts its folder in front of other packages: a
    checkout that is not installed works, and another build that is installed does not replace it.
    """
    flags = [
        "-P",
        *(["-s"] if sys.flags.no_user_site else []),
        *(["-E"] if sys.flags.ignore_environment else []),
    ]
    return [sys.executable, *flags, os.path.abspath(__file__), module, *arguments]  # noqa: PTH100 - no links followed


def python_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which Python, and its children, import nothing from the current folder.

    An empty entry of PYTHONPATH means that folder, as in `PYTHONPATH=$PYTHONPATH:/my/modules`. A folder that
    is named by its whole path was chosen, and stays.
    """
    entries = [entry for entry in _entries(own) if os.path.isabs(entry) or not _is_here(entry)]  # noqa: PTH117
    kept = {name: value for name, value in own.items() if name != _PATH}
    return kept | ({_PATH: os.pathsep.join(entries)} if entries else {}) | {_SAFE: "1"}


def leave_current_folder() -> None:
    """Stop this process and its children from importing what lies in the current folder.

    `python -m bench` puts it in front of the standard library. What an installed package adds comes after the
    standard library, and stays.
    """
    library = os.path.dirname(os.__file__)  # noqa: PTH120
    begins = sys.path.index(library) if library in sys.path else 1
    chosen = {entry for entry in _entries(os.environ) if os.path.isabs(entry)}  # noqa: PTH117
    sys.path[:begins] = [entry for entry in sys.path[:begins] if entry in chosen or not _is_here(entry)]
    cleaned = python_environment(os.environ)
    os.environ.pop(_PATH, None)
    os.environ.update(cleaned)
    own = str(Path(__file__).absolute().parent.parent)
    if own not in sys.path:  # `python -m bench` in a checkout that is not installed
        sys.path.append(own)


def _entries(environment: Mapping[str, str]) -> list[str]:
    return environment[_PATH].split(os.pathsep) if environment.get(_PATH) else []


def _is_here(entry: str) -> bool:
    """Whether an entry of a search path is the current folder, by whatever name."""
    try:
        return os.path.realpath(entry or os.curdir) == os.path.realpath(os.curdir)
    except OSError:  # the folder was deleted
        return entry in {"", os.curdir}


# --- as a program -----------------------------------------------------------------------------------------


def _run(module: str) -> None:
    """Import bench from the folder of this file, and run one of its modules as `python -m` would."""
    import runpy
    from importlib.util import module_from_spec, spec_from_file_location

    folder = Path(__file__).absolute().parent
    spec = spec_from_file_location("bench", folder / "__init__.py", submodule_search_locations=[str(folder)])
    if spec is None or spec.loader is None:
        raise ImportError(f"no bench in {folder}")
    package = module_from_spec(spec)
    sys.modules["bench"] = package
    spec.loader.exec_module(package)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    del sys.argv[0]
    _run(sys.argv[0])
