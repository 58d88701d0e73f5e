"""One warm worker, measured with the sampler on and off in turns; a line of JSON per pair: [on, off].

Usage: python -m tests.benchmarks.sampler_on_and_off CHECKPOINT SUITE PAIRS, under the fake driver.

Prints decode tokens/s (the median of the repeats). Which of the two is first changes from pair to pair.
"""

import json
import sys
from pathlib import Path
from statistics import median

from bench import clips
from bench.cells import expand
from bench.engines.interface import ModelSource
from bench.hardware import nvml
from bench.measure.sampler import Sampler
from bench.records.words import WeightMode
from bench.run.child import Mailbox
from bench.run.isolation import Isolation
from bench.run.protocol import Finished, Job, Setup
from bench.suite import read_suite


def main() -> None:
    """Measure and print."""
    directory, suite_path, pairs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    suite = read_suite(suite_path)
    (cell,) = expand(suite, weight_mode=WeightMode.LOCAL, clip_source_sha256=clips.shipped_speech().sha256)
    source = ModelSource(name="tiny", weight_mode=WeightMode.LOCAL, directory=directory)
    isolation = Isolation(Setup(source=source, device="cpu", dtype="float32", audio=None), Mailbox())
    (gpu,) = nvml.gpus()

    def rate() -> float:
        job = Job(requested=cell.requested, measure=suite.measure)
        end = isolation.measure(job, suite.measure.cell_limit_s, lambda _: None)
        assert isinstance(end, Finished), end
        return median(repeat.decode_tokens_per_s or 0.0 for repeat in end.repeats)

    def rate_while_sampled() -> float:
        sampler = Sampler(nvml.open_probe(gpu.uuid))
        found = rate()
        sampler.close()
        assert sampler.lost is None
        return found

    rate()  # loads the model
    for number in range(pairs):
        if number % 2:
            on, off = rate_while_sampled(), rate()
        else:
            off, on = rate(), rate_while_sampled()
        print(json.dumps([on, off]), flush=True)
    isolation.retire()


if __name__ == "__main__":
    main()
