"""What makes a tight card usable: the longest clip that surely fits a 12 GB card, setting by setting.

Predicted for MOSS-Audio-4B-Instruct on an RTX 4070 with answers of 512 tokens. A clip surely fits where the
upper end of what it needs is within the lower end of what the card leaves; every length that is named was
predicted, and so was the next second, which does not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bench.engines.support import audio_positions, longest_clip_s
from bench.hardware.catalog import Card, cards
from bench.moss_audio import MossAudioConfig, released_config
from bench.moss_audio.prompt import ShippedPrompt, split_text
from bench.predict.events import Trace
from bench.predict.prediction import OnCard, predict
from bench.predict.tracing.tracer import Setting, Tracer
from bench.records.prediction import Envelope
from tools.frontier_caches import ANSWER_TOKENS
from tools.frontier_settings import CHANGES, Case, Change, faithful_case, lean_case

MODEL: Final = "MOSS-Audio-4B-Instruct"
CARD: Final = "rtx-4070"
PROMPT: Final = "Describe this audio."
_FRAMES_PER_S: Final = 100
_HEAD: Final = (
    "| Setting | Output | Alone | Against `faithful` | With `lean` | Against `lean` |\n"
    "|---|---|---:|---:|---:|---:|"
)


@dataclass(frozen=True)
class Row:
    """A setting on top of `faithful`, and on top of `lean` (of a part of `lean`: all the others).

    Lengths in seconds; 0 where not even the shortest clip surely fits.
    """

    name: str
    same_output: bool
    alone_s: int
    with_lean_s: int


class Frontier:
    """Predicts, and traces each setting and length only once."""

    def __init__(self) -> None:
        self._config = released_config(MODEL)
        self._card = next(card for card in cards() if card.slug == CARD)
        tokenize = ShippedPrompt.load().tokenize
        self._text_tokens = sum(len(tokenize(piece)) for piece in split_text(PROMPT))
        self._tracers: dict[Setting, Tracer] = {}
        self._traces: dict[tuple[Setting, int], Trace] = {}

    @property
    def config(self) -> MossAudioConfig:
        """Shapes of the model."""
        return self._config

    @property
    def card(self) -> Card:
        """The card."""
        return self._card

    def envelope(self, case: Case, clip_s: int) -> Envelope:
        """What this clip takes on the card."""
        return predict(
            case.reshape(self._trace(case.setting, clip_s)),
            case.memory,
            OnCard(self._card, case.rules, case.loading),
            mel_frames=clip_s * _FRAMES_PER_S,
            logits_positions=case.setting.logits_positions,
            max_tokens=[ANSWER_TOKENS],
        )[ANSWER_TOKENS]

    def surely_fits(self, case: Case, clip_s: int, room_bytes: float) -> bool:
        """Whether the upper end of what the card must have is within the room."""
        need = self.envelope(case, clip_s).device_peak_bytes
        return need is not None and need.high <= room_bytes

    def longest(self, case: Case, room_bytes: float) -> int:
        """By bisection: this clip fits for sure, and one that is a second longer does not."""
        context = self._config.language_config.max_position_embeddings
        below, above = 0, longest_clip_s(context, ANSWER_TOKENS, True) + 1
        probe = min(64, above - 1)
        while above - below > 1:
            if self.surely_fits(case, probe, room_bytes):
                below = probe
                probe = min(2 * probe, (below + above) // 2)
            else:
                above = probe
                probe = (below + above) // 2
        return below

    def rows(self, room_bytes: float) -> Iterator[Row]:
        """First both profiles, then each setting alone and with `lean`."""
        faithful, lean = faithful_case(self._config), lean_case(self._config)
        yield Row("", True, self.longest(faithful, room_bytes), self.longest(lean, room_bytes))
        for change in CHANGES:
            alone = self.longest(change.apply(faithful), room_bytes)
            yield Row(change.name, change.same_output, alone, self.longest(_other(change, lean), room_bytes))

    def _trace(self, setting: Setting, clip_s: int) -> Trace:
        if (setting, clip_s) not in self._traces:
            if setting not in self._tracers:
                self._tracers[setting] = Tracer(self._config, setting)
            tokens = self._text_tokens + audio_positions(clip_s, True)
            self._traces[setting, clip_s] = self._tracers[setting].trace(clip_s * _FRAMES_PER_S, tokens)
        return self._traces[setting, clip_s]


def _other(change: Change, lean: Case) -> Case:
    return change.undo(lean) if change.undo is not None else change.apply(lean)


def table(rows: Iterator[Row]) -> Iterator[str]:
    """Markdown, a line at a time."""
    profiles = next(rows)
    yield _HEAD
    yield f"| `faithful`, `lean` | same | {_clip(profiles.alone_s)} | | {_clip(profiles.with_lean_s)} | |"
    parts = {change.name for change in CHANGES if change.is_lean}
    for row in rows:
        alone, inside = row.alone_s - profiles.alone_s, row.with_lean_s - profiles.with_lean_s
        name = f"{row.name} (part of `lean`)" if row.name in parts else row.name
        yield (
            f"| {name} | {'same' if row.same_output else 'another'} | {_clip(row.alone_s)} | {alone:+d} s "
            f"| {_clip(row.with_lean_s)} | {inside:+d} s |"
        )


def _clip(length_s: int) -> str:
    return f"{length_s} s" if length_s else "none"
