"""What is read off the trial on a card."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.doctor.facts import Trial
from bench.doctor.trial import read

KERNELS = "sm_80 sm_90\n"
CUDA_ERROR = """Traceback (most recent call last):
  File "x.py", line 3, in <module>
torch.AcceleratorError: CUDA error: no kernel image is available
CUDA kernel errors might be asynchronously reported at some other API call.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
"""


@pytest.mark.parametrize(
    ("out", "err", "code", "flash", "expected"),
    [
        (f"{KERNELS}product\n", "", 0, False, Trial(("sm_80", "sm_90"))),
        (f"{KERNELS}product\n\n", "", 0, True, Trial(("sm_80", "sm_90"))),
        (
            f"{KERNELS}product\nsdpa flash flash-kernels\n\n",
            "",
            0,
            True,
            Trial(("sm_80", "sm_90"), sdpa_kernel="flash", has_flash_kernels=True),
        ),
        (
            f"{KERNELS}product\nsdpa memory_efficient no-flash-kernels\n",
            "",
            0,
            False,
            Trial(("sm_80", "sm_90"), sdpa_kernel="memory_efficient", has_flash_kernels=False),
        ),
        (
            f"{KERNELS}product\nsdpa math\n",
            "",
            0,
            False,
            Trial(("sm_80", "sm_90"), sdpa_kernel="math", has_flash_kernels=None),
        ),
        (
            f"{KERNELS}product\nsdpa quick flash-kernels\n",
            "",
            -11,
            True,
            Trial(
                ("sm_80", "sm_90"),
                flash_attn_error="the process was ended by signal 11",
                has_flash_kernels=True,
            ),
        ),
        (
            f"{KERNELS}product\nflash-attn 2.8.3 cannot be imported: no\n",
            "",
            0,
            True,
            Trial(("sm_80", "sm_90"), None, "flash-attn 2.8.3 cannot be imported: no"),
        ),
        (
            f"{KERNELS}product\n",
            "",
            -11,
            True,
            Trial(("sm_80", "sm_90"), None, "the process was ended by signal 11"),
        ),
        (
            KERNELS,
            CUDA_ERROR,
            1,
            True,
            Trial(
                ("sm_80", "sm_90"),
                "torch.AcceleratorError: CUDA error: no kernel image is available",
            ),
        ),
        ("", "ImportError: libcudart.so.13", 1, False, Trial((), "ImportError: libcudart.so.13")),
        ("", "", 3, False, Trial((), "the process ended with code 3")),
    ],
    ids=[
        "fine",
        "flash-fine",
        "sdpa",
        "sdpa-no-flash",
        "sdpa-flash-unknown",
        "sdpa-odd",
        "flash-refused",
        "flash-crashed",
        "no-kernel",
        "no-torch",
        "silent",
    ],
)
def test_the_step_that_left_no_line_is_the_one_that_failed(
    out: str, err: str, code: int, flash: bool, expected: Trial
) -> None:
    assert read(out, err, code, flash_attn=flash) == expected


@given(st.text(), st.text(), st.integers(-64, 255), st.booleans())
def test_any_output_is_read_and_errors_stay_short(out: str, err: str, code: int, flash: bool) -> None:
    trial = read(out, err, code, flash_attn=flash)
    for told in (trial.torch_error, trial.flash_attn_error):
        assert told is None or (told and len(told) <= 160)
