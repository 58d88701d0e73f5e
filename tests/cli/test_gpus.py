"""`bench gpus`: the catalog, and what is in this machine."""

import json
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bench.cli.gpus import lines, rows
from bench.hardware import nvml
from bench.hardware.catalog import cards
from tests.cli.conftest import Say
from tests.fake_driver.driver import environment_of, variant
from tests.run.forks import Forks
from tests.run.processes import bench, environment


def test_the_list_is_narrowed_by_slug_and_by_name(say: Say) -> None:
    by_slug, by_name = say("gpus", "4070"), say("gpus", "GeForce RTX 4070")
    assert re.search(
        r"^. rtx-4070 +11\.99 +8\.9 +504\.2 +58\.3 +200 +NVIDIA GeForce RTX 4070$", by_slug.out, re.M
    )
    assert "4090" not in by_slug.out
    assert by_name.out == by_slug.out
    assert {line.split()[0] for line in by_slug.out.splitlines()[1:]} < {
        line.split()[0] for line in say("gpus").out.splitlines()
    }


def test_every_word_has_to_match(say: Say) -> None:
    assert _slugs(say("gpus", "ADA", "laptop").out) == ["rtx-4090-laptop", "rtx-4080-laptop"]
    assert _slugs(say("gpus", "4060", "ti").out) == ["rtx-4060-ti-8gb", "rtx-4060-ti-16gb"]
    assert _slugs(say("gpus", "4060 ti").out) == ["rtx-4060-ti-8gb", "rtx-4060-ti-16gb"]


def _slugs(output: str) -> list[str]:
    return [
        line.removeprefix("*").split()[0] for line in output.splitlines()[1:] if " in this mach" not in line
    ]


def test_unknown_is_na_and_columns_are_aligned(say: Say) -> None:
    header, *table = say("gpus", "nvidia").out.splitlines()
    assert header.split() == ["slug", "GiB", "cap.", "GB/s", "TFLOP/s", "W", "name"]
    (gb10,) = [line for line in table if " gb10 " in line]
    assert gb10.split()[-8:] == ["gb10", "n/a", "12.1", "273.2", "n/a", "140", "NVIDIA", "GB10"]
    ends = {name: header.index(name) + len(name) for name in ("GiB", "cap.", "GB/s", "TFLOP/s", " W")}
    for line in table:
        if not line.startswith("* in") and "not in the catalog" not in line:
            assert all(line[end - 1] != " " and line[end] == " " for end in ends.values()), line
            assert line[header.index("name") - 1] == " " != line[header.index("name")]


def test_no_match_says_what_to_do(say: Say) -> None:
    said = say("gpus", "nosuch")
    assert said.code == 2
    assert "no known card matches 'nosuch'. `bench gpus` lists all" in said.line()
    assert "no known card matches '4071'. Did you mean rtx-4070, " in say("gpus", "4071").line()
    assert "Did you mean rtx-4070-ti" in say("gpus", "rtx-4070ti").line()


def test_json_has_every_figure_with_null_for_unknown(say: Say) -> None:
    (card,) = json.loads(say("gpus", "gb10", "--json").out)
    assert (card["slug"], card["memory_total_bytes"], card["bf16_operations_per_s"]) == ("gb10", None, None)
    assert (card["memory_bandwidth_bytes_per_s"], card["architecture"]) == (273.2e9, "Blackwell")
    every = json.loads(say("gpus", "--json").out)
    assert [row["slug"] for row in every if row["catalogued"]] == [known.slug for known in cards()]


@pytest.mark.parametrize("width", [80, 100, 120, 200])
def test_a_terminal_gets_lines_that_fit(width: int) -> None:
    table = list(lines(rows(cards(), ()), width))
    assert max(map(len, table)) <= width
    assert ("NVIDIA GeForce RTX 4070 Ti SUPER" in "\n".join(table)) == (width >= 120)
    assert any(line.endswith("…") for line in table) == (width < 120)


# --- the cards of this machine, from the driver -----------------------------------------------------------


OnMachine = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def on_machine(fake_nvml: Path, forks: Forks, home: Path) -> OnMachine:
    """Run `bench` on the machine of a scenario."""

    def run(*arguments: str, scenario: str | Path, **env: str) -> "subprocess.CompletedProcess[str]":
        emulated = environment(home) | environment_of(scenario, fake_nvml) | env
        return forks.run("bench", *arguments, env=emulated, cwd=home)

    return run


@pytest.mark.parametrize(
    ("scenario", "marked"),
    [
        ("rtx-4060-ti-pair", ["rtx-4060-ti-8gb", "rtx-4060-ti-16gb"]),
        ("rtx-5060-ti-16gb", ["rtx-5060-ti-16gb"]),
        ("two-cards", ["rtx-4070", "t4"]),
        ("laptop", ["rtx-4080-laptop"]),
        ("turing", ["rtx-2080-ti"]),
        ("gb10", ["gb10"]),
        ("old-driver", ["rtx-4070"]),
        ("wsl2", ["rtx-4070"]),
    ],
)
def test_what_is_in_this_machine_is_marked(on_machine: OnMachine, scenario: str, marked: list[str]) -> None:
    said = on_machine("gpus", scenario=scenario)
    assert (said.returncode, said.stderr) == (0, "")
    starred = [line.split()[1] for line in said.stdout.splitlines() if line.startswith("* ")]
    assert starred == [*marked, "in"]
    assert said.stdout.endswith(f"* in this machine: {', '.join(marked)}\n")
    assert "\x1b" not in said.stdout


def test_a_card_that_the_catalog_lacks_is_listed_too(on_machine: OnMachine) -> None:
    said = on_machine("gpus", "6070", scenario="unknown-card")
    assert said.stdout.splitlines()[1:] == [
        "* rtx-6070  18.00  13.0   n/a      n/a  n/a  NVIDIA GeForce RTX 6070",
        "* in this machine: rtx-6070",
        "rtx-6070 is not in the catalog: it runs too, without bandwidth figures",
    ]
    (row,) = json.loads(on_machine("gpus", "6070", "--json", scenario="unknown-card").stdout)
    assert (row["catalogued"], row["in_this_machine"], row["tdp_w"]) == (False, 1, None)


def test_slices_of_a_card_are_cards(on_machine: OnMachine) -> None:
    said = on_machine("gpus", "mig", scenario="mig-slice")
    assert "* a100-sxm4-40gb-mig-3g-20gb  19.62   8.0 " in said.stdout
    assert "* a100-sxm4-40gb-mig-1g-5gb    4.75   8.0 " in said.stdout


def test_two_of_a_kind_are_counted(on_machine: OnMachine, tmp_path: Path) -> None:
    twins = variant(tmp_path, "two-cards", "name NVIDIA GeForce RTX 4070", "memory.total 12282MiB")
    said = on_machine("gpus", scenario=twins)
    assert said.stdout.endswith("* in this machine: 2 x rtx-4070\n")


def test_a_driver_that_fails_takes_nothing_from_the_list(on_machine: OnMachine, tmp_path: Path) -> None:
    broken = variant(tmp_path, "rtx-4070-headless", system=["fail nvmlInitWithFlags LIB_RM_VERSION_MISMATCH"])
    said = on_machine("gpus", "4070", scenario=broken)
    assert said.returncode == 0
    assert "rtx-4070-ti" in said.stdout
    (line,) = said.stderr.splitlines()
    assert line.startswith("bench: ")
    assert "driver" in line


# --- `bench run --gpu` --------------------------------------------------------------------------------------


@pytest.fixture
def dry_run(on_machine: OnMachine) -> OnMachine:
    """Run `bench run --dry-run` on the machine of a scenario."""
    return partial(on_machine, "run", "--suite", "smoke", "--dry-run")


@pytest.mark.parametrize(
    ("scenario", "gpu", "name"),
    [
        ("rtx-4060-ti-pair", "rtx-4060-ti-16gb", "NVIDIA GeForce RTX 4060 Ti"),
        ("rtx-5060-ti-16gb", "rtx-5060-ti-16gb", "NVIDIA GeForce RTX 5060 Ti"),
        ("two-cards", "t4", "Tesla T4"),
        ("gb10", "gb10", "NVIDIA GB10"),
    ],
)
def test_the_card_that_was_named_is_the_card_of_the_plan(
    dry_run: OnMachine, scenario: str, gpu: str, name: str
) -> None:
    said = dry_run("--gpu", gpu, scenario=scenario)
    assert (said.returncode, said.stderr) == (0, "")
    assert f"cells of smoke on {name} with tiny weights" in said.stdout


@pytest.mark.parametrize(
    ("scenario", "gpu", "code", "told"),
    [
        (
            "rtx-5060-ti-16gb",
            "rtx-5060-ti-8gb",
            3,
            "no rtx-5060-ti-8gb here: found rtx-5060-ti-16gb. Use --gpu",
        ),
        ("two-cards", "rtx-4090", 3, "no rtx-4090 here: found rtx-4070, t4. Use --gpu rtx-4070"),
        ("two-cards", "rtx-4070ti", 2, "no graphics card is called 'rtx-4070ti'. Did you mean "),
        ("rtx-4060-ti-pair", "rtx-4060-ti", 2, "Did you mean rtx-4060-ti-8gb, rtx-4060-ti-16gb"),
        ("unknown-card", "rtx-607", 2, "Did you mean rtx-6070, "),
        ("mig-slice", "a100-40gb-sxm", 3, "no a100-40gb-sxm here: found a100-sxm4-40gb-mig-3g-20gb, "),
    ],
)
def test_a_card_that_is_not_here_is_one_line(
    dry_run: OnMachine, scenario: str, gpu: str, code: int, told: str
) -> None:
    said = dry_run("--gpu", gpu, scenario=scenario)
    assert (said.returncode, said.stdout) == (code, "")
    (line,) = said.stderr.splitlines()
    assert told in line


def test_a_laptop_part_is_no_desktop_card(dry_run: OnMachine, tmp_path: Path) -> None:
    laptop = variant(tmp_path, "laptop", "name NVIDIA GeForce RTX 4070 Laptop GPU", "memory.total 8188MiB")
    refused = dry_run("--gpu", "rtx-4070", scenario=laptop)
    assert refused.returncode == 3
    assert "no rtx-4070 here: found rtx-4070-laptop. Use --gpu rtx-4070-laptop" in refused.stderr
    runs = dry_run("--gpu", "rtx-4070-laptop", scenario=laptop)
    assert runs.returncode == 0
    assert runs.stderr == (
        "NVIDIA GeForce RTX 4070 Laptop GPU is not in the catalog; it runs as rtx-4070-laptop, "
        "without bandwidth figures\n"
    )


def test_no_driver_is_no_card(home: Path, tmp_path: Path) -> None:
    """On this machine as it is, where it has none."""
    if nvml.gpus():
        pytest.skip("this machine has an NVIDIA GPU")
    said = bench("run", "--gpu", "rtx-4070", "--dry-run", home=home, cwd=tmp_path)
    assert said.returncode == 3
    assert said.stderr.startswith("bench: no rtx-4070 here: no NVIDIA GPU was found")
    assert "in this machine" not in bench("gpus", home=home, cwd=tmp_path).stdout


def test_of_two_equal_cards_the_freer_is_told(dry_run: OnMachine, tmp_path: Path) -> None:
    twins = variant(tmp_path, "two-cards", "name NVIDIA GeForce RTX 4070", "memory.total 12282MiB")
    said = dry_run("--gpu", "rtx-4070", scenario=twins)
    assert said.returncode == 0
    assert said.stderr == (
        "2 cards here are rtx-4070: number 1 of them in PCI order is used (UUID ends in 000001), the freest, "
        "with 11.54 GiB free\n"
    )


def test_a_hidden_card_is_told(dry_run: OnMachine) -> None:
    hiding = {"CUDA_VISIBLE_DEVICES": "GPU-00000014"}
    said = dry_run("--gpu", "rtx-4070", scenario="two-cards", **hiding)
    assert said.returncode == 3
    assert said.stderr == (
        "bench: rtx-4070 is in this machine, but CUDA_VISIBLE_DEVICES=GPU-00000014 hides it. "
        "Unset it, or set it to GPU-4070aaaa-0000-4000-8000-000000000001\n"
    )
    other = dry_run("--gpu", "t4", scenario="two-cards", **hiding)
    assert (other.returncode, other.stderr) == (0, "")
