"""Cells as pytest tests: the work of `bench.pytest_plugin` once a project asks for it.

In: the plugin's options and a suite, or a record to replay. Out: a test for each cell, run through
`bench.run`, and one record of all of them.
"""
