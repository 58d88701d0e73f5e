"""The registry of formats."""

import pytest

from bench.report.formats import FORMATS, renderer
from bench.report.view import view_of
from tests.samples import records as sample


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders(name: str) -> None:
    assert "MOSS-Audio-4B-Instruct" in renderer(name)(view_of(sample.smoke()))


def test_an_unknown_format_is_an_error() -> None:
    with pytest.raises(KeyError):
        renderer("pdf")
