"""Cells as pytest tests: what `bench.pytest_plugin` does once it is asked to."""
