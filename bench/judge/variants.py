"""What cells can differ in beside clip length, new tokens and attention."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.records.record import Requested

SETTINGS: Final = (
    "engine",
    "profile",
    "dtype",
    "encoder_attention",
    "time_markers",
    "weight_mode",
    "seed",
)


def settings_of(wanted: Requested) -> tuple[str, ...]:
    """The values of `SETTINGS`, in that order."""
    return tuple(str(getattr(wanted, name)) for name in SETTINGS)


def varying(settings: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The names of the settings that are not the same in all of these."""
    columns = zip(*set(settings), strict=True)
    return tuple(name for name, values in zip(SETTINGS, columns, strict=False) if len(set(values)) > 1)


def words_of(settings: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """`profile lean`, `dtype float16`: those of one cell that have these names."""
    named = zip(SETTINGS, settings, strict=False)
    return tuple(f"{name.replace('_', ' ')} {value}" for name, value in named if name in names)
