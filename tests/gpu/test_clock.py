"""The two clocks of a generation, on a card."""

from time import perf_counter

import pytest
import torch

from bench.measure.cuda import cuda_stopwatch
from tests.measure.test_clock import generation

pytestmark = pytest.mark.gpu


def test_cuda_events_agree_with_the_host_once_the_work_is_done() -> None:
    watch = cuda_stopwatch(torch.device("cuda"))
    matrix = torch.randn(4096, 4096, device="cuda")
    torch.cuda.synchronize()
    start = perf_counter()
    generation(watch, tokens=1)
    for _ in range(20):
        matrix @ matrix
    watch.token()
    moments = watch.read()
    took = perf_counter() - start
    assert 0 < moments.tokens[0] < moments.tokens[1] <= took
    assert moments.tokens[1] == pytest.approx(took, rel=0.1)
