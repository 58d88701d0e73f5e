"""English: the sentence of each typed reason, verdict and caveat, and the name of each code. Pure.

In: frozen values of `records`. Out: strings. No other room makes sentences about verdicts, reasons and
caveats, and nothing parses one: another language would be a second room like this one.
"""
