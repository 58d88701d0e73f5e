"""Gates: how much worse a metric may become. `decode_tokens_per_s:-5%` fails beyond 5 % fewer tokens/s."""

import difflib
import re
from dataclasses import dataclass
from typing import Final

from bench.errors import UsageError
from bench.records.metrics import METRICS, Better

_GATE: Final = re.compile(r"([a-z0-9_]{1,64}):([+-])([0-9]{1,4}(?:\.[0-9]{1,4})?)%", re.ASCII)
_SHAPE: Final = "Write METRIC:-5% or METRIC:+5%, such as decode_tokens_per_s:-5%"


@dataclass(frozen=True, slots=True)
class Gate:
    """`limit` is the relative change that is still allowed, its sign the bad way: -0.05 for `-5%`."""

    text: str
    metric: str
    limit: float

    def is_beyond(self, change: float) -> bool:
        """Whether a relative change is worse than allowed."""
        return change < self.limit if self.limit_is_lower else change > self.limit

    @property
    def limit_is_lower(self) -> bool:
        """Whether the metric may fall so far, rather than rise."""
        return METRICS[self.metric].better is Better.HIGHER


def parse_gate(text: str) -> Gate:
    """One `--fail-on`.

    Raises:
        UsageError: no such metric, no percentage with its sign, or a sign that goes the good way.
    """
    match = _GATE.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-on: '{text}' is no gate", hint=_SHAPE)
    metric, sign, percent = match.groups()
    _require_known(metric)
    bad = "-" if METRICS[metric].better is Better.HIGHER else "+"
    if sign != bad:
        raise UsageError(
            f"--fail-on: {metric} gets worse as it {'falls' if bad == '-' else 'rises'}, not with '{sign}'",
            hint=f"Write {metric}:{bad}{percent}%",
        )
    share = float(percent) / 100
    if sign == "-" and share >= 1:
        raise UsageError(f"--fail-on: {metric} cannot fall by {percent}%", hint="Write less than 100%")
    return Gate(text, metric, -share if sign == "-" else share)


def _require_known(metric: str) -> None:
    if metric not in METRICS:
        near = difflib.get_close_matches(metric, METRICS, n=2)
        guess = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(METRICS)}"
        raise UsageError(f"--fail-on: there is no metric '{metric}'", hint=guess)
