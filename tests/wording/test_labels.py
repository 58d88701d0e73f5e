"""Every code that a record contains has a name: a new one without a name fails here, not on a page."""

from collections.abc import Iterable, Mapping
from typing import get_args

import pytest

from bench.records.enums import (
    Attention,
    AttentionKernel,
    OperatingSystem,
    Provenance,
    Status,
    Verdict,
    WeightMode,
)
from bench.wording import labels


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (labels.VERDICTS, Verdict),
        (labels.PREDICTED_CELLS, Verdict),
        (labels.PROVENANCES, Provenance),
        (labels.WEIGHTS, WeightMode),
        (labels.ATTENTIONS, Attention),
        (labels.KERNELS, get_args(AttentionKernel)),
        (labels.SYSTEMS, get_args(OperatingSystem)),
        (labels.STATUSES, get_args(Status)),
    ],
)
def test_each_code_has_a_name(table: Mapping[str, str], codes: Iterable[str]) -> None:
    assert set(table) == set(codes)
    assert all(table.values())


def test_an_own_suite_is_distinguished_from_the_shipped_one_of_its_name() -> None:
    named = [labels.suite("standard", "1", origin) for origin in ("shipped", None, "own")]
    assert named == ["standard 1", "standard 1", "standard 1 (own suite)"]


def test_a_length_that_no_clip_has_is_uncertain_unless_nothing_fits() -> None:
    assert labels.no_length(None) == labels.no_length(300.0) == "uncertain"
    assert labels.no_length(1.0) == "no clip"
