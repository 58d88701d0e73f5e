import math
import re
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.units import (
    NOT_AVAILABLE,
    both_units,
    clip_length,
    gb,
    gib,
    parse_duration,
    parse_size,
    rate,
    ratio,
    rounded,
    seconds,
)

NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?")


def test_the_weights_of_the_model_have_two_sizes() -> None:
    assert both_units(10_445_641_472) == "10.45 GB (9.73 GiB)"
    assert gib(10_445_641_472) == "9.73 GiB"
    assert gb(10_445_641_472) == "10.45 GB"


def test_a_12_gb_card_has_neither_12_gb_nor_12_gib() -> None:
    assert both_units(12282 * 2**20) == "12.88 GB (11.99 GiB)"


@given(st.integers(0, 10**13))
def test_both_units_say_the_same_size(size: int) -> None:
    decimal, binary = (Fraction(found) for found in NUMBER.findall(both_units(size)))
    assert abs(decimal * 10**9 - size) <= 10**9 / 200
    assert abs(binary * 2**30 - size) <= 2**30 / 200


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0.0 MiB"), (2**20, "1.0 MiB"), (2**30 // 10 - 1, "102.4 MiB"), (2**30 // 10, "0.10 GiB")],
)
def test_small_amounts_are_in_mib(size: int, text: str) -> None:
    assert gib(size) == text


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [
        (0.0, "0.0 ms"),
        (0.0421, "42.1 ms"),
        (0.99949, "999.5 ms"),
        (0.99951, "1.00 s"),
        (1.0, "1.00 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (60.4, "1 min"),
        (75.0, "1 min 15 s"),
        (119.6, "2 min"),
        (3599.4, "59 min 59 s"),
        (3599.6, "1 h 0 min"),
        (5400.0, "1 h 30 min"),
        (90_000.0, "25 h 0 min"),
    ],
)
def test_durations_round_over_their_edges(duration_s: float, text: str) -> None:
    assert seconds(duration_s) == text


UNITS = {"ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}


@given(st.floats(0, 1e7))
def test_a_duration_is_never_told_wrong_by_more_than_its_last_figure(duration_s: float) -> None:
    parts = seconds(duration_s).split()
    told = sum(float(number) * UNITS[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))
    last = parts[-1]
    error = {"ms": 5.1e-5, "s": 0.51 if len(parts) > 2 else 0.051, "min": 60 if "h" in parts else 0.51}[last]
    assert abs(told - duration_s) <= error
    assert not re.search(r"(?<![\d.])(60 min|60 s|60\.0 s|1000\.0 ms)", " ".join(parts))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00 tok/s"),
        (9.994, "9.99 tok/s"),
        (9.996, "10.0 tok/s"),
        (12.345, "12.3 tok/s"),
        (999.94, "999.9 tok/s"),
        (999.96, "1,000 tok/s"),
        (123_456.0, "123,456 tok/s"),
    ],
)
def test_rates_round_over_their_edges(value: float, text: str) -> None:
    assert rate(value, "tok/s") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1234, "0.123"), (1.0, "1"), (12.345, "12.3"), (999.4, "999"), (999.6, "1,000"), (54_321.0, "54,321")],
)
def test_ratios_round_over_their_edges(value: float, text: str) -> None:
    assert ratio(value) == text


@pytest.mark.parametrize(("length_s", "text"), [(10.0, "10 s"), (0.5, "0.5 s"), (3600.0, "3600 s")])
def test_clip_lengths_are_short(length_s: float, text: str) -> None:
    assert clip_length(length_s) == text


def test_what_is_not_available_is_said_so_and_is_no_zero() -> None:
    texts = {both_units(None), gb(None), gib(None), seconds(None), rate(None, "tok/s"), ratio(None)}
    texts |= {seconds(math.nan), seconds(math.inf), rate(math.nan, "tok/s"), ratio(math.inf)}
    assert texts == {NOT_AVAILABLE}


# --- sizes that people type -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("12GiB", 12 * 2**30),
        ("12GB", 12 * 10**9),
        ("12282MiB", 12_878_610_432),
        ("12878610432", 12_878_610_432),
        (" 1.5 gib ", 3 * 2**29),
        ("9007199254740991", 9_007_199_254_740_991),
        ("8191TiB", 8191 * 2**40),
        ("0.1GB", 10**8),
        ("1TiB", 2**40),
    ],
)
def test_sizes_as_the_contract_writes_them(text: str, size: int) -> None:
    assert parse_size(text) == size


@given(st.integers(1, 10**15))
def test_plain_bytes_are_exact(size: int) -> None:
    assert parse_size(str(size)) == parse_size(f"{size} B") == size


@given(st.integers(1, 8000), st.sampled_from(["k", "m", "g", "t"]), st.booleans())
def test_binary_and_decimal_units_differ(number: int, prefix: str, upper: bool) -> None:
    power = " kmgt".index(prefix)
    decimal, binary = f"{number}{prefix}b", f"{number}{prefix}ib"
    assert parse_size(decimal.upper() if upper else decimal) == number * 1000**power
    assert parse_size(binary.upper() if upper else binary) == number * 1024**power


@pytest.mark.parametrize(
    "text",
    [
        *("", "GiB", "12 parsecs", "12G", "-1GiB", "1e9", "0", "0.0000000001 B", "1,5GB", "12GiB!", "nan"),
        *("9007199254740992", "8192TiB", "900000TiB"),  # JSON cannot hold it
        *("inf", "9" * 400, "9" * 5000, "1." + "0" * 5000, "٣GB"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


@given(st.text(max_size=30))
def test_any_text_is_a_size_or_refused(text: str) -> None:
    try:
        assert parse_size(text) > 0
    except ValueError as error:
        assert "is not a size" in str(error)


def test_digits_that_mean_nothing_are_left_out() -> None:
    assert rounded(47.391738, 3) == 47.4


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_what_is_finite_stays_finite_and_close(value: float, digits: int) -> None:
    short = rounded(value, digits)
    assert math.isfinite(short)
    assert math.isclose(short, value, rel_tol=1.0, abs_tol=sys.float_info.min)


@pytest.mark.parametrize(("text", "duration_s"), [("90s", 90), ("10m", 600), ("1h", 3600), ("1.5 H", 5400)])
def test_durations_as_the_contract_writes_them(text: str, duration_s: float) -> None:
    assert parse_duration(text) == duration_s


@given(st.integers(1, 10**9), st.sampled_from(["s", "m", "h"]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: str) -> None:
    assert parse_duration(f"{number}{unit}") == number * {"s": 1, "m": 60, "h": 3600}[unit]


@pytest.mark.parametrize(
    "text",
    ["", "90", "s", "-1s", "0s", "0.0001s", "1e3s", "nan", "inf", "1h30m", "1d", "٣s", "9" * 400 + "s"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


@given(st.text(max_size=30) | st.from_regex(r"[0-9.]{1,30} ?[smhd]", fullmatch=True))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    try:
        assert 0 < parse_duration(text) < math.inf
    except ValueError as error:
        assert "is not a duration" in str(error)
