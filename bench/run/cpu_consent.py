"""The CPU in place of a graphics card: a model of full size runs there only where somebody chose it."""

from bench.errors import DeviceError
from bench.run.plan_estimate import estimate_of
from bench.run.run_spec import Plan, support
from bench.units import seconds


def expectation(plan: Plan) -> str:
    """Return what would run on the CPU, for about how long, and why there."""
    why = "no graphics card can be used" if plan.device.choice_notes else "no graphics card was found"
    unsupported_reason = support(plan)
    running = [cell for cell in plan.cells if unsupported_reason(cell.requested) is None]
    estimate = estimate_of(plan)
    how_long = "minutes to hours"
    if running and not isinstance(estimate, str):
        how_long = f"about {seconds(estimate.run_s(running))}"
    return f"{why}: {plan.origin.name} would run on the CPU ({how_long})"


def require_chosen(plan: Plan, option: str = "--device cpu", small: str = "--suite smoke") -> None:
    """Refuse to run a model of full size on the CPU in place of a card. The options are named in the error.

    Raises:
        DeviceError: no option named the CPU, and nobody agreed.
    """
    if plan.needs_cpu_consent:
        raise DeviceError(expectation(plan), hint=f"Add {option} to run it there, or use {small}")
