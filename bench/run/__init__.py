"""Runs the cells of a suite on a device, each in a worker process.

In: a plan (`run_spec`), its weights (`fetch`), and a policy. Out: a journal and a sealed record (`runner`).
On the way: the cells in order (`session`) or by bisection (`frontier`), the parent's side of a worker
(`isolation`, `child`), the worker's (`worker`, `measurement`), their messages (`protocol`), and the driver's
readings (`telemetry`). `answer` generates one answer in this process, without a record.
"""
