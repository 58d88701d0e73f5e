"""The command line: parse, one core call, print. Nothing else in `bench` prints or exits."""
