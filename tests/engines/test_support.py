import pytest

from bench.engines.support import Surroundings, unsupported
from bench.hardware.catalog import cards
from bench.records.words import Attention

FLASH = Attention.FLASH_ATTENTION_2


@pytest.mark.parametrize("attention", [Attention.EAGER, Attention.SDPA])
@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_torch_brings_eager_and_sdpa_everywhere(attention: Attention, kind: str) -> None:
    assert unsupported(attention, Surroundings(kind, None, None)) is None


@pytest.mark.parametrize(
    ("here", "reason"),
    [
        (Surroundings("cpu", None, "2.8.3"), "needs an NVIDIA GPU"),
        (Surroundings("cuda", "7.5", "2.8.3"), "needs compute capability 8.0; this card has 7.5"),
        (Surroundings("cuda", "8.9", None), "flash-attn is not installed"),
        (Surroundings("cuda", None, None), "flash-attn is not installed"),
        (Surroundings("cpu", None, None), "needs an NVIDIA GPU"),
    ],
)
def test_flash_attention_says_what_it_lacks(here: Surroundings, reason: str) -> None:
    """What cannot be helped comes before what can be installed."""
    assert reason in str(unsupported(FLASH, here))


@pytest.mark.parametrize("capability", ["8.0", "8.6", "8.9", "9.0", "10.0", "12.0", "12.1", None])
def test_flash_attention_runs_from_ampere_on(capability: str | None) -> None:
    assert unsupported(FLASH, Surroundings("cuda", capability, "2.8.3")) is None


def test_the_turing_cards_of_the_catalog_are_those_without_it() -> None:
    without = {
        card.slug
        for card in cards()
        if unsupported(FLASH, Surroundings("cuda", card.compute_capability, "2.8.3")) is not None
    }
    assert without == {"rtx-2060-12gb", "rtx-2080-ti", "t4"}
