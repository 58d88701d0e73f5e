"""How a cell ends as a test case."""

import pytest
from pydantic import JsonValue

from bench.records.cell import CellResult, Failed, Skipped, Timeout, Unsupported
from bench.report.ci.cases import Result, cases_of
from tests.samples import records as sample

WANT = sample.requested(60, 128)
FITS: JsonValue = {"fits": True}
FITS_NOT: JsonValue = {"fits": False}
SLOW: JsonValue = {"decode_tokens_per_s": "<= 1"}
RAN = sample.measured(WANT)
OOM = sample.out_of_memory(WANT)
PRUNED = sample.not_measured(WANT, Skipped(reason="a smaller one ran out", cause="pruned"))
STOPPED = sample.not_measured(WANT, Skipped(reason="the run ended", cause="interrupted"))
NO_FLASH = sample.not_measured(WANT, Unsupported(reason="no flash-attn"))
FAILED = sample.not_measured(WANT, Failed(reason="cuDNN error"))
LATE = sample.not_measured(WANT, Timeout(reason="no token for 300 s", limit_s=300))


@pytest.mark.parametrize(
    ("cell", "expect", "result"),
    [
        (RAN, [], Result.PASSED),
        (RAN, [FITS], Result.PASSED),
        (RAN, [FITS_NOT], Result.FAILED),
        (RAN, [FITS, SLOW], Result.FAILED),
        (OOM, [], Result.PASSED),
        (OOM, [FITS], Result.FAILED),
        (OOM, [FITS_NOT], Result.PASSED),
        (OOM, [SLOW], Result.FAILED),
        (PRUNED, [], Result.SKIPPED),
        (PRUNED, [FITS], Result.FAILED),
        (PRUNED, [FITS_NOT], Result.PASSED),
        (STOPPED, [FITS], Result.SKIPPED),
        (NO_FLASH, [FITS], Result.SKIPPED),
        (FAILED, [FITS], Result.ERROR),
        (LATE, [], Result.ERROR),
    ],
)
def test_what_is_expected_decides_first(cell: CellResult, expect: list[JsonValue], result: Result) -> None:
    (case,) = cases_of(sample.record([cell], definition={"expect": expect}))
    assert case.result is result
    assert (case.why == "") is (result is Result.PASSED)


def test_why_a_case_failed_names_everything_that_is_not_met() -> None:
    spilled = sample.measured(WANT, labels=("spilled",))
    (case,) = cases_of(sample.record([spilled], definition={"expect": [FITS, SLOW]}))
    assert case.name == "60 s, 128 tokens, sdpa"
    assert case.why.startswith("expected fits, found ran with part of it in system memory; expected decode")
