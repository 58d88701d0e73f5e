"""Parts of a view of several records: their sources, disagreements and common facts."""

import shlex
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final
from urllib.parse import quote

from bench import units
from bench.check.rows import FIT
from bench.records.check import Check, CheckRecord
from bench.records.enums import PUBLISHER, Provenance, WeightMode
from bench.report.basics import Fact, basis, whole
from bench.report.details import PageFacts
from bench.report.facts import named_model
from bench.report.interface import Merged, Source
from bench.report.repeat import suite_word
from bench.report.rows import disagreements
from bench.suite.suite import find_suite, shipped_suites
from bench.text import MAX_NAME, clean
from bench.wording import labels

MAX_DISAGREEMENTS: Final = 200
MAX_SOURCES: Final = 500
"""Bounds of a page for people; `check.json` has all of them."""
_NOTES: Final = ("This asks for the same kind of run. The report of each record has its whole request.",)


def facts_of(check: Check) -> PageFacts:
    """The facts before and after the tables that all records share."""
    budget = tuple(_budget(check))
    return PageFacts(
        header=tuple(_header(check)),
        repeat_command=_command(check),
        repeat_notes=_NOTES,
        card=budget,
        card_lines=tuple(f"{fact.label}: {fact.text}, {fact.note}" for fact in budget),
        environment=tuple(_environment(check)),
    )


def merged(check: Check) -> Merged:
    """Sources, the newest first, and disagreements, each up to a bound."""
    every = chain.from_iterable(map(disagreements, check.rows))
    found = sorted(every, key=lambda one: one.name != FIT)  # fits first: it matters most
    numbers = [record.machine for record in check.records]
    machines = None if None in numbers else len(set(numbers))
    counted = basis(None, len(check.records))
    return Merged(
        basis=counted if machines is None else f"{counted}, {basis(machines, 0)}",
        sources=tuple(map(_source, islice(reversed(check.records), MAX_SOURCES))),
        sources_left_out=max(0, len(check.records) - MAX_SOURCES),
        disagreements=tuple(found[:MAX_DISAGREEMENTS]),
        disagreements_left_out=len(found[MAX_DISAGREEMENTS:]),
    )


def disagreement(found: Merged) -> Iterator[str]:
    """A caveat with the number of disagreements and the first of them; none if records agree."""
    count = len(found.disagreements) + found.disagreements_left_out
    if count:
        first = found.disagreements[0]
        figures = "1 figure" if count == 1 else f"{count:,} figures"
        more = "" if count == 1 else ", the first of them"
        what = first.what[:1].lower() + first.what[1:]
        yield f"The records disagree beyond noise in {figures}{more}: {first.cell}, {what}: {first.found}."


def _source(record: CheckRecord) -> Source:
    return Source(
        record_id=record.id,
        content_hash=record.hash,
        date=f"{record.created_at:%Y-%m-%d %H:%M}",
        provenance=labels.PROVENANCES[record.provenance],
        weights=labels.WEIGHTS[record.weight_mode],
        suite=record.suite,
        verdict=labels.headline(record.verdict, record.provenance),
        machine="not known" if record.machine is None else f"{record.machine}",
        link="" if record.path is None else quote(record.path),
    )


# --- facts ------------------------------------------------------------------------------------------------


def _budget(check: Check) -> Iterator[Fact]:
    named = (
        ("Budget without a desktop", check.vram.headless_bytes),
        ("Budget with a desktop", check.vram.desktop_bytes),
        ("Free when the run began", check.vram.now_bytes),
    )
    for label, figure in named:
        if figure is not None:
            text = f"{units.both_units(whole(figure))}, {basis(figure.machines, figure.records)}"
            yield Fact(label, text, basis(figure.machines, figure.records))


def _header(check: Check) -> Iterator[Fact]:
    model = check.model
    yield Fact("Model", named_model(model.name, model.parameters))
    yield Fact("Weights", ", ".join(labels.WEIGHTS[mode] for mode in model.weight_modes))
    if model.repo is not None:
        yield Fact("From", f"{model.repo} at {', '.join(model.revisions) or 'an unknown revision'}")
    yield Fact("Device", check.gpu.name)
    yield Fact("Memory of the device", units.both_units(whole(check.gpu.memory_total_bytes)))
    yield Fact("Suites", ", ".join(sorted({record.suite for record in check.records})))
    dates = [f"{record.created_at:%Y-%m-%d}" for record in check.records]
    yield Fact("Dates", dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}")
    yield Fact("Configuration hash", model.config_sha256)


def _command(check: Check) -> str:
    is_cpu, is_plan = check.gpu.kind == "cpu", check.provenance is Provenance.DERIVED
    name, _, version = check.records[-1].suite.partition(" ")
    suite = suite_word(name, "own" if version.endswith("(own suite)") else None)
    words = ["bench", "plan" if is_plan else "run", "--suite", suite]
    words += [
        "--device" if is_cpu and not is_plan else "--gpu",
        "cpu" if is_cpu else check.gpu.slug.lstrip("-"),
    ]
    if name in shipped_suites() and find_suite(name).model != check.model.name:
        words += ["--model", (check.model.repo or check.model.name).removeprefix(f"{PUBLISHER}/").lstrip("-")]
    if check.model.weight_modes == (WeightMode.RANDOM,):
        words += ["--weights", "random"]
    if check.emulation is not None:
        words += ["--emulate-vram", str(check.emulation.total_bytes)]
    return shlex.join(words)


def _environment(check: Check) -> Iterator[Fact]:
    total = len(check.records)
    for nth, seen in enumerate(check.environment, start=1):
        driver = f", driver {seen.driver}" if seen.driver else ""
        commit = f" ({seen.bench_commit})" if seen.bench_commit else ""
        libraries = (("torch", seen.torch), ("transformers", seen.transformers))
        text = ", ".join(
            (
                f"bench {seen.bench_version}{commit}",
                *(f"{name} {found}" for name, found in libraries if found),
            )
        )
        label = f"Software {nth}, {seen.records} of {total} records"
        yield Fact(clean(label, MAX_NAME), clean(f"{text}, Python {seen.python}{driver}, {seen.os}"))
