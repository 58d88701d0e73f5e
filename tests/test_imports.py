"""Who may import whom: imports go up the list of rooms only, and a report needs no GPU."""

import ast
import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import bench

ROOT: Final = Path(bench.__file__).parent

PAGE: Final = ROOT.parent / "docs" / "architecture.md"
ROOMS: Final = tuple(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
"""The table of the page. A module imports its own room and those before it; all rooms are in the table."""

NEVER: Final = {
    "report": {
        "run",
        "engines",
        "predict",
        "interleave",
        "compare",
        "hardware",
        "arithmetic",
        "measure",
        "weights",
        "moss_audio",
        "audio",
        "doctor",
    },
    "check": {"run", "engines", "measure", "weights", "moss_audio", "audio", "doctor"},
    "compare": {"run", "engines", "weights", "moss_audio", "audio", "doctor"},
    "judge": {"weights", "moss_audio", "audio", "measure"},
}
"""What a room has no use for although it comes later: these work on records alone."""

PURE: Final = {"errors", "units", "text", "records", "wording", "suite", "arithmetic", "judge", "compare"}
PURE_MODULES: Final = {
    "bench.engines.native.profiles",
    "bench.engines.support",
    "bench.hardware.budget",
    "bench.hardware.catalog",
    "bench.hardware.display",
    "bench.hardware.readings",
    "bench.hardware.state",
    "bench.identity.accounts",
    "bench.identity.web_url",
    "bench.doctor.interface",
    "bench.doctor.facts",
    "bench.doctor.checks",
    "bench.doctor.diagnosis",
    "bench.measure.timeline",
    "bench.measure.energy",
    "bench.measure.fractions",
    "bench.measure.load",
    "bench.measure.statistics",
    "bench.measure.summary",
    "bench.run.estimate",
    "bench.receiver.addresses",
}
PURE_PACKAGES: Final = {"pydantic", "pydantic_core", "rfc8785", "numpy"}
PACKAGES: Final = {
    "errors": set[str](),
    "units": set[str](),
    "text": set[str](),
    "records": {"pydantic"},
    "wording": set[str](),
    "store": {"pydantic", "rfc8785", "filelock", "platformdirs"},
    "identity": {"pydantic", "securesystemslib", "cryptography"},
    "check": {"pydantic"},
    "report": {"pydantic", "jinja2", "pandas", "rich", "altair"},
}
"""Other people's packages, where a room may use few."""
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
    "huggingface_hub": {"bench.weights", "bench.submit.dataset"},
    "httpx2": {"bench.submit"},
    "pytest": {"bench.pytest_plugin", "bench.testing"},
    "pytest_benchmark": set[str](),
    "securesystemslib": {"bench.identity"},
    "cryptography": {"bench.identity"},
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


def room(module: str) -> str:
    """`bench.records.check` -> `records`; empty for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def is_pure(module: str) -> bool:
    return room(module) in PURE or any(is_within(module, name) for name in PURE_MODULES)


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """All of a module's syntax tree."""
    return tuple(ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))))


def imported(module: str) -> Iterator[str]:
    """Everything that a module imports, wherever in the file, for type checkers only included."""
    for node in nodes(module):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                longer = f"{node.module}.{alias.name}"
                yield longer if longer in MODULES else str(node.module)


def is_above(other: str, module: str) -> bool:
    """Whether a module of this package is one that another may import."""
    to, own = room(other), room(module)
    return to in {"", own} or (ROOMS.index(to) < ROOMS.index(own) and to not in NEVER.get(own, ()))


def may_use(package: str, module: str) -> bool:
    """Whether a module may import this package, the standard library's included."""
    owners = ONLY_IN.get(package)
    if owners is not None and not any(is_within(module, owner) for owner in owners):
        return False
    if package in sys.stdlib_module_names:
        return not is_pure(module) or package not in IMPURE
    allowed = PACKAGES.get(room(module), PURE_PACKAGES if is_pure(module) else None)
    return package == "bench" or allowed is None or package in allowed


def test_a_module_imports_its_own_room_and_those_above() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imported(module)
        if is_within(other, "bench") and not is_above(other, module)
    ]
    assert wrong == []


def test_a_module_imports_only_the_packages_of_its_room() -> None:
    wrong = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imported(module)
        if not may_use(other.partition(".")[0], module)
    ]
    assert wrong == []


def test_every_name_in_this_test_exists() -> None:
    rooms = {room(module) for module in MODULES} - {""}
    assert sorted(rooms) == sorted(ROOMS)
    assert sorted(PURE_MODULES - set(MODULES)) == []
    assert {*NEVER, *PURE, *PACKAGES} <= rooms


def test_only_the_command_line_prints() -> None:
    wrong = [
        f"{module}:{node.lineno}"
        for module in MODULES
        if room(module) != "cli"
        for node in nodes(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"print", "input", "breakpoint", "eval", "exec"}
    ]
    assert wrong == []


def test_the_rules_would_notice() -> None:
    assert is_above("bench.records.record", "bench.judge.verdict")
    assert not is_above("bench.judge.verdict", "bench.records.record")
    assert not is_above("bench.measure.clock", "bench.report.view")
    assert may_use("pynvml", "bench.hardware.nvml")
    assert not may_use("pynvml", "bench.measure.sampler")
    assert not may_use("time", "bench.judge.verdict")
    assert not may_use("pandas", "bench.judge.verdict")


def test_the_reader_of_imports_would_notice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reader of imports finds them in functions, under TYPE_CHECKING, and as `from bench import x`."""
    source = tmp_path / "sample.py"
    source.write_text(
        "from typing import TYPE_CHECKING\nfrom bench import units\n"
        "if TYPE_CHECKING:\n    import torch\ndef f():\n    from bench.run.worker import main\n"
    )
    monkeypatch.setitem(MODULES, "bench.sample", source)
    assert set(imported("bench.sample")) == {"typing", "bench.units", "torch", "bench.run.worker"}
    assert room("bench.run.worker") == "run"


# --- what really happens on import, each in a process of its own ------------------------------------------

HEAVY: Final = {
    "torch",
    "transformers",
    "numpy",
    "pandas",
    "huggingface_hub",
    "httpx2",
    "pynvml",
    "soundfile",
    "jinja2",
    "altair",
    "securesystemslib",
    "cryptography",
}


@pytest.mark.parametrize(
    ("module", "may_load"),
    [
        ("bench", set[str]()),
        ("bench.cli.app", set[str]()),
        ("bench.pytest_plugin", set[str]()),
        ("bench.suite.suite", set[str]()),
        ("bench.judge.verdict", set[str]()),
        ("bench.report.files", set[str]()),
        ("bench.check.index", set[str]()),
        ("bench.store.journal", set[str]()),
        ("bench.identity.envelope", set[str]()),
        ("bench.identity.keys", set[str]()),
        ("bench.run.estimate", set[str]()),
        ("bench.run.run_spec", {"numpy", "pynvml"}),
        ("bench.moss_audio", set[str]()),
        ("bench.audio.clips", {"numpy"}),
        ("bench.compare.compare", {"numpy"}),
        ("bench.doctor.gather", {"numpy", "pynvml"}),
        ("bench.measure.statistics", {"numpy"}),
        ("bench.hardware.device", {"pynvml"}),
    ],
)
def test_cheap_modules_stay_cheap(module: str, may_load: set[str]) -> None:
    code = f"import json, sys, {module}; print(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name for name in json.loads(answer.stdout) if name in HEAVY}
    assert loaded <= may_load


@pytest.mark.parametrize(
    "command", [["--help"], ["submit", "--help"], ["plan", "--gpu", "rtx-4070"], ["validate", "{record}"]]
)
def test_only_what_signs_or_verifies_loads_cryptography(command: list[str]) -> None:
    record = next((ROOT.parent / "results").rglob("*-quick-*.json"))
    arguments = [word.format(record=record) for word in command]
    code = (
        "import sys; from bench.cli.app import run; code = run(sys.argv[1:]);"
        "print(code, {'cryptography', 'securesystemslib'} & sys.modules.keys())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "0 set()"


WITH_THE_MODEL: Final = {
    "bench.engines.native",
    "bench.measure.cuda",
    "bench.measure.kernels",
    "bench.measure.tracker",
    "bench.moss_audio",
    "bench.predict.cpu_workspace",
    "bench.predict.memory_events",
    "bench.predict.traced_model",
    "bench.predict.tracing",
    "bench.weights.random",
}
"""What may import the packages of the extra `run` at its own import; others import them in functions."""


def test_nothing_else_needs_what_runs_the_model_when_it_is_imported() -> None:
    light = [name for name in MODULES if not any(is_within(name, other) for other in WITH_THE_MODEL)]
    blocked = ["torch", "transformers", "accelerate", "av", "soundfile", "soxr", "safetensors", "tokenizers"]
    code = textwrap.dedent("""
        import importlib, sys
        sys.modules.update(dict.fromkeys(BLOCKED))
        for name in LIGHT:
            importlib.import_module(name)
    """)
    code = code.replace("BLOCKED", repr(blocked)).replace("LIGHT", repr(light))
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    assert {"bench.cli.plan", "bench.doctor.gather", "bench.compare.compare", "bench.run.runner"} <= set(
        light
    )


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
