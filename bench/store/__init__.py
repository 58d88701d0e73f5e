"""Files: records, journals, check documents, and their names.

In: paths and documents. Out: verified documents, atomic writes, a locked journal that survives an
interruption. `naming` has every file name and pattern, `canonical` the form that is hashed, `scrub` removes
private data. Everything that is read is untrusted.
"""
