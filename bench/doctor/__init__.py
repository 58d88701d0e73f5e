"""Diagnosis of this machine: problems that keep it from running the model, and their remedies.

In: the machine, the installation, the cards (`gather`, which alone looks at them). Facts (`facts`) go through
one rule per check (`checks`, pure). Out: a `Diagnosis` (`interface`, `diagnosis`) with a conclusion and the
next command. Torch is tried on a card in a process of its own (`trial`).
"""
