"""Two hundred runs and more, of every kind: what was asked for, and what happened."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from bench.records.enums import Attention, Profile, WeightMode
from bench.units import GIB, MIB

FOUR: Final = "MOSS-Audio-4B-Instruct"
EIGHT: Final = "MOSS-Audio-8B-Instruct"
UNLISTED: Final = "NVIDIA GeForce RTX 6090"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a run was asked for, and what happened to it.

    Attributes:
        card: slug of the catalog, the name of another card, or None for a CPU.
        system: linux, windows (no memory by process) or wsl2 (neither).
        ends: the outcome of single cells by their place: killed, timeout, or retried (an earlier attempt).
        pace: how much longer everything takes than on a card at its best.
        done: cells that ran before the run was interrupted; None for all.
    """

    seed: int = 0
    card: str | None = "rtx-4070"
    system: str = "linux"
    suite: str = "quick"
    own: bool = False
    model: str = FOUR
    weights: WeightMode = WeightMode.HUB
    dtype: str | None = None
    profile: Profile | None = None
    clips: tuple[float, ...] | None = None
    tokens: tuple[int, ...] | None = None
    attention: tuple[Attention, ...] | None = None
    repeats: int | None = None
    has_flash: bool = True
    state: str = ""
    ends: tuple[tuple[int, str], ...] = ()
    done: int | None = None
    is_search: bool = False
    emulated_bytes: int | None = None
    has_power: bool = True
    pace: float = 1.0

    @property
    def name(self) -> str:
        """A name for a test."""
        parts = (self.card or "cpu", self.system, self.suite, self.weights.value, self.state, str(self.seed))
        return "-".join(part.replace(" ", "_") for part in parts if part)


_SHORT: Final = Recipe(clips=(10.0,), tokens=(128,))


def recipes() -> tuple[Recipe, ...]:
    """Return two hundred and more runs, all different."""
    return tuple(replace(recipe, seed=seed) for seed, recipe in enumerate(_recipes()))


def _recipes() -> Iterator[Recipe]:
    lean = Profile.LEAN
    listed = (
        "rtx-4070",
        "rtx-4090",
        "rtx-3060-12gb",
        "h100-sxm",
        "h200",
        "a100-40gb-pcie",
        "rtx-5090",
        "rtx-4090-laptop",
    )
    for card in (*listed, UNLISTED):
        for system in ("linux", "windows", "wsl2"):
            for state in ("", "noisy", "contended", "throttled"):
                flash = system != "windows"
                yield Recipe(card=card, system=system, state=state, clips=(10.0,), has_flash=flash)
        for repeats in (1, 3, 5, 6, 10):
            yield replace(_SHORT, card=card, repeats=repeats)
        yield replace(_SHORT, card=card, profile=lean)
        yield replace(_SHORT, card=card, weights=WeightMode.RANDOM, has_power=False)
        yield replace(_SHORT, card=card, weights=WeightMode.LOCAL)
        yield Recipe(card=card, own=True, tokens=(1, 2, 32), clips=(0.2, 7.5))
        yield Recipe(card=card, is_search=True, clips=(10.0, 40.0), tokens=(128,))
        yield Recipe(card=card, ends=((0, "killed"), (1, "timeout"), (2, "retried")))
    yield Recipe(card="rtx-4090", suite="standard")
    yield Recipe(card=None, clips=(10.0,), tokens=(16,))
    for card in ("rtx-4070", "h200"):
        yield Recipe(card=card, suite="long-audio", has_flash=False)
        yield Recipe(card=card, weights=WeightMode.TINY, suite="smoke")
        yield Recipe(card=card, done=3)
        yield Recipe(card=card, done=0)
        yield Recipe(card=card, emulated_bytes=12 * GIB - 6 * MIB)
    yield Recipe(card="rtx-4090", model=EIGHT)
    yield Recipe(card="rtx-4070", model=EIGHT)  # nothing fits
    yield Recipe(card="h200", own=True, dtype="float32", attention=(Attention.SDPA,), clips=(10.0,))
    yield replace(_SHORT, card="h200", own=True, dtype="float16")
    for profile in (Profile.FAITHFUL, lean):
        for repeats in (1, 3, 5, 7):
            weights = WeightMode.RANDOM if repeats % 2 else WeightMode.HUB
            yield Recipe(card=None, weights=weights, profile=profile, repeats=repeats, tokens=(8,))
            yield Recipe(card=None, weights=WeightMode.TINY, suite="smoke", profile=profile, repeats=repeats)
            yield Recipe(
                card=None, weights=WeightMode.TINY, suite="smoke", repeats=repeats, emulated_bytes=2 * GIB
            )
            yield Recipe(card=None, weights=WeightMode.TINY, suite="smoke", state="noisy", repeats=repeats)
            yield Recipe(card=None, weights=WeightMode.LOCAL, own=True, repeats=repeats, tokens=(1, 8))
