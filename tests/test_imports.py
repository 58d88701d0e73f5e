"""Who may import whom: data flows one way, and a report renders on a laptop without a GPU.

vocabulary <- pure <- work <- run <- cli          report: vocabulary, pure, and the store
"""

import ast
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

import bench

ROOT: Final = Path(bench.__file__).parent

# The longest name that fits decides. A module without a level fails: whoever adds one says what it is.
LEVELS: Final = {
    "bench": "vocabulary",
    "bench.errors": "vocabulary",
    "bench.units": "vocabulary",
    "bench.shipped": "vocabulary",
    "bench.records": "vocabulary",
    "bench.records.store": "work",
    "bench.records.journal": "work",
    "bench.expectations": "pure",
    "bench.records.index": "work",
    "bench.records.index_file": "work",
    "bench.records.index_reading": "work",
    "bench.suite": "pure",
    "bench.suite_messages": "pure",
    "bench.cells": "pure",
    "bench.overrides": "pure",
    "bench.envelope": "pure",
    "bench.envelope.tracing": "work",
    "bench.judge": "pure",
    "bench.hardware": "work",
    "bench.hardware.allowance": "pure",
    "bench.hardware.budget": "pure",
    "bench.hardware.catalog": "pure",
    "bench.hardware.doctor.interface": "pure",
    "bench.hardware.doctor.facts": "pure",
    "bench.hardware.doctor.checks": "pure",
    "bench.hardware.doctor.diagnosis": "pure",
    "bench.hardware.readings": "pure",
    "bench.hardware.state": "pure",
    "bench.hardware.visible": "pure",
    "bench.measure": "work",
    "bench.measure.course": "pure",
    "bench.measure.energy": "pure",
    "bench.measure.fractions": "pure",
    "bench.measure.load": "pure",
    "bench.measure.statistics": "pure",
    "bench.measure.summary": "pure",
    "bench.engines": "work",
    "bench.engines.profiles": "pure",
    "bench.engines.support": "pure",
    "bench.clips": "work",
    "bench.decoding": "work",
    "bench.moss_audio": "work",
    "bench.weights": "work",
    "bench.run": "run",
    "bench.run.estimate": "pure",
    "bench.report": "report",
    "bench.cli": "cli",
    "bench.pytest_plugin": "cli",
    "bench.testing": "cli",
    "bench.__main__": "cli",
}
MAY_IMPORT: Final = {
    "vocabulary": {"vocabulary"},
    "pure": {"vocabulary", "pure"},
    "work": {"vocabulary", "pure", "work"},
    "run": {"vocabulary", "pure", "work", "run"},
    "report": {"vocabulary", "pure", "report"},
    "cli": {"vocabulary", "pure", "work", "run", "report", "cli"},
}
ALSO: Final = {"report": {"bench.records.store"}}

# Other people's packages. Standard library: everything but what a level may not touch.
PACKAGES: Final = {
    "vocabulary": {"pydantic", "rfc8785"},
    "pure": {"pydantic", "pydantic_core", "rfc8785", "numpy"},
    "report": {"pydantic", "jinja2", "pandas", "rich", "altair"},
}
IMPURE: Final = {
    "time",
    "random",
    "secrets",
    "socket",
    "ssl",
    "http",
    "urllib",
    "subprocess",
    "asyncio",
    "threading",
}
ONLY_IN: Final = {
    "pynvml": {"bench.hardware.nvml", "bench.hardware.nvml_calls", "bench.hardware.nvml_errors"},
    "click": {"bench.cli"},
    "huggingface_hub": {"bench.weights"},
    "pytest": {"bench.pytest_plugin", "bench.testing"},
    "pytest_benchmark": set[str](),
    "pickle": set[str](),
    "marshal": set[str](),
    "shelve": set[str](),
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Final = {module_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def level(module: str) -> str | None:
    names = [name for name in LEVELS if is_within(module, name) and (name != "bench" or module == "bench")]
    return LEVELS[max(names, key=len)] if names else None


def imported(module: str) -> Iterator[str]:
    """Everything that a module imports, wherever in the file, for type checkers only included."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if longer in MODULES else str(node.module)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_its_own_level_and_below(module: str) -> None:
    own = level(module)
    assert own is not None, f"{module} has no level in this test"
    for other in imported(module):
        if is_within(other, "bench"):
            allowed = level(other) in MAY_IMPORT[own] or other in ALSO.get(own, ())
            assert allowed, f"{module} ({own}) imports {other} ({level(other)})"


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_the_packages_of_its_level(module: str) -> None:
    own = str(level(module))
    for other in imported(module):
        package = other.partition(".")[0]
        owners = ONLY_IN.get(package)
        assert owners is None or any(is_within(module, owner) for owner in owners), f"{module}: {package}"
        if package == "bench" or own not in PACKAGES:
            continue
        if package in sys.stdlib_module_names:
            assert own != "pure" or package not in IMPURE, f"{module} is pure and imports {package}"
        else:
            assert package in PACKAGES[own], f"{module} ({own}) imports {package}"


def test_every_name_in_this_test_exists() -> None:
    assert [name for name in LEVELS if name not in MODULES] == []


@pytest.mark.parametrize("module", [module for module in MODULES if level(module) != "cli"])
def test_only_the_command_line_prints(module: str) -> None:
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "input", "breakpoint", "eval", "exec"}, (
                f"{module}:{node.lineno}"
            )


def test_the_rules_would_notice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reader of imports finds them in functions, under TYPE_CHECKING, and as `from bench import x`."""
    source = tmp_path / "sample.py"
    source.write_text(
        "from typing import TYPE_CHECKING\nfrom bench import units\n"
        "if TYPE_CHECKING:\n    import torch\ndef f():\n    from bench.run.worker import main\n"
    )
    monkeypatch.setitem(MODULES, "bench.sample", source)
    assert set(imported("bench.sample")) == {"typing", "bench.units", "torch", "bench.run.worker"}
    assert level("bench.sample") is None
    assert level("bench.run.worker") == "run"


# --- what really happens on import, each in a process of its own ------------------------------------------

HEAVY: Final = {
    "torch",
    "transformers",
    "numpy",
    "pandas",
    "huggingface_hub",
    "pynvml",
    "soundfile",
    "jinja2",
    "altair",
}


@pytest.mark.parametrize(
    ("module", "may_load"),
    [
        ("bench", set[str]()),
        ("bench.cli.app", set[str]()),
        ("bench.pytest_plugin", set[str]()),
        ("bench.suite", set[str]()),
        ("bench.judge.verdict", set[str]()),
        ("bench.report.bundle", set[str]()),
        ("bench.records.index", set[str]()),
        ("bench.records.journal", set[str]()),
        ("bench.run.estimate", set[str]()),
        ("bench.measure.statistics", {"numpy"}),
        ("bench.hardware.device", {"pynvml"}),
    ],
)
def test_cheap_modules_stay_cheap(module: str, may_load: set[str]) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in json.loads(answer.stdout) if name in HEAVY}
    assert loaded <= may_load


# A third-party package may keep a cache of its own; that is not our module's doing. The network is nobody's.
AUDIT = textwrap.dedent("""
    import importlib, json, sys, sysconfig

    root, library, found = sys.argv[1], sysconfig.get_path("stdlib"), []
    changes = ("os.mkdir", "os.remove", "os.rename", "os.chmod", "os.system", "os.fork", "subprocess.")

    def whose():
        frame = sys._getframe(2)
        while frame is not None:
            name = frame.f_code.co_filename
            if "site-packages" in name or not name.startswith((library, "<")):
                return name
            frame = frame.f_back
        return ""

    def is_write(event, arguments):
        if event != "open":
            return event.startswith(changes)
        mode, flags = arguments[1], arguments[2]
        return any(letter in str(mode or "") for letter in "wax+") or bool((flags or 0) & 3)

    def watch(event, arguments):
        if event in ("socket.connect", "socket.getaddrinfo", "socket.bind"):
            found.append(f"{event} {arguments}")
        elif is_write(event, arguments) and whose().startswith(root):
            found.append(f"{event} {arguments} by {whose()}")

    sys.dont_write_bytecode = True
    sys.addaudithook(watch)
    for name in sys.argv[2:]:
        importlib.import_module(name)
    modules = [name for name in sys.argv[2:] if name in sys.modules]
    print(json.dumps([modules, found]))
""")


def audit(root: Path, *modules: str) -> tuple[list[str], list[str]]:
    command = [sys.executable, "-c", AUDIT, str(root), *modules]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root.parent)
    imported_modules, found = json.loads(answer.stdout.splitlines()[-1])
    return imported_modules, found


def test_importing_everything_writes_nothing_and_calls_nobody() -> None:
    wanted = [module for module in MODULES if module != "bench.__main__"]
    assert audit(ROOT, *wanted) == (wanted, [])


@pytest.mark.parametrize(
    "line",
    [
        "import pathlib; pathlib.Path('written.txt').write_text('x')",
        "import tempfile; tempfile.mkdtemp()",
        "import subprocess; subprocess.run(['true'])",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('127.0.0.1', 9))",
    ],
)
def test_the_audit_would_notice(line: str, tmp_path: Path) -> None:
    (tmp_path / "guilty").mkdir()
    (tmp_path / "guilty" / "module.py").write_text(line)
    assert audit(tmp_path / "guilty", "guilty.module")[1] != []
