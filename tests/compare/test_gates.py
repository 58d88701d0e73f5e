"""Gates as they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.compare.gates import parse_gate
from bench.errors import UsageError
from bench.records.metrics import METRICS, Better


@given(st.sampled_from(sorted(METRICS)), st.decimals(0, 99, places=2))
def test_a_gate_allows_what_it_says_and_not_more(metric: str, percent: object) -> None:
    sign = "-" if METRICS[metric].better is Better.HIGHER else "+"
    gate = parse_gate(f"{metric}:{sign}{percent}%")
    worse = -1 if sign == "-" else 1
    assert gate.limit == pytest.approx(worse * float(str(percent)) / 100)
    assert not gate.is_beyond(gate.limit)
    assert gate.is_beyond(gate.limit + worse * 1e-9)
    assert not gate.is_beyond(-worse * 0.5)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("decode_tokens_per_s", "is no gate. Write METRIC:-5%"),
        ("decode_tokens_per_s:5%", "is no gate"),
        ("decode_tokens_per_s:-5", "is no gate"),
        ("decode_tokens_per_s:-5%\n", "is no gate"),
        ("decode_tokens_per_s:-٥%", "is no gate"),
        ("latency_s:+1e3%", "is no gate"),
        ("decode_tokens_s:-5%", "Did you mean decode_tokens_per_s"),
        ("vram:+5%", "There are load_s, "),
        ("decode_tokens_per_s:+5%", "gets worse as it falls, not with '+'. Write decode_tokens_per_s:-5%"),
        ("latency_s:-5%", "gets worse as it rises, not with '-'. Write latency_s:+5%"),
        ("decode_tokens_per_s:-100%", "cannot fall by 100%"),
    ],
)
def test_what_is_no_gate_is_said_with_what_to_write(text: str, says: str) -> None:
    with pytest.raises(UsageError, match="--fail-on") as refused:
        parse_gate(text)
    assert says in str(refused.value)
