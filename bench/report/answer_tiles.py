"""The four tiles of a prediction: longest clip, ceiling of speed, peak and budget."""

from collections.abc import Iterator
from typing import Final

from bench import units
from bench.records.check import Check, CheckPrediction, CheckRow
from bench.records.enums import Verdict
from bench.report import ranges
from bench.report.answer import PROFILES, answer
from bench.report.basics import Fact

_USUAL_CLIP_S: Final = 60.0


def predicted_tiles(check: Check) -> Iterator[Fact]:
    """Four facts; those that are not known are left out."""
    found = answer(check)
    if found is not None and found.longest is not None:
        yield Fact("Longest clip that fits", *found.longest)
    row = _usual(check)
    envelope = None if row is None else row.envelope
    if row is not None and envelope is not None:
        clip, profile = units.clip_length(row.clip_seconds), PROFILES.get(row.profile, row.profile)
        shape = f"{clip} × {row.max_tokens:,} tokens, {profile}"
        ceiling = None if envelope.ceiling is None else envelope.ceiling.decode_tokens_per_s
        # A ceiling would look like a speed where no clip fits.
        if ceiling is not None and check.verdict is not Verdict.DOES_NOT_FIT:
            yield Fact("Decode at most", units.rate(ceiling, "tok/s"), "a ceiling, not a forecast")
        if envelope.device_peak_bytes is not None:
            yield Fact("Needs", ranges.gib(envelope.device_peak_bytes), shape)
        elif envelope.allocated_peak_bytes is not None:
            yield Fact("Needs", units.gib(envelope.allocated_peak_bytes), shape)
    if check.prediction is not None:
        yield from _budget(check.prediction)


def _usual(check: Check) -> CheckRow | None:
    """The predicted cell whose clip is nearest to a minute, of equals the one with most tokens."""
    predicted = [row for row in check.rows if row.envelope is not None]
    return min(
        predicted,
        key=lambda row: (abs(row.clip_seconds - _USUAL_CLIP_S), -row.max_tokens),
        default=None,
    )


def _budget(prediction: CheckPrediction) -> Iterator[Fact]:
    headless, desktop = prediction.room_headless_bytes, prediction.room_desktop_bytes
    if headless is not None:
        note = "" if desktop is None else f"with a desktop {ranges.gib(desktop)}"
        yield Fact("Budget, headless", ranges.gib(headless), note)
    elif desktop is not None:
        yield Fact("Budget, with a desktop", ranges.gib(desktop))
