"""Figures of hf-mem for a released model, next to those of `bench plan` for the same cells, in bytes.

    .venv/bin/pip install --target build/hf-mem hf-mem==0.5.6
    .venv/bin/python -m tools.hf_mem      writes docs/data/hf-mem.json (a minute; no network, no weights)

hf-mem (https://github.com/alvarobartt/hf-mem) reads a repository's safetensors headers and config.json from
the Hub. Here a transport in its own HTTP client answers instead: with the shipped configuration, and with
the names and shapes of the tensors that it stands for. hf-mem is asked three times: as anybody would, for the
KV cache too, and for the KV cache of the language model alone, whose configuration it accepts.
"""

import json
import struct
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final
from unittest.mock import patch

from pydantic import TypeAdapter

from bench.engines.native.engine import expected_tensors, quiet_transformers
from bench.moss_audio.configuration import released_config
from bench.predict.planner import Planner, PlanRequest, plan_request
from bench.predict.target import targets
from bench.records.base import ByteInterval
from bench.records.enums import Attention, Profile
from bench.records.prediction import Envelope
from bench.records.record import Record
from bench.run.run_spec import RunOptions
from bench.store.record_files import read_record, write_atomically
from bench.units import NOT_AVAILABLE, clip_length
from tools.derived import LINUX, MODEL, RESULTS, ROOT

PACKAGES: Final = ROOT / "build" / "hf-mem"
DATA: Final = ROOT / "docs" / "data" / "hf-mem.json"
CARD: Final = "rtx-4070"
CELLS: Final = ((10.0, 128), (60.0, 512), (300.0, 1024))
"""Clip lengths in seconds, each with its new tokens."""
PROFILES: Final = (Profile.FAITHFUL, Profile.LEAN)
_DTYPES: Final = {"bfloat16": "BF16"}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: the prediction of each profile, and hf-mem's KV cache for prompt and answer together."""

    clip_seconds: float
    max_tokens: int
    positions: int
    hf_mem_kv_cache_bytes: int
    predicted: Mapping[Profile, Envelope]


@dataclass(frozen=True, slots=True)
class Estimates:
    """Everything that the page states.

    `kv_cache_bytes` and `warning` are hf-mem's answer to `--experimental` for the model as it is released.
    `default_positions` and `default_kv_cache_bytes`: for the language model alone, no length given.
    """

    version: str
    model: str
    card: str
    weights_bytes: int
    kv_cache_bytes: int | None
    warning: str
    default_positions: int
    default_kv_cache_bytes: int
    cells: tuple[Cell, ...]


STORED: Final = TypeAdapter(Estimates)


def read() -> Estimates:
    """The figures that were written last."""
    return STORED.validate_json(DATA.read_bytes())


# --- hf-mem -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of hf-mem about a repository."""

    weights_bytes: int
    kv_cache_bytes: int | None
    warnings: tuple[str, ...]


class Repository:
    """A model on the Hub, as hf-mem sees it: a list of files, a configuration, the header of its weights."""

    def __init__(self, config: Mapping[str, object], shapes: Mapping[str, tuple[int, ...]]) -> None:
        dtype = _DTYPES[str(config["dtype"])]
        header = json.dumps(
            {name: {"dtype": dtype, "shape": shape, "data_offsets": [0, 0]} for name, shape in shapes.items()}
        ).encode()
        self._files = {
            "config.json": json.dumps(config).encode(),
            "model.safetensors": struct.pack("<Q", len(header)) + header,
        }

    def ask(self, *, kv_cache: bool, positions: int | None = None) -> Answer:
        """Let hf-mem estimate it, with `--experimental` for the KV cache."""
        import hf_mem  # noqa: PLC0415 - only where the file is written
        import httpx2  # noqa: PLC0415

        real = httpx2.AsyncClient

        def respond(request: httpx2.Request) -> httpx2.Response:
            path = str(request.url.path)
            if path.startswith("/api/"):
                return httpx2.Response(200, json=[{"type": "file", "path": name} for name in self._files])
            content = self._files[path.rsplit("/", 1)[-1]]
            asked = str(request.headers.get("range", "bytes=0-")).removeprefix("bytes=")
            begin, _, end = asked.partition("-")
            return httpx2.Response(200, content=content[int(begin) : int(end) + 1 if end else None])

        def client(**_given: object) -> httpx2.AsyncClient:
            return real(transport=httpx2.MockTransport(respond))

        with patch.object(httpx2, "AsyncClient", client), warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = hf_mem.run(f"OpenMOSS-Team/{MODEL}", experimental=kv_cache, max_model_len=positions)
        return Answer(found.memory, found.kv_cache, tuple(str(warning.message) for warning in said))


# --- both -------------------------------------------------------------------------------------------------


def estimates() -> Estimates:
    """Ask hf-mem, and predict the cells.

    Raises:
        ValueError: hf-mem does not answer as the page says.
    """
    asked = {profile: _request(profile) for profile in PROFILES}
    config = asked[Profile.FAITHFUL].source.config
    shapes = expected_tensors(released_config(MODEL))
    released = Repository(config, shapes)
    weights, also = released.ask(kv_cache=False), released.ask(kv_cache=True)
    language = config["language_config"]
    if weights.warnings or len(also.warnings) != 1 or not isinstance(language, dict):
        raise ValueError(f"hf-mem says something new: {weights}, {also}")
    text = Repository({**language, "dtype": config["dtype"]}, shapes)
    records = {profile: _record(request) for profile, request in asked.items()}
    return Estimates(
        version=version("hf-mem"),
        model=MODEL,
        card=CARD,
        weights_bytes=weights.weights_bytes,
        kv_cache_bytes=also.kv_cache_bytes,
        warning=also.warnings[0],
        default_positions=language["max_position_embeddings"],
        default_kv_cache_bytes=_kv_cache(text, None),
        cells=tuple(_cell(clip_s, tokens, text, records) for clip_s, tokens in CELLS),
    )


def _kv_cache(text: Repository, positions: int | None) -> int:
    answer = text.ask(kv_cache=True, positions=positions)
    if answer.kv_cache_bytes is None:
        raise ValueError(f"hf-mem does not state the KV cache of the language model: {answer}")
    return answer.kv_cache_bytes


def predicted(profile: Profile) -> dict[tuple[float, int], Envelope]:
    """The envelopes of the cells with a profile, by clip length and new tokens."""
    return _envelopes(_record(_request(profile)))


def _request(profile: Profile) -> PlanRequest:
    return plan_request(
        RunOptions(
            model=MODEL,
            profile=profile,
            clip_seconds=tuple(clip_s for clip_s, _ in CELLS),
            max_tokens=tuple(tokens for _, tokens in CELLS),
            attention=(Attention.SDPA,),
        )
    )


def _record(request: PlanRequest) -> Record:
    (target,) = targets((CARD,), LINUX)
    return Planner(request).record(target)


def _envelopes(record: Record) -> dict[tuple[float, int], Envelope]:
    return {
        (cell.requested.clip_seconds, cell.requested.max_tokens): cell.envelope
        for cell in record.cells
        if cell.envelope is not None
    }


def _cell(clip_s: float, tokens: int, text: Repository, records: Mapping[Profile, Record]) -> Cell:
    found = {profile: _envelopes(record)[clip_s, tokens] for profile, record in records.items()}
    positions = found[Profile.FAITHFUL].prompt_tokens + tokens
    return Cell(clip_s, tokens, positions, _kv_cache(text, positions), found)


# --- the page ---------------------------------------------------------------------------------------------


def blocks() -> dict[str, str]:
    """Text for each marker of docs/predictions.md."""
    tables = {"estimates": table(), "caches": kv_cache()}
    marked = {name: "\n".join(["", *lines, ""]) for name, lines in tables.items()}
    warning = textwrap.wrap(read().warning, 98, break_long_words=False)
    return {**marked, "warning": "\n".join(["", *(f"> {line}" for line in warning), ""])}


def table() -> Iterator[str]:
    """The table of the page, in Markdown: a column for each cell."""
    found = read()
    yield _row("bytes", [f"{clip_length(one.clip_seconds)}, {one.max_tokens} tokens" for one in found.cells])
    yield _row("---", ["---:"] * len(found.cells))
    stated = [f"{found.weights_bytes:,}"] * len(found.cells)
    yield _row(f"**hf-mem {found.version}**: weights", stated)
    yield _row("hf-mem: KV cache of this model", ["not stated"] * len(found.cells))
    yield _row("hf-mem: total", stated)
    yield _row("**bench**: KV cache at the end of the answer", _each(found, lambda one: one.kv_cache_bytes))
    for profile in PROFILES:
        for words, size in _SIZES.items():
            yield _row(f"`{profile.value}`: {words}", _each(found, size, profile))
    yield _row("measured: allocated on a CPU, `faithful`", [_measured(one) for one in found.cells])


def kv_cache() -> Iterator[str]:
    """The table of KV caches: hf-mem's for the language model alone, and ours."""
    found = read()
    yield "| positions | hf-mem, language model alone | bench, end of the answer |"
    yield "|---:|---:|---:|"
    for one in found.cells:
        own = one.predicted[Profile.FAITHFUL].kv_cache_bytes
        yield f"| {one.positions:,} | {one.hf_mem_kv_cache_bytes:,} | {own:,} |"
    yield f"| {found.default_positions:,} (its default) | {found.default_kv_cache_bytes:,} | |"


def _range(size: ByteInterval | None) -> str:
    return NOT_AVAILABLE if size is None else f"{size.low:,} to {size.high:,}"


def _bytes(size: int | ByteInterval | None) -> str:
    return f"{size:,}" if isinstance(size, int) else _range(size)


_SIZES: Final[dict[str, Callable[[Envelope], int | ByteInterval | None]]] = {
    "weights on the card while it computes": lambda one: one.weights_bytes,
    "other tensors at most": lambda one: one.activations_peak_bytes,
    "allocated at most": lambda one: one.allocated_peak_bytes,
    "reserved at most": lambda one: one.reserved_peak_bytes,
    "what the card must have": lambda one: one.device_peak_bytes,
}


def _each(
    found: Estimates,
    size: Callable[[Envelope], int | ByteInterval | None],
    profile: Profile = Profile.FAITHFUL,
) -> list[str]:
    return [_bytes(size(one.predicted[profile])) for one in found.cells]


def _measured(one: Cell) -> str:
    """The measured peak of the cell in the shipped records of CPUs."""
    sizes = [
        cell.summary.allocated_peak_bytes
        for path in sorted(RESULTS.glob(f"{MODEL}/cpu-*/*.json"))
        for cell in read_record(path).cells
        if (cell.requested.clip_seconds, cell.requested.max_tokens) == (one.clip_seconds, one.max_tokens)
        and cell.requested.attention is Attention.SDPA
        and cell.summary is not None
    ]
    return _bytes(sizes[0]) if sizes else "not measured"


def _row(head: str, cells: Sequence[str]) -> str:
    return f"| {head} | {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.path.append(str(PACKAGES))
    quiet_transformers()
    text = STORED.dump_json(estimates(), indent=1)
    write_atomically(DATA, text + b"\n")
