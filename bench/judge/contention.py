"""What a cell says of the card, where another program computed on it at the same time. Pure."""

from bench.records.schema import CellResult, OutOfMemory


def is_contended(cell: CellResult) -> bool:
    """Whether another program is known to have computed on the card during the cell."""
    return cell.device_memory is not None and cell.device_memory.contended is True


def ran_out_beside_another(cell: CellResult) -> bool:
    """It ran out of memory, but not of the card's alone: without the other program it may fit."""
    return isinstance(cell.outcome, OutOfMemory) and is_contended(cell)
