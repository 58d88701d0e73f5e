"""What runs can differ in, in English."""

from bench.records.aspects import Aspect
from bench.wording.aspects import changed


def test_short_texts_are_shown_and_anything_else_is_only_named() -> None:
    assert changed(Aspect.DRIVER, "550.54", "580.95") == "the driver (550.54 -> 580.95)"
    assert changed(Aspect.SUITE, "a" * 64, "b" * 64) == "the suite"
    assert changed(Aspect.DEVICE_MEMORY, 12, 16) == "the device"
