"""Suites: their files, axes, overrides and expectations. Pure.

In: a TOML file, or the name of a shipped one, and options that replace axes. Out: a `Suite` with a hash, its
cells (`cells`), its expectations (`expectations`), and one clear message for each mistake in the file.
"""
