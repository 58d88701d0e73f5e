"""When a run may be resumed."""

from pathlib import Path
from typing import Any

import pytest

from bench.errors import UsageError
from bench.run.runner import require_same_run
from bench.store.journal import Header
from tests.store.test_journal import header

RECORD = Path("results/x.json")


def part(of: str, **update: object) -> dict[str, Any]:
    return {of: getattr(header(), of).model_copy(update=update)}


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (part("suite", sha256="0" * 64), "the suite"),
        ({"plan": ()}, "the cells"),
        (part("model", name="other"), "the model ("),
        (part("model", weights_bytes=1), "the weights"),
        (part("device", slug="rtx-4070", name="NVIDIA GeForce RTX 4070"), "the device"),
        (part("device", driver="580.95.05"), "the driver"),
        (part("environment", torch="2.0.0"), "torch ("),
        (part("environment", bench_version="9.9"), "bench"),
        ({"machine_key": "0" * 32}, "the graphics card"),
    ],
)
def test_a_run_that_changed_is_not_resumed_and_says_what_changed(update: dict[str, Any], said: str) -> None:
    now = header().model_copy(update=update)
    with pytest.raises(UsageError) as caught:
        require_same_run(RECORD, header(), now)
    words = caught.value.message.removeprefix("x.json cannot be resumed: ").removesuffix(" changed since")
    assert words.startswith(said)
    assert "," not in words, "each change is named once"


def test_two_values_of_a_driver_are_shown() -> None:
    def driven_by(driver: str) -> Header:
        return header().model_copy(update=part("device", driver=driver))

    with pytest.raises(UsageError, match=r"the driver \(550\.54 -> 580\.95\) changed since"):
        require_same_run(RECORD, driven_by("550.54"), driven_by("580.95"))


def test_the_same_run_may_be_resumed() -> None:
    require_same_run(RECORD, header(), header())
