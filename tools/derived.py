"""Predict the shipped records again: seven cards, on Linux and on Windows, as upstream and lean.

python -m tools.derived    results/*/rtx-*/*-plan-*.json, and docs/data/lean-before.json
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from unittest.mock import patch

from bench.engines.native.engine import quiet_transformers
from bench.predict.attention import LanguageAttention
from bench.predict.planner import Planner, plan_request, record_path
from bench.predict.target import targets
from bench.records.enums import Attention, Profile
from bench.records.prediction import PlannedSystem
from bench.records.record import Record
from bench.run.run_spec import RunOptions
from bench.store.record_files import write_atomically, write_record

ROOT: Final = Path(__file__).parent.parent
RESULTS: Final = ROOT / "results"
BEFORE: Final = ROOT / "docs" / "data" / "lean-before.json"
"""The longest clips of lean on Windows where SDPA is called with groups: there that is the math kernel."""
CARDS: Final = (
    *("rtx-3060-12gb", "rtx-4070", "rtx-4060-ti-8gb", "rtx-4060-ti-16gb"),
    *("rtx-5060-ti-16gb", "rtx-4070-ti-super", "rtx-4090"),
)
LINUX: Final = PlannedSystem(os="linux", torch="2.14")
WINDOWS: Final = PlannedSystem(os="windows", torch="2.13")
NEWER_WINDOWS: Final = PlannedSystem(os="windows", torch="2.14")
SYSTEMS: Final = (LINUX, WINDOWS, NEWER_WINDOWS)
MODEL: Final = "MOSS-Audio-4B-Instruct"
LARGER: Final = "MOSS-Audio-8B-Instruct"
CLIPS_S: Final = (10.0, 60.0, 300.0, 600.0)
MAX_TOKENS: Final = 512


def planner(model: str, profile: Profile) -> Planner:
    """A planner of SDPA for some clips and one length of answer: a record of it is small."""
    return Planner(
        plan_request(
            RunOptions(
                model=model,
                profile=profile,
                clip_seconds=CLIPS_S,
                max_tokens=(MAX_TOKENS,),
                attention=(Attention.SDPA,),
            )
        )
    )


def records() -> Iterator[Record]:
    """Every shipped prediction."""
    for profile in (Profile.FAITHFUL, Profile.LEAN):
        plans = planner(MODEL, profile)
        for system in SYSTEMS:
            for target in targets(CARDS, system):
                yield plans.record(target)
    plans = planner(LARGER, Profile.FAITHFUL)
    for target in targets(("rtx-4090",), LINUX):
        yield plans.record(target)


def before() -> dict[str, list[float | None]]:
    """The three lengths by card: lean with grouped SDPA on Windows."""
    found = {}
    # No option chooses this: it is how lean ran before it had an attention function of its own.
    with patch("bench.predict.setting.attention_of", return_value=LanguageAttention("math", True)):
        plans = planner(MODEL, Profile.LEAN)
        for target in targets(CARDS, WINDOWS):
            derivation = plans.record(target).derivation
            (line,) = () if derivation is None else derivation.longest_clips
            lengths = [line.desktop_fits_s, line.desktop_likely_fits_s, line.desktop_misfit_s]
            found[target.info.slug] = lengths
    return found


def main() -> None:
    """Replace the shipped predictions."""
    quiet_transformers()
    made = list(records())
    for path in RESULTS.glob("*/rtx-*/*-plan-*.json"):
        path.unlink()
    for record in made:
        write_record(record, record_path(record, RESULTS))
    write_atomically(BEFORE, f"{json.dumps(before(), indent=1)}\n".encode())


if __name__ == "__main__":
    main()
