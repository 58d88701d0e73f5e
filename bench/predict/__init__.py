"""What the model takes and does, computed from its shapes alone: without a GPU, torch or a clock."""
