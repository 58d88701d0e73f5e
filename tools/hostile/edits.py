"""Edits of a record, from one figure to all that a careful forger computes again."""

from typing import Any

from bench.measure.summary import CellFigures, summarise
from bench.records.cell import CellResult, Requested
from bench.records.record import DeviceInfo
from bench.store.canonical import sha256_of
from bench.suite.cells import cell_id
from bench.suite.suite import Suite
from tools.hostile.case import Document, Edit


def at(document: Document, path: str) -> tuple[Any, str | int]:
    """Return the container of a dotted path, and the last key: `cells.0.summary.latency_s.median`."""
    *parents, last = (int(part) if part.isdigit() else part for part in path.split("."))
    place: Any = document
    for part in parents:
        place = place[part]
    return place, last


def setting(**changes: object) -> Edit:
    """Return an edit that sets fields; `__` is a dot."""

    def edit(document: Document) -> None:
        for path, value in changes.items():
            place, last = at(document, path.replace("__", "."))
            place[last] = value

    return edit


def scaling(path: str, factor: float) -> Edit:
    """Return an edit that multiplies one figure, and keeps whole numbers whole."""

    def edit(document: Document) -> None:
        place, last = at(document, path)
        value = place[last] * factor
        place[last] = round(value) if isinstance(place[last], int) else value

    return edit


def both(*edits: Edit) -> Edit:
    """Return an edit that makes several."""

    def edit(document: Document) -> None:
        for each in edits:
            each(document)

    return edit


def faster(factor: float, *, only: str | None = None) -> Edit:
    """Return an edit that divides all raw times of a record, or one of them, and computes the rest again."""

    def edit(document: Document) -> None:
        for cell in document["cells"]:
            for repeat in cell["repeats"]:
                for name in ("preprocess_s", "encode_s", "time_to_first_token_s", "latency_s"):
                    if only in {None, name}:
                        repeat[name] /= factor
                if only is None:
                    repeat["token_times_s"] = [time / factor for time in repeat["token_times_s"]]
                    repeat["decode_tokens_per_s"] *= factor
                    for name in ("host_time_to_first_token_s", "host_latency_s"):
                        if repeat[name] is not None:
                            repeat[name] /= factor
                repeat["real_time_factor"] = repeat["latency_s"] / cell["requested"]["clip_seconds"]
            if only is None and cell["power"] is not None:
                cell["power"]["energies_j"] = [energy / factor for energy in cell["power"]["energies_j"]]
        summed(document)

    return edit


def summed(document: Document) -> None:
    """Compute every summary again, as a careful forger would."""
    suite = Suite.model_validate(document["suite"]["definition"])
    device = DeviceInfo.model_validate(document["device"])
    for cell in document["cells"]:
        if cell["outcome"]["status"] != "measured" or not cell["repeats"]:
            continue
        read = CellResult.model_validate({**cell, "summary": None})
        labels = tuple(label for label in cell["summary"]["labels"] if label != "noisy")
        cell["summary"] = summarise(
            CellFigures(
                repeats=read.repeats,
                clip_seconds=read.requested.clip_seconds,
                noise_cv=suite.measure.noise_cv,
                load_s=cell["summary"]["load_s"],
                memory=read.memory,
                work=read.work,
                device=device,
                device_memory=read.device_memory,
                power=read.power,
                labels=labels,
            )
        ).model_dump(mode="json")


def asking(place: int, **changes: object) -> Edit:
    """Return an edit of what a cell asked for, with the id that belongs to it."""

    def edit(document: Document) -> None:
        cell = document["cells"][place]
        cell["requested"] |= changes
        cell["cell_id"] = cell_id(Requested.model_validate(cell["requested"]))

    return edit


def renamed(model: str, weight_mode: str, provenance: str) -> Edit:
    """Return an edit that passes a run for one of another model, everywhere."""

    def edit(document: Document) -> None:
        document["model"] |= {"name": model, "weight_mode": weight_mode}
        document["provenance"] = provenance
        document["suite"]["definition"]["model"] = model
        suite_hashed(document)
        for place, _ in enumerate(document["cells"]):
            asking(place, model=model, weight_mode=weight_mode)(document)

    return edit


def suite_hashed(document: Document) -> None:
    """Hash the definition of the suite again."""
    document["suite"]["sha256"] = sha256_of(document["suite"]["definition"])


def defined(**changes: object) -> Edit:
    """Return an edit of the suite's definition, hashed again."""
    return both(
        setting(**{f"suite__definition__{key}": value for key, value in changes.items()}), suite_hashed
    )


def every_text(text: str) -> Edit:
    """Return an edit that puts a text into the fields that take any."""
    return setting(
        environment__os=text,
        environment__kernel=text,
        environment__cpu=text,
        environment__packages={text: text},
        environment__variables={text: text},
        device__driver=text,
        device_state__memory_source=text,
    )


def in_mebibytes(value: Any) -> Any:
    """Every size as if MiB were bytes."""
    if isinstance(value, dict):
        return {
            key: each // 2**20 if key.endswith("_bytes") and isinstance(each, int) else in_mebibytes(each)
            for key, each in value.items()
        }
    return [in_mebibytes(each) for each in value] if isinstance(value, list) else value
