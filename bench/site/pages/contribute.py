"""How to contribute: every command up to a submitted record; a form where the site takes bundles."""

from dataclasses import dataclass
from functools import cache
from typing import Final

from bench import units
from bench.records.submission import MOST_BYTES
from bench.site import places
from bench.site.pages import answer_words, layout
from bench.site.pages.freshness_words import SHOWS, SHOWS_NOT
from bench.wording.submissions import STATES

_INDEX: Final = "https://download.pytorch.org/whl/cu130"
_TORCH: Final = "torch==2.13.0+cu130"
_CARD: Final = "rtx-4070"
UPLOAD: Final = "assets/upload.js"
_BY_GIT: Final = (
    "--to git commits the signed bundle to a new branch of a clone of the results (the current folder, or"
    " --repository) and prints the command that pushes it; then open a pull request. --offline writes the"
    " bundle to a file, to be sent in another way."
)
_TO_SITE: Final = (
    "--to signs the record, sends the bundle to this site and keeps its answer. --offline writes the bundle"
    " to a file, for the form below."
)


@dataclass(frozen=True, slots=True)
class Step:
    """Commands to type, and why."""

    title: str
    commands: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Guide:
    """All steps for one system; `shell` names the program to type them in."""

    name: str
    anchor: str
    shell: str
    note: str
    steps: tuple[Step, ...]


def guides(receiver: str | None = None) -> tuple[Guide, ...]:
    """Return the guide of each system. `receiver`: address of the site, where it takes bundles."""
    return (
        Guide(
            "Linux",
            "linux",
            "a terminal",
            "You need an NVIDIA driver (nvidia-smi prints the card), Python 3.11 or newer and git.",
            _steps("python3 -m venv .venv", ".venv/bin/", receiver),
        ),
        Guide(
            "WSL2",
            "wsl2",
            "the terminal of the Linux distribution",
            "Install the NVIDIA driver in Windows, none inside WSL2. You need Python 3.11 or newer and git.",
            _steps("python3 -m venv .venv", ".venv/bin/", receiver),
        ),
        Guide(
            "Windows",
            "windows",
            "PowerShell",
            "You need an NVIDIA driver, Python 3.11 or newer and git. Nobody has run it on Windows yet.",
            _steps("py -m venv .venv", ".venv\\Scripts\\", receiver, options=" --profile lean"),
        ),
    )


def _steps(make: str, folder: str, receiver: str | None, options: str = "") -> tuple[Step, ...]:
    bench = f"{folder}bench"
    lean = " lean uses the memory-efficient attention kernel; without it this torch needs far more memory."
    return (
        Step(
            "Install",
            (make, f"{folder}pip install {_TORCH} -i {_INDEX}", f'{folder}pip install ".[run]"'),
            "In a clone of the repository. torch comes first, from the index for the driver.",
        ),
        Step("Check the machine", (f"{bench} doctor",), "It lists what to fix, in order."),
        Step(
            "See what will fit",
            (f"{bench} plan --gpu {_CARD}", f"{bench} gpus"),
            "A prediction, without download. gpus lists the name of your card; a card that is not in the list"
            " is welcome under the driver's name.",
        ),
        Step(
            "Run",
            (f"{bench} run --dry-run --gpu {_CARD}{options}", f"{bench} run --gpu {_CARD}{options}"),
            "The first line prints the cells and the estimated time. The second asks before it downloads the"
            f" weights, and its last lines name the record.{lean if options else ''}",
        ),
        Step(
            "Check the record",
            (f"{bench} validate RECORD",),
            "The same rules as here. RECORD is the file that the run named.",
        ),
        Step(
            "Send it",
            (
                f"{bench} submit RECORD --print",
                f"{bench} submit RECORD --to {receiver or 'git'}",
                f"{bench} submit RECORD --offline",
            ),
            f"--print shows all that would be signed. {_BY_GIT if receiver is None else _TO_SITE}"
            " Your key is made on first use; keep it, so that later records are known as yours.",
        ),
    )


def render(receiver: str | None = None) -> str:
    """Return the page. `receiver`: address of the site, where it takes bundles; then the page has a form."""
    return layout.render(
        "contribute.html.j2",
        places.CONTRIBUTE,
        {
            "guides": guides(receiver),
            "receiver": receiver,
            "upload": UPLOAD,
            "most_bytes": MOST_BYTES,
            "states": STATES,
            "weights": units.both_units(_weights_bytes()),
            "answers": (
                ("Integrity", answer_words.INTEGRITY),
                ("Identity", answer_words.IDENTITY),
                ("Plausibility", answer_words.PLAUSIBILITY),
                ("Reproduction", answer_words.REPRODUCTION),
            ),
            "shows": SHOWS,
            "shows_not": SHOWS_NOT,
        },
        has_scripts=receiver is not None,
        sends=receiver is not None,
    )


@cache
def _weights_bytes() -> int:
    """Return the size of the weights of the default suite's model."""
    from bench.predict.planned_model import PlannedModel
    from bench.predict.planner import plan_request
    from bench.run.run_spec import RunOptions

    request = plan_request(RunOptions())
    return PlannedModel(request.source, request.suite.dtype).weights_bytes
