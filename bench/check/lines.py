"""The frontier over all records: from the merged rows of what ran, from the newest record of what did not."""

from collections.abc import Collection, Iterator, Sequence

from bench.check.rows import MergedCell
from bench.check.sources import Sources
from bench.check.summary import RecordHead
from bench.judge.frontier import undecided
from bench.judge.same_run import varying, words_of
from bench.records.check import FrontierLine
from bench.records.enums import Attention, Fit, Provenance

_Key = tuple[int, tuple[str, ...], int]


def merge_lines(
    sources: Sources, cells: Sequence[MergedCell], names: Sequence[str]
) -> tuple[FrontierLine, ...]:
    """One line for each attention, settings and max_tokens of what ran, then of what was predicted.

    `names`: the settings that the cells differ in. A single record keeps its own lines. Predicted lines may
    differ in more: a prediction has lines for other profiles and systems than those of its cells.
    """
    ran = [head for head in sources.counted if head.provenance is not Provenance.DERIVED]
    predicted = [head for head in sources.counted if head.provenance is Provenance.DERIVED]
    newest = tuple(_newest(predicted))
    of_all = {*names, *varying(line.settings for line in newest)}
    drawn = [_own(line, of_all) for line in newest]
    if len(ran) == 1:
        return (*(_own(line, names) for line in ran[0].lines), *drawn)
    return (*_measured(cells, names), *drawn)


def _newest(heads: Sequence[RecordHead]) -> Iterator[FrontierLine]:
    """Each predicted line once, from the newest record that draws it."""
    found = {
        _key(line.attention, line.settings, line.max_tokens): line for head in heads for line in head.lines
    }
    return iter([found[key] for key in sorted(found)])


def _key(attention: Attention, settings: tuple[str, ...], max_tokens: int) -> _Key:
    return list(Attention).index(attention), settings, max_tokens


def _own(line: FrontierLine, names: Collection[str]) -> FrontierLine:
    return line.model_copy(update={"variant": words_of(line.settings, names)})


def _measured(cells: Sequence[MergedCell], names: Sequence[str]) -> Iterator[FrontierLine]:
    groups: dict[tuple[_Key, Provenance], list[MergedCell]] = {}
    for cell in cells:
        if cell.row.provenance is not Provenance.DERIVED:
            key = _key(cell.row.attention, cell.settings, cell.row.max_tokens)
            groups.setdefault((key, cell.row.provenance), []).append(cell)
    for _, group in sorted(groups.items(), key=lambda item: item[0]):
        yield _line(group, words_of(group[0].settings, names))


def _line(group: Sequence[MergedCell], variant: tuple[str, ...]) -> FrontierLine:
    first = group[0].row
    fits = [cell.row for cell in group if cell.row.fit is Fit.FITS]
    misfits = sorted((c.row.clip_seconds, c.is_inferred) for c in group if c.row.fit is Fit.DOES_NOT_FIT)
    smallest, inferred = misfits[0] if misfits else (None, False)
    longest = max((row.clip_seconds for row in fits), default=None)
    open_end = undecided(((cell.row.clip_seconds, cell.row.status) for cell in group), longest)
    with_desktop = [row for row in fits if row.fits_with_desktop is not None]
    end = max(fits, key=lambda row: row.clip_seconds, default=first)
    crossed = smallest is not None and longest is not None and smallest <= longest
    return FrontierLine(
        provenance=first.provenance,
        machines=end.machines,
        records=end.records,
        weight_mode=first.weight_mode,
        attention=first.attention,
        max_tokens=first.max_tokens,
        variant=variant,
        longest_fit_s=longest,
        smallest_misfit_s=smallest,
        smallest_misfit_is_inferred=inferred,
        undecided_s=open_end.clip_s,
        undecided_status=open_end.status,
        longest_fit_with_desktop_s=max(
            (r.clip_seconds for r in with_desktop if r.fits_with_desktop), default=None
        ),
        desktop_is_known=bool(with_desktop),
        settings=group[0].settings,
        attention_kernel=first.attention_kernel,
        disagrees=crossed or any("fit" in cell.row.disagrees for cell in group),
    )
