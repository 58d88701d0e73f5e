"""The worked example of docs/envelope.md: 60 s on an RTX 4070, 512 tokens, as upstream runs the model.

python -m tools.envelope_example            its tables, in Markdown (seconds)
"""

from collections.abc import Iterable, Iterator
from typing import Final

from bench.hardware import budget
from bench.hardware.budget import desktop_budget, fit, headless_budget
from bench.hardware.catalog import Card
from bench.records.base import Interval
from bench.records.enums import Phase
from bench.records.prediction import Envelope, Term
from bench.units import MIB, both_units
from tools.frontier_settings import faithful_case
from tools.what_moves_the_frontier import Frontier

CLIP_S: Final = 60


def phases(envelope: Envelope) -> Iterator[str]:
    """Each phase at its highest, in MiB."""
    yield "| Phase | Highest | Weights | KV cache | Other tensors | cuBLAS | Granularity |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for phase in Phase:
        seen = envelope.phases[phase]
        sizes = (
            seen.allocated_peak_bytes,
            envelope.weights_bytes,
            seen.cache_bytes,
            seen.activations_bytes + seen.buffers_bytes,
            seen.workspace_bytes,
        )
        yield f"| {phase} | {' | '.join(map(_mib, sizes))} | {_by(seen.peak_op)} |"


def from_tensors_to_the_card(envelope: Envelope, card: Card) -> Iterator[str]:
    """From what tensors take to what the card must have, and what it leaves."""
    yield "| Term | From | To |"
    yield "|---|---:|---:|"
    yield _row("allocated: tensors and cuBLAS", _exactly(envelope.allocated_peak_bytes))
    yield _row("reserved: what torch takes from the driver for them", _on_card(envelope.reserved_peak_bytes))
    yield _row("+ CUDA context and libraries", _on_card(envelope.context_bytes))
    yield _row("**= what the card must have**", _on_card(envelope.device_peak_bytes))
    yield _row("total that the driver reports", _exactly(card.memory_total_bytes or 0))
    yield _row("- driver reserve", budget.DRIVER_RESERVE.interval)
    yield _row("**= what it leaves without a desktop**", headless_budget(card))
    yield _row("- desktop", budget.DESKTOP.interval)
    yield _row("**= what it leaves beside a desktop**", desktop_budget(card))


def blocks(frontier: Frontier) -> dict[str, str]:
    """What stands between the markers of the page that have these names."""
    envelope, card = frontier.envelope(faithful_case(frontier.config), CLIP_S), frontier.card
    need = _on_card(envelope.device_peak_bytes)
    return {
        "phases": _lines(phases(envelope)),
        "card": _lines(from_tensors_to_the_card(envelope, card)),
        "weights": both_units(envelope.weights_bytes),
        "cache": both_units(envelope.kv_cache_bytes),
        "prompt": f"{envelope.prompt_tokens} positions",
        "cudnn": f"{_mib(_on_card(envelope.convolution_workspace_bytes).high)} MiB",
        "headless": fit(need, headless_budget(card)).value.replace("_", " "),
        "desktop": fit(need, desktop_budget(card)).value.replace("_", " "),
    }


def _lines(lines: Iterable[str]) -> str:
    return "\n" + "\n".join(lines) + "\n"


def _row(name: str, size: Interval) -> str:
    return f"| {name} | {_mib(size.low)} | {_mib(size.high)} |"


def _mib(size_bytes: float) -> str:
    return f"{size_bytes / MIB:,.1f}"


def _on_card(size: Interval | None) -> Interval:
    if size is None:
        raise ValueError("this envelope is not of a card")
    return size


def _exactly(size_bytes: int) -> Interval:
    return Interval(low=size_bytes, high=size_bytes)


def _term(term: Term) -> Interval:
    return Interval(low=term.low_bytes, high=term.high_bytes)


def _by(operator: str) -> str:
    return f"`{operator}`" if "::" in operator else operator
