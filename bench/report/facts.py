"""Facts about one record: the head of a report, the settings in force and the environment."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from bench import units
from bench.judge.challenge import compared
from bench.records.cell import CellResult, SubmoduleKernels
from bench.records.enums import Provenance
from bench.records.record import Record
from bench.report.basics import Fact
from bench.report.interface import Kernels
from bench.report.labels import weights
from bench.text import MAX_NAME, clean
from bench.wording import challenge, labels
from bench.wording.labels import KERNELS, PROVENANCES

_FLASH_KERNELS: Final[Mapping[bool | None, str | None]] = {
    True: "in this torch",
    False: "not in this torch",
    None: None,
}


def header(record: Record) -> tuple[Fact, ...]:
    """Model, weights, device, provenance, suite, date and challenge."""
    model, suite = record.model, record.suite
    changed = f", changed: {', '.join(suite.overrides)}" if suite.overrides else ""
    return _facts(
        ("Model", named_model(model.name, model.parameters)),
        ("Weights", f"{_weights(record)}{units.both_units(model.weights_bytes)}"),
        ("From", _origin(record)),
        ("Device", record.device.name),
        ("Memory of the device", units.both_units(record.device.memory_total_bytes)),
        ("Provenance", PROVENANCES[record.provenance]),
        ("Suite", f"{labels.suite(suite.name, suite.version, suite.origin)}{changed}"),
        ("Clip lengths", _search(record)),
        ("Date", f"{record.created_at:%Y-%m-%d %H:%M} UTC"),
        *_challenge(record),
    )


def _challenge(record: Record) -> Iterator[tuple[str, str]]:
    found = record.challenge
    if found is not None:
        yield "Challenge", f"{challenge.issued(found.issued)}, {challenge.answered(record, found)}"
        agreement = compared(found)
        if found.checks is not None and agreement is not None:
            checked = f"record {found.checks.content_hash}"
            yield "Check of another answer", f"{challenge.agreement(*agreement)}: {checked}"


def predicted_by(plan: Record | None) -> tuple[Fact, ...]:
    """The plan whose predictions are shown with the run; nothing without one."""
    if plan is None:
        return ()
    made = f"{plan.created_at:%Y-%m-%d}, bench {plan.environment.bench_version}"
    return _facts(("Predicted by", clean(f"plan {plan.record_id} of {made}", MAX_NAME)))


def named_model(name: str, parameters: int | None) -> str:
    """`MOSS-Audio-4B-Instruct, 5,222,820,736 parameters`."""
    return name if parameters is None else f"{name}, {parameters:,} parameters"


def _weights(record: Record) -> str:
    """`random weights, `: the loaded weights; empty for a prediction, which loads none."""
    if record.provenance is Provenance.DERIVED:
        return ""
    return f"{weights(record.model.repo, record.model.weight_mode)}, "


def _origin(record: Record) -> str | None:
    model = record.model
    if model.repo is None or (model.revision is None and record.provenance is Provenance.DERIVED):
        return model.repo
    return f"{model.repo} at {model.revision or 'an unknown revision'}"


def _search(record: Record) -> str | None:
    step_s = record.frontier_step_s
    return None if step_s is None else f"chosen to find the limit, to {units.clip_length(step_s)}"


def memory_sources(record: Record) -> tuple[Fact, ...]:
    """Sources of allocated and resident memory, each once."""
    memories = [cell.memory for cell in record.cells if cell.memory is not None]
    allocated = dict.fromkeys(clean(memory.allocated_source) for memory in memories)
    resident = dict.fromkeys(clean(memory.resident_source) for memory in memories if memory.resident_source)
    return _facts(
        ("Allocated was read from", ", ".join(allocated) or None),
        ("Resident was read from", ", ".join(resident) or None),
    )


def kernels(record: Record) -> tuple[Kernels, ...]:
    """Settings in force and settings requested; one entry for all cells with the same."""
    entries = Counter(_in_force(cell) for cell in record.cells if cell.effective is not None)
    return tuple(Kernels(count, facts, differs) for (facts, differs), count in entries.items())


def _in_force(cell: CellResult) -> tuple[tuple[Fact, ...], bool]:
    wanted, seen = cell.requested, cell.effective
    if seen is None:
        return (), False
    model, encoder = seen.language_model, seen.audio_encoder
    asked = (wanted.attention.value, wanted.encoder_attention.value)
    logits, frames = seen.logits_positions, seen.encoder_chunk_frames
    facts = _facts(
        ("Language model", _ran(model, asked[0])),
        ("Audio encoder", _ran(encoder, asked[1])),
        ("Attention from", seen.attention_provider),
        ("Numbers", f"{seen.dtype} (asked for {wanted.dtype})" if seen.dtype else None),
        ("Profile", wanted.profile.value),
        ("Calls of SDPA", seen.sdpa_grouping),
        ("Logits of", f"{logits} positions" if logits else None),
        ("Encoder chunks", f"{frames:,} frames, {seen.encoder_chunks_at_once} at once" if frames else None),
        ("KV cache", seen.kv_cache),
        ("Next token", _sampling(cell)),
        ("Threads", None if seen.threads is None else str(seen.threads)),
    )
    ran = zip((model, encoder), asked, strict=True)
    return facts, any(part is not None and part.attention != wish for part, wish in ran)


def _ran(part: SubmoduleKernels | None, asked: str) -> str | None:
    """Attention and operators of one part of the model; None if not observed."""
    if part is None:
        return None
    kernel = "" if part.kernel is None else f", {KERNELS[part.kernel]} kernel"
    return f"{part.attention}{kernel} (asked for {asked}): {', '.join(part.operators)}"


def _sampling(cell: CellResult) -> str:
    sampling = cell.effective.sampling if cell.effective else cell.requested.sampling
    if not sampling.do_sample:
        return "greedy"
    knobs = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}
    return "sampled, " + ", ".join(f"{knob} {value:g}" for knob, value in knobs.items() if value is not None)


def environment(record: Record) -> tuple[Fact, ...]:
    """Software, host and the hashes that identify what was run."""
    env, device = record.environment, record.device
    state = {True: ", with uncommitted changes", False: "", None: ""}[env.bench_dirty]
    commit = f", commit {env.bench_commit}" if env.bench_commit else ""
    return _facts(
        ("bench", f"{env.bench_version}{commit}{state}"),
        ("Python", env.python),
        ("torch", env.torch),
        ("Flash kernels for cards", _FLASH_KERNELS[env.has_flash_kernels]),
        ("transformers", env.transformers),
        *sorted(env.packages.items()),
        ("Driver", device.driver),
        ("Compute capability", device.compute_capability),
        ("System", f"{env.os}, kernel {env.kernel}"),
        ("CPU", env.cpu and f"{env.cpu}, {env.cpu_cores or 'unknown'} cores"),
        ("RAM", units.both_units(env.ram_bytes)),
        ("Suite hash", record.suite.sha256),
        ("Configuration hash", record.model.config_sha256),
        *_weight_files(record),
    )


def _weight_files(record: Record) -> Iterator[tuple[str, str]]:
    for file in record.model.files:
        yield file.name, f"{units.both_units(file.size_bytes)}, sha256 {file.sha256}"


def _facts(*pairs: tuple[str, str | None]) -> tuple[Fact, ...]:
    return tuple(Fact(clean(label, MAX_NAME), clean(text)) for label, text in pairs if text is not None)
