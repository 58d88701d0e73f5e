"""Cases of edited figures, cells and suites."""

import copy
from collections.abc import Iterator
from typing import Final

from tools.hostile.case import Case, Document
from tools.hostile.edits import asking, both, defined, scaling, setting, summed

_FIRST: Final = "cells.0.summary."


def of_metrics() -> Iterator[Case]:
    """Figures of summaries and of raw repeats."""
    many = setting(cells__0__summary__decode_tokens_per_s__median=99_999.0)
    yield Case("rate-edited", ("hash_mismatch", "summary_mismatch"), 1, edit=many, is_hashed=False)
    yield Case("rate-edited-hashed", ("summary_mismatch",), 1, edit=many)
    figures = {
        "latency-median": "latency_s.median",
        "first-token-p10": "time_to_first_token_s.p10",
        "first-token-p90": "time_to_first_token_s.p90",
        "encode-median": "encode_s.median",
        "spread": "latency_s.cv",
        "interval-low": "latency_s.interval.low",
        "interval-high": "decode_tokens_per_s.interval.high",
        "real-time-factor": "real_time_factor.median",
        "allocated": "allocated_peak_bytes",
        "reserved": "reserved_peak_bytes",
        "process": "process_peak_bytes",
        "device": "device_peak_bytes",
        "energy": "energy_j",
        "energy-per-token": "energy_per_token_j",
        "energy-per-second": "energy_per_audio_second_j",
        "bandwidth-share": "bandwidth_fraction",
        "bf16-share": "bf16_fraction",
    }
    for name, path in figures.items():
        yield Case(f"summary-{name}", ("summary_mismatch",), 1, edit=scaling(_FIRST + path, 0.9))
    yield Case("summary-count", ("summary_mismatch",), 1, edit=setting(cells__0__summary__latency_s__n=30))
    yield Case(
        "summary-tokens", ("summary_mismatch",), 1, edit=setting(cells__0__summary__generated_tokens=9)
    )
    yield Case("summary-dropped", ("summary_mismatch",), 1, edit=setting(cells__0__summary__latency_s=None))
    raw = scaling("cells.0.repeats.0.decode_tokens_per_s", 3.0)
    yield Case("rate-of-a-repeat", ("times_do_not_add_up",), 1, edit=both(raw, summed))
    yield Case(
        "latency-of-a-repeat",
        ("times_do_not_add_up",),
        1,
        edit=both(scaling("cells.0.repeats.1.latency_s", 0.8), summed),
    )
    yield Case(
        "token-times-backwards",
        ("times_disordered",),
        1,
        edit=lambda d: d["cells"][0]["repeats"][0]["token_times_s"].__setitem__(slice(3, 5), [0.9, 0.8]),
    )
    yield Case("token-missing", ("tokens_miscounted",), 1, edit=lambda d: _times(d).pop(4))
    yield Case(
        "tokens-fewer",
        ("tokens_miscounted", "summary_mismatch"),
        1,
        edit=setting(cells__0__repeats__0__generated_tokens=5),
    )
    yield Case("answers-ended-early", ("tokens_miscounted",), 1, edit=_ended_early)
    slow = both(scaling("cells.0.repeats.0.encode_s", 1000.0), summed)
    yield Case("encoder-after-first-token", ("times_disordered",), 1, edit=slow)


def _times(document: Document) -> list[float]:
    times: list[float] = document["cells"][0]["repeats"][0]["token_times_s"]
    return times


def _ended_early(document: Document) -> None:
    """Two tokens of each answer, with all that follows from them."""
    for cell in document["cells"]:
        cell["power"] = cell["work"] = cell["cold"] = None
        for repeat in cell["repeats"]:
            first, last = repeat["token_times_s"] = repeat["token_times_s"][:2]
            repeat |= {"generated_tokens": 2, "stop_reason": "eos", "latency_s": last}
            repeat["real_time_factor"] = last / cell["requested"]["clip_seconds"]
            repeat["decode_tokens_per_s"] = 1 / (last - first)
    summed(document)


def of_cells() -> Iterator[Case]:
    """Cells and suites."""
    yield Case("cell-deleted", ("cell_missing",), 1, edit=lambda d: d["cells"].pop())
    yield Case("cells-deleted", ("cell_missing",), 1, edit=lambda d: d["cells"].clear())
    search = both(setting(frontier_step_s=5.0), lambda d: d["cells"].pop())
    yield Case("cell-deleted-as-in-a-search", ("cell_missing",), 1, edit=search)
    yield Case("cell-doubled", ("cell_doubled",), 1, edit=lambda d: d["cells"].append(d["cells"][0]))
    yield Case("cell-id-made-up", ("cell_id_mismatch",), 1, edit=setting(cells__0__cell_id="0" * 16))
    yield Case("cell-ids-swapped", ("cell_id_mismatch",), 1, edit=_swap_ids)
    yield Case("cell-of-another-length", ("cell_foreign",), 1, edit=asking(0, clip_seconds=11.0))
    yield Case("cell-with-another-prompt", ("cell_foreign",), 1, edit=asking(0, prompt="Say yes."))
    yield Case("cell-relabelled", ("cell_id_mismatch",), 1, edit=setting(cells__0__requested__max_tokens=7))
    yield Case(
        "cell-of-another-model", ("model_contradicted",), 1, edit=asking(1, model="MOSS-Audio-8B-Instruct")
    )
    yield Case("cell-of-another-run", ("cell_foreign",), 1, edit=asking(1, clip_source_sha256="ab" * 32))
    yield Case("suite-hash", ("suite_hash_mismatch",), 1, edit=setting(suite__sha256="cd" * 32))
    yield Case(
        "suite-edited", ("suite_hash_mismatch",), 1, edit=setting(suite__definition__title="Another title")
    )
    yield Case("suite-not-shipped", ("suite_not_shipped",), 1, edit=defined(measure__noise_cv=0.9))
    unstated = both(defined(measure__noise_cv=0.9), setting(suite__origin=None))
    yield Case("suite-of-no-origin", ("suite_not_shipped",), 1, edit=unstated)
    yield Case("suite-renamed", ("suite_name_mismatch",), 1, edit=setting(suite__name="other"))
    yield Case("suite-unreadable", ("suite_unreadable",), 1, edit=defined(seed="zero"))
    yield Case(
        "suite-of-a-later-bench",
        ("suite_unknown",),
        0,
        edit=both(defined(version="99"), setting(suite__version="99")),
    )
    yield Case("suite-own", ("suite_own",), 0, edit=setting(suite__origin="own"))
    yield Case("repeats-deleted", ("repeats_missing",), 1, edit=setting(cells__0__repeats=[]))
    yield Case("repeat-deleted", ("repeats_missing",), 1, edit=both(lambda d: _repeats(d).pop(), summed))
    yield Case("repeats-added", ("repeats_too_many",), 1, edit=_more_repeats)
    yield Case(
        "out-of-memory-with-repeats",
        ("outcome_contradicted",),
        1,
        edit=setting(cells__0__outcome={"status": "out_of_memory", "reason": "out of memory"}),
    )
    yield Case("measured-without-summary", ("outcome_contradicted",), 1, edit=setting(cells__0__summary=None))
    yield Case(
        "prediction-without-figures",
        ("outcome_contradicted",),
        1,
        "plan",
        edit=setting(cells__0__envelope=None),
    )


def _swap_ids(document: Document) -> None:
    one, other = document["cells"][:2]
    one["cell_id"], other["cell_id"] = other["cell_id"], one["cell_id"]


def _repeats(document: Document) -> list[Document]:
    found: list[Document] = document["cells"][0]["repeats"]
    return found


def _more_repeats(document: Document) -> None:
    repeats = _repeats(document)
    for nth in range(9):
        more = copy.deepcopy(repeats[0])
        factor = 1 + (nth + 1) / 100
        for name in ("time_to_first_token_s", "latency_s", "real_time_factor"):
            more[name] *= factor
        more["token_times_s"] = [time * factor for time in more["token_times_s"]]
        more["decode_tokens_per_s"] /= factor
        repeats.append(more)
    summed(document)
