"""The words of what a suite expects and of what was found."""

import pytest

from bench.records.cell import Failed, Measured, OutOfMemory, Skipped, Timeout, Unsupported
from bench.records.expectations import Bound, ExpectationResult, Finding, FoundEnd, FoundValue, Sign
from bench.wording.expectations import found, wanted

PRUNED = Skipped(reason="10 s with 128 tokens ran out of memory", cause="pruned")


def finding(key: str, want: bool | Bound, seen: FoundEnd | FoundValue) -> Finding:
    return Finding("0" * 12, key, want, seen, ExpectationResult.NOT_JUDGED)


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (FoundEnd(Measured()), "ran"),
        (FoundEnd(Measured(), spilled=True), "ran with part of it in system memory"),
        (
            FoundEnd(OutOfMemory(reason="full"), contended=True),
            "ran out of memory while another program computed on the card",
        ),
        (FoundEnd(OutOfMemory(reason="full")), "out of memory: full"),
        (FoundEnd(PRUNED), "not run: 10 s with 128 tokens ran out of memory"),
        (FoundEnd(Skipped(reason="the run ended", cause="interrupted")), "skipped: the run ended"),
        (FoundEnd(Unsupported(reason="no flash-attn")), "unsupported: no flash-attn"),
        (FoundEnd(Failed(reason="cuDNN error")), "failed: cuDNN error"),
        (FoundEnd(Timeout(reason="no token for 300 s", limit_s=300)), "timeout: no token for 300 s"),
    ],
)
def test_how_a_cell_ended(end: FoundEnd, words: str) -> None:
    assert found(finding("fits", True, end)) == words


def test_whether_a_cell_must_fit() -> None:
    assert wanted(finding("fits", True, FoundEnd(PRUNED))) == "fits"
    assert wanted(finding("fits", False, FoundEnd(PRUNED))) == "does not fit"


def test_sizes_have_both_units_and_labels_follow_the_figure() -> None:
    limit, seen = Bound(Sign.AT_MOST, 10 * 2**30), FoundValue(11_390_000_000, ("throttled",))
    size = finding("process_peak_bytes", limit, seen)
    assert wanted(size) == "process_peak_bytes <= 10.74 GB (10.00 GiB)"
    assert found(size) == "11.39 GB (10.61 GiB) (throttled)"


def test_numbers_have_six_digits_or_their_thousands() -> None:
    limit = Bound(Sign.AT_LEAST, 20.0)
    assert wanted(finding("decode_tokens_per_s", limit, FoundValue(None))) == "decode_tokens_per_s >= 20"
    assert found(finding("decode_tokens_per_s", limit, FoundValue(46.56789))) == "46.5679"
    assert found(finding("decode_tokens_per_s", limit, FoundValue(1_234_567.8))) == "1,234,568"
    assert found(finding("decode_tokens_per_s", limit, FoundValue(None))) == "not available"
