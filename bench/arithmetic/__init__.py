"""Arithmetic of the architecture: shapes, parameters, bytes and operations. Pure.

In: a parsed `config.json` (`shapes`), the length of a clip, a prompt and an answer. Out: exact counts of
parameters, of bytes that a token reads, and of operations of each phase (`architecture`).
"""
