"""The settings of each profile of the native engine. Pure: no torch.

`faithful` runs as upstream does. `lean` saves memory where the model's output stays the same within the
golden tolerance; docs/envelope.md has the memory that each setting saves on a 12 GB card.
"""

from dataclasses import dataclass
from typing import Final, Literal, assert_never

from bench.records.enums import Profile, SdpaKernel

# The stem of four chunks takes 98 MiB in BF16, less than the prefill of any clip beyond a minute.
_CHUNKS: Final = 4
# In pieces of 512 positions the feed-forward layers of the prefill take less than its attention.
_POSITIONS: Final = 512


@dataclass(frozen=True, slots=True)
class ProfileSettings:
    """Settings of a model that a suite does not contain.

    Attributes:
        logits_positions: logits of every position of the prompt, or of the last one, which alone is needed.
        encoder_chunks_at_once: chunks of 4 s that go through the encoder together; None: as the model has it.
        mlp_positions_at_once: positions of the prompt that go through a feed-forward layer of the language
            model together; None: all.
        hold_audio: the embeddings of the audio and the encoder's taps are kept until the pass over the prompt
            returns. Nothing reads them: upstream's local variables live that long.
        grouping: when SDPA of the language model is called with fewer heads of keys than of queries: always,
            or only where a fused kernel accepts such a call.
        embeddings: the place of the table of text embeddings. A token reads one row of a few kilobytes; the
            head has a table of its own.
    """

    logits_positions: Literal["all", "last"]
    encoder_chunks_at_once: int | None
    mlp_positions_at_once: int | None
    hold_audio: bool
    grouping: Literal["always", "where_fused"]
    embeddings: Literal["device", "host"]

    def is_grouped(self, kernel_of_groups: SdpaKernel | None) -> bool:
        """Return whether SDPA is called with groups, given the kernel that torch runs for such a call.

        `kernel_of_groups` is from torch's dispatcher for a run, from `sdpa_rules` for a prediction. Where it
        is None, unknown, it may be *math*: a call without groups has a fused kernel either way.
        """
        return self.grouping == "always" or kernel_of_groups not in {"math", None}


_FAITHFUL: Final = ProfileSettings(
    logits_positions="all",
    encoder_chunks_at_once=None,
    mlp_positions_at_once=None,
    hold_audio=True,
    grouping="always",
    embeddings="device",
)
_LEAN: Final = ProfileSettings(
    logits_positions="last",
    encoder_chunks_at_once=_CHUNKS,
    mlp_positions_at_once=_POSITIONS,
    hold_audio=False,
    grouping="where_fused",
    embeddings="host",
)


def settings_of(profile: Profile) -> ProfileSettings:
    """Return the settings of a profile."""
    match profile:
        case Profile.FAITHFUL:
            return _FAITHFUL
        case Profile.LEAN:
            return _LEAN
        case _:
            assert_never(profile)
