"""Runs of the same cells: what can be compared, by how much they differ, and whether a gate holds."""
