"""Make the shipped predictions: every 4 s of every released model, profile and kernel, in two processes.

python -m tools.predictions                 add what bench/data/predictions/ lacks; goes on after a break
python -m tools.predictions --again         trace everything again, after a change of what is traced
python -m tools.predictions --check 12      trace that many clips of the table anew, and compare (`--seed N`)

What is traced is kept in build/predictions/, a line a clip, until all shards are written.
"""

import argparse
import random
import secrets
import shutil
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import click
from pydantic import TypeAdapter, ValidationError

from bench import shipped
from bench.engines.native.engine import quiet_transformers
from bench.engines.support import longest_clip_s
from bench.packages import version_of
from bench.predict.card_clip import CardClip, Place
from bench.predict.cells import Predictions, unsupported_reason
from bench.predict.planned_model import PlannedModel
from bench.predict.planner import plan_request
from bench.predict.search import STEP_S
from bench.predict.setting import mel_frames
from bench.predict.shipped_table import (
    FOLDER,
    ClipTerms,
    Key,
    ShippedTable,
    document_of,
    read_shard,
    render_shard,
)
from bench.predict.shipped_table import Shard as StoredShard
from bench.predict.target import every_card
from bench.predict.traced_model import TracedModel
from bench.records.cell import Requested
from bench.records.enums import Profile
from bench.records.prediction import PlannedSystem
from bench.run.run_spec import RunOptions, is_released, released_names
from bench.store.cycles import without_search_for_cycles
from bench.store.record_files import write_atomically
from bench.suite.suite import find_suite, shipped_suites

ROOT: Final = Path(__file__).parent.parent
UNFINISHED: Final = ROOT / "build" / FOLDER
PROCESSES: Final = 2
SYSTEMS: Final = (
    PlannedSystem(os="linux", torch="2.14"),
    PlannedSystem(os="wsl2", torch="2.14"),
    PlannedSystem(os="windows", torch="2.13"),
    PlannedSystem(os="windows", torch="2.14"),
)
"""The systems whose kernels or budgets differ; on Linux all releases of torch run the same kernel."""
_CLIP: Final = TypeAdapter(ClipTerms)


@dataclass(frozen=True)
class Shard:
    """Contents of one file of the table: a cell's request without its lengths, and the places of cards."""

    model: PlannedModel
    key: Key
    requested: Requested
    places: tuple[Place, ...]

    @property
    def name(self) -> str:
        """Folder and name of the file."""
        return "/".join(self.key.path)

    def clip(self, clip_s: float, place: Place) -> CardClip:
        """A clip of this shard on cards of one place."""
        asked = self.requested.model_copy(update={"clip_seconds": clip_s})
        prompt = self.model.prompt_tokens(asked)
        return CardClip(self.key.profile, self.key.setting, mel_frames(clip_s), prompt, place)


def shards() -> list[Shard]:
    """Every shard: all cards of the catalog that can run the standard suite, on every system."""
    found: dict[Key, tuple[PlannedModel, Requested, dict[Place, None]]] = {}
    for name in released_names():
        for profile in Profile:
            asked = plan_request(RunOptions(model=name, profile=profile))
            model = PlannedModel(asked.source, asked.suite.dtype)
            predictions = Predictions(model, answers())
            one_each = {cell.requested.attention: cell.requested for cell in asked.cells}
            for system in SYSTEMS:
                for target in every_card(system)[0]:
                    for requested in one_each.values():
                        if unsupported_reason(requested, target, model.source.max_positions) is None:
                            clip = predictions.clip(requested, target)
                            key = Key(model.source.config_sha256, profile, clip.setting)
                            found.setdefault(key, (model, requested, {}))[2][clip.place] = None
    return [Shard(model, key, asked, tuple(places)) for key, (model, asked, places) in found.items()]


@cache
def answers() -> tuple[int, ...]:
    """The lengths of answers in the shipped suites of released models."""
    return tuple(sorted({tokens for name in _suites() for tokens in find_suite(name).axes.max_tokens}))


def clip_lengths(shard: Shard) -> list[float]:
    """Every 4 s up to the context, then the other lengths that a plan looks up."""
    asked = asked_lengths(shard)
    regular = [float(length) for length in range(STEP_S, int(max(asked)) + 1, STEP_S)]
    return [*regular, *sorted(asked - set(regular))]


def asked_lengths(shard: Shard) -> set[float]:
    """Those of the suites, the shortest of a search, and the ends of the context for each answer."""
    most = shard.model.source.max_positions
    ends = {longest_clip_s(most, tokens, shard.requested.time_markers) for tokens in answers()}
    suites = {float(clip) for name in _suites() for clip in find_suite(name).axes.clip_seconds}
    return {1.0, *map(float, ends), *suites}


def _suites() -> Iterator[str]:
    return (name for name in shipped_suites() if is_released(find_suite(name).model))


# --- making the table -------------------------------------------------------------------------------------


def make(shard: Shard) -> str:
    """Trace the missing clips of a shard, write it, and return its name."""
    quiet_transformers()
    traced = TracedModel(shard.model, lambda _: None)
    unfinished = UNFINISHED / f"{shard.name.replace('/', '-')}.jsonl"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    known = {(clip.place, clip.mel_frames): clip for clip in (*_shipped(shard), *_kept(unfinished))}
    lengths = clip_lengths(shard)
    with unfinished.open("a", encoding="utf-8") as lines:
        for number, clip_s in enumerate(lengths):
            for place in shard.places:
                clip = shard.clip(clip_s, place)
                if (place, clip.mel_frames) in known:
                    continue
                with without_search_for_cycles():
                    terms = traced.find(clip, answers())
                found = ClipTerms(place, clip.mel_frames, clip.prompt_tokens, terms)
                known[place, clip.mel_frames] = found
                lines.write(f"{_CLIP.dump_json(found).decode()}\n")
                lines.flush()
            if number % 50 == 0:
                click.echo(f"{shard.name}: {number} of {len(lengths)}", err=True)
    versions = {name: version_of(name) or "" for name in ("torch", "transformers")}
    clips = [known[place, mel_frames(clip_s)] for place in shard.places for clip_s in lengths]
    document = document_of(shard.key, versions, clips)
    write_atomically(shipped.data(FOLDER, *shard.key.path), render_shard(document))
    return shard.name


def _shipped(shard: Shard) -> Iterator[ClipTerms]:
    """What the table has of a shard."""
    path = shipped.data(FOLDER, *shard.key.path)
    if not path.is_file():
        return
    stored = StoredShard(read_shard(path.read_bytes()))
    for table in stored.document.places:
        for frames, prompt in zip(table.mel_frames, table.prompt_tokens, strict=True):
            clip = CardClip(shard.key.profile, shard.key.setting, frames, prompt, table.place)
            yield ClipTerms(table.place, frames, prompt, stored.find(clip, answers()))


def _kept(unfinished: Path) -> Iterator[ClipTerms]:
    """Return the traces of an earlier call; the last line may be cut off."""
    if not unfinished.is_file():
        return
    for line in unfinished.read_text(encoding="utf-8").splitlines():
        try:
            yield _CLIP.validate_json(line)
        except ValidationError:
            continue


# --- comparing it -----------------------------------------------------------------------------------------


def differing(count: int, seed: int) -> list[str]:
    """Trace a random sample of the table anew; return a line for each clip that differs."""
    chosen, found = random.Random(seed), list[str]()  # noqa: S311 - a sample, no secret
    every = [each for each in shards() if shipped.data(FOLDER, *each.key.path).is_file()]
    for _ in range(count):
        shard = chosen.choice(every)
        document = read_shard(shipped.data(FOLDER, *shard.key.path).read_bytes())
        table = chosen.choice(document.places)
        row = chosen.randrange(len(table.mel_frames))
        clip = CardClip(
            shard.key.profile,
            shard.key.setting,
            table.mel_frames[row],
            table.prompt_tokens[row],
            table.place,
        )
        stored = ShippedTable(shard.key.config_sha256).find(clip, answers())
        if stored != TracedModel(shard.model, lambda _: None).find(clip, answers()):
            found.append(f"{shard.name}, {clip.mel_frames} mel frames, {clip.place}")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the table, or compare a sample of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--check", metavar="N", type=int, help="compare N clips instead")
    parser.add_argument("--again", action="store_true", help="remove the table first")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of the sample")
    given = parser.parse_args(arguments)
    if given.check is not None:
        quiet_transformers()
        click.echo(f"--seed {given.seed}")
        found = differing(given.check, given.seed)
        click.echo("\n".join(found) or f"{given.check} clips are as in the table")
        return 1 if found else 0
    if given.again:
        shutil.rmtree(shipped.data(FOLDER), ignore_errors=True)
        shutil.rmtree(UNFINISHED, ignore_errors=True)
    with ProcessPoolExecutor(PROCESSES) as pool:
        for name in pool.map(make, shards()):
            click.echo(name)
    shutil.rmtree(UNFINISHED)
    return 0


if __name__ == "__main__":
    sys.exit(main())
