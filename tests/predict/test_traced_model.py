"""The prompt and the tensors of a model that is not loaded."""

from pathlib import Path

import pytest

from bench.errors import WeightsError
from tests.predict.planned import derived_records
from tests.run.small_model import checkpoint

pytestmark = pytest.mark.full_size  # most of it traces the 4B model


def test_headers_of_another_model(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    config = (directory / "config.json").read_text(encoding="utf-8")
    (directory / "config.json").write_text(
        config.replace('"intermediate_size": 416', '"intermediate_size": 8')
    )
    with pytest.raises(WeightsError, match=r"do not fit the model: 12 of another shape"):
        derived_records(directory, "rtx-4070", clip_seconds=(4.0,))
