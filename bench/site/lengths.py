"""Predicted clip lengths of the catalog's cards, as the front page needs them: three lengths a case.

A case is a shape of model, a profile, a place and a number of new tokens. All lengths come from the shipped
predictions by the search of `bench plan`: nothing is traced, and torch is not needed.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import product
from typing import Final, Literal, NamedTuple

from bench.engines.native.sdpa_rules import NEWEST_RULES
from bench.engines.support import longest_clip_s
from bench.hardware.catalog import Card
from bench.predict.cells import unsupported_reason
from bench.predict.planner import Planner, PlanRequest, plan_request
from bench.predict.target import Target, every_card, on_system
from bench.records.base import Frozen
from bench.records.enums import Attention, Profile
from bench.records.prediction import LongestClip, PlannedSystem
from bench.run.run_spec import RunOptions, released_names
from bench.wording import outcomes

Fit = Literal["fits", "likely", "unlikely", "misfit", "too_long"]
"""The answer about one clip, from certain to impossible; `too_long`: beyond the model's context."""

PROFILES: Final = tuple(Profile)
_MATH_ON_WINDOWS: Final = "2.13"
"""The newest torch whose Windows builds run `faithful` with the math kernel."""
_NO_SIZE: Final = "the driver reports no memory size for this card"


class Place(NamedTuple):
    """A system that runs the model, and whether a desktop takes a part of the memory."""

    system: PlannedSystem
    has_desktop: bool


PLACES: Final = (
    Place(PlannedSystem(os="linux", torch=NEWEST_RULES), has_desktop=False),
    Place(PlannedSystem(os="linux", torch=NEWEST_RULES), has_desktop=True),
    Place(PlannedSystem(os="wsl2", torch=NEWEST_RULES), has_desktop=True),
    Place(PlannedSystem(os="windows", torch=NEWEST_RULES), has_desktop=True),
    Place(PlannedSystem(os="windows", torch=_MATH_ON_WINDOWS), has_desktop=True),
)
"""Builds of torch for Linux have the same kernels in every supported release; those for Windows have not."""


class Lengths(NamedTuple):
    """Whole seconds: every clip up to `fits` fits, up to `likely` it likely does, from `misfit` on none does.

    None: not even the shortest clip; of `misfit`: no clip up to the model's context is certain not to fit.
    """

    fits: int | None
    likely: int | None
    misfit: int | None

    def judge(self, clip_s: float, context_s: int) -> Fit:
        """Return the answer about a clip; `context_s` is the longest that the model takes."""
        if clip_s > context_s:
            return "too_long"
        if self.fits is not None and clip_s <= self.fits:
            return "fits"
        if self.likely is not None and clip_s <= self.likely:
            return "likely"
        return "misfit" if self.misfit is not None and clip_s >= self.misfit else "unlikely"


class Case(NamedTuple):
    """What decides the memory of a run on a card. `shape`: of the model, `tokens`: index of `Predicted`."""

    shape: int
    profile: Profile
    place: Place
    tokens: int


class PredictedCard(Frozen):
    """One card. `lengths` are in the order of `Predicted.cases`, empty where `reason` says why."""

    slug: str
    name: str
    label: str
    memory_total_bytes: int | None
    lengths: tuple[Lengths, ...]
    reason: str = ""


class Predicted(Frozen):
    """The predictions of every card.

    `models`: each released model and its shape; models of one shape need the same memory. `tokens`: numbers
    of new tokens that are predicted. `context_s`: the longest clip of the model for each of them.
    """

    models: dict[str, int]
    tokens: tuple[int, ...]
    context_s: tuple[int, ...]
    cards: tuple[PredictedCard, ...]

    @cached_property
    def cases(self) -> tuple[Case, ...]:
        """Every case, in the order of the lengths of a card."""
        shapes = range(max(self.models.values()) + 1)
        return tuple(map(Case._make, product(shapes, PROFILES, PLACES, range(len(self.tokens)))))


def predicted() -> Predicted:
    """Return the shipped predictions as lengths; takes seconds."""
    requests = {name: _request(name, Profile.FAITHFUL) for name in released_names()}
    configs = list(dict.fromkeys(request.source.config_sha256 for request in requests.values()))
    models = {name: configs.index(request.source.config_sha256) for name, request in requests.items()}
    example = next(iter(requests.values()))
    tokens = tuple(sorted({cell.requested.max_tokens for cell in example.cells}))
    names = [next(name for name, shape in models.items() if shape == each) for each in range(len(configs))]
    planners = [Planner(_request(name, profile), may_trace=False) for name in names for profile in PROFILES]
    known, unknown = every_card(PLACES[0].system)
    found: dict[tuple[str, int | None], tuple[Lengths, ...]] = {}
    cards = []
    for target in known:
        key = target.info.compute_capability or "", target.info.memory_total_bytes
        if key not in found:
            found[key] = _lengths(planners, target, tokens)
        cards.append(_card(target, example, found[key]))
    cards += [_without_size(card) for card in unknown]
    positions, markers = example.source.max_positions, example.suite.time_markers
    context_s = tuple(longest_clip_s(positions, each, markers) for each in tokens)
    return Predicted(models=models, tokens=tokens, context_s=context_s, cards=tuple(cards))


def _request(model: str, profile: Profile) -> PlanRequest:
    return plan_request(RunOptions(model=model, profile=profile, attention=(Attention.SDPA,)))


def _lengths(planners: Sequence[Planner], target: Target, tokens: Sequence[int]) -> tuple[Lengths, ...]:
    """Return the lengths of a card in the order of the cases; empty where it cannot run the model."""
    found = []
    for planner in planners:
        lines: dict[PlannedSystem, dict[int, LongestClip]] = {}
        for system in dict.fromkeys(place.system for place in PLACES):
            there = on_system(target, system)
            longest = planner.longest_clips(there, planner.derivation(there))
            lines[system] = {line.max_tokens: line for line in longest}
        if not all(lines.values()):
            return ()
        found += [_of(lines[place.system][each], place) for place in PLACES for each in tokens]
    return tuple(found)


def _of(line: LongestClip, place: Place) -> Lengths:
    if place.has_desktop:
        found = (line.desktop_fits_s, line.desktop_likely_fits_s, line.desktop_misfit_s)
    else:
        found = (line.headless_fits_s, line.headless_likely_fits_s, line.headless_misfit_s)
    return Lengths(*(None if length is None else int(length) for length in found))


def _card(target: Target, request: PlanRequest, lengths: tuple[Lengths, ...]) -> PredictedCard:
    positions = request.source.max_positions
    reasons = (unsupported_reason(cell.requested, target, positions) for cell in request.cells)
    reason = None if lengths else next((each for each in reasons if each is not None), None)
    return PredictedCard(
        slug=target.info.slug,
        name=target.info.name,
        label=_label(target.info.name, target.info.slug),
        memory_total_bytes=target.info.memory_total_bytes,
        lengths=lengths,
        reason="" if reason is None else outcomes.reason(reason),
    )


def _without_size(card: Card) -> PredictedCard:
    return PredictedCard(
        slug=card.slug,
        name=card.nvml_name,
        label=_label(card.nvml_name, card.slug),
        memory_total_bytes=None,
        lengths=(),
        reason=_NO_SIZE,
    )


def _label(name: str, slug: str) -> str:
    """`RTX 4070`; `RTX 3060 12 GB` where the name is that of two cards, and the slug has the size."""
    plain = name.removeprefix("NVIDIA ").removeprefix("GeForce ")
    size = slug.rpartition("-")[2]
    is_size = size.endswith("gb") and size[:-2].isdigit() and size not in plain.lower()
    return f"{plain} {size[:-2]} GB" if is_size else plain
