"""How figures of a comparison are written."""

import pytest

from bench.judge.compare.wording import p_text


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "p < 0.0001"), (0.00009, "p < 0.0001"), (0.0078, "p = 0.0078"), (1.0, "p = 1")]
)
def test_no_p_is_0(p: float, text: str) -> None:
    assert p_text(p) == text
