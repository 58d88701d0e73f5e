"""How figures of a comparison are written."""

import pytest

from bench.compare.wording import between, cell_name, p_text, percent, share
from bench.records.base import Interval
from bench.records.comparison import LoneCell
from bench.records.enums import Attention


@pytest.mark.parametrize(
    ("p", "text"), [(0.0, "p < 0.0001"), (0.00009, "p < 0.0001"), (0.0078, "p = 0.0078"), (1.0, "p = 1")]
)
def test_no_p_is_0(p: float, text: str) -> None:
    assert p_text(p) == text


def test_a_cell_has_the_name_that_it_has_in_a_report() -> None:
    cell = LoneCell(cell_id="0", clip_seconds=10.0, max_tokens=1024, attention=Attention.FLASH_ATTENTION_2)
    assert cell_name(cell) == "10 s × 1,024 (FlashAttention 2)"


def test_percentages_have_a_sign_where_they_are_changes() -> None:
    assert [percent(0.05), percent(-0.029), percent(0.0), percent(1e-5)] == [
        "+5.0 %",
        "-2.9 %",
        "+0.0 %",
        "+0.001 %",
    ]
    assert share(0.047) == "4.7 %"
    assert between(Interval(low=-0.05, high=0.012)) == "-5.0 to +1.2 %"
