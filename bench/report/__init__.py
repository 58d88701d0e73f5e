"""Reports: what people and scripts read about a record, a check document or a comparison.

In: a `Check` of one record or of many, with the details that only a record has, or a `Comparison`.
Out: a view (`view.py`, `comparison/view.py`) whose strings are final and clean, and from it one text for each
format: HTML with plots, Markdown, JSON, CSV, terminal, and the files for build servers in `ci/`.
Formats select and lay out; they compute nothing. `files.py` and `groups.py` write the reports to disk.
"""
