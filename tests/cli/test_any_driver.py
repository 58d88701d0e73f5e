"""Whatever the driver answers: texts of any bytes, absurd figures, any error at any call, at any time."""

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fake_driver.driver import environment_of
from tests.run.processes import environment

Answers = list[tuple[int, str, str]]
Ask = Callable[[str, list[list[str]]], Answers]

_NAMES: Final = "UNKNOWN GPU_IS_LOST NOT_SUPPORTED NO_PERMISSION NO_DATA FUNCTION_NOT_FOUND"
_FIGURES: Final = "0 1 -1 7 8.9 0xffffffff 0x100000000 0xffffffffffffffff 1e30 12282MiB 24GiB"
_KEYS: Final = """
    memory.total memory.reserved memory.used memory.free display_mode display_active power power_limit
    power_limit_default power_limit_enforced energy temperature sm_clock memory_clock throttle pcie_generation
    pcie_width pcie_generation_max pcie_width_max ecc persistence mig mig_slots
"""
_CALLS: Final = """
    nvmlInitWithFlags nvmlShutdown nvmlSystemGetDriverVersion nvmlSystemGetCudaDriverVersion
    nvmlSystemGetProcessName nvmlDeviceGetCount_v2 nvmlDeviceGetHandleByIndex_v2 nvmlDeviceGetUUID
    nvmlDeviceGetName nvmlDeviceGetCudaComputeCapability nvmlDeviceGetMemoryInfo_v2 nvmlDeviceGetMemoryInfo
    nvmlDeviceGetComputeRunningProcesses_v3 nvmlDeviceGetGraphicsRunningProcesses_v3 nvmlDeviceGetMigMode
    nvmlDeviceGetMaxMigDeviceCount nvmlDeviceGetMigDeviceHandleByIndex
"""
_TEXTS: Final = (
    "NVIDIA GeForce RTX 4070",
    "NVIDIA GeForce RTX 4060 Ti",
    "cpu",
    "NVIDIA CON",
    "x" * 1000,
    "../../etc",
)


def one_of(words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words.split())


errors = one_of(_NAMES) | st.integers(1, 1100).map("ERROR_{}".format)
numbers = one_of(_FIGURES)
later = st.just("") | st.integers(2, 9).map("#{}".format)
values = st.one_of(numbers, st.builds("{} {}{}".format, numbers, errors, later), errors)
texts = st.binary(max_size=90).map(lambda text: "".join(f"<{byte:02X}>" for byte in text)) | st.sampled_from(
    _TEXTS
)
uuids = st.sampled_from(["GPU-a", "GPU-b", "MIG-c", "GPU-a,GPU-b", "<00>"]) | texts
keys, calls = one_of(_KEYS), one_of(_CALLS)
failures = st.builds("fail {} {}".format, calls, st.builds("0 {}{}".format, errors, later) | errors)
processes = st.builds(
    "process {} {} {} ; name {}".format,
    st.integers(1, 2**32 - 1),
    st.sampled_from(["C", "G", "CG"]),
    numbers,
    texts.filter(bool),
)
USUAL: Final = ("capability 8.9", "memory.total 12282MiB", "memory.reserved 434MiB", "memory.used 27MiB")
cards = st.builds(
    lambda kind, uuid, name, lines: "\n".join([kind, f"uuid {uuid}", f"name {name}", *USUAL, *lines]),
    st.sampled_from(["[gpu]", "[gpu]", "[gpu]\nuuid GPU-whole\nname A100\nmig 1\nmig_slots 2\n[slice]"]),
    uuids.filter(bool),
    texts.filter(bool),
    st.lists(
        st.one_of(
            st.builds("{} {}".format, keys, values),
            st.builds("capability {}.{}".format, st.integers(-2, 99), st.integers(-2, 99)),
            processes,
            failures,
        ),
        max_size=12,
    ),
)
machines = st.builds(
    lambda lines, found: "\n".join([*lines, *found]) + "\n",
    st.lists(
        st.one_of(
            st.builds("driver {}".format, texts.filter(bool)),
            st.builds("cuda {}".format, numbers),
            st.builds("count {}".format, st.sampled_from(["0", "1", "0xffffffff"])),
            st.builds("error_string {}".format, texts.filter(bool)),
            failures,
        ),
        max_size=3,
    ),
    st.lists(cards, max_size=3),
)
COMMANDS: Final = (
    ["gpus"],
    ["gpus", "--json"],
    ["doctor"],
    ["doctor", "--json"],
    ["run", "--dry-run"],
    ["run", "--gpu", "rtx-4070", "--dry-run", "--clip-seconds", "1", "--max-tokens", "8"],
    ["frontier", "--suite", "quick", "--dry-run"],
)
UNSAFE: Final = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Categories of characters that can rewrite a terminal, or swap the order of letters."""
GARBAGE: Final = "<FF><1B>[31m<0A>"


@pytest.fixture(scope="module")
def ask(fake_nvml: Path, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Run command lines on an emulated machine: the exit code, output and errors of each."""
    folder = tmp_path_factory.mktemp("machines")
    own = environment(home) | environment_of("rtx-4070-headless", fake_nvml)
    own.pop("CUDA_VISIBLE_DEVICES", None)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fake_driver.many_machines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
        env=own,
    ) as process:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None
        assert stdout is not None
        machines_so_far = 0

        def run(scenario: str, commands: list[list[str]]) -> Answers:
            nonlocal machines_so_far
            machines_so_far += 1
            path = folder / f"{machines_so_far}.txt"  # the library reads a file once
            path.write_text(scenario, encoding="utf-8")
            stdin.write(f"{json.dumps([os.fspath(path), commands])}\n")
            stdin.flush()
            answers: Answers = json.loads(stdout.readline())
            return answers

        yield run
        stdin.close()


def require_readable(answers: Answers) -> None:
    for code, out, err in answers:
        assert code in {0, 2, 3}, err
        steering = {letter for letter in out + err if unicodedata.category(letter) in UNSAFE} - {"\n"}
        assert not steering, repr(out + err)


@settings(
    max_examples=40,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example("[gpu]\nuuid GPU-a\nname <FF><1B>[31m\ncapability 8.9\nmemory.total 0\nmemory.used 0\n")
@example("[gpu]\nuuid GPU-a\nname A100\nmig 1\nmig_slots 0xffffffff\n")
@example(
    "count 0xffffffff\nerror_string <FF>\nfail nvmlDeviceGetName ERROR_1234\n[gpu]\nuuid GPU-a\nname X\n"
)
@given(machine=machines)
def test_no_answer_of_the_driver_is_a_bug_or_reaches_a_terminal_raw(ask: Ask, machine: str) -> None:
    require_readable(ask(machine, [list(command) for command in COMMANDS]))


@pytest.mark.emulated
def test_a_prediction_for_a_garbage_card_is_readable_too(ask: Ask) -> None:
    lines = (
        "capability 8.9",
        "memory.total 12282MiB",
        "memory.used 27MiB",
        "process 4190999 G 50MiB ; name <CE>",
    )
    card = "\n".join(["[gpu]", "uuid GPU-a", f"name {GARBAGE}", *lines, ""])
    command = ["plan", "--clip-seconds", "1", "--max-tokens", "8", "--attention", "sdpa"]
    answers = ask(f"driver {GARBAGE}\n{card}", [command])
    require_readable(answers)
    assert [code for code, _, _ in answers] == [0], answers
