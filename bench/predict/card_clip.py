"""A clip on cards that take the same memory for it, and the sources of its figures. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bench.predict.allocator.protocol import Measuring
from bench.predict.card_envelope import CardTerms
from bench.predict.setting import Setting
from bench.records.enums import Profile


@dataclass(frozen=True, slots=True)
class Place:
    """Settings of a card that decide a cell's memory, apart from model, clip and answer.

    `kept_bytes` is the workspace of cuBLAS, `weights_blocks` the blocks that loading may begin with, the most
    likely first, `measuring` how a cell is measured.
    """

    kept_bytes: int
    weights_blocks: tuple[int, ...]
    measuring: Measuring


@dataclass(frozen=True, slots=True)
class CardClip:
    """One clip of a model in a setting of a profile, whose weights the profile places."""

    profile: Profile
    setting: Setting
    mel_frames: int
    prompt_tokens: int
    place: Place


class TermsSource(Protocol):
    """A source of figures for one model."""

    def find(self, clip: CardClip, max_tokens: Sequence[int]) -> Mapping[int, CardTerms]:
        """Return the figures by length of the answer; answers without figures are left out."""
