"""English names of the aspects in which runs differ."""

from collections.abc import Mapping
from typing import Final

from bench.records.aspects import Aspect

_MAX_SHOWN: Final = 32

ASPECTS: Final[Mapping[Aspect, str]] = {
    Aspect.SUITE: "the suite",
    Aspect.CELLS: "the cells",
    **dict.fromkeys((Aspect.MODEL, Aspect.REPO, Aspect.WEIGHT_MODE), "the model"),
    Aspect.REVISION: "the revision",
    Aspect.CONFIGURATION: "the configuration",
    **dict.fromkeys((Aspect.PARAMETERS, Aspect.WEIGHTS_SIZE, Aspect.WEIGHT_FILES), "the weights"),
    **dict.fromkeys((Aspect.DEVICE_KIND, Aspect.DEVICE, Aspect.DEVICE_NAME), "the device"),
    **dict.fromkeys((Aspect.DEVICE_MEMORY, Aspect.DEVICE_CAPABILITY), "the device"),
    **dict.fromkeys(
        (Aspect.CATALOGUED, Aspect.CATALOG_BANDWIDTH, Aspect.CATALOG_OPERATIONS), "the catalog of devices"
    ),
    Aspect.MACHINE: "the graphics card",
    Aspect.DRIVER: "the driver",
    Aspect.EMULATION: "the emulated card",
    Aspect.TORCH: "torch",
    Aspect.TRANSFORMERS: "transformers",
    Aspect.BENCH: "bench",
    Aspect.BENCH_COMMIT: "bench's commit",
    Aspect.BENCH_DIRTY: "bench's files",
    Aspect.PACKAGES: "the packages",
    Aspect.VARIABLES: "the environment variables",
}


def changed(aspect: Aspect, old: object, new: object) -> str:
    """`the driver (550.54 -> 580.95)`; of values that are no short text the name alone."""
    is_short = isinstance(old, str) and len(old) < _MAX_SHOWN
    return f"{ASPECTS[aspect]} ({old} -> {new})" if is_short else ASPECTS[aspect]
