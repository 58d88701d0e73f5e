import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bench.records.enums import Attention
from bench.records.expectations import Bound, Sign
from bench.records.metrics import METRICS
from bench.suite.expectations import Expectation
from tests.samples import records as sample


def test_every_metric_of_a_record_can_be_bounded() -> None:
    assert set(Expectation.model_fields) - {"fits", "clip_seconds", "max_tokens", "attention"} == set(METRICS)


@pytest.mark.parametrize(
    ("metric", "text", "sign", "limit"),
    [
        ("decode_tokens_per_s", ">= 20", Sign.AT_LEAST, 20),
        ("latency_s", " <=0.25 ", Sign.AT_MOST, 0.25),
        ("process_peak_bytes", "<= 11.5GiB", Sign.AT_MOST, 12_348_030_976),
        ("reserved_peak_bytes", "<= 11.5 GB", Sign.AT_MOST, 11_500_000_000),
        ("device_peak_bytes", ">= 12348030976", Sign.AT_LEAST, 12_348_030_976),
    ],
)
def test_a_bound_is_read_in_the_unit_of_its_metric(metric: str, text: str, sign: Sign, limit: float) -> None:
    assert Expectation.model_validate({metric: text}).bounds == {metric: Bound(sign, limit)}


@pytest.mark.parametrize(
    "text",
    [">20", "= 20", "20", ">= ", ">= -1", ">= 1e9", ">= nan", "<= 11.5GiB", ">= 1_000", 20, None, [">= 1"]],
)
def test_what_is_no_bound_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Expectation.model_validate({"latency_s": text})


@pytest.mark.parametrize("text", ["<= 0", "<= 12 gibbons", "<= -1GiB", "<= ", "12GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Expectation.model_validate({"process_peak_bytes": text})


@given(
    limit=st.floats(0, 1e12).map(lambda number: round(number, 6)) | st.integers(0, 10**12).map(float),
    sign=st.sampled_from(Sign),
)
def test_what_a_record_holds_is_read_back_as_the_same_bound(limit: float, sign: Sign) -> None:
    first = Expectation.model_validate({"latency_s": f"{sign} {limit:.6f}"})
    assert Expectation.model_validate_json(first.model_dump_json(), strict=True) == first


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_a_value_breaks_one_side_at_most_and_the_limit_neither(limit: float, value: float) -> None:
    least, most = Bound(Sign.AT_LEAST, limit), Bound(Sign.AT_MOST, limit)
    assert least.holds(value) or most.holds(value)
    assert (least.holds(value) and most.holds(value)) == (value == limit)


def test_what_is_left_out_chooses_every_cell() -> None:
    cell = sample.requested(60, 128, Attention.SDPA)
    for chosen, covered in (
        ({}, True),
        ({"clip_seconds": [10, 60]}, True),
        ({"clip_seconds": [10]}, False),
        ({"max_tokens": [128], "attention": ["sdpa"]}, True),
        ({"max_tokens": [128], "attention": ["eager"]}, False),
    ):
        assert Expectation.model_validate({"fits": True, **chosen}).covers(cell) is covered
