"""Engines: what runs the model. `interface` has no tensor in it; `registry` has every engine by its name.

In: where the model is, the device, one request after the other. Out: what was generated, with every phase and
token announced to an observer, and the instruments that can watch the engine where it runs.
"""
