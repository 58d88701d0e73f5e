"""What a card loses beside torch, as ranges with their evidence, and whether a need fits what is left. Pure.

Only a whole interval says yes or no: what needs at most the least room fits, what needs at least more than
the most room does not, and all else is too close to call.

The total is the catalog's, which is what NVML reports; torch's own total is smaller by what the driver keeps,
so that the two are never mixed. A part whose memory is the host's (NVIDIA GB10) has no total of its own: what
is free there depends on the host, and no budget can be planned without it.
"""

from typing import Final

from bench.errors import UsageError
from bench.hardware import allowance
from bench.hardware.allowance import Allowance
from bench.hardware.catalog import Card
from bench.records.base import Interval
from bench.records.enums import Fit
from bench.records.prediction import Term


def term(found: Allowance) -> Term:
    """A range and where it was seen."""
    return Term(low_bytes=found.low_bytes, high_bytes=found.high_bytes, evidence=found.evidence)


DRIVER_RESERVE: Final = term(allowance.RESERVE)
CONTEXT: Final = term(allowance.CONTEXT)
DESKTOP: Final = term(allowance.DESKTOP)


def interval(of: Term) -> Interval:
    """The range alone, in bytes."""
    return Interval(low=of.low_bytes, high=of.high_bytes)


def headless_room(card: Card) -> Interval:
    """Bytes that programs can have of a card without a display: its total less what its driver keeps.

    Raises:
        UsageError: the catalog does not know the card's memory.
    """
    return _less(_total(card), DRIVER_RESERVE)


def desktop_room(card: Card) -> Interval:
    """Bytes that are left for programs beside an idle desktop on the same card.

    Raises:
        UsageError: the catalog does not know the card's memory.
    """
    return _less(headless_room(card), DESKTOP)


def fit(need: Interval, room: Interval) -> Fit:
    """Whether what is needed fits, as far as both are known."""
    if need.high <= room.low:
        return Fit.FITS
    return Fit.DOES_NOT_FIT if need.low > room.high else Fit.TOO_CLOSE_TO_CALL


def _total(card: Card) -> Interval:
    if card.memory_total_bytes is None:
        why = f" ({card.remark})" if card.remark else ""
        raise UsageError(
            f"Nothing can be planned for {card.nvml_name}: the catalog knows no total of its memory{why}",
            hint="Measure on it with `bench run`, or plan for a card that `bench gpus` lists with a size",
        )
    return Interval(low=card.memory_total_bytes, high=card.memory_total_bytes)


def _less(room: Interval, taken: Term) -> Interval:
    return Interval(low=max(0, room.low - taken.high_bytes), high=max(0, room.high - taken.low_bytes))
