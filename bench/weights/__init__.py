"""Sources of weights: the Hub, a directory, random values of the released shapes, or a tiny model.

In: a repository and revision, a path, or a configuration and a seed. Out: a `Checkpoint` (`interface`) whose
files are hashed and whose tensors match the model (`checkpoint`), or a model with random weights (`random`).
Only safetensors files are read. `headers` reads the shapes of a repository without its weights.
"""
