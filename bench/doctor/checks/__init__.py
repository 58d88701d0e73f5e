"""One rule per function: facts in, a `Check` out. Pure."""
