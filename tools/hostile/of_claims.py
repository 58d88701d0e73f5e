"""Cases of contradicting claims, impossible physics and copied series."""

import copy
from collections.abc import Callable, Iterator

from bench.weights.checkpoint import shipped_configuration
from tools.hostile.case import Case, Document, Edit
from tools.hostile.edits import asking, both, faster, in_mebibytes, renamed, scaling, setting, summed


def of_claims() -> Iterator[Case]:
    """Provenance, model, card and settings that contradict each other, and dates."""
    real = renamed("MOSS-Audio-4B-Instruct", "hub", "measured")
    yield Case("tiny-run-as-4b", ("model_contradicted",), 1, "smoke", edit=real)
    yield Case(
        "smoke-as-measured", ("provenance_contradicted",), 1, "smoke", edit=setting(provenance="measured")
    )
    yield Case("measured-as-smoke", ("provenance_contradicted",), 1, edit=setting(provenance="smoke"))
    yield Case("measured-as-derived", ("provenance_contradicted",), 1, edit=setting(provenance="derived"))
    yield Case(
        "plan-as-measured", ("provenance_contradicted",), 1, "plan", edit=setting(provenance="measured")
    )
    yield Case(
        "emulated-as-measured", ("provenance_contradicted",), 1, "emulated", edit=setting(emulation=None)
    )
    bigger = renamed("MOSS-Audio-8B-Instruct", "hub", "measured")
    yield Case("4b-as-8b", ("model_contradicted",), 1, edit=bigger)
    yield Case("weights-smaller", ("model_contradicted",), 1, edit=scaling("model.weights_bytes", 0.5))
    yield Case("parameters-fewer", ("model_contradicted",), 1, edit=scaling("model.parameters", 0.5))
    made_up = setting(model__config_sha256="ab" * 32)
    yield Case("configuration-made-up", ("configuration_not_shipped",), 0, edit=made_up)
    of_8b = setting(model__config_sha256=shipped_configuration("MOSS-Audio-8B-Instruct"))
    yield Case("configuration-of-the-8b", ("configuration_not_shipped",), 0, edit=of_8b)
    hidden = both(setting(model__config_sha256="ab" * 32), _as_random)
    yield Case("configuration-of-random-weights", ("configuration_not_shipped",), 0, edit=hidden)
    yield Case("local-as-published", ("model_contradicted",), 1, edit=_as_local)
    yield Case("card-as-cpu", ("card_contradicted",), 1, edit=_as_cpu)
    no_memory = setting(device__memory_total_bytes=None)
    yield Case("card-without-memory", ("card_contradicted",), 1, edit=no_memory)
    yield Case("card-slug-swapped", ("card_contradicted",), 1, edit=setting(device__slug="rtx-4090"))
    yield Case(
        "card-name-swapped", ("card_contradicted",), 1, edit=setting(device__name="NVIDIA GeForce RTX 4090")
    )
    yield Case("card-memory", ("card_contradicted",), 1, edit=scaling("device.memory_total_bytes", 2))
    yield Case("card-capability", ("card_contradicted",), 1, edit=setting(device__compute_capability="12.0"))
    for name in ("memory_bandwidth_bytes_per_s", "bf16_operations_per_s"):
        edit = both(scaling(f"device.{name}", 2.0), summed)
        yield Case(f"card-{name[:4]}", ("card_contradicted",), 1, edit=edit)
    yield Case(
        "card-under-another-slug",
        ("card_contradicted", "card_not_catalogued"),
        1,
        edit=setting(device__slug="rtx-9999"),
    )
    unknown = setting(device__slug="thing-9000", device__name="NVIDIA Thing 9000", device__catalogued=False)
    yield Case("card-unknown", ("card_not_catalogued",), 0, edit=both(unknown, _without_rates))
    effective: dict[str, object] = {
        "dtype": "torch.float32",
        "device": "cpu",
        "logits_positions": "last",
        "audio_tokens": 1,
        "prompt_tokens": 3,
        "clip_samples": 16,
        "clip_sha256": "ab" * 32,
    }
    for name, value in effective.items():
        edit = setting(**{f"cells__0__effective__{name}": value})
        yield Case(f"ran-with-another-{name.replace('_', '-')}", ("settings_contradicted",), 1, edit=edit)
    other = both(_with_a_clip_of_ones_own, setting(cells__0__effective__clip_sha256="ab" * 32))
    yield Case("one-clip-with-two-hashes", ("settings_contradicted",), 1, edit=other)
    yield from _of_kernels()
    yield Case("date-in-future", ("date_in_future",), 1, edit=setting(created_at="2199-01-01T00:00:00Z"))
    yield Case(
        "date-before-bench", ("date_before_bench",), 1, edit=setting(created_at="1999-12-31T23:59:59Z")
    )


def _of_kernels() -> Iterator[Case]:
    """Attention kernels that did not run."""
    ran = "cells__0__effective__language_model__"
    edits: dict[str, Edit] = {
        "torch-without-flash-ran-flash": setting(environment__has_flash_kernels=False),
        "torch-for-cpus-with-flash": setting(environment__torch="2.13.0+cpu"),
        "kernel-of-other-operators": setting(**{f"{ran}kernel": "math"}),
        "eager-as-sdpa": setting(**{f"{ran}operators": ["aten::_softmax"], f"{ran}kernel": "eager"}),
        "kernel-of-a-cpu-on-a-card": setting(
            **{f"{ran}operators": ["aten::_scaled_dot_product_flash_attention_for_cpu"]}
        ),
    }
    for name, edit in edits.items():
        yield Case(name, ("kernels_contradicted",), 1, edit=edit)


def _with_a_clip_of_ones_own(document: Document) -> None:
    for place, _ in enumerate(document["cells"]):
        asking(place, clip_source_sha256="cd" * 32)(document)


def _as_random(document: Document) -> None:
    document["model"] |= {"weight_mode": "random", "repo": None, "revision": None, "files": []}
    for place, _ in enumerate(document["cells"]):
        asking(place, weight_mode="random")(document)


def _as_local(document: Document) -> None:
    document["model"]["weight_mode"] = "local"
    for place, _ in enumerate(document["cells"]):
        asking(place, weight_mode="local")(document)


def _as_cpu(document: Document) -> None:
    document["device"]["kind"] = "cpu"
    for cell in document["cells"]:
        cell["effective"]["device"] = "cpu"
    faster(100)(document)


def _without_rates(document: Document) -> None:
    document["device"] |= {"memory_bandwidth_bytes_per_s": None, "bf16_operations_per_s": None}
    summed(document)


def of_physics() -> Iterator[Case]:
    """What no card can do."""
    yield Case("all-times-tenth", ("decode_above_bandwidth",), 1, edit=faster(10))
    yield Case("a-little-fast", ("decode_near_bandwidth",), 0, edit=faster(1.4))
    without = both(faster(100), _leaving_out("work", "power"), summed)
    yield Case("fast-without-work", ("decode_above_bandwidth", "rate_above_card"), 1, edit=without)
    made_up = both(faster(100), _leaving_out("power"), _with_little_work, summed)
    yield Case("fast-with-little-work", ("decode_above_bandwidth", "work_mismatch"), 1, edit=made_up)
    at_once = both(_first_token_at_once, summed)
    yield Case("first-token-at-once", ("rate_above_card",), 1, edit=at_once)
    yield Case("encoder-impossible", ("rate_above_card",), 1, edit=faster(1000, only="encode_s"))
    yield Case(
        "work-fewer",
        ("work_mismatch",),
        1,
        edit=both(scaling("cells.0.work.decode_bytes_per_token", 0.5), summed),
    )
    yield Case("mib-as-bytes", ("memory_below_weights",), 1, edit=_mebibytes)
    yield Case("allocated-above-reserved", ("memory_disordered",), 1, edit=_phase("reserved_peak_bytes", 0.5))
    yield Case(
        "allocated-below-weights", ("memory_below_weights",), 1, edit=_phase("allocated_peak_bytes", 0.5)
    )
    uncounted = both(
        _leaving_out("memory"), _seen("process_peak_bytes", 0.1), _seen("device_peak_bytes", 0.1)
    )
    yield Case("memory-little-and-uncounted", ("memory_below_weights",), 1, edit=uncounted)
    yield Case("process-below-reserved", ("memory_disordered",), 1, edit=_seen("process_peak_bytes", 0.5))
    yield Case("process-a-little-below", ("reading_unusual",), 0, edit=_seen("process_peak_bytes", 0.93))
    yield Case("device-above-card", ("memory_above_card",), 1, edit=_seen("device_peak_bytes", 4.0))
    yield Case("power-far-above", ("power_above_limit",), 1, edit=scaling("cells.0.power.power_w.high", 5))
    yield Case("energy-too-much", ("energy_above_power",), 1, edit=_energy(10))
    limit = setting(device_state__power_limit_w=1e9, device_state__power_limit_default_w=1e9)
    yield Case("power-limit-made-up", ("energy_above_power",), 1, edit=both(limit, _energy(1000)))
    more = both(lambda d: d["cells"][0]["power"]["energies_j"].extend([1e6] * 9), summed)
    yield Case("energies-of-no-repeat", ("reading_impossible",), 1, edit=more)
    yield Case("energy-too-little", ("energy_below_idle",), 0, edit=_energy(0.001))
    yield Case(
        "clock-impossible",
        ("reading_impossible",),
        1,
        edit=setting(cells__0__power__sm_clock_mhz__high=9000.0),
    )
    yield Case("hot", ("reading_unusual",), 0, edit=setting(cells__0__power__temperature_c__high=99.0))
    yield Case(
        "burning", ("reading_impossible",), 1, edit=setting(cells__0__power__temperature_c__high=400.0)
    )
    yield Case(
        "link-of-the-future", ("reading_impossible",), 1, edit=setting(cells__0__power__pcie_generation=9)
    )
    yield Case("link-too-wide", ("reading_impossible",), 1, edit=setting(device_state__pcie_width_max=8))


def _leaving_out(*names: str) -> Edit:
    def edit(document: Document) -> None:
        for cell in document["cells"]:
            cell.update(dict.fromkeys(names))

    return edit


def _with_little_work(document: Document) -> None:
    for cell in document["cells"]:
        cell["effective"]["prompt_tokens"] = None
        cell["work"] = {"decode_bytes_per_token": 1000, "encode_operations": 1.0, "prefill_operations": 1.0}


def _first_token_at_once(document: Document) -> None:
    for repeat in (repeat for cell in document["cells"] for repeat in cell["repeats"]):
        repeat |= {"preprocess_s": None, "encode_s": None, "time_to_first_token_s": 1e-5}
        repeat["token_times_s"][0] = 1e-5
        repeat["decode_tokens_per_s"] = (repeat["generated_tokens"] - 1) / (repeat["latency_s"] - 1e-5)


def _mebibytes(document: Document) -> None:
    document["cells"] = in_mebibytes(document["cells"])


def _phase(name: str, factor: float) -> Edit:
    def edit(document: Document) -> None:
        for phase in document["cells"][0]["memory"]["phases"].values():
            if phase[name] is not None:
                phase[name] = round(phase[name] * factor)
        summed(document)

    return edit


def _seen(name: str, factor: float) -> Edit:
    return both(scaling(f"cells.0.device_memory.{name}", factor), summed)


def _energy(factor: float) -> Edit:
    def edit(document: Document) -> None:
        power = document["cells"][0]["power"]
        power["energies_j"] = [energy * factor for energy in power["energies_j"]]
        summed(document)

    return edit


def of_series() -> Iterator[Case]:
    """Copies, spread and samples."""
    yield Case("repeats-copied", ("repeats_copied",), 1, edit=both(_copy_repeat, summed))
    nudged = both(_copy_repeat, _moved(lambda time_s: time_s + 3e-7), summed)
    yield Case("repeats-copied-with-noise", ("repeats_copied",), 1, edit=nudged)
    yield Case("cells-copied", ("cells_copied",), 1, edit=_copy_cell)
    longer = both(_copy_repeat, _moved(lambda time_s: 1.013 * time_s), summed)
    yield Case("repeats-stretched", ("repeats_stretched",), 0, edit=longer)
    later = both(_copy_repeat, _moved(lambda time_s: round(0.98 * time_s + 0.004, 6)), summed)
    yield Case("repeats-stretched-and-moved", ("repeats_stretched",), 0, edit=later)
    yield Case("spread-absurd", ("spread_absurd",), 0, edit=_spread(80.0))
    yield Case("spread-of-no-machine", ("spread_too_small",), 0, edit=both(_ending_together, summed))
    yield Case("samples-few", ("samples_missing",), 0, edit=setting(cells__0__power__sampler__samples=3))
    gap = setting(cells__0__device_memory__sampler__largest_gap_s=60.0)
    yield Case("samples-with-a-gap", ("samples_missing",), 0, edit=gap)
    contended = setting(cells__0__device_memory__contended=True)
    yield Case("contended-unlabelled", ("label_missing",), 1, edit=contended)
    praised = setting(cells__0__summary__labels=["verified by the makers"])
    yield Case("label-made-up", ("label_contradicted",), 1, edit=praised)
    spilled = setting(cells__0__summary__labels=["spilled"])
    yield Case("spilled-on-linux", ("label_contradicted",), 1, edit=spilled)
    unlabelled = both(_spread(3.0), setting(cells__0__summary__labels=[]))
    yield Case("noisy-unlabelled", ("label_missing",), 1, edit=unlabelled)


def _copy_repeat(document: Document) -> None:
    repeats = document["cells"][0]["repeats"]
    repeats[1] = copy.deepcopy(repeats[0])


def _moved(move: Callable[[float], float]) -> Edit:
    """Return an edit of the times of the repeat that was copied."""

    def edit(document: Document) -> None:
        cell = document["cells"][0]
        _set_times(cell, cell["repeats"][1], [move(time_s) for time_s in cell["repeats"][1]["token_times_s"]])

    return edit


def _ending_together(document: Document) -> None:
    """All repeats of the first cell end with the slowest, to within some nanoseconds."""
    cell = document["cells"][0]
    end = max(repeat["latency_s"] for repeat in cell["repeats"])
    for nth, repeat in enumerate(cell["repeats"]):
        _set_times(cell, repeat, [*repeat["token_times_s"][:-1], end + nth * 1e-9])


def _set_times(cell: Document, repeat: Document, times: list[float]) -> None:
    """Set the times of tokens, and all of a repeat that follows from them."""
    repeat["token_times_s"] = times
    repeat["time_to_first_token_s"], repeat["latency_s"] = times[0], times[-1]
    repeat["real_time_factor"] = times[-1] / cell["requested"]["clip_seconds"]
    repeat["decode_tokens_per_s"] = (len(times) - 1) / (times[-1] - times[0])


def _copy_cell(document: Document) -> None:
    """The faster repeats of another cell of the same answer and clip: only the attention differs."""
    one, other = document["cells"][:2]
    for name in ("repeats", "summary"):
        other[name] = copy.deepcopy(one[name])
    summed(document)


def _spread(factor: float) -> Edit:
    """All repeats of the first cell as the first one, each slower than the one before by this factor."""

    def edit(document: Document) -> None:
        repeats = document["cells"][0]["repeats"]
        for nth, repeat in enumerate(repeats):
            first, slower = repeats[0], factor**nth
            for name in ("preprocess_s", "encode_s"):
                repeat[name] = first[name] * slower
            _set_times(document["cells"][0], repeat, [time * slower for time in first["token_times_s"]])
            power = document["cells"][0]["power"]
            power["energies_j"][nth] = power["energies_j"][0] * slower
        document["cells"][0]["power"]["sampler"]["samples"] *= round(factor ** len(repeats))
        document["cells"][0]["device_memory"]["sampler"]["samples"] *= round(factor ** len(repeats))
        summed(document)

    return edit
