"""The pytest plugin: `pytest --bench-suite quick` has one test for each cell. `docs/ci.md` explains it.

pytest loads this module whenever it starts where bench is installed, so it imports nothing but pytest;
without `--bench-suite` it does nothing more.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--bench-suite` and the options of its run."""
    group = parser.getgroup("bench", "cells of bench as tests")
    group.addoption(
        "--bench-suite", metavar="NAME|FILE", help="Run the cells of this suite, each as one test."
    )
    group.addoption(
        "--bench-device", metavar="cpu|SLUG|UUID", help="Device to use. Default: the only GPU, else the CPU."
    )
    group.addoption("--bench-model", metavar="REPO|DIR", help="Model to run. Default: the suite's.")
    group.addoption(
        "--bench-weights",
        choices=("hub", "random"),
        help="hub: the released weights, from the cache only. random: random weights of the same shapes, no "
        "files. Default: hub.",
    )
    group.addoption("--bench-out", metavar="DIR", help="Folder for the record. Default: results/.")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin if `--bench-suite` is given."""
    if config.getoption("bench_suite") is not None:
        from bench.testing.plugin import Cells

        config.pluginmanager.register(Cells(config), "bench-cells")
