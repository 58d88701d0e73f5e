"""The kernel of SDPA by system, release, card and call."""

import pytest

from bench.engines.native.sdpa_rules import TorchBuild, chosen_kernel
from bench.records.enums import SdpaKernel


@pytest.mark.parametrize(
    ("system", "version", "is_grouped", "kernel"),
    [
        ("linux", (2, 9), True, "flash"),
        ("linux", (2, 14), True, "flash"),
        ("linux", (2, 13), False, "flash"),
        ("windows", (2, 9), True, "math"),
        ("windows", (2, 13), True, "math"),
        ("windows", (2, 13), False, "memory_efficient"),
        ("windows", (2, 14), True, "memory_efficient"),
        ("windows", (2, 14), False, "memory_efficient"),
        ("windows", (3, 0), True, "memory_efficient"),
    ],
)
def test_windows_has_no_flash_and_groups_only_from_2_14_on(
    system: str, version: tuple[int, int], is_grouped: bool, kernel: SdpaKernel
) -> None:
    build = TorchBuild("windows" if system == "windows" else "linux", version)
    found = chosen_kernel(build, compute_capability="8.9", dtype="bfloat16", is_grouped=is_grouped)
    assert found == kernel


@pytest.mark.parametrize(
    ("capability", "dtype", "kernel"),
    [
        ("7.5", "bfloat16", "math"),
        ("7.5", "float16", "memory_efficient"),
        ("8.6", "float32", "memory_efficient"),
        ("12.0", "bfloat16", "flash"),
    ],
)
def test_a_card_before_ampere_and_32_bits_have_no_flash(
    capability: str, dtype: str, kernel: SdpaKernel
) -> None:
    build = TorchBuild("linux", (2, 14))
    assert chosen_kernel(build, compute_capability=capability, dtype=dtype, is_grouped=True) == kernel
