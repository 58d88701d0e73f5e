"""The tables of the longest clips are those of the shipped predictions."""

from bench.records.enums import Profile
from tools.derived import CARDS, LARGER, LINUX, WINDOWS
from tools.longest_clips import (
    NAMES,
    before,
    ends,
    limits,
    of_every_profile,
    of_the_readme,
    of_windows,
    shipped,
)


def test_every_card_has_a_row_for_each_profile_and_a_column_for_each_system() -> None:
    rows = [row for row in of_every_profile() if "](../reports/" in row and "8B" not in row]
    assert len(rows) == 2 * len(CARDS)
    predicted = limits("rtx-4070", Profile.FAITHFUL, WINDOWS)
    (row,) = [row for row in rows if "/rtx-4070/" in row and "`faithful`" in row]
    assert row.split(" | ")[5] == predicted


def test_every_kernel_that_heads_a_column_is_the_predicted_one() -> None:
    kernels = next(row for row in of_windows() if "attention kernel" in row).strip("| ").split(" | ")
    for system, column in ((LINUX, 1), (WINDOWS, 3)):
        envelope = shipped("MOSS-Audio-4B-Instruct", "rtx-4070", Profile.FAITHFUL, system).cells[0].envelope
        assert envelope is not None
        assert kernels[column] == envelope.attention_kernel


def test_the_page_names_the_kernel_of_each_system_and_profile() -> None:
    faithful, lean = (row for row in of_every_profile() if row.startswith("| *attention kernel*"))
    assert faithful == "| *attention kernel* | | `faithful` | flash | flash | math | memory-efficient |"
    assert lean == "| *attention kernel* | | `lean` | flash | flash | memory-efficient | memory-efficient |"


def test_the_readme_splits_the_lengths_of_lean_into_columns() -> None:
    head, _, *rows = of_the_readme()
    assert len(rows) == len(CARDS)
    headless = limits("rtx-4070", Profile.LEAN, LINUX, headless=True).split(" / ")
    desktop = limits("rtx-4070", Profile.LEAN, LINUX).split(" / ")
    (row,) = [row for row in rows if "/rtx-4070/" in row]
    assert row.split(" | ")[2:8] == headless + desktop
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}
    assert row.endswith(" tok/s |")
    (unfit,) = [row for row in rows if "8 GB" in row]
    assert unfit.endswith(" | n/a |")  # a ceiling would look like a speed


def test_lean_before_is_as_it_was_predicted() -> None:
    for slug, found in before().items():
        (row,) = [row for row in of_windows() if row.startswith(f"| {NAMES[slug]} |")]
        assert row.split(" | ")[4] == ends(*found)


def test_ends_are_fits_likely_fits_and_does_not_fit_from() -> None:
    assert ends(60.0, 96.0, 300.0) == "60 s / 96 s / 300 s"
    assert ends(None, None, 1.0) == "no clip / no clip / 1 s"
    assert ends(60.0, 300.0) == "60 s / 300 s"
    assert ends(None, 1.0) == "no clip / 1 s"
    assert ends(None, 96.0, 300.0) == "uncertain / 96 s / 300 s"
    assert ends(600.0, None) == "600 s / never"
    assert limits("rtx-4090", Profile.LEAN, LINUX, model=LARGER) == "n/a"
