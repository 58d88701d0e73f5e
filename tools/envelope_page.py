"""The figures of docs/envelope.md, from the derived records of an RTX 4070."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from bench.hardware.budget import fit
from bench.judge.prediction import budgets_of
from bench.records.base import ByteInterval
from bench.records.cell import CellResult
from bench.records.enums import Attention, Phase, Profile
from bench.records.prediction import Envelope, Term
from bench.records.record import Record
from bench.units import MIB, both_units
from tools import longest_clips
from tools.derived import LINUX, ROOT

PAGE: Final = ROOT / "docs" / "envelope.md"
RECORDS: Final = ROOT / "results" / "MOSS-Audio-4B-Instruct" / "rtx-4070"
CLIP_S: Final = 60
MAX_TOKENS: Final = 512
_MARKED: Final = re.compile(r"<!-- (?P<name>\w+) -->(?P<text>.*?)<!-- end -->", re.DOTALL)


def marked(page: str) -> dict[str, str]:
    """Text between each marker and its end, by the marker's name."""
    return {found["name"]: found["text"] for found in _MARKED.finditer(page)}


def filled(page: str, texts: Mapping[str, str]) -> str:
    """The page with these texts at their markers; the other markers keep theirs.

    Raises:
        KeyError: the page has no such marker.
    """
    missing = texts.keys() - marked(page).keys()
    if missing:
        raise KeyError(", ".join(sorted(missing)))

    def text(found: re.Match[str]) -> str:
        name = found["name"]
        return f"<!-- {name} -->{texts.get(name, found['text'])}<!-- end -->"

    return _MARKED.sub(text, page)


def derived(profile: Profile) -> Record:
    """The shipped prediction for the card on Linux with this profile."""
    return longest_clips.shipped(RECORDS.parent.name, RECORDS.name, profile, LINUX)


def example(profile: Profile) -> CellResult:
    """The cell of the worked example: SDPA."""
    (found,) = (
        cell
        for cell in derived(profile).cells
        if (cell.requested.clip_seconds, cell.requested.max_tokens) == (CLIP_S, MAX_TOKENS)
        and cell.requested.attention is Attention.SDPA
    )
    return found


def blocks() -> dict[str, str]:
    """Text for each marker of the page."""
    record = derived(Profile.FAITHFUL)
    budgets, envelope = budgets_of(record), example(Profile.FAITHFUL).envelope
    if envelope is None:
        raise ValueError("the record has no prediction of the example")
    need = _known(envelope.device_peak_bytes)
    return {
        "phases": _lines(_phases(envelope)),
        "card": _lines(_from_tensors_to_the_card(envelope, record)),
        "weights": both_units(envelope.weights_bytes),
        "cache": both_units(envelope.kv_cache_bytes),
        "prompt": f"{envelope.prompt_tokens} positions",
        "cudnn": f"{_mib(_known(envelope.convolution_workspace_bytes).high)} MiB",
        "headless": fit(need, _known(budgets.headless)).value.replace("_", " "),
        "desktop": fit(need, _known(budgets.desktop)).value.replace("_", " "),
        "windows": _lines(longest_clips.of_windows()),
        **{profile.value: _longest(derived(profile)) for profile in (Profile.FAITHFUL, Profile.LEAN)},
    }


def _phases(envelope: Envelope) -> Iterator[str]:
    """Table of the phases: memory at the peak of each, in MiB."""
    yield "| Phase | Peak | Weights | KV cache | Other tensors | cuBLAS | Operator |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for phase in Phase:
        found = envelope.phases[phase]
        sizes = (
            found.allocated_peak_bytes,
            envelope.weights_bytes,
            found.cache_bytes,
            found.activations_bytes + found.buffers_bytes,
            found.workspace_bytes,
        )
        operator = f"`{found.peak_op}`" if "::" in found.peak_op else found.peak_op
        yield f"| {phase} | {' | '.join(map(_mib, sizes))} | {operator} |"


def _from_tensors_to_the_card(envelope: Envelope, record: Record) -> Iterator[str]:
    """Table of intervals: from the bytes of tensors to what the card must have and has."""
    derivation, budgets = record.derivation, budgets_of(record)
    if derivation is None:
        raise ValueError("this record is not a prediction")
    yield "| Term | From | To |"
    yield "|---|---:|---:|"
    yield _row("allocated: tensors and cuBLAS", _exactly(envelope.allocated_peak_bytes))
    yield _row("reserved: what torch takes from the driver for them", _known(envelope.reserved_peak_bytes))
    yield _row("+ CUDA context and libraries", _known(envelope.context_bytes))
    yield _row("**= what the card must have**", _known(envelope.device_peak_bytes))
    yield _row("total that the driver reports", _exactly(record.device.memory_total_bytes or 0))
    yield _row("- driver reserve", _of_term(derivation.driver_reserve))
    yield _row("**= available headless**", _known(budgets.headless))
    yield _row("- desktop", _of_term(derivation.desktop))
    yield _row("**= available with a desktop**", _known(budgets.desktop))


def _longest(record: Record) -> str:
    """The longest clip that fits headless with SDPA and the answer of the example."""
    if record.derivation is None:
        raise ValueError("this record is not a prediction")
    (found,) = (
        longest.headless_fits_s
        for longest in record.derivation.longest_clips
        if (longest.attention, longest.max_tokens) == (Attention.SDPA, MAX_TOKENS)
    )
    return f"{found:g} s" if found else "uncertain"


def _lines(lines: Iterable[str]) -> str:
    return "\n" + "\n".join(lines) + "\n"


def _row(name: str, size: ByteInterval) -> str:
    return f"| {name} | {_mib(size.low)} | {_mib(size.high)} |"


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / MIB:,.1f}"


def _known(size: ByteInterval | None) -> ByteInterval:
    if size is None:
        raise ValueError("this envelope is not of a card")
    return size


def _of_term(term: Term | None) -> ByteInterval:
    if term is None:
        raise ValueError("this record is not of a card")
    return ByteInterval(low=term.low_bytes, high=term.high_bytes)


def _exactly(size_bytes: int) -> ByteInterval:
    return ByteInterval(low=size_bytes, high=size_bytes)
