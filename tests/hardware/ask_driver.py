"""Asks `bench.hardware.nvml`, and prints its answers as JSON: python -m tests.hardware.ask_driver WHAT.

Run in a process of its own, so that the real pynvml loads the fake driver that the environment names.
"""

import dataclasses
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

from bench.errors import DeviceError
from bench.hardware import nvml
from bench.hardware.readings import Sample
from bench.hardware.state import device_state

# Its command line says that it is a worker; it ends when its input does.
_WORKER: Final = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()", "bench.run.worker"]
_PATIENCE_S: Final = 20.0


def gpus() -> object:
    """Every card."""
    return [dataclasses.asdict(gpu) for gpu in nvml.gpus()]


def states() -> object:
    """The state of every card, as a record has it."""
    return [device_state(gpu).model_dump(mode="json") for gpu in nvml.gpus()]


def samples() -> object:
    """Five of each kind, of the last card, or how many there were until it was lost."""
    taken: dict[str, list[object]] = {"fast": [], "slow": [], "lost": []}
    with nvml.open_probe(nvml.gpus()[-1].uuid) as probe:
        try:
            for _ in range(5):
                taken["fast"].append(dataclasses.asdict(probe.fast()))
                taken["slow"].append(_slow(probe))
        except nvml.DriverLost as lost:
            taken["lost"].append(str(lost))
    return taken


def _slow(probe: nvml.Probe) -> dict[str, object]:
    sample = dataclasses.asdict(probe.slow())
    reasons = sample["throttle_reasons"]
    listed = {"throttle_reasons": None if reasons is None else sorted(reasons)}
    return sample | listed | {"drawing": sorted(sample["drawing"])}


def worker() -> object:
    """Memory before, while and after a worker lives; its pid, and the sample in which it was seen."""
    with nvml.open_probe(nvml.gpus()[0].uuid) as probe:
        before = probe.fast()
        with subprocess.Popen(_WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            there = _until(probe, lambda sample: sample.used_bytes != before.used_bytes)
        after = _until(probe, lambda sample: sample.used_bytes != there.used_bytes)
    named = {"before": before, "there": there, "after": after}
    return {"pid": child.pid} | {name: dataclasses.asdict(sample) for name, sample in named.items()}


def _until(probe: nvml.Probe, is_so: Callable[[Sample], bool]) -> Sample:
    end_s = time.monotonic() + _PATIENCE_S
    sample = probe.fast()
    while not is_so(sample) and time.monotonic() < end_s:
        time.sleep(0.005)
        sample = probe.fast()
    return sample


def two_threads() -> object:
    """A thread that samples while another asks for the cards, which opens and closes the driver each time."""
    probe, done, failures = nvml.open_probe(nvml.gpus()[0].uuid), threading.Event(), list[str]()

    def sample() -> None:
        try:
            while not done.is_set():
                probe.fast()
        except nvml.DriverLost as error:
            failures.append(str(error))

    thread = threading.Thread(target=sample)
    thread.start()
    counted = [len(nvml.gpus()) for _ in range(20)]
    done.set()
    thread.join()
    probe.close()
    probe.close()
    return {"cards": counted, "failures": failures, "after_close": _lost(probe.fast)}


def no_such_card() -> object:
    """A UUID that no card here has."""
    return _lost(lambda: nvml.open_probe("GPU-none"))


def _lost(ask: Callable[[], object]) -> str | None:
    try:
        ask()
    except nvml.DriverLost as error:
        return str(error)
    return None


def main() -> None:
    """Print the answer, or the error that a person would see."""
    asked = (gpus, states, samples, worker, two_threads, no_such_card)
    what = {function.__name__: function for function in asked}
    try:
        answer = what[sys.argv[1]]()
    except DeviceError as error:
        answer = {"error": str(error)}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
