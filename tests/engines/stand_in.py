"""An engine that answers at once and shares nothing with torch: no tensors, no allocator, no kernels.

It announces where a generation begins, then its tokens two at a time, as a server would that streams chunks.
`PACED` is the same engine with a pause for each token, for tests that interrupt a cell. `READING` is the same
engine for a run that fetches weights first.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import sleep
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
from bench.records.cell import Requested
from bench.records.enums import Phase

ROOT: Final = Path(__file__).parents[2]
NAME: Final = "stand-in"
PACED: Final = "paced-stand-in"
READING: Final = "reading-stand-in"
TOKEN_S: Final = 0.008
GREETING: Final = "Good day, 你好."


class StandIn:
    """Generates nothing, and takes as many tokens for it as were asked for."""

    def __init__(self, token_s: float) -> None:
        self._token_s = token_s

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
            sleep(2 * self._token_s)
            observer.token()
        observer.end()
        if say is not None:
            say(GREETING)
        ids = tuple(range(request.max_tokens))
        return Generation(generated_tokens=request.max_tokens, stop_reason="length", token_ids=ids)

    def work(self, request: Request, generation: Generation) -> None:
        """Nothing is known of the shapes."""


def _open(setup: EngineSetup, token_s: float = 0.0) -> OpenEngine:
    engine: Engine = StandIn(token_s)
    facts = ModelFacts(config_sha256="0" * 64, parameters=None, weights_bytes=None, max_positions=None)
    return OpenEngine(engine=engine, facts=facts)


SPEC: Final = EngineSpec(
    open=_open,
    unsupported=lambda requested, here: None,
    uses_torch=False,
    reads_weights=False,
    limits_memory=False,
)
SPEC_PACED: Final = replace(SPEC, open=partial(_open, token_s=TOKEN_S))
SPEC_READING: Final = replace(SPEC, reads_weights=True)


def installed(folder: Path) -> dict[str, str]:
    """Announce the engines in `folder`; the environment in which a new process finds them."""
    announce(folder, NAME)
    announce(folder, PACED, value="tests.engines.stand_in:SPEC_PACED")
    announce(folder, READING, value="tests.engines.stand_in:SPEC_READING")
    return {"PYTHONPATH": os.pathsep.join(map(str, (folder, ROOT)))}


def announce(folder: Path, *names: str, value: str = "tests.engines.stand_in:SPEC") -> None:
    """Make `folder`, once it is on the path, announce this engine as an installed package would."""
    package = names[0].replace("-", "_")
    info = folder / f"{package}-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n", encoding="utf-8")
    lines = ["[bench.engines]", *(f"{name} = {value}" for name in names)]
    (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
