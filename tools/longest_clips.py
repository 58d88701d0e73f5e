"""Tables of the longest clips by card and system, from the shipped predictions."""

import json
from collections.abc import Iterator
from typing import Final

from bench.judge.prediction import budgets_of
from bench.records.enums import Attention, Profile
from bench.records.prediction import LongestClip, PlannedSystem
from bench.records.record import Record
from bench.store.record_files import find_records, read_record
from bench.units import GIB, NOT_AVAILABLE, rate
from bench.wording.labels import KERNELS, NEVER, no_length
from tools.derived import (
    BEFORE,
    CARDS,
    LARGER,
    LINUX,
    MAX_TOKENS,
    MODEL,
    NEWER_WINDOWS,
    RESULTS,
    SYSTEMS,
    WINDOWS,
)

NAMES: Final = {
    "rtx-3060-12gb": "RTX 3060 12 GB",
    "rtx-4070": "RTX 4070",
    "rtx-4060-ti-8gb": "RTX 4060 Ti 8 GB",
    "rtx-4060-ti-16gb": "RTX 4060 Ti 16 GB",
    "rtx-5060-ti-16gb": "RTX 5060 Ti 16 GB",
    "rtx-4070-ti-super": "RTX 4070 Ti SUPER",
    "rtx-4090": "RTX 4090",
}
_PROFILES: Final = (Profile.FAITHFUL, Profile.LEAN)


def shipped(model: str, slug: str, profile: Profile, system: PlannedSystem) -> Record:
    """The shipped prediction of a card for a profile and a system.

    Raises:
        LookupError: there is none.
    """
    found = [
        record
        for record in map(read_record, find_records(RESULTS / model / slug))
        if record.derivation is not None
        and record.derivation.system == system
        and record.cells[0].requested.profile is profile
    ]
    if len(found) != 1:
        raise LookupError(f"{slug}: {len(found)} predictions for {profile}, {system}: make derived")
    return found[0]


def line_of(record: Record) -> LongestClip:
    """The predicted frontier of SDPA and the answer of the tables.

    Raises:
        LookupError: the record has none.
    """
    lines = () if record.derivation is None else record.derivation.longest_clips
    for line in lines:
        if (line.attention, line.max_tokens) == (Attention.SDPA, MAX_TOKENS):
            return line
    raise LookupError(f"{record.record_id} has no such line")


def ends(*lengths_s: float | None) -> str:
    """`60 s / 96 s / 300 s`: fits up to / likely fits up to / does not fit from.

    Of records without typical figures the first and the last.
    """
    *fits_s, misfit_s = lengths_s
    fits = [no_length(misfit_s) if length is None else f"{length:g} s" for length in fits_s]
    return " / ".join([*fits, NEVER if misfit_s is None else f"{misfit_s:g} s"])


def limits(
    slug: str, profile: Profile, system: PlannedSystem, *, headless: bool = False, model: str = MODEL
) -> str:
    """`60 s / 300 s` of a shipped prediction; `n/a` where none is shipped."""
    try:
        record = shipped(model, slug, profile, system)
        line = line_of(record)
    except LookupError:
        return NOT_AVAILABLE
    lengths = (
        (line.headless_fits_s, line.headless_likely_fits_s, line.headless_misfit_s)
        if headless
        else (line.desktop_fits_s, line.desktop_likely_fits_s, line.desktop_misfit_s)
    )
    is_known = budgets_of(record).desktop_typical_bytes is not None
    return ends(*lengths) if is_known else ends(lengths[0], lengths[-1])


def of_the_readme() -> Iterator[str]:
    """Rows of the README: each card with lean on Linux, and the ceiling of its decode speed."""
    yield "| card | memory | headless: fits up to | likely fits up to | does not fit from |" + (
        " with a desktop: fits up to | likely fits up to | does not fit from | decode, at most |"
    )
    yield f"|---|{'---:|' * 8}"
    for slug in CARDS:
        record = shipped(MODEL, slug, Profile.LEAN, LINUX)
        lengths = [
            length
            for is_headless in (True, False)
            for length in limits(slug, Profile.LEAN, LINUX, headless=is_headless).split(" / ")
        ]
        name = f"[{NAMES[slug]}](reports/{MODEL}/{slug}/check.md)"
        yield f"| {name} | {_memory(record)} | {' | '.join(lengths)} | {_ceiling(record)} |"


def _memory(record: Record) -> str:
    return f"{(record.device.memory_total_bytes or 0) / GIB:.2f} GiB"


def _ceiling(record: Record) -> str:
    """Decode speed that the card cannot pass, for a clip of one minute; `n/a` where no clip fits."""
    if line_of(record).headless_likely_fits_s is None:
        return NOT_AVAILABLE
    (envelope,) = (
        cell.envelope
        for cell in record.cells
        if (cell.requested.clip_seconds, cell.requested.max_tokens) == (60.0, MAX_TOKENS)
    )
    ceiling = envelope.ceiling if envelope else None
    return rate(ceiling.decode_tokens_per_s if ceiling else None, "tok/s")


def of_every_profile() -> Iterator[str]:
    """Rows of docs/longest-clips.md: each card with both profiles, on Linux and Windows."""
    head = ["card", "memory", "profile", f"Linux, torch {LINUX.torch}, headless"]
    head += [f"Linux, torch {LINUX.torch}, with a desktop"]
    head += [f"Windows, torch {system.torch}" for system in (WINDOWS, NEWER_WINDOWS)]
    yield f"| {' | '.join(head)} |"
    yield "|---|---:|---|---:|---:|---:|---:|"
    for profile in _PROFILES:
        kernels = (_kernel(profile, system) for system in (LINUX, *SYSTEMS))
        yield f"| *attention kernel* | | `{profile.value}` | {' | '.join(kernels)} |"
    for slug in CARDS:
        for profile in _PROFILES:
            yield _row(MODEL, slug, profile, "")
    yield _row(LARGER, "rtx-4090", Profile.FAITHFUL, " (8B)")


def _kernel(profile: Profile, system: PlannedSystem) -> str:
    """The kernel of SDPA, which is that of every card in these tables."""
    cells = shipped(MODEL, "rtx-4070", profile, system).cells
    (kernel,) = {
        cell.envelope.attention_kernel
        for cell in cells
        if cell.envelope is not None and cell.requested.attention is Attention.SDPA
    }
    return NOT_AVAILABLE if kernel is None else KERNELS[kernel]


def _row(model: str, slug: str, profile: Profile, also: str) -> str:
    memory = _memory(shipped(model, slug, Profile.FAITHFUL, LINUX))
    name = f"[{NAMES[slug]}](../reports/{model}/{slug}/check.md){also}"
    cells = [limits(slug, profile, LINUX, headless=True, model=model)]
    cells += [limits(slug, profile, system, model=model) for system in SYSTEMS]
    return f"| {name} | {memory} | `{profile.value}` | {' | '.join(cells)} |"


def of_windows() -> Iterator[str]:
    """Rows of docs/envelope.md: what Windows costs, and what lean's attention changes there."""
    head = ["card", "Linux, headless: `faithful`", "`lean`", "Windows, torch 2.13: `faithful`"]
    head += ["`lean` before", "`lean` now", "Windows, torch 2.14: `faithful`", "`lean`"]
    yield f"| {' | '.join(head)} |"
    yield f"|---|{'---:|' * (len(head) - 1)}"
    kernels = ("flash", "flash", "math", "math", "memory-efficient", "memory-efficient", "memory-efficient")
    yield f"| *attention kernel* | {' | '.join(kernels)} |"
    grouped = before()
    for slug in CARDS:
        faithful, lean = Profile.FAITHFUL, Profile.LEAN
        cells = (
            limits(slug, faithful, LINUX, headless=True),
            limits(slug, lean, LINUX, headless=True),
            limits(slug, faithful, WINDOWS),
            ends(*grouped[slug]) if slug in grouped else NOT_AVAILABLE,
            limits(slug, lean, WINDOWS),
            limits(slug, faithful, NEWER_WINDOWS),
            limits(slug, lean, NEWER_WINDOWS),
        )
        yield f"| {NAMES[slug]} | {' | '.join(cells)} |"


def before() -> dict[str, list[float | None]]:
    """The longest clips of lean on Windows before it had an attention function of its own, by card."""
    found: dict[str, list[float | None]] = json.loads(BEFORE.read_text(encoding="utf-8"))
    return found
