"""What `check.json` says of a prediction, beside what it says of any record."""

from bench.records.check import CheckCeiling, CheckComparison, CheckEnvelope, CheckPrediction
from bench.records.prediction import Ceiling, Envelope
from bench.report.derived.interface import Compared, Derived, Prediction
from bench.units import rounded


def envelope(prediction: Prediction | None) -> CheckEnvelope | None:
    """One predicted cell; None where nothing was predicted."""
    if prediction is None:
        return None
    fits = {
        "provenance": "derived",
        "verdict": prediction.verdict,
        "headless": prediction.headless,
        "desktop": prediction.desktop,
    }
    return CheckEnvelope.model_validate({**_figures(prediction.envelope), **fits})


def _figures(figures: Envelope | CheckEnvelope | None) -> dict[str, object]:
    own = [name for name in CheckEnvelope.model_fields if name in Envelope.model_fields]
    if not isinstance(figures, Envelope):
        return dict.fromkeys(own)
    return {**{name: getattr(figures, name) for name in own}, "ceiling": _ceiling(figures.ceiling)}


def _ceiling(ceiling: Ceiling | None) -> CheckCeiling | None:
    if ceiling is None:
        return None
    short = {name: _short(value) for name, value in ceiling.model_dump().items()}
    return CheckCeiling.model_validate({"provenance": "derived", **short})


def _short(value: float | None) -> float | None:
    # Three significant digits are more than a ceiling means.
    return None if value is None else rounded(value, 3)


def document(derived: Derived | None) -> CheckPrediction | None:
    """The whole record; None where it was measured."""
    if derived is None:
        return None
    return CheckPrediction(
        provenance="derived",
        room_headless_bytes=derived.headless,
        room_desktop_bytes=derived.desktop,
        compared=tuple(map(_comparison, derived.compared)),
    )


def _comparison(entry: Compared) -> CheckComparison:
    return CheckComparison.model_validate({"provenance": "derived", **entry.comparison.model_dump()})
