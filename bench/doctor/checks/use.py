"""Other programs and a display on a card, and limits of its speed. Pure."""

from typing import Final

from bench.doctor.checks.memory import SAFE_BYTES, is_tight
from bench.doctor.facts import Card, Facts, Host, Process
from bench.doctor.interface import Check
from bench.records.card import Budget
from bench.units import GIB, gib

_NAMED: Final = 3
_SMALL_ROOM_BYTES: Final = SAFE_BYTES + 2 * GIB  # below this, what a desktop takes is minutes of audio
_SAME_POWER_W: Final = 0.5


def processes(card: Card, host: Host) -> Check:
    """Check for other programs. Another computation falsifies every figure; windows only take memory."""
    found = card.processes
    hint = "Run the container with --pid=host to see them" if host.container else None
    if found is None:
        return Check(name="processes", status="note", summary="the driver gives no list", fix=hint)
    if not found:
        unseen = ": a container does not see those outside" if host.container else ""
        return Check(name="processes", status="note" if unseen else "ok", summary=f"none seen{unseen}")
    computing = tuple(process for process in found if process.compute)
    unreported = (
        "; Windows does not report how much each uses" if host.wddm and _all_unreported(found) else ""
    )
    summary = f"{_listed(computing or found)}{unreported}"
    if computing:
        fix = f"Stop {_largest(computing)[0].words} before you measure: it computes on this card"
        return Check(name="processes", status="warning", summary=summary, fix=fix)
    if is_tight(card):
        fix = f"Close what you can, beginning with {_largest(found)[0].words}"
        return Check(name="processes", status="warning", summary=summary, fix=fix)
    return Check(name="processes", status="note", summary=summary)


def _all_unreported(found: tuple[Process, ...]) -> bool:
    return all(process.used_bytes is None for process in found)


def _largest(found: tuple[Process, ...]) -> list[Process]:
    return sorted(found, key=lambda process: (-(process.used_bytes or 0), process.pid))


def _listed(found: tuple[Process, ...]) -> str:
    shown = [f"{process.words} {gib(process.used_bytes)}" for process in _largest(found)[:_NAMED]]
    more = len(found) - len(shown)
    return ", ".join([*shown, f"{more} more"] if more else shown)


def display(card: Card, host: Host) -> Check | None:
    """Check for a desktop on this card and its cost. None on a slice, which has no display."""
    if card.is_mig:
        return None
    shown, budget = card.state.display, card.state.budget
    if shown is None:
        return Check(
            name="display", status="note", summary="the driver does not report whether one is on this card"
        )
    if not shown:
        return Check(name="display", status="ok", summary="none on this card")
    cost = f"a desktop on this card takes {gib(budget.desktop_use_bytes)}{_source(budget)}"
    most = budget.headless_bytes if budget.headless_bytes is not None else budget.desktop_bytes
    if most is not None and most >= _SMALL_ROOM_BYTES:
        return Check(name="display", status="note", summary=cost)
    return Check(name="display", status="warning", summary=cost, fix=_display_fix(card, host))


def _display_fix(card: Card, host: Host) -> str:
    if "Laptop" in card.name:
        moved = "switch to the CPU's graphics (hybrid mode)"
    else:
        moved = "plug the monitor into the mainboard (the CPU's graphics)"
    away = "" if host.wddm else ", or log out and run from a text console or SSH"
    return f"For longer clips: {moved}{away}"


def _source(budget: Budget) -> str:
    """Return ` (assumed)` or ` (measured here)`: the evidence itself is too long for the screen."""
    match budget.desktop_use_basis:
        case "measured":
            return " (measured here)"
        case "assumed":
            return " (assumed)"
        case None:
            return ""


def power(card: Card, facts: Facts) -> Check:
    """Check the power limit: below the card's default it is slower than others of its name."""
    limit, default = card.state.power_limit_w, card.state.power_limit_default_w
    if limit is None:
        return Check(name="power", status="note", summary="the driver does not report the limit")
    if default is None or limit > default - _SAME_POWER_W:
        usual = ", the default" if default is not None and limit < default + _SAME_POWER_W else ""
        return Check(name="power", status="ok", summary=f"limit {limit:.0f} W{usual}")
    which = f" -i {card.uuid}" if card.uuid and len(facts.cards) > 1 else ""
    rights = "" if facts.host.wddm else "sudo "
    command = f"{rights}nvidia-smi{which} -pl {default:.0f}"
    where = " in Windows, as administrator" if facts.host.wddm else ""
    return Check(
        name="power",
        status="warning",
        summary=f"limit {limit:.0f} W, below the default of {default:.0f} W: figures will be lower",
        fix=f"Raise it{where}: {command}",
        command=command,
    )


def spill(host: Host) -> Check | None:
    """Check for Windows drivers since 536.40, which move memory to RAM where others fail; None elsewhere."""
    if not host.wddm:
        return None
    return Check(
        name="spill",
        status="note",
        summary="on Windows a run that does not fit spills into RAM and crawls, instead of ending",
        fix="NVIDIA Control Panel, 3D settings, CUDA Sysmem Fallback: Prefer No Sysmem Fallback",
    )
