"""How often `bench compare` calls a change that is there, and one that is not: the operating curve.

    python -m tools.operating_curve collect --stream a --pairs 160     # goes on where it was left
    python -m tools.operating_curve compute --write                    # the table of docs/comparing.md

Every pair is two fresh processes of `bench run` in alternation, through the code of `--interleave`; the
second environment is slower by busy work (tools/slowdown.py). Every raw pair is a line of `DATA`.
"""

import argparse
import json
import lzma
import math
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Any, Final

from bench.cli.interleaved import ROUNDS as MOST
from bench.compare.change import change
from bench.compare.evidence import Observed, of_pairs, of_processes, samples
from bench.compare.gates import Case, Gate, decide, parse_gate
from bench.compare.stopping_rule import FEWEST_PAIRS, is_settled
from bench.interleave.builds import Build, build_at
from bench.interleave.pairs import Granularity, alternate
from bench.records.comparison import CellComparison, Decision
from bench.records.enums import Attention
from bench.records.record import Record
from bench.run.isolation import Stopped
from tools.slowdown import environment

ROOT: Final = Path(__file__).parent.parent
DATA: Final = ROOT / "docs" / "data" / "operating-curve.jsonl.xz"
CYCLE: Final = (0.0, 0.1, 0.07, 0.0, 0.07, 0.05, 0.1, 0.2)
"""What is added in the blocks, one after the other: most where the curve has to be known best."""
BLOCK: Final = 4  # ABBA twice
CELL: Final = ("--suite", "smoke", "--clip-seconds", "2", "--max-tokens", "32", "--attention", "sdpa")
RUN: Final = (*CELL, "--device", "cpu", "--repeats", "10")
METRICS: Final = ("decode_tokens_per_s", "latency_s")
GATE: Final = "decode_tokens_per_s:-5%"
ROUNDS: Final = (8, 12, 16, 24)
SPARE: Final = 2
"""So many times the pairs that a comparison draws must be there, or all comparisons would be alike."""
PAGE: Final = ROOT / "docs" / "comparing.md"
MARKS: Final = ("<!-- operating curve -->", "<!-- /operating curve -->")
NOT_ENOUGH: Final = "n/a"
COMPARISONS: Final = 1000
SEED: Final = 20260101


class Quiet:
    """A listener that says nothing."""

    def run_begins(self, build: Build, number: int, total: int) -> None:
        """A process starts."""

    def run_ends(self, build: Build, number: int, total: int, record: Record) -> None:
        """It has ended."""


# --- collecting -------------------------------------------------------------------------------------------


def collect(stream: str, pairs: int, by: Granularity) -> None:
    """Append pairs until this stream has so many; blocks of one share after another."""
    with TemporaryDirectory(prefix="operating-curve-") as folder:
        made = {
            share: environment(Path(folder, f"slower-{share:g}"), share, ROOT) for share in sorted(set(CYCLE))
        }
        while (done := _count(stream)) < pairs:
            block = done // BLOCK
            share = CYCLE[block % len(CYCLE)]
            builds = build_at("base", made[0.0]), build_at("new", made[share])
            _collect_block(
                Path(folder, f"block-{block}"),
                builds,
                {"stream": stream, "turns": by.value, "block": block, "share": share},
            )


def _collect_block(folder: Path, builds: tuple[Build, Build], head: dict[str, Any]) -> None:
    begun = _count(head["stream"]) % BLOCK  # a block that was cut short goes on with the pairs that it lacks
    pairs = alternate(builds, RUN, folder, BLOCK - begun, Quiet(), by=Granularity(head["turns"]))
    for number, pair in enumerate(pairs, begun + 1):
        line = head | {
            "pair": number,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "base": _raw(pair.base),
            "new": _raw(pair.new),
        }
        with DATA.open("ab") as lines:  # a compressed stream of its own: what was there before is not touched
            lines.write(lzma.compress(json.dumps(line).encode() + b"\n"))
        rates = [median(line[side]["decode_tokens_per_s"]) for side in ("base", "new")]
        print(f"{head} pair {number}: {rates[0]:.1f} and {rates[1]:.1f} tok/s", flush=True)  # noqa: T201


def _raw(record: Record) -> dict[str, list[float]]:
    (cell,) = record.cells
    return {metric: [float(f"{value:.6g}") for value in samples(cell, metric)] for metric in METRICS}


def _count(stream: str) -> int:
    return sum(line["stream"] == stream for line in _lines())


def _lines() -> Iterator[dict[str, Any]]:
    if DATA.exists():
        with lzma.open(DATA, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


# --- computing --------------------------------------------------------------------------------------------


RawPair = tuple[tuple[float, ...], tuple[float, ...]]
"""The repeats of both processes."""

Rule = Callable[[random.Random, list[list[RawPair]]], str]
"""One comparison on pairs that are drawn: fail, pass, undecided, or n/a where there are too few."""


HEADINGS: Final = {Granularity.GENERATION: "Turns by generation", Granularity.RUN: "Turns by run"}


def compute() -> str:
    """The tables, one for each kind of turns that there are pairs of."""
    gate = parse_gate(GATE)
    found = {by: read(gate.metric, by) for by in HEADINGS}
    return "\n".join(_section(gate, by, by_share) for by, by_share in found.items() if by_share)


def _section(gate: Gate, by: Granularity, by_share: dict[float, list[list[RawPair]]]) -> str:
    """How many of 100 comparisons each rule fails, by the share that was really added; then the pairs."""
    total = sum(len(block) for blocks in by_share.values() for block in blocks)
    lines = [
        f"**{HEADINGS[by]}**: `{gate.text}`, {total} pairs, {COMPARISONS:,} comparisons a figure.",
        "",
        _row("failed (undecided), of 100", [f"{share:.1%} added" for share in by_share]),
        _row("---", ["---:"] * len(by_share)),
        *(
            _row(name, [_rates(rule, blocks) for blocks in by_share.values()])
            for name, rule in _rules(gate).items()
        ),
        "",
        *_noise(gate, by_share),
        "",
        _between_runs(by_share),
    ]
    return "\n".join(lines) + "\n"


def _rules(gate: Gate) -> dict[str, Rule]:
    return {
        "`--interleave`, which ends by itself": until_enough(gate),
        **{f"{n} pairs": interleaved(gate, n) for n in ROUNDS},
        "two records, as `bench compare` decides": two_records(gate),
        "two records, a bare threshold": bare_threshold(gate),
    }


def write(table: str) -> None:
    """Put the table between the marks of the page."""
    before, mark, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
    PAGE.write_text(f"{before}{mark}\n{table}{MARKS[1]}{rest.partition(MARKS[1])[2]}", encoding="utf-8")


def _row(name: str, cells: list[str]) -> str:
    return f"| {' | '.join([name, *cells])} |"


def read(metric: str, by: Granularity) -> dict[float, list[list[RawPair]]]:
    """By share, the complete blocks of pairs that took such turns."""
    found: dict[float, dict[tuple[str, int], list[RawPair]]] = {}
    for line in _lines():
        if line["turns"] == by:
            pair = tuple(line["base"][metric]), tuple(line["new"][metric])
            found.setdefault(line["share"], {}).setdefault((line["stream"], line["block"]), []).append(pair)
    whole = {
        share: [block for block in blocks.values() if len(block) == BLOCK]
        for share, blocks in sorted(found.items())
    }
    return {share: blocks for share, blocks in whole.items() if blocks}


def interleaved(gate: Gate, pairs: int) -> Rule:
    """So many pairs, in whole blocks: neighbours in time stay together. None is drawn twice, or chance would
    repeat itself; n/a where there are too few.
    """

    def rule(draw: random.Random, blocks: list[list[RawPair]]) -> str:
        if len(blocks) < SPARE * pairs // BLOCK:
            return NOT_ENOUGH
        chosen = [pair for block in draw.sample(blocks, k=pairs // BLOCK) for pair in block]
        return outcome(gate, _observed(chosen))

    return rule


def until_enough(gate: Gate) -> Rule:
    """Once the change is known well enough, or with the most pairs that `--interleave` runs unasked."""

    def rule(draw: random.Random, blocks: list[list[RawPair]]) -> str:
        if len(blocks) < SPARE * FEWEST_PAIRS // BLOCK:
            return NOT_ENOUGH
        return outcome(gate, _observed(_enough(gate, draw, blocks)))

    return rule


def _enough(gate: Gate, draw: random.Random, blocks: list[list[RawPair]]) -> list[RawPair]:
    """As many pairs as it takes; all that are drawn where they are not enough."""
    most = min(MOST // BLOCK, len(blocks))
    chosen = [pair for block in draw.sample(blocks, k=most) for pair in block]
    counts = range(FEWEST_PAIRS, len(chosen), 2)
    settled = (n for n in counts if _is_settled(gate, _observed(chosen[:n])))
    return chosen[: next(settled, len(chosen))]


def _is_settled(gate: Gate, observed: Observed) -> bool:
    over = change(gate.metric, [observed])
    return is_settled(gate, over, _decision(gate, observed))


def _observed(pairs: list[RawPair]) -> Observed:
    return of_pairs(0, [(str(n), *pair) for n, pair in enumerate(pairs)])


def two_records(gate: Gate) -> Rule:
    """One process of each, from two different pairs, so that they did not run one after the other."""

    def rule(draw: random.Random, blocks: list[list[RawPair]]) -> str:
        (base, _), (_, new) = draw.sample([pair for block in blocks for pair in block], k=2)
        return outcome(gate, of_processes(0, [("base", base)], [("new", new)]))

    return rule


def bare_threshold(gate: Gate) -> Rule:
    """The same two, and nothing but the ratio of their medians."""

    def rule(draw: random.Random, blocks: list[list[RawPair]]) -> str:
        (base, _), (_, new) = draw.sample([pair for block in blocks for pair in block], k=2)
        return "fail" if gate.is_beyond(median(new) / median(base) - 1) else "pass"

    return rule


def outcome(gate: Gate, observed: Observed) -> str:
    """Return the outcome of the gate for one cell, by the code of `bench compare`."""
    return _decision(gate, observed) or NOT_ENOUGH


def _decision(gate: Gate, observed: Observed) -> Decision | None:
    over = change(gate.metric, [observed])
    cell = CellComparison(
        cell_id="",
        clip_seconds=2.0,
        max_tokens=32,
        attention=Attention.SDPA,
        result="compared",
        base_status="measured",
        new_status="measured",
        metrics={gate.metric: over} if over is not None else {},
    )
    return decide(gate, Case(over, [cell])).decision


def _rates(rule: Rule, blocks: list[list[RawPair]]) -> str:
    draw = random.Random(SEED)  # noqa: S311 - draws for statistics
    results = [rule(draw, blocks) for _ in range(COMPARISONS)]
    if NOT_ENOUGH in results:
        return NOT_ENOUGH
    failed, unsure = (100 * results.count(word) / COMPARISONS for word in ("fail", "undecided"))
    return f"{failed:.1f} ({unsure:.1f})"


def _noise(gate: Gate, by_share: dict[float, list[list[RawPair]]]) -> Iterator[str]:
    """How far the processes of a pair lie apart, what the work really came to, how many pairs it takes."""
    headings = ["pairs", "median change", "9 of 10 pairs", "pairs until enough: median", "9 of 10"]
    yield _row("decode rate of the second build", headings)
    yield _row("---", ["---:"] * len(headings))
    for share, blocks in by_share.items():
        observed = _observed([pair for block in blocks for pair in block])
        changes = sorted(math.expm1(log_ratio) for log_ratio in observed.logs)
        low, high = (changes[round(at * (len(changes) - 1))] for at in (0.05, 0.95))
        draw = random.Random(SEED)  # noqa: S311 - draws for statistics
        took = sorted(len(_enough(gate, draw, blocks)) for _ in range(COMPARISONS))
        figures = [
            str(len(changes)),
            f"{median(changes):+.1%}",
            f"{low:+.1%} to {high:+.1%}",
            f"{median(took):g}",
            f"{took[round(0.9 * (len(took) - 1))]}",
        ]
        yield _row(f"{share:.1%} added", figures)


def _between_runs(by_share: dict[float, list[list[RawPair]]]) -> str:
    """How far any two runs of the unchanged build lie apart: what two single records cannot know."""
    pairs = [(share, pair) for share, blocks in by_share.items() for block in blocks for pair in block]
    levels = [median(base) for _, (base, _) in pairs] + [
        median(new) for share, (_, new) in pairs if not share
    ]
    factors = sorted(max(one / other, other / one) for one, other in combinations(levels, 2))
    half, most, nearly = (factors[round(at * (len(factors) - 1))] for at in (0.5, 0.9, 0.99))
    return fill(
        f"Any two of the {len(levels)} runs of the unchanged build, {len(factors):,} pairs: half of them lie "
        f"within a factor of {half:.2f}, 90 of 100 within {most:.2f}, 99 of 100 within {nearly:.2f}.",
        width=100,
    )


def main() -> None:
    """Collect or compute."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("--stream", default="a", help="name of the series of pairs")
    collecting.add_argument("--pairs", type=int, default=160, help="until the stream has so many")
    collecting.add_argument(
        "--turns", choices=list(Granularity), default=Granularity.GENERATION, type=Granularity
    )
    computing = commands.add_parser("compute")
    computing.add_argument("--write", action="store_true", help="into docs/comparing.md as well")
    given = parser.parse_args()
    if given.command == "collect":
        try:
            collect(given.stream, given.pairs, given.turns)
        except Stopped as stopped:  # what is complete is kept
            raise SystemExit(128 + stopped.signal_number) from None
    else:
        table = compute()
        print(table, end="")  # noqa: T201
        if given.write:
            write(table)


if __name__ == "__main__":
    main()
