"""One warm worker, measured with the sampler on and off in turns; a line of JSON per pair: [on, off].

Usage: python -m tests.benchmarks.sampler_on_and_off CHECKPOINT SUITE PAIRS, under the fake driver.

Prints decode tokens/s: the median over TURNS cells with the sampler and as many without. They take turns
within a pair, so that whatever else the machine does falls on both.
"""

import json
import sys
from pathlib import Path
from statistics import median
from typing import Final

from bench.audio import clips
from bench.engines.interface import ModelSource
from bench.hardware import nvml
from bench.measure.sampler import Sampler
from bench.records.enums import WeightMode
from bench.run.child import Mailbox
from bench.run.isolation import Isolation
from bench.run.protocol import Finished, Job, Setup
from bench.suite.cells import expand
from bench.suite.suite import read_suite

TURNS: Final = 4


def main() -> None:
    """Measure and print."""
    directory, suite_path, pairs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    suite = read_suite(suite_path)
    (cell,) = expand(suite, weight_mode=WeightMode.LOCAL, clip_source_sha256=clips.shipped_speech().sha256)
    source = ModelSource(name="tiny", weight_mode=WeightMode.LOCAL, directory=directory)
    isolation = Isolation(
        Setup(engine="native", source=source, device="cpu", dtype="float32", audio=None), Mailbox()
    )
    (gpu,) = nvml.gpus()

    def rates() -> list[float]:
        job = Job(requested=cell.requested, measure=suite.measure)
        end = isolation.measure(job, suite.measure.cell_limit_s, lambda _: None)
        assert isinstance(end, Finished), end
        return [repeat.decode_tokens_per_s or 0.0 for repeat in end.repeats]

    def rates_while_sampled() -> list[float]:
        sampler = Sampler(nvml.open_probe(gpu.uuid))
        found = rates()
        sampler.close()
        assert sampler.lost is None
        return found

    rates()  # loads the model
    for _ in range(pairs):
        on: list[float] = []
        off: list[float] = []
        for turn in range(TURNS):
            if turn % 2:
                on += rates_while_sampled()
                off += rates()
            else:
                off += rates()
                on += rates_while_sampled()
        print(json.dumps([median(on), median(off)]), flush=True)
    isolation.retire()


if __name__ == "__main__":
    main()
