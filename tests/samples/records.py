"""Records as runs write them, in the shapes that readers meet: small builders, no files.

Records are frozen: a whole one that takes long is made once.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Literal, TypedDict, Unpack

from pydantic import JsonValue

from bench.records.base import Interval
from bench.records.card import DeviceState, Emulation
from bench.records.cell import (
    CellResult,
    Effective,
    Failed,
    Measured,
    Memory,
    Outcome,
    OutOfMemory,
    PhaseMemory,
    Repeat,
    Requested,
    Sampling,
    Skipped,
    SubmoduleKernels,
    Timeout,
    Unsupported,
)
from bench.records.enums import Attention, EncoderAttention, Phase, Profile, Provenance, WeightMode
from bench.records.metrics import Statistic, Summary, kind_of
from bench.records.reasons import FlashAttentionNotInstalled
from bench.records.record import DeviceInfo, Environment, ModelInfo, Record, SuiteInfo, WeightFile
from bench.shipped import SPEECH_SHA256
from bench.store.record_files import seal
from bench.wording.outcomes import unsupported

GREEDY = Sampling(do_sample=False, temperature=None, top_p=None, top_k=None)
SAMPLED = Sampling(do_sample=True, temperature=1.0, top_p=1.0, top_k=50)  # as upstream and the suites
WEIGHTS_BYTES = 10_445_641_472
NO_FLASH = "the package flash-attn is not installed"
HOSTILE = (
    "<script>alert(1)</script>|`x`=1+1\x1b[31m\u202e\n# [l](http://evil.test) @all "
    "<img src=http://evil.test/x onerror=alert(2)>"
)

RTX_4070 = DeviceInfo(
    kind="cuda",
    slug="rtx-4070",
    name="NVIDIA GeForce RTX 4070",
    memory_total_bytes=12_878_610_432,
    compute_capability="8.9",
    driver="580.95.05",
)
CPU = DeviceInfo(kind="cpu", slug="cpu", name="AMD EPYC 7B13", memory_total_bytes=25_769_803_776)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def requested(
    clip_seconds: float = 10.0,
    max_tokens: int = 128,
    attention: Attention = Attention.SDPA,
    *,
    weight_mode: WeightMode = WeightMode.HUB,
    model: str = "MOSS-Audio-4B-Instruct",
) -> Requested:
    return Requested(
        model=model,
        weight_mode=weight_mode,
        engine="native",
        profile=Profile.FAITHFUL,
        dtype="bfloat16",
        attention=attention,
        encoder_attention=EncoderAttention.EAGER,
        clip_seconds=clip_seconds,
        clip_source_sha256=SPEECH_SHA256,
        max_tokens=max_tokens,
        prompt="Describe this audio.",
        time_markers=True,
        sampling=GREEDY,
        seed=0,
    )


def tiny_requested(**changes: object) -> Requested:
    """A request for the tiny model on a CPU."""
    usual = requested(6.0, 6, weight_mode=WeightMode.TINY, model="tiny")
    return usual.model_copy(update={"dtype": "float32", "seed": 3, **changes})


def effective(wanted: Requested, device: DeviceInfo) -> Effective:
    audio_tokens = round(wanted.clip_seconds * 12.5)
    return Effective(
        device=device.kind,
        dtype="torch.bfloat16",
        language_model=SubmoduleKernels(
            attention=wanted.attention.value, operators=("aten::_scaled_dot_product_flash_attention",)
        ),
        audio_encoder=SubmoduleKernels(attention="eager", operators=("aten::bmm", "aten::_softmax")),
        attention_provider="torch 2.13.0",
        sampling=GREEDY,
        logits_positions="all",
        encoder_chunk_frames=3000,
        encoder_chunks_at_once=1,
        kv_cache="DynamicCache",
        clip_sha256=sha(f"clip {wanted.clip_seconds}"),
        clip_samples=round(wanted.clip_seconds * 16000),
        audio_tokens=audio_tokens,
        prompt_tokens=audio_tokens + 38,
        threads=2 if device.kind == "cpu" else None,
    )


def with_kernels(
    cell: CellResult, part: Literal["language_model", "audio_encoder"] = "language_model", **ran: object
) -> CellResult:
    """The same cell as if this part of the model had run these kernels."""
    assert cell.effective is not None
    kernels = getattr(cell.effective, part).model_copy(update=ran)
    return cell.model_copy(update={"effective": cell.effective.model_copy(update={part: kernels})})


def repeat(wanted: Requested, nth: int = 0, slow: float = 1.0) -> Repeat:
    wobble = slow * (1 + 0.004 * nth)
    encode_s = 0.0021 * wanted.clip_seconds * wobble
    first_s = 0.05 + encode_s + 0.0018 * wanted.clip_seconds * wobble
    rate = 48.0 / wobble / (1 + wanted.clip_seconds / 2000)
    last_s = first_s + (wanted.max_tokens - 1) / rate
    step_s = (last_s - first_s) / max(wanted.max_tokens - 1, 1)
    return Repeat(
        preprocess_s=0.0009 * wanted.clip_seconds,
        encode_s=encode_s,
        time_to_first_token_s=first_s,
        decode_tokens_per_s=rate if wanted.max_tokens > 1 else None,
        latency_s=last_s,
        real_time_factor=last_s / wanted.clip_seconds,
        generated_tokens=wanted.max_tokens,
        stop_reason="length",
        token_times_s=tuple(first_s + step_s * n for n in range(wanted.max_tokens)),
    )


def round_repeat(latency_s: float, rate: float | None = 50.0) -> Repeat:
    """A repeat in round figures: 8 tokens of a clip of 10 s."""
    return Repeat(
        preprocess_s=0.01,
        encode_s=0.1,
        time_to_first_token_s=0.2,
        decode_tokens_per_s=rate,
        latency_s=latency_s,
        real_time_factor=latency_s / 10,
        generated_tokens=8,
        stop_reason="length",
        token_times_s=(0.2, latency_s),
    )


def statistic(values: Sequence[float]) -> Statistic:
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return Statistic(
        median=middle,
        p10=ordered[0],
        p90=ordered[-1],
        interval=Interval(low=ordered[0], high=ordered[-1]) if len(ordered) >= 2 else None,
        interval_kind=kind_of(len(ordered)) if len(ordered) >= 2 else None,
        cv=0.0063 if len(ordered) >= 2 else None,
        n=len(ordered),
    )


def summary(
    wanted: Requested, repeats: Sequence[Repeat], device: DeviceInfo, labels: tuple[str, ...] = ()
) -> Summary:
    allocated = peak_bytes(wanted)
    on_gpu = device.kind == "cuda"
    rates = [r.decode_tokens_per_s for r in repeats if r.decode_tokens_per_s is not None]
    return Summary(
        load_s=4.2 if wanted.clip_seconds == 10 and wanted.max_tokens == 128 else None,
        preprocess_s=statistic([r.preprocess_s or 0 for r in repeats]),
        encode_s=statistic([r.encode_s or 0 for r in repeats]),
        time_to_first_token_s=statistic([r.time_to_first_token_s for r in repeats]),
        decode_tokens_per_s=statistic(rates) if rates else None,
        latency_s=statistic([r.latency_s for r in repeats]),
        real_time_factor=statistic([r.real_time_factor for r in repeats]),
        generated_tokens=wanted.max_tokens,
        allocated_peak_bytes=allocated,
        reserved_peak_bytes=allocated + 190_000_000 if on_gpu else None,
        process_peak_bytes=allocated + 520_000_000 if on_gpu else None,
        device_peak_bytes=allocated + 910_000_000 if on_gpu else None,
        resident_peak_bytes=None if on_gpu else allocated + 700_000_000,
        labels=labels,
    )


def peak_bytes(wanted: Requested) -> int:
    return WEIGHTS_BYTES + round(260_000_000 + wanted.clip_seconds * 2_400_000 + wanted.max_tokens * 150_000)


def memory(wanted: Requested, device: DeviceInfo) -> Memory:
    peak = peak_bytes(wanted)
    on_gpu = device.kind == "cuda"

    def phase(share: float) -> PhaseMemory:
        at = WEIGHTS_BYTES + round((peak - WEIGHTS_BYTES) * share)
        return PhaseMemory(
            allocated_peak_bytes=at,
            allocated_end_bytes=at - 1_000_000,
            reserved_peak_bytes=at + 150_000_000 if on_gpu else None,
            resident_peak_bytes=None if on_gpu else at + 700_000_000,
            resident_end_bytes=None if on_gpu else at + 600_000_000,
        )

    return Memory(
        allocated_source="CUDA caching allocator" if on_gpu else "allocation tracker",
        resident_source=None if on_gpu else "VmHWM",
        resident_baseline_bytes=None if on_gpu else 480_000_000,
        weights_bytes=WEIGHTS_BYTES,
        phases={
            Phase.LOAD: phase(0.0),
            Phase.PREPROCESS: phase(0.01),
            Phase.ENCODE: phase(0.6),
            Phase.PREFILL: phase(1.0),
            Phase.DECODE: phase(0.3),
        },
    )


def cell_id(wanted: Requested) -> str:
    return sha(wanted.model_dump_json())[:16]


def measured(
    wanted: Requested,
    *,
    device: DeviceInfo = RTX_4070,
    repeats: int = 5,
    labels: tuple[str, ...] = (),
    cold: bool = False,
) -> CellResult:
    timed = tuple(repeat(wanted, nth) for nth in range(repeats))
    return CellResult(
        cell_id=cell_id(wanted),
        requested=wanted,
        effective=effective(wanted, device),
        outcome=Measured(),
        cold=repeat(wanted, slow=2.5) if cold else None,
        repeats=timed,
        summary=summary(wanted, timed, device, labels),
        memory=memory(wanted, device),
    )


def not_measured(wanted: Requested, outcome: Outcome) -> CellResult:
    return CellResult(cell_id=cell_id(wanted), requested=wanted, outcome=outcome)


def out_of_memory(wanted: Requested) -> CellResult:
    return not_measured(
        wanted,
        OutOfMemory(
            reason="CUDA out of memory: tried to allocate 1.21 GiB",
            phase=Phase.PREFILL,
            requested_bytes=1_299_227_607,
            free_bytes=402_653_184,
            reserved_bytes=12_100_000_000,
        ),
    )


def environment() -> Environment:
    return Environment(
        bench_version="0.1.0",
        bench_commit="07d5c0e1a2b3",
        bench_dirty=False,
        python="3.11.7",
        torch="2.13.0+cu130",
        transformers="5.23.0",
        packages={"accelerate": "1.12.0", "numpy": "2.3.5", "safetensors": "0.7.0"},
        os="Debian GNU/Linux 12 (bookworm)",
        kernel="6.1.0-28-amd64",
        cpu="AMD Ryzen 7 5800X",
        cpu_cores=8,
        ram_bytes=33_567_000_000,
    )


class Fields(TypedDict, total=False):
    """What `unsealed` takes beside the cells."""

    device_state: DeviceState | None
    emulation: Emulation | None
    device: DeviceInfo
    provenance: Provenance
    weight_mode: WeightMode
    suite: str
    overrides: tuple[str, ...]
    definition: dict[str, JsonValue] | None
    model: str


def unsealed(
    cells: Sequence[CellResult],
    *,
    device_state: DeviceState | None = None,
    emulation: Emulation | None = None,
    device: DeviceInfo = RTX_4070,
    provenance: Provenance = Provenance.MEASURED,
    weight_mode: WeightMode = WeightMode.HUB,
    suite: str = "standard",
    overrides: tuple[str, ...] = (),
    definition: dict[str, JsonValue] | None = None,
    model: str = "MOSS-Audio-4B-Instruct",
) -> Record:
    """A record without the hash of its content."""
    hub = weight_mode is WeightMode.HUB
    return Record(
        schema_version="1.1",
        content_hash="sha256:" + "0" * 64,
        record_id="a1b2c3d4e5f6",
        created_at=datetime(2026, 11, 20, 18, 4, 9, tzinfo=UTC),
        provenance=provenance,
        suite=SuiteInfo(
            name=suite, version="1.0", sha256=sha("suite"), overrides=overrides, definition=definition or {}
        ),
        model=ModelInfo(
            name=model,
            repo="OpenMOSS-Team/MOSS-Audio-4B-Instruct" if hub else None,
            revision="0123456789abcdef0123456789abcdef01234567" if hub else None,
            weight_mode=weight_mode,
            config_sha256=sha("config"),
            parameters=5_222_820_736,
            weights_bytes=WEIGHTS_BYTES,
            files=(
                WeightFile(
                    name="model-00001-of-00003.safetensors", size_bytes=4_900_000_000, sha256=sha("1")
                ),
            )
            if hub
            else (),
        ),
        device=device,
        environment=environment(),
        machine_key=None,
        device_state=device_state,
        emulation=emulation,
        cells=tuple(cells),
    )


def record(cells: Sequence[CellResult], **fields: Unpack[Fields]) -> Record:
    return seal(unsealed(cells, **fields).model_dump(mode="json"))


@cache
def smoke() -> Record:
    wants = [requested(clip, tokens, weight_mode=WeightMode.TINY) for clip in (1.0, 2.5) for tokens in (4, 8)]
    return record(
        [measured(want, device=CPU, repeats=3, cold=index == 0) for index, want in enumerate(wants)],
        device=CPU,
        provenance=Provenance.SMOKE,
        weight_mode=WeightMode.TINY,
        suite="smoke",
    )


CLIPS = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
TOKENS = (128, 256, 512, 1024)


@cache
def standard(weight_mode: WeightMode = WeightMode.HUB) -> Record:
    """48 cells, every kind of outcome: SDPA up to memory's end, FlashAttention 2 not installed."""
    cells = [_standard_cell(requested(clip, n, weight_mode=weight_mode)) for clip in CLIPS for n in TOKENS]
    flash = [
        requested(c, n, Attention.FLASH_ATTENTION_2, weight_mode=weight_mode) for c in CLIPS for n in TOKENS
    ]
    cells += [not_measured(want, unsupported(FlashAttentionNotInstalled())) for want in flash]
    return record(cells, weight_mode=weight_mode)


def _standard_cell(want: Requested) -> CellResult:
    shape = want.clip_seconds, want.max_tokens
    match shape:
        case (600.0, 512):
            return out_of_memory(want)
        case (600.0, 1024):
            return not_measured(want, Skipped(reason="600 s x 512 ran out of memory", cause="pruned"))
        case (300.0, 256):
            lines = ("RuntimeError: cuDNN error: CUDNN_STATUS_INTERNAL_ERROR",)
            return not_measured(want, Failed(reason="cuDNN error", phase=Phase.ENCODE, error_tail=lines))
        case (300.0, 512):
            return not_measured(want, Timeout(reason="no token for 300 s", phase=Phase.DECODE, limit_s=300.0))
        case (60.0, 256):
            return measured(want, labels=("noisy",))
        case _:
            return measured(want, cold=shape == (10.0, 128))


@cache
def all_measured_48() -> Record:
    """The largest `standard` record: every cell of both attentions ran five times."""
    wants = [
        requested(clip, n, attention)
        for attention in (Attention.SDPA, Attention.FLASH_ATTENTION_2)
        for clip in CLIPS
        for n in TOKENS
    ]
    return record([measured(want) for want in wants])


@cache
def all_unsupported() -> Record:
    wants = [requested(clip, 128, Attention.FLASH_ATTENTION_2) for clip in CLIPS]
    return record([not_measured(want, unsupported(FlashAttentionNotInstalled())) for want in wants])


@cache
def nothing_fits() -> Record:
    smallest, *rest = [requested(clip, n) for clip in CLIPS for n in TOKENS]
    pruned = Skipped(reason="10 s x 128 ran out of memory", cause="pruned")
    return record([out_of_memory(smallest), *[not_measured(want, pruned) for want in rest]])


@cache
def interrupted() -> Record:
    first, *rest = [requested(clip, 128) for clip in CLIPS]
    stopped = Skipped(reason="the run ended before this cell", cause="interrupted")
    return record([measured(first), *[not_measured(want, stopped) for want in rest]])


def renamed(whole: Record, part: Literal["suite", "model", "device"], name: str) -> Record:
    """With a name that the schema would refuse: the formats do not rely on it."""
    return whole.model_copy(update={part: getattr(whole, part).model_copy(update={"name": name})})


@cache
def hostile() -> Record:
    """Every free text of a record tries to get out of its place."""
    want = requested(10.0, 128, model=HOSTILE)
    bad_device = RTX_4070.model_copy(update={"name": HOSTILE, "slug": "hostile", "driver": HOSTILE})
    broken = requested(30.0, 128, model=HOSTILE)
    ran = measured(want, labels=(HOSTILE,))
    seen = effective(want, bad_device).model_copy(update={"attention_provider": HOSTILE, "kv_cache": HOSTILE})
    return record(
        [
            ran.model_copy(update={"effective": seen}),
            not_measured(broken, Failed(reason=HOSTILE, error_tail=(HOSTILE, "=cmd|' /C calc'!A0"))),
            not_measured(requested(60.0, 128, model=HOSTILE), Unsupported(reason="=HYPERLINK(1)")),
        ],
        device=bad_device,
        suite="hostile",
        overrides=(HOSTILE, "clip_seconds"),
        model="hostile",
    )
