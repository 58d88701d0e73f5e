"""Figures of made-up records: a few values, cells, keys and machines, in every combination."""

from typing import Final

from hypothesis import strategies as st

from bench.check.summarise import summarise
from bench.check.summary import CellFigures, Estimate
from bench.validate.outliers import compared
from tests.validate.good import ordinary

_CELL: Final = summarise(ordinary()).cells[0]
Values = tuple[dict[str, float], ...]
"""The values of a record's cells by metric."""


def record(values: Values) -> list[CellFigures]:
    """Return the compared figures of cells that were measured with these."""
    cells = [
        _CELL.model_copy(
            update={
                "cell_id": f"{place:016x}",
                "figures": {metric: Estimate(value) for metric, value in found.items()},
            }
        )
        for place, found in enumerate(values)
    ]
    return list(compared(cells))


_figure = st.sampled_from([1.0, 1.1, 1.3, 1.35, 1.5, 2.0, 3.0, 40.0])
_size = st.sampled_from([1e9, 1.01e9, 1.2e9, 1.5e9, 3e9])
_cell = st.fixed_dictionaries(
    {}, optional={"decode_tokens_per_s": _figure, "latency_s": _figure, "reserved_peak_bytes": _size}
)
_key = st.sampled_from([None, "a", "b", "c", "d"])
_record = st.tuples(st.tuples(_cell, _cell), _key, st.sampled_from([None, "m", "n", "o"]), st.booleans())
records = st.lists(_record, min_size=1, max_size=12)
Drawn = tuple[Values, str | None, str | None, bool]
