import sys

import numpy as np
import pytest

from bench.measure.resident import Resident

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a peak that can be reset")
SIZE = 200 * 2**20


@linux
def test_the_resident_peak_rises_with_what_is_written_and_starts_anew() -> None:
    resident = Resident()
    resident.begin()
    before = resident.now()
    block = np.ones(SIZE // 8)
    assert resident.now() - before == pytest.approx(SIZE, rel=0.05)
    del block
    peak = resident.peak()
    assert peak is not None
    assert peak - before == pytest.approx(SIZE, rel=0.05)
    resident.begin()
    after = resident.peak()
    assert after is not None
    assert after < peak - SIZE / 2


@linux
def test_where_the_peak_cannot_be_reset_it_is_none_not_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    resident = Resident()
    assert resident.source is None
    assert resident.peak() is None
    assert resident.now() > 0
