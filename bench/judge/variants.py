"""What cells can differ in beside clip length, new tokens and attention."""

from collections.abc import Iterable, Sequence
from typing import Final

from bench.records.schema import Requested

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


def varying(wanted: Iterable[Requested]) -> tuple[str, ...]:
    """The names of the settings that are not the same in all of these."""
    columns = zip(*map(settings_of, wanted), strict=True)
    return tuple(name for name, values in zip(SETTINGS, columns, strict=False) if len(set(values)) > 1)


def words_of(wanted: Requested, names: Sequence[str]) -> tuple[str, ...]:
    """`profile lean`, `dtype float16`: these settings of one cell."""
    return tuple(f"{name.replace('_', ' ')} {getattr(wanted, name)}" for name in names)
