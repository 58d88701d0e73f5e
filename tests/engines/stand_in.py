"""An engine that answers at once and shares nothing with torch: no tensors, no allocator, no kernels.

It announces where a generation begins, then its tokens two at a time, as a server would that streams chunks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.engines.interface import (
    Engine,
    EngineSettings,
    EngineSetup,
    EngineSpec,
    Generation,
    ModelFacts,
    OpenEngine,
    Request,
)
from bench.measure.observer import Observer
from bench.records.enums import Phase
from bench.records.record import Requested

NAME: Final = "stand-in"
GREETING: Final = "Good day."


class StandIn:
    """Generates nothing, and takes as many tokens for it as were asked for."""

    def load(self, requested: Requested) -> None:
        """There is nothing to load."""

    def settings(self) -> EngineSettings:
        """All that is known is where it runs."""
        return EngineSettings(device="cpu")

    def generate(
        self, request: Request, observer: Observer, say: Callable[[str], None] | None = None
    ) -> Generation:
        """Announce the begin and every second token."""
        observer.begin(Phase.PREPROCESS)
        for _ in range(0, request.max_tokens, 2):
            observer.token()
        observer.end()
        if say is not None:
            say(GREETING)
        return Generation(generated_tokens=request.max_tokens, stop_reason="length")

    def work(self, request: Request, generation: Generation) -> None:
        """Nothing is known of the shapes."""


def _open(setup: EngineSetup) -> OpenEngine:
    engine: Engine = StandIn()
    facts = ModelFacts(config_sha256="0" * 64, parameters=None, weights_bytes=None, max_positions=None)
    return OpenEngine(engine=engine, facts=facts)


SPEC: Final = EngineSpec(
    open=_open,
    unsupported=lambda requested, here: None,
    uses_torch=False,
    reads_weights=False,
    limits_memory=False,
)


def announce(folder: Path, *names: str, value: str = "tests.engines.stand_in:SPEC") -> None:
    """Make `folder`, once it is on the path, announce this engine as an installed package would."""
    info = folder / "stand_in-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stand-in\nVersion: 1\n", encoding="utf-8")
    lines = ["[bench.engines]", *(f"{name} = {value}" for name in names)]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
