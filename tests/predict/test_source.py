from pathlib import Path

import pytest

from tests.predict.planned import derived_records
from tests.run.small_model import checkpoint

pytestmark = pytest.mark.full_size  # it traces models


def test_headers_are_taken_where_weights_are(tmp_path: Path) -> None:
    directory = checkpoint(tmp_path)
    (record,) = derived_records(directory, "rtx-4070", clip_seconds=(4.0,))
    assert record.derivation is not None
    assert record.derivation.weights_source == "safetensors headers"
