"""English: the sentence of each typed reason, verdict and caveat, and the name of each code. Pure.

In: frozen values of `records`. Out: strings. No other package makes sentences about verdicts, reasons and
caveats, and no code parses one. Another language would be a second package like this one.
"""
