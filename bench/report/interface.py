"""The view: everything that formats show, already in words; and the type of a format.

A format is a function from a `View` to text. It chooses what to show and how to lay it out; it computes
nothing and formats no number. Every string of a view has passed `text.clean`, but is still untrusted: each
format escapes for its own syntax.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bench.judge.memory import CardMemory
from bench.records.base import ByteInterval
from bench.records.card import Emulation
from bench.records.cell import MemoryTrace
from bench.records.check import Check, FrontierLine
from bench.records.enums import Attention, AttentionKernel, Fit, Provenance, Verdict, WeightMode
from bench.records.prediction import PlannedSystem
from bench.report.answer import Answer
from bench.report.basics import Fact, Figure, Status, Tone
from bench.report.prediction import Derived, Prediction
from bench.wording.labels import KERNELS, PROVENANCES


@dataclass(frozen=True, slots=True)
class Repetition:
    """One raw generation: `1`, `2`, ... or `cold`, and its figures in the order of `repeat_columns`."""

    name: str
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PhasePeak:
    """Memory at its highest in one phase."""

    allocated: str
    reserved: str
    resident: str


@dataclass(frozen=True, slots=True)
class Row:
    """One cell with all its figures and words. `figures` has every name of `COLUMNS`.

    `provenance` and `weight_mode` belong to every figure of the row; `shape` names the cell: `60 s × 512`.
    `labels` are the record's, `marks` those and our own, such as `not comparable`; `comparison` says why, and
    `same_kernels_as` with which cells. `fits_with_desktop` is None if not known. `prediction` is None for a
    cell that was not predicted. `predicted_bytes` is the memory that a card must have by a prediction; a cell
    that ran may have one too. `machines` is None if a record does not name its machine. `trace` is memory
    over time, None if not recorded. `fit` is the fit of the cell over all records. `anchor` is its name in a
    page: two rows of a cell have two. `system` is that of a prediction, `kernel` that of the language model's
    attention, as it ran or is predicted; empty if not known.
    """

    cell_id: str
    anchor: str
    variant: str
    attention: Attention
    profile: str
    dtype: str
    clip_seconds: float
    max_tokens: int
    clip: str
    tokens: str
    shape: str
    provenance: Provenance
    weight_mode: WeightMode
    status: Status
    figures: Mapping[str, Figure]
    peak_words: str
    peak: Figure
    prompt: str
    labels: tuple[str, ...]
    marks: tuple[str, ...]
    comparison: str
    same_kernels_as: tuple[str, ...]
    fits_with_desktop: bool | None
    error_tail: tuple[str, ...]
    phases: Mapping[str, PhasePeak]
    repetitions: tuple[Repetition, ...]
    prediction: Prediction | None
    predicted_bytes: ByteInterval | None
    machines: int | None
    records: int
    trace: MemoryTrace | None = None
    fit: Fit | None = None
    system: PlannedSystem | None = None
    kernel: AttentionKernel | None = None


@dataclass(frozen=True, slots=True)
class GridCell:
    """One point of a grid: its row, and a tint from 0 (least memory of all rows) to 4, or None."""

    row: Row
    heat: int | None


@dataclass(frozen=True, slots=True)
class GridLine:
    """Cells of one clip length, one for each number of new tokens; None if the suite has no such cell."""

    clip: str
    cells: tuple[GridCell | None, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """Clip length × new tokens for one attention. `uniform`: all cells are unsupported for one reason.

    `rows` has every cell. `lines` are bounded: cells that share nothing would make a huge grid.
    """

    title: str
    columns: tuple[str, ...]
    lines: tuple[GridLine, ...]
    rows: tuple[Row, ...]
    uniform: Status | None

    @property
    def provenance(self) -> Provenance | None:
        """The provenance of all its figures; None if they differ."""
        found = {row.provenance for row in self.rows}
        return found.pop() if len(found) == 1 else None

    @property
    def kernels(self) -> str:
        """`attention kernel: math`; empty if it is known of no cell."""
        found = ", ".join(sorted({KERNELS[row.kernel] for row in self.rows if row.kernel is not None}))
        return f"attention kernel: {found}" if found else ""

    @property
    def is_whole(self) -> bool:
        """True if each of its cells is in one of its lines, which are bounded."""
        return self.uniform is not None or len(self.rows) == sum(
            cell is not None for line in self.lines for cell in line.cells
        )

    @property
    def has_run(self) -> bool:
        """True if any of its cells ran."""
        return any(row.status.code == "measured" for row in self.rows)

    @property
    def is_predicted(self) -> bool:
        """True if it shows predictions and no cell that ran."""
        return not self.has_run and any(row.prediction is not None for row in self.rows)


@dataclass(frozen=True, slots=True)
class Miss:
    """One reason why cells have no figures, and those cells: `600 s × 512 (SDPA)`, or a whole grid."""

    status: Status
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LengthWords:
    """The three predicted lengths against one budget; `likely` is not available in older records."""

    fits: str
    likely: str
    misfit: str


@dataclass(frozen=True, slots=True)
class FrontierRow:
    """A frontier line in words, and the line itself.

    What ran has the longest clips and the smallest misfit; `headless` and `desktop` are those of a
    prediction, None where a budget was not requested.
    `context` is the longest clip that fits the model's context, empty if the line comes from cells alone.
    `basis` is `3 machines` or `5 records`, empty for one record. `kernel` is empty if not known.
    """

    line: FrontierLine
    attention_words: str
    kernel: str
    longest_fit: str
    longest_fit_with_desktop: str
    smallest_misfit: str
    headless: LengthWords | None
    desktop: LengthWords | None
    context: str
    basis: str


@dataclass(frozen=True, slots=True)
class FrontierTable:
    """The lines of one provenance: runs and predictions are never in one table."""

    provenance: Provenance
    lines: tuple[FrontierRow, ...]

    @property
    def is_predicted(self) -> bool:
        """True if all lines are predictions."""
        return self.provenance is Provenance.DERIVED

    @property
    def shows_kernel(self) -> bool:
        """True if any line knows the attention kernel."""
        return any(row.kernel for row in self.lines)

    @property
    def shows_headless(self) -> bool:
        """True if any line knows the longest clip without a desktop."""
        return any(row.headless for row in self.lines)

    @property
    def shows_desktop(self) -> bool:
        """True if any line knows the longest clip with a desktop."""
        return any(row.line.desktop_is_known for row in self.lines)


@dataclass(frozen=True, slots=True)
class Kernels:
    """Settings in force and requested, and the number of cells that share them. `differs`: not equal."""

    cells: int
    facts: tuple[Fact, ...]
    differs: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Model, device and record; of several records the newest. `kind`: `cuda` or `cpu`."""

    model: str
    gpu: str
    kind: str
    memory_total_bytes: int | None
    record_id: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class Source:
    """A record in a merged view. `machine` is a number of this view, `link` a relative path."""

    record_id: str
    content_hash: str
    date: str
    provenance: str
    weights: str
    suite: str
    verdict: str
    machine: str
    link: str


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One figure of one cell on which machines or records disagree. `name`: of the figure, or `fit`."""

    name: str
    cell: str
    what: str
    found: str


@dataclass(frozen=True, slots=True)
class Merged:
    """Parts of a view that only several records have. `basis`: `5 records, 3 machines`.

    `*_left_out`: the number beyond the bound of a page; `check.json` has all of them.
    """

    basis: str
    sources: tuple[Source, ...]
    sources_left_out: int
    disagreements: tuple[Disagreement, ...]
    disagreements_left_out: int


@dataclass(frozen=True, slots=True)
class View:
    """Everything that formats show about one record, or about merged records of one model on one card.

    `stamp` is provenance and weight mode in a few words. It is part of every table, so that no figure is read
    without them; `stamp_basis` is the number of records that the verdict rests on, empty for one record.
    `card` has the facts about the graphics card, its budget first; empty without a card. `card_lines` are
    these facts in a few words. `derived` is None unless every figure is a prediction; formats then show it in
    place of measured tables. `check` is the document behind the view. `merged` is None for one record; with
    several records figures are medians, and raw repeats are in the report of each.
    """

    identity: Identity
    provenance: Provenance
    stamp: str
    stamp_basis: str
    stamp_tone: Tone
    verdict: Verdict
    verdict_word: str
    verdict_tone: Tone
    why: str
    caveats: tuple[str, ...]
    highlights: tuple[Fact, ...]
    header: tuple[Fact, ...]
    repeat_command: str
    repeat_notes: tuple[str, ...]
    memory: CardMemory
    emulation: Emulation | None
    card: tuple[Fact, ...]
    card_lines: tuple[str, ...]
    answer: Answer | None
    frontier: tuple[FrontierRow, ...]
    grids: tuple[Grid, ...]
    shared_grids: tuple[Grid, ...]
    heat_legend: str
    misses: tuple[Miss, ...]
    memory_sources: tuple[Fact, ...]
    repeat_columns: tuple[str, ...]
    kernels: tuple[Kernels, ...]
    environment: tuple[Fact, ...]
    derived: Derived | None
    check: Check
    merged: Merged | None

    @property
    def headline_stamp(self) -> str:
        """The stamp of the verdict: a table can rest on fewer records than the verdict."""
        return ", ".join(filter(None, (self.stamp, self.stamp_basis)))

    @property
    def is_emulated(self) -> bool:
        """True if another device emulated the card: every speed is then that of the other device."""
        return self.emulation is not None or self.provenance is Provenance.EMULATED

    @property
    def headline(self) -> str:
        """The verdict; that of a prediction is never taken for a measured one."""
        return f"Predicted: {self.verdict_word.lower()}" if self.is_predicted else self.verdict_word

    @property
    def has_run(self) -> bool:
        """True if any cell ran."""
        return any(grid.has_run for grid in self.grids)

    @property
    def grids_have_every_cell(self) -> bool:
        """True if no grid was bounded."""
        return all(grid.is_whole for grid in self.grids)

    @property
    def is_predicted(self) -> bool:
        """True if every figure is a prediction, of one plan or of several."""
        return self.derived is not None or (self.provenance is Provenance.DERIVED and not self.has_run)

    @property
    def frontiers(self) -> tuple[FrontierTable, ...]:
        """The frontier as tables, one for each provenance."""
        kinds = dict.fromkeys(row.line.provenance for row in self.frontier)
        return tuple(
            FrontierTable(kind, tuple(row for row in self.frontier if row.line.provenance is kind))
            for kind in kinds
        )

    def stamp_of(self, provenance: Provenance | None) -> Fact:
        """The stamp of figures of that provenance, its tone as the note. None means that of the view."""
        if provenance in {None, self.provenance}:
            return Fact("Provenance", self.stamp, self.stamp_tone)
        return Fact("Provenance", PROVENANCES[Provenance(provenance)], Tone.WARN)

    def stamp_of_answer(self, provenance: Provenance) -> Fact:
        """The stamp of the answer. That of predictions names no system: the rows are of several."""
        found = self.stamp_of(provenance)
        return replace(found, text=PROVENANCES[provenance]) if provenance is Provenance.DERIVED else found

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every cell, grid by grid."""
        return tuple(row for grid in self.grids for row in grid.rows)


class Render(Protocol):
    """One format: the whole view as text, without touching disk, clock or network."""

    def __call__(self, view: View) -> str:
        """The finished document."""
        ...
