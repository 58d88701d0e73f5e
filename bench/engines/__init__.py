"""Engines: what runs the model. `interface` is what each one implements."""
