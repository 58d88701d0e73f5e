"""What a made-up run knows before it begins: its device, the state of that, its software and its weights."""

import hashlib
import json
from functools import cache, partial

import numpy as np

from bench import shipped
from bench.arithmetic.shapes import Shapes, shapes_of
from bench.engines.native.profiles import settings_of
from bench.engines.native.sdpa_rules import TorchBuild, chosen_kernel
from bench.hardware.catalog import Card, slug_of
from bench.measure.attention_operators import kernels_of
from bench.records.card import Budget, DeviceState, Emulation, Power, Range, Sampled
from bench.records.cell import Repeat, Requested, SubmoduleKernels
from bench.records.enums import Attention, SdpaGrouping, WeightMode
from bench.records.record import DeviceInfo, Environment, ModelInfo, WeightFile
from bench.units import GB, GIB, MIB
from bench.weights.checkpoint import shipped_configuration
from tests.validate.recipes import Recipe

CONTEXT_BYTES = 420 * MIB
RESERVE_BYTES = 320 * MIB


def sha(text: str) -> str:
    """Return a hash of its own for each text."""
    return hashlib.sha256(text.encode()).hexdigest()


def limit_of(card: Card | None) -> float:
    """Return the power limit, in watts."""
    return 250.0 if card is None or card.tdp_w is None else card.tdp_w


def device_of(recipe: Recipe, card: Card | None) -> DeviceInfo:
    """Return the card as the driver and the catalog have it."""
    if recipe.card is None:
        return DeviceInfo(kind="cpu", slug="cpu-some", name="Some CPU", memory_total_bytes=64 * GIB)
    name = recipe.card if card is None else card.nvml_name
    total = 32 * GIB - 4 * MIB if card is None else card.memory_total_bytes
    return DeviceInfo(
        kind="cuda",
        slug=slug_of(name, total),
        name=name,
        memory_total_bytes=total,
        compute_capability="12.0" if card is None else card.compute_capability,
        driver="580.95.05",
        catalogued=card is not None,
        memory_bandwidth_bytes_per_s=None if card is None else card.memory_bandwidth_bytes_per_s,
        bf16_operations_per_s=None if card is None else card.bf16_operations_per_s,
    )


def environment_of(recipe: Recipe) -> Environment:
    """Return software and host."""
    windows = recipe.system == "windows"
    return Environment(
        bench_version="0.1.0",
        bench_commit="07d5c0e1a2b3",
        bench_dirty=False,
        python="3.11.7",
        torch="2.13.0+cu130",
        transformers="5.23.0",
        has_flash_kernels=not windows,
        packages={"numpy": "2.3.5"},
        os="Windows 11" if windows else "Ubuntu 24.04 LTS",
        kernel={"linux": "6.8.0-49-generic", "windows": "Windows 11"}.get(
            recipe.system, "6.6.87.2-microsoft-standard-WSL2"
        ),
        cpu="AMD Ryzen 7 5800X",
        cpu_cores=8,
        ram_bytes=34 * GB,
    )


_FUSED = {"flash": "flash", "memory_efficient": "efficient", "cudnn": "cudnn"}


def attention_of(
    asked: Requested, device: DeviceInfo, system: str
) -> tuple[SubmoduleKernels, SdpaGrouping | None]:
    """Return the kernels of the language model, and how SDPA was called: by the rules of torch 2.13."""
    if asked.attention is Attention.EAGER:
        return kernels_of(["aten::_softmax"]), None
    if asked.attention is Attention.FLASH_ATTENTION_2:
        return kernels_of(["flash_attn::_flash_attn_forward"]), None
    if device.kind == "cpu":
        return kernels_of(["aten::_scaled_dot_product_flash_attention_for_cpu"]), "grouped"
    choose = partial(
        chosen_kernel,
        TorchBuild("windows" if system == "windows" else "linux", (2, 13)),
        compute_capability=device.compute_capability or "8.0",
        dtype=asked.dtype,
    )
    is_grouped = settings_of(asked.profile).is_grouped(choose(is_grouped=True))
    fused = _FUSED.get(choose(is_grouped=is_grouped))
    name = "aten::_safe_softmax" if fused is None else f"aten::_scaled_dot_product_{fused}_attention"
    return kernels_of([name]), "grouped" if is_grouped else "ungrouped"


def state_of(recipe: Recipe, device: DeviceInfo, baseline: int, limit_w: float) -> DeviceState:
    """Return the card as it was found. The driver of WSL2 has no power limit."""
    headless, wddm = (device.memory_total_bytes or 0) - RESERVE_BYTES, recipe.system != "linux"
    limit = None if recipe.system == "wsl2" else limit_w
    return DeviceState(
        memory_source="NVML memory v2",
        memory_reserved_bytes=RESERVE_BYTES,
        used_bytes=baseline,
        used_by_others_bytes=0,
        other_processes=0,
        display=wddm,
        budget=Budget(
            headless_bytes=None if wddm else headless,
            desktop_bytes=headless - 600 * MIB,
            now_bytes=headless - baseline,
            desktop_use_bytes=600 * MIB,
            desktop_use_source="assumed, idle desktop",
            desktop_use_basis="assumed",
        ),
        power_limit_w=limit,
        power_limit_default_w=limit,
        pcie_generation_max=4,
        pcie_width_max=16,
    )


def emulation_of(recipe: Recipe, device: DeviceInfo) -> Emulation | None:
    """Return the emulated card."""
    total = recipe.emulated_bytes
    if total is None:
        return None
    return Emulation(
        total_bytes=total,
        reserve_bytes=RESERVE_BYTES,
        context_bytes=CONTEXT_BYTES,
        limit_bytes=total - RESERVE_BYTES - CONTEXT_BYTES,
        enforced_by="CUDA caching allocator" if device.kind == "cuda" else "allocation tracker",
    )


def model_name(recipe: Recipe) -> str:
    """Return the name of the model that ran."""
    named = {WeightMode.TINY: "tiny", WeightMode.LOCAL: "my-finetune"}
    return named.get(recipe.weights, recipe.model)


def model_of(recipe: Recipe, parameters: int, element_bytes: int) -> ModelInfo:
    """Return the model; released weights are BF16 on disk, whatever they are loaded as."""
    name, mode, hub = model_name(recipe), recipe.weights, recipe.weights is WeightMode.HUB
    on_disk = parameters * 2 + 91_000
    sizes = {"model-00001-of-00002.safetensors": on_disk // 2}
    sizes["model-00002-of-00002.safetensors"] = on_disk - on_disk // 2
    files = [WeightFile(name=each, size_bytes=size, sha256=sha(each)) for each, size in sizes.items()]
    return ModelInfo(
        name=name,
        repo=f"OpenMOSS-Team/{name}" if hub else None,
        revision=sha(name)[:40] if hub else None,
        weight_mode=mode,
        config_sha256=shipped_configuration(name) or sha("config"),
        parameters=parameters,
        weights_bytes=parameters * element_bytes,
        files=tuple(files) if mode in {WeightMode.HUB, WeightMode.LOCAL} else (),
    )


def power_of(recipe: Recipe, limit: float, repeats: tuple[Repeat, ...], rng: np.random.Generator) -> Power:
    """Return energy, clocks and heat: below the limit, as a card draws that waits for its memory."""
    throttled = recipe.state == "throttled"
    took = sum(repeat.latency_s for repeat in repeats)
    drawn = limit * float(rng.uniform(0.55, 0.9))
    clock = 2595.0 if not throttled else 1410.0
    return Power(
        source="energy counter",
        sampler=Sampled(period_s=0.02, samples=round(0.96 * took / 0.02), largest_gap_s=0.041),
        energies_j=tuple(drawn * repeat.latency_s * float(rng.normal(1, 0.01)) for repeat in repeats),
        power_w=Range(low=0.3 * drawn, median=drawn, high=min(1.05 * limit, 1.2 * drawn)),
        temperature_c=Range(low=41, median=58, high=88 if throttled else 66),
        sm_clock_mhz=Range(low=210, median=clock, high=clock + 45),
        memory_clock_mhz=Range(low=405, median=10251, high=10251),
        throttle_reasons={"sw_thermal_slowdown": 0.31} if throttled else {"sw_power_cap": 0.2},
        pcie_generation=4,
        pcie_width=16,
    )


def needs_more(asked: Requested, smaller: Requested) -> bool:
    """Whether a cell has a longer clip or more tokens than another of its attention."""
    larger = asked.clip_seconds >= smaller.clip_seconds and asked.max_tokens >= smaller.max_tokens
    return larger and asked.attention is smaller.attention


@cache
def shapes_named(name: str) -> Shapes:
    """Return the shapes of a released model."""
    return shapes_of(json.loads(shipped.data("models", f"{name}.json").read_text(encoding="utf-8")))
