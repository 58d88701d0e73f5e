"""What cells can differ in beside clip length, new tokens and attention."""

from collections.abc import Iterable, Sequence

from bench.judge.same_run import VARIANT, request_key
from bench.records.record import Requested


def settings_of(wanted: Requested) -> tuple[str, ...]:
    """The values of `VARIANT`, in that order."""
    return tuple(map(str, request_key(VARIANT, wanted)))


def varying(settings: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The names of the settings that are not the same in all of these."""
    columns = zip(*set(settings), strict=True)
    return tuple(name for name, values in zip(VARIANT, columns, strict=False) if len(set(values)) > 1)


def words_of(settings: Sequence[str], names: Sequence[str]) -> tuple[str, ...]:
    """`profile lean`, `dtype float16`: those of one cell that have these names."""
    named = zip(VARIANT, settings, strict=False)
    return tuple(f"{name.replace('_', ' ')} {value}" for name, value in named if name in names)
