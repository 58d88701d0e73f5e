"""The command line: parse, one core call, print.

In: arguments and the terminal. Out: text or JSON on standard output, progress and errors on standard error,
an exit code of `bench.errors`. No other room prints or exits.
"""
