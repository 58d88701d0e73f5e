"""The shipped predictions of the released models: memory of whole clips, found without torch.

A shard is a gzipped JSON object for one model, profile, kernel and way of grouping:
`data/predictions/HASH/faithful-flash.json.gz`, HASH being the begin of the configuration's hash. It has the
figures of many clips, as columns of numbers, for each answer and each place. Nearly all of them are straight
lines in pieces, so that columns are kept as second differences: most of these are 0.

`python -m tools.predictions` makes the shards.
"""

import gzip
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter

from bench import shipped
from bench.predict.allocator.caching import RULES_OF
from bench.predict.card_clip import CardClip, Place
from bench.predict.card_envelope import CardTerms, PhaseTerms
from bench.predict.setting import Setting
from bench.records.enums import Phase, Profile

_Item = TypeVar("_Item")

FOLDER: Final = "predictions"
_HASH_LETTERS: Final = 16
_WHOLE: Final = (
    "activations_peak_bytes",
    "convolution_bytes",
    "reserved_bytes",
    "reserved_with_convolution_bytes",
)
"""The columns of a whole cell, by the names of `CardTerms`."""
_PARTS: Final = ("cache_bytes", "activations_bytes", "rounding_bytes")
"""The columns of a phase, by the names of `PhaseTerms`; the operator at its peak is one more."""


@dataclass(frozen=True, slots=True)
class Key:
    """What the figures of a shard hold for."""

    config_sha256: str
    profile: Profile
    setting: Setting
    allocator: str = RULES_OF

    @property
    def path(self) -> tuple[str, str]:
        """Return folder and name of its file, below the shipped predictions."""
        grouping = "" if self.setting.is_grouped else "-ungrouped"
        name = f"{self.profile.value}-{self.setting.kernel}{grouping}.json.gz"
        return self.config_sha256[:_HASH_LETTERS], name


Columns = Mapping[str, int]
"""Of one answer: the index of each column in `Document.columns`, by name."""


@dataclass(frozen=True, slots=True)
class PlaceTable:
    """The clips of one place, and the columns of each answer, by its length."""

    place: Place
    mel_frames: tuple[int, ...]
    prompt_tokens: tuple[int, ...]
    answers: Mapping[int, Columns]


@dataclass(frozen=True, slots=True)
class Document:
    """A shard as it is stored.

    `traced_with` are the versions of torch and transformers; `operators` the names that the columns
    `*.peak_op` number; `columns` second differences, a value for each clip of a place.
    """

    key: Key
    traced_with: Mapping[str, str]
    weights_bytes: int
    buffers_bytes: int
    operators: tuple[str, ...]
    places: tuple[PlaceTable, ...]
    columns: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class ClipTerms:
    """The figures of one clip on cards of one place, by the length of the answer."""

    place: Place
    mel_frames: int
    prompt_tokens: int
    terms: Mapping[int, CardTerms]


_DOCUMENT: Final = TypeAdapter(Document)


# --- looking up -------------------------------------------------------------------------------------------


class ShippedTable:
    """The shipped figures of one configuration; none for a model that was not released."""

    def __init__(self, config_sha256: str) -> None:
        self._config_sha256 = config_sha256
        self._shards: dict[Key, Shard | None] = {}

    def find(self, clip: CardClip, max_tokens: Sequence[int]) -> dict[int, CardTerms]:
        """Return the figures of those of these answers that the table has."""
        key = Key(self._config_sha256, clip.profile, clip.setting)
        if key not in self._shards:
            path = shipped.data(FOLDER, *key.path)
            found = Shard(read_shard(path.read_bytes())) if path.is_file() else None
            self._shards[key] = found if found is not None and found.document.key == key else None
        shard = self._shards[key]
        return {} if shard is None else shard.find(clip, max_tokens)


class Shard:
    """One shard, whose columns are summed when they are asked for."""

    def __init__(self, document: Document) -> None:
        self.document: Final = document
        self._tables = {table.place: table for table in document.places}
        self._rows = {
            (table.place, frames, prompt): row
            for table in document.places
            for row, (frames, prompt) in enumerate(zip(table.mel_frames, table.prompt_tokens, strict=True))
        }
        self._sums: dict[int, tuple[int, ...]] = {}

    def find(self, clip: CardClip, max_tokens: Sequence[int]) -> dict[int, CardTerms]:
        """Return the figures of those of these answers that the shard has."""
        row = self._rows.get((clip.place, clip.mel_frames, clip.prompt_tokens))
        if row is None:
            return {}
        answers = self._tables[clip.place].answers
        return {tokens: self._terms(answers[tokens], clip, row) for tokens in max_tokens if tokens in answers}

    def _terms(self, columns: Columns, clip: CardClip, row: int) -> CardTerms:
        def value(name: str) -> int:
            return self._summed(columns[name])[row]

        operators = self.document.operators
        return CardTerms(
            weights_bytes=self.document.weights_bytes,
            buffers_bytes=self.document.buffers_bytes,
            kept_bytes=clip.place.kept_bytes,
            prompt_tokens=clip.prompt_tokens,
            activations_peak_bytes=value("activations_peak_bytes"),
            convolution_bytes=value("convolution_bytes"),
            reserved_bytes=value("reserved_bytes"),
            reserved_with_convolution_bytes=value("reserved_with_convolution_bytes"),
            phases={
                phase: PhaseTerms(
                    cache_bytes=value(f"{phase}.cache_bytes"),
                    activations_bytes=value(f"{phase}.activations_bytes"),
                    rounding_bytes=value(f"{phase}.rounding_bytes"),
                    peak_op=operators[value(f"{phase}.peak_op")],
                )
                for phase in Phase
                if f"{phase}.peak_op" in columns
            },
        )

    def _summed(self, column: int) -> tuple[int, ...]:
        if column not in self._sums:
            self._sums[column] = tuple(accumulate(accumulate(self.document.columns[column])))
        return self._sums[column]


# --- files ------------------------------------------------------------------------------------------------


def read_shard(content: bytes) -> Document:
    """Return the document in the content of a file.

    Raises:
        ValueError: it is no shard.
    """
    try:
        return _DOCUMENT.validate_json(gzip.decompress(content))
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"no shard: {error}") from error


def render_shard(document: Document) -> bytes:
    """Return the content of a file, the same bytes for the same document."""
    return gzip.compress(_DOCUMENT.dump_json(document), mtime=0)


def document_of(key: Key, traced_with: Mapping[str, str], clips: Sequence[ClipTerms]) -> Document:
    """Return the shard of these clips; all those of one place have the same answers.

    The order of the clips is kept: those of regular lengths come first, so that their differences are small.
    """
    columns, operators = _Numbered[tuple[int, ...]](), _Numbered[str]()
    places = []
    for place in dict.fromkeys(clip.place for clip in clips):
        there = [clip for clip in clips if clip.place == place]
        answers = {
            tokens: {
                name: columns.number(_differences(_differences(values)))
                for name, values in _named_columns([clip.terms[tokens] for clip in there], operators).items()
            }
            for tokens in there[0].terms
        }
        frames, prompts = zip(*((clip.mel_frames, clip.prompt_tokens) for clip in there), strict=True)
        places.append(PlaceTable(place, frames, prompts, answers))
    first = next(iter(clips[0].terms.values()))
    return Document(
        key=key,
        traced_with=traced_with,
        weights_bytes=first.weights_bytes,
        buffers_bytes=first.buffers_bytes,
        operators=operators.all,
        places=tuple(places),
        columns=columns.all,
    )


class _Numbered(Generic[_Item]):
    """Different values in the order in which they came."""

    def __init__(self) -> None:
        self._numbers: dict[_Item, int] = {}

    def number(self, item: _Item) -> int:
        return self._numbers.setdefault(item, len(self._numbers))

    @property
    def all(self) -> tuple[_Item, ...]:
        return tuple(self._numbers)


def _named_columns(cells: Sequence[CardTerms], operators: _Numbered[str]) -> dict[str, list[int]]:
    found = {name: [getattr(cell, name) for cell in cells] for name in _WHOLE}
    for phase in cells[0].phases:
        parts = [cell.phases[phase] for cell in cells]
        found |= {f"{phase}.{name}": [getattr(part, name) for part in parts] for name in _PARTS}
        found[f"{phase}.peak_op"] = [operators.number(part.peak_op) for part in parts]
    return found


def _differences(values: Iterable[int]) -> tuple[int, ...]:
    """Return the first value, then each less the one before: `accumulate` undoes it."""
    found, before = [], 0
    for value in values:
        found.append(value - before)
        before = value
    return tuple(found)
