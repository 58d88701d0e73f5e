"""What a command says where what runs the model, or its build for the card, is not installed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.doctor.installed import lacking, require_build, require_packages
from bench.errors import DeviceError, PackageError
from bench.hardware.device import Device, the_cpu
from bench.packages import Fault, fault_of
from tests.doctor.site import write_torch
from tests.fake_driver.driver import environment_of
from tests.run.processes import environment

CARD = Device("cuda", "rtx-4070", "RTX 4070", 12 * 2**30, uuid="GPU-a1")
INDEX = "https://download.pytorch.org/whl"


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where another torch is put in front of the installed one."""
    monkeypatch.delitem(sys.modules, "torch", raising=False)  # whose place would be the answer
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("version", "cuda", "says"),
    [("2.13.0+cpu", None, "built for the CPU only"), ("2.13.0", None, "built for the CPU only")],
)
def test_a_build_for_the_cpu_is_refused_on_a_card(
    build: Path, version: str, cuda: str | None, says: str
) -> None:
    """Also PyPI's build for Windows, whose version does not say it."""
    write_torch(build, version, cuda)
    with pytest.raises(DeviceError, match=f"torch .* is {says}, and cannot use RTX 4070") as caught:
        require_build(CARD)
    assert "cu130" in (caught.value.hint or "")
    require_build(the_cpu())


def test_a_build_for_cards_is_accepted(build: Path) -> None:
    write_torch(build, "2.13.0+cu130", "13.0")
    require_build(CARD)


def missing(package: str) -> Fault:
    found = fault_of("no-such-package", None)
    assert found is not None
    return Fault(package, found.why, found.command)


def test_a_package_of_the_extra_has_the_command_of_the_extra() -> None:
    error = lacking([missing("soxr"), missing("no-such-package")])
    assert error is not None
    assert error.exit_code == 3
    assert error.message.startswith(
        "the packages that run the model are not installed (no-such-package, soxr): "
    )
    assert [command.split()[-1] for command in error.commands] == ['".[run]"', "no-such-package"]
    assert lacking([missing("no-such-package")]) is None
    assert lacking([Fault("transformers", "4.40 is too old", "pip install")]) is None


def test_other_packages_have_commands_of_their_own() -> None:
    require_packages(["numpy", "soxr"])
    with pytest.raises(PackageError, match="Install it: pip install no-such-package"):
        require_packages(["no-such-package"])


ASK = """
import json, sys
from importlib.abc import MetaPathFinder
class Hidden(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
from dataclasses import replace
from bench.doctor import installed
here = replace(installed.host(), makefile=False, extra_command='pip install "moss-audio-bench[run]"')
installed.host = lambda: here
installed.extra_command = lambda extra: here.extra_command
try:
    installed.require_packages(["torch", "transformers"])
except installed.PackageError as error:
    print(json.dumps(error.commands))
"""


@pytest.mark.parametrize(
    ("scenario", "hidden", "torch", "commands"),
    [
        ("rtx-4070-headless", ["torch", "transformers"], None, ["2.13.0+cu130", "run"]),
        ("old-cuda", ["torch", "transformers"], None, ["2.9.1+cu128", "run"]),
        ("rtx-4070-headless", ["transformers"], ("2.13.0+cu130", "13.0"), ["run"]),
        ("rtx-4070-headless", ["transformers"], ("2.13.0+cpu", None), ["2.13.0+cu130", "run"]),
        ("rtx-4070-headless", ["torch"], None, ["2.13.0+cu130"]),
    ],
)
def test_the_commands_are_those_for_the_driver_and_for_what_is_missing(
    fake_nvml: Path,
    tmp_path: Path,
    scenario: str,
    hidden: list[str],
    torch: tuple[str, str | None] | None,
    commands: list[str],
) -> None:
    if torch is not None:
        write_torch(tmp_path, *torch)
    own = environment(tmp_path) | environment_of(scenario, fake_nvml) | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", ASK, *hidden]
    ended = subprocess.run(command, env=own, capture_output=True, text=True, check=True, timeout=60)
    expected = {
        "2.13.0+cu130": f"pip install torch==2.13.0+cu130 -i {INDEX}/cu130",
        "2.9.1+cu128": f"pip install torch==2.9.1+cu128 -i {INDEX}/cu128",
        "run": 'pip install "moss-audio-bench[run]"',
    }
    assert json.loads(ended.stdout) == [expected[each] for each in commands]
