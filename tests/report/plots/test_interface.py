"""Words that all plots share."""

from bench.report.plots.interface import counted, joined


def test_one_cell_and_many() -> None:
    assert (counted(1), counted(1200)) == ("1 cell", "1,200 cells")


def test_a_long_list_is_cut() -> None:
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined([str(n) for n in range(9)]) == "0, 1, 2, 3, 4, 5 and 3 more"
