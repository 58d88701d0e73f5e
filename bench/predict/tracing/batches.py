"""Batches of encoder chunks: run once or twice, then repeated for any number of chunks. Pure: no torch."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.predict.events import Event, Kernel
from bench.predict.tracing.families import Family, Lengths
from bench.predict.tracing.folding import Unfolded
from bench.predict.tracing.raw import Pass, Raw


@dataclass(frozen=True, slots=True)
class Piece:
    """What one call did, on its own: kernels and blocks are numbered from 0.

    `made` are the blocks that it returned, `rows` the shapes of one chunk in each.
    """

    kernels: tuple[Kernel, ...]
    events: tuple[Raw, ...]
    made: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class _Alike:
    """Calls that differ in lengths only."""

    wheres: tuple[Pass | None, ...]
    made: tuple[int, ...]
    rows: tuple[tuple[int, ...], ...]
    family: Family = field(default_factory=Family)


@dataclass(slots=True)
class Batches:
    """What is known of batches. Their sizes follow from `lengths`, what else they do from their `kind`."""

    _known: dict[object, _Alike] = field(default_factory=dict)

    def add(self, kind: object, lengths: Lengths, piece: Piece) -> None:
        """Take in a batch that ran."""
        wheres = tuple(event.where for event in piece.events)
        alike = self._known.setdefault(kind, _Alike(wheres, piece.made, piece.rows))
        events = tuple(Event(event.kernel, event.block, event.size_bytes) for event in piece.events)
        if (wheres, piece.made, piece.rows) == (alike.wheres, alike.made, alike.rows):
            alike.family.add(lengths, Unfolded(piece.kernels, events, ()))

    def of(self, kind: object, lengths: Lengths) -> Piece | None:
        """What such a batch does; None where that does not follow from those that ran."""
        alike = self._known.get(kind)
        found = None if alike is None else alike.family.at(lengths)
        if alike is None or found is None:
            return None
        events = tuple(
            Raw(event.kernel, event.block, event.size_bytes, where)
            for event, where in zip(found.events, alike.wheres, strict=True)
        )
        return Piece(found.kernels, events, alike.made, alike.rows)


def piece_of(
    kernels: Sequence[Kernel],
    events: Sequence[Raw],
    *,
    first_kernel: int,
    made: Sequence[int],
    rows: Sequence[tuple[int, ...]],
) -> Piece:
    """Cut a call out of a recording, in which its kernels begin with that number."""
    blocks: dict[int, int] = {}
    begun = min((event.where.nth for event in events if event.where is not None), default=0)
    return Piece(
        kernels=tuple(kernels),
        events=tuple(
            Raw(
                event.kernel - first_kernel,
                blocks.setdefault(event.block, len(blocks)),
                event.size_bytes,
                None if event.where is None else event.where._replace(nth=event.where.nth - begun),
            )
            for event in events
        ),
        made=tuple(blocks[block] for block in made),
        rows=tuple(rows),
    )
