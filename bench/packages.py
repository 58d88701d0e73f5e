"""Packages that bench needs: the fault of one that is missing, too old or broken, and its fix.

The oldest versions are those of bench's own metadata: its dependencies, and the extra `run`, which brings
what runs the model. Looking at a package imports nothing.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Final

from bench.errors import PackageError
from bench.text import clean

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_OWN: Final = "moss-audio-bench"
_REQUIREMENT: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?:\[[\w,.-]+\])?"
    r"(?:<(?P<below>[\d.]+),)?>=(?P<oldest>[\d.]+)(?P<run>; extra == ['\"]run['\"])?"
)
_MODULES: Final = {"nvidia-ml-py": "pynvml", "flash-attn": "flash_attn"}
_LONGEST: Final = 200
_MISSING: Final = "is not installed"


@dataclass(frozen=True, slots=True)
class Fault:
    """A package that cannot be used, why, and the command that fixes it."""

    package: str
    why: str
    command: str

    def __str__(self) -> str:
        """Return package and reason, such as `soxr is not installed`."""
        return f"{self.package} {self.why}"

    @property
    def is_missing(self) -> bool:
        """Whether the package is not installed."""
        return self.why == _MISSING


def version_of(package: str) -> str | None:
    """Return the installed version of a distribution; None if it is not installed. Imports nothing."""
    from importlib import metadata  # with email and zipfile: not at the start of each command

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def oldest() -> dict[str, str]:
    """Return the required packages with the oldest version of each; empty where bench is not installed.

    The extra `run` is included, other extras are not.
    """
    return {found["name"]: found["oldest"] for found in _requirements()}


def run_packages() -> frozenset[str]:
    """Return the packages that only the extra `run` brings; empty where bench is not installed."""
    return frozenset(found["name"] for found in _requirements() if found["run"])


def _too_new() -> dict[str, str]:
    """Return the first release of each package that bench cannot use, where one is known."""
    return {found["name"]: found["below"] for found in _requirements() if found["below"]}


def _requirements() -> Iterator[re.Match[str]]:
    from importlib import metadata

    try:
        lines = metadata.requires(_OWN) or ()
    except metadata.PackageNotFoundError:
        return
    yield from (found for line in lines if (found := _REQUIREMENT.fullmatch(line)) is not None)


def extra_command(extra: str) -> str:
    """Return the command that adds an extra to the installed bench.

    From a checkout it names the current folder. https://packaging.python.org/specifications/direct-url/
    """
    from importlib import metadata

    try:
        text = metadata.distribution(_OWN).read_text("direct_url.json")
    except metadata.PackageNotFoundError:  # `python -m bench` in a checkout
        return f'pip install ".[{extra}]"'
    origin = json.loads(text) if text else {}
    if "dir_info" in origin:
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f'pip install {editable}".[{extra}]"'
    source = ""
    if "vcs_info" in origin:
        source = f" @ {origin['vcs_info']['vcs']}+{origin['url']}@{origin['vcs_info']['commit_id']}"
    elif origin:
        source = f" @ {origin['url']}"
    return f'pip install "{_OWN}[{extra}]{source}"'


def fault_of(package: str, at_least: str | None) -> Fault | None:
    """Return why a package is not installed, too old or too new; None if it may work."""
    spec = spec_of(module_of(package))
    if spec is None or spec.origin is None:  # a mere folder of that name, as an unfinished removal leaves
        return Fault(package, _MISSING, _install(package, at_least))
    version = version_of(package)
    if version is None or at_least is None:
        return None
    below = _too_new().get(package)
    if below is not None and not is_older(version, below):
        return Fault(
            package, f"{version} is too new: one before {below} is needed", _install(package, at_least)
        )
    if not is_older(version, at_least):
        return None
    return Fault(package, f"{version} is too old: {at_least} is needed", _install(package, at_least))


def faults_of(packages: Iterable[str]) -> tuple[Fault, ...]:
    """Return the faults of these packages: not installed, too old or too new."""
    needed = oldest()
    return tuple(fault for name in packages if (fault := fault_of(name, needed.get(name))) is not None)


def require(*packages: str) -> None:
    """Check that packages are installed and new enough.

    Raises:
        PackageError: some are not; one command installs all.
    """
    faults = faults_of(packages)
    if faults:
        raise PackageError("; ".join(map(str, faults)), hint=f"Install it: {install_command(faults)}")


def install_command(faults: Iterable[Fault]) -> str:
    """Return the one command that installs suitable releases of all packages with a fault."""
    return " ".join(["pip install", *(fault.command.removeprefix("pip install ") for fault in faults)])


@contextmanager
def importing() -> Iterator[None]:
    """Turn the failed import of a package, whatever it raises, into one line.

    Raises:
        PackageError: the package, its error, and the command that fixes it.
    """
    try:
        yield
    except Exception as error:
        fault = import_fault(error)
        if fault is None:
            raise
        raise PackageError(str(fault), hint=f"Fix it: {fault.command}") from error


def import_fault(error: BaseException) -> Fault | None:
    """Return the fault of a package if this error came from its import; None for any other error."""
    codes = _codes(error)
    names = [name for name, _ in codes]
    below = max((place for place, name in enumerate(names) if _top(name) == "bench"), default=-1) + 1
    # `import torch` in our code goes on in the body of torch, or of a module that loads others when asked.
    in_import = below < len(names) and codes[below][1] in {"<module>", "__getattr__"}
    if not (in_import or isinstance(error, ImportError) or _lacks(error) is not None):
        return None
    root = error
    while root.__cause__ is not None:
        root = root.__cause__
    name = _culprit(root) or (_top(names[below]) if below < len(names) else None)
    if name is None or name == "bench":
        return None
    if name in sys.stdlib_module_names:
        what = f"was built without its module {name.removeprefix('_')}"
        return Fault("this Python", what, "install a complete Python")
    return _judged(name, root)


def _culprit(root: BaseException) -> str | None:
    """Return the module that an error names, else the last one that was being imported."""
    if (lacking := _lacks(root)) is not None:
        return _top(lacking.__name__)
    if isinstance(root, ImportError) and root.name:
        return _top(root.name)
    bodies = [_top(name) for name, code in _codes(root) if code == "<module>"]
    foreign = [name for name in bodies if name not in {"bench", "__main__"} | sys.stdlib_module_names]
    return foreign[-1] if foreign else None


def _codes(error: BaseException) -> list[tuple[str, str]]:
    """Return the modules and functions that an error passed, the outermost first."""
    from traceback import walk_tb

    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    return [(str(frame.f_globals.get("__name__", "")), frame.f_code.co_name) for frame in frames]


def _lacks(error: BaseException) -> ModuleType | None:
    """Return the installed module that lacks a name: an older release, or another package of that name."""
    found = error.obj if isinstance(error, AttributeError) else None
    if not isinstance(found, ModuleType) or _top(found.__name__) in {"bench", *sys.stdlib_module_names}:
        return None
    return found


def _judged(name: str, root: BaseException) -> Fault:
    needed = oldest()
    package = next((each for each in needed if module_of(each) == name), name)
    known = fault_of(package, needed.get(package))
    if known is not None:
        return known
    if name == "pynvml" and isinstance(root, AttributeError):
        # pynvml before 12 and nvidia-ml-py3 install a folder of this name; it wins over nvidia-ml-py's file.
        again = _install(package, needed.get(package))
        fix = f"pip uninstall -y pynvml nvidia-ml-py3 nvidia-ml-py && {again}"
        return Fault(package, "is hidden by an older package with the same module, pynvml", fix)
    lines = str(root).strip().splitlines()
    return broken(package, f"{type(root).__name__}: {lines[0]}" if lines else type(root).__name__)


def broken(package: str, error: str) -> Fault:
    """Return the fault of a package that is installed and cannot be imported."""
    at_least = oldest().get(package)
    why = f"{version_of(package) or ''} cannot be imported ({clean(error, _LONGEST)})".strip()
    if at_least is None:
        return Fault(package, why, f"pip uninstall {package}, or install it again")
    return Fault(package, why, _install(package, at_least, "--force-reinstall --no-deps "))


def _install(package: str, at_least: str | None, options: str = "") -> str:
    below = _too_new().get(package)
    most = f",<{below}" if below else ""
    return (
        f'pip install {options}"{package}>={at_least}{most}"'
        if at_least
        else f"pip install {options}{package}"
    )


def module_of(package: str) -> str:
    """Return the module that a distribution installs."""
    return _MODULES.get(package, package.replace("-", "_"))


def is_older(version: str, at_least: str) -> bool:
    """Whether a version is older, by its release number: `2.10.0a0+git` is 2.10.0."""
    return _release(version) < _release(at_least)


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(number) for number in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def spec_of(module: str) -> "ModuleSpec | None":
    """Return where a top-level module would be imported from; None if it is not installed."""
    from importlib.util import find_spec

    try:
        return find_spec(module)
    except (ImportError, ValueError):  # something else than Python's own search hides it
        return None


def _top(name: str) -> str:
    return name.partition(".")[0]
