"""Turns the options of a command into a plan: suite, device, model and clip. Loads no weights."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from bench import shipped
from bench.doctor.installed import require_packages
from bench.engines.registry import find_engine
from bench.engines.support import SupportFacts
from bench.errors import UsageError
from bench.hardware import device as devices
from bench.hardware.budget import CONTEXT, driver_reserve
from bench.hardware.device import Device
from bench.packages import version_of
from bench.records.card import Emulation
from bench.records.cell import Requested
from bench.records.enums import PUBLISHER, Attention, Profile, WeightMode
from bench.records.reasons import FlashAttentionBroken, UnsupportedReason
from bench.records.record import SuiteInfo
from bench.shipped import SPEECH_SHA256
from bench.store.journal import PlannedChallenge
from bench.store.scrub import scrub
from bench.store.untrusted import kind_of
from bench.suite.cells import Cell, expand
from bench.suite.overrides import override, suite_info
from bench.suite.suite import Suite, find_suite
from bench.units import both_units

TINY: Final = "tiny"
_REPOSITORY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_ANOTHER_MODEL: Final = "Choose another with --suite quick or --model MOSS-Audio-4B-Instruct"
_MAX_SHOWN: Final = 80
_SMALL_BYTES: Final = 10**9


@dataclass(frozen=True)
class RunOptions:
    """The options of a run. None leaves the choice to the suite, the device or the defaults."""

    suite: str | None = None
    gpu: str | None = None
    device: str | None = None
    model: str | None = None
    revision: str | None = None
    weights: Literal["hub", "random"] | None = None
    engine: str | None = None
    profile: Profile | None = None
    clip_seconds: tuple[float, ...] | None = None
    max_tokens: tuple[int, ...] | None = None
    attention: tuple[Attention, ...] | None = None
    repeats: int | None = None
    audio: Path | None = None
    emulate_vram: int | None = None


@dataclass(frozen=True)
class Origin:
    """The source of the weights. `repo` is set for weights from the Hub, `directory` for local ones."""

    weight_mode: WeightMode
    name: str
    repo: str | None = None
    revision: str | None = None
    directory: Path | None = None


@dataclass(frozen=True)
class Plan:
    """All decisions about a run that precede the weights.

    The driver is asked about `device`; the worker runs the model on `compute_on`. They differ only where the
    tests emulate a card; `effective.device` in the record shows it. With `frontier_step_s` no cells are
    planned: a search chooses clip lengths, to this step. `needs_cpu_consent`: a model of full size would run
    on the CPU because no card was found, and nobody has agreed to that (`cpu_consent`). `challenge`: to be
    answered after the cells.
    """

    suite: Suite
    suite_info: SuiteInfo
    cells: tuple[Cell, ...]
    device: Device
    compute_on: Literal["cpu", "cuda"]
    origin: Origin
    audio: Path | None
    emulation: Emulation | None = None
    frontier_step_s: float | None = None
    needs_cpu_consent: bool = False
    challenge: PlannedChallenge | None = None


Choose = Callable[[tuple[Device, ...]], Device]


def make_plan(options: RunOptions, choose: Choose, *, is_dry: bool = False) -> Plan:
    """Return the plan of a run. `choose` picks one of several GPUs if the options name none.

    `is_dry`: nothing will be run, so that the packages of the engine are not needed.

    Raises:
        UsageError: an unknown name or a bad value.
        DeviceError: the device is not in this machine.
        PackageError: the engine needs a package that is missing or too old.
    """
    device = _device(options, choose)
    base = find_suite(_default_suite(options, device) if options.suite is None else options.suite)
    origin = origin_of(options, base)
    suite, cells = cells_of(options, base, origin)
    if options.emulate_vram is not None and not find_engine(suite.engine).limits_memory:
        raise UsageError(
            f"--emulate-vram: the engine {suite.engine} has no memory limit",
            hint="Use --engine native",
        )
    if not is_dry:
        require_packages(find_engine(suite.engine).packages)
    return Plan(
        suite=suite,
        suite_info=suite_info(suite, base=base),
        cells=cells,
        device=device,
        compute_on=device.kind,
        origin=origin,
        audio=options.audio,
        emulation=emulation(options.emulate_vram, device) if options.emulate_vram is not None else None,
        needs_cpu_consent=_needs_cpu_consent(options, device, origin, suite),
    )


def _needs_cpu_consent(options: RunOptions, device: Device, origin: Origin, suite: Suite) -> bool:
    """Whether a model of full size got the CPU because there is no card, not because an option says so."""
    is_chosen = options.device is not None or device.kind != "cpu"
    return not is_chosen and not _is_small(origin) and find_engine(suite.engine).uses_torch


def _is_small(origin: Origin) -> bool:
    """Whether the model is the tiny one, or a directory with far smaller weights than a released model's."""
    if origin.directory is None:
        return origin.weight_mode is WeightMode.TINY
    try:
        sizes = [path.stat().st_size for path in origin.directory.glob("*.safetensors")]
    except OSError:
        return False
    return sum(sizes) < _SMALL_BYTES


def cells_of(options: RunOptions, base: Suite, origin: Origin) -> tuple[Suite, tuple[Cell, ...]]:
    """Return the suite with the changes of the options, and its cells in the order to run.

    Raises:
        UsageError: a value out of bounds, no such engine, or a clip that cannot be read.
    """
    suite = override(
        base,
        model=origin.name,
        engine=options.engine,
        profile=options.profile,
        clip_seconds=options.clip_seconds,
        max_tokens=options.max_tokens,
        attention=options.attention,
        repeats=options.repeats,
    )
    find_engine(suite.engine, f"{options.suite}: engine" if options.engine is None else "--engine")
    sha256 = SPEECH_SHA256 if options.audio is None else _sha256_of(options.audio)
    return suite, expand(suite, weight_mode=origin.weight_mode, clip_source_sha256=sha256)


def _sha256_of(audio: Path) -> str:
    require_packages(("soundfile", "soxr"))
    from bench.audio.clips import read_audio

    return read_audio(audio).sha256


def support(
    plan: Plan,
    max_positions: int | None = None,
    flash_attention_problem: FlashAttentionBroken | None = None,
) -> Callable[[Requested], UnsupportedReason | None]:
    """Return a function that gives the reason why a cell cannot run on the plan's device; None if it can."""
    device = plan.device
    installed = version_of("flash-attn")
    here = SupportFacts(
        device.kind, device.compute_capability, installed, max_positions, flash_attention_problem
    )
    engine = find_engine(plan.suite.engine)
    return lambda requested: engine.unsupported(requested, here)


def _device(options: RunOptions, choose: Choose) -> Device:
    if options.gpu is not None and options.device is not None:
        raise UsageError("--gpu and --device are both given", hint="Use one of them")
    if options.gpu is not None:
        if options.gpu == "cpu":
            raise UsageError("--gpu names a graphics card", hint="Use --device cpu")
        return devices.card(options.gpu)
    if options.device is not None:
        return devices.device(options.device)
    found = devices.default()
    return found if isinstance(found, Device) else choose(found)


def _default_suite(options: RunOptions, device: Device) -> str:
    if options.gpu is not None:
        return "standard"
    return "quick" if device.kind == "cuda" else "smoke"


def origin_of(options: RunOptions, suite: Suite) -> Origin:
    """Return the source of the weights of the model in the options, else of the suite's.

    Raises:
        UsageError: no such directory, no name on the Hub, or contradictory options.
    """
    origin = _source(suite.model if options.model is None else options.model, options)
    if options.revision is not None and origin.weight_mode is not WeightMode.HUB:
        raise UsageError(
            f"--revision has no meaning with {origin.weight_mode} weights", hint="Leave --revision out"
        )
    return origin


def _source(name: str, options: RunOptions) -> Origin:
    if options.weights == "random":
        return Origin(WeightMode.RANDOM, _released_name(name))
    if name == TINY:
        if options.weights == "hub":
            raise UsageError("the tiny model is made locally, it is not on the Hub", hint=_ANOTHER_MODEL)
        return Origin(WeightMode.TINY, TINY)
    # The model of a suite is a name; only --model can be a directory.
    if options.model is not None and options.weights is None:
        kind = kind_of(Path(name)) if name else None
        if kind == "folder":
            directory = _openable(Path(name).resolve())
            return Origin(WeightMode.LOCAL, _slugged(directory.name), directory=directory)
        if kind is not None and not is_released(name):
            raise UsageError(f"--model '{name[:_MAX_SHOWN]}' is not a directory", hint="Name its folder")
    return _on_the_hub(name, options)


def _openable(directory: Path) -> Path:
    """Refuse a directory that tokenizers cannot open: it takes its path as UTF-8."""
    try:
        str(directory).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"--model {directory}: the path is not UTF-8, which tokenizers needs",
            hint="Rename the folder; where its name is UTF-8, set LC_ALL=C.UTF-8",
        ) from None
    return directory


def _on_the_hub(name: str, options: RunOptions) -> Origin:
    repo = name if "/" in name else f"{PUBLISHER}/{name}"
    if not _REPOSITORY.fullmatch(repo):
        raise UsageError(
            f"--model '{name[:_MAX_SHOWN]}': no such directory, and no name on the Hub",
            hint="Name a directory, or a repository as OWNER/NAME",
        )
    owner, _, plain = repo.partition("/")
    # A model of another owner with the same name gets other ids and folders.
    label = plain if owner == PUBLISHER else f"{owner}--{plain}"
    return Origin(WeightMode.HUB, label[:96], repo=repo, revision=options.revision)


def _released_name(name: str) -> str:
    """Return the name of a released model: the package ships the shapes that random weights need."""
    plain = name.removeprefix(f"{PUBLISHER}/")
    if plain == TINY:
        raise UsageError(
            "random weights need a released model, and this suite uses the tiny one", hint=_ANOTHER_MODEL
        )
    if not is_released(plain):
        raise UsageError(
            f"no shapes are known for random weights of '{name[:_MAX_SHOWN]}'",
            hint=f"Choose from {', '.join(released_names())}",
        )
    return plain


def released_names() -> tuple[str, ...]:
    """Return the names of the released models; the package ships their shapes."""
    return tuple(sorted(path.stem for path in shipped.data("models").glob("*.json")))


def is_released(name: str) -> bool:
    """Whether this is the name of a released model."""
    return name in released_names()


def _slugged(name: str) -> str:
    """Turn a directory's name into a model name: letters, digits, dot, dash and underscore."""
    kept = "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name
    )
    label = kept.lstrip("._-")[:96]
    # The name goes into the record, so it must not contain a user's or the machine's name.
    return label if label and scrub(label) == label else "local"


def refuse_to_choose(found: tuple[Device, ...]) -> Device:
    """Refuse to choose among several GPUs, for scripts.

    Raises:
        UsageError: always, with the list.
    """
    names = ", ".join(f"{gpu.slug} ({gpu.uuid})" for gpu in found)
    raise UsageError(f"this machine has {len(found)} GPUs: {names}", hint="Choose one with --device")


def emulation(total_bytes: int, device: Device) -> Emulation:
    """Emulate a card of `total_bytes`: its memory without the driver's reserve and the CUDA context.

    Raises:
        UsageError: nothing would be left, or the device is smaller than the emulated card.
    """
    asked = f"--emulate-vram {both_units(total_bytes)}"
    reserve_bytes = driver_reserve(total_bytes, "linux").typical_bytes
    spent = reserve_bytes + CONTEXT.typical_bytes
    has = device.memory_total_bytes if device.kind == "cuda" else None
    if total_bytes <= spent:
        raise UsageError(
            f"{asked}: driver and CUDA context alone take {both_units(spent)}",
            hint="Name a card's total, such as 12282MiB",
        )
    if has is not None and total_bytes > has:
        raise UsageError(
            f"{asked}: {device.name} has {both_units(has)}", hint="Only a smaller card can be emulated"
        )
    return Emulation(
        total_bytes=total_bytes,
        reserve_bytes=reserve_bytes,
        context_bytes=CONTEXT.typical_bytes,
        limit_bytes=total_bytes - spent,
        enforced_by="CUDA caching allocator" if device.kind == "cuda" else "allocation tracker",
    )
