"""The facts of this machine, as far as a machine without a card has them."""

import pytest

from bench.doctor.gather import gather
from bench.doctor.imports import Imports
from bench.errors import UsageError
from bench.packages import version_of


def test_where_the_cpu_is_wanted_no_card_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.doctor.gather.try_imports", Imports)  # imports each: seconds
    facts = gather(device="cpu")
    assert facts.cpu_wanted
    assert (facts.cards, facts.unusable, facts.driver_error, facts.wanted) == ((), (), None, None)
    assert facts.torch is not None
    assert facts.torch.version == version_of("torch")
    assert facts.host.ram_total_bytes > facts.host.ram_available_bytes > 0


def test_a_card_and_a_device_together_are_refused() -> None:
    with pytest.raises(UsageError, match="--gpu and --device are both given"):
        gather(gpu="rtx-4070", device="cpu")
