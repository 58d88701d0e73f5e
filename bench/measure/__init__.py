"""Instruments that observe a generation.

In: an engine's calls to an `Observer` (a phase begins, a token, the end), a framework's memory counters, a
card's samples. Out: times (`clock`, `cuda`), memory of each phase (`memory`, `tracker`, `cuda`, `resident`)
and over time (`timeline`), power and energy (`sampler`, `energy`, `load`), attention kernels (`kernels`,
`attention_operators`), and one value per metric over the repeats of a cell (`summary`).
"""
