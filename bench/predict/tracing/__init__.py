"""One generation with fake tensors: every allocation and release in order, nothing computed, nothing held."""
