"""What two runs must have in common, by purpose."""

from typing import Any

import pytest

from bench.judge import same_run
from bench.judge.same_run import (
    LINE,
    MERGED,
    PREDICTED,
    PRIOR_RESULTS,
    RESUME,
    WORKER,
    Use,
    differing,
    is_published,
    is_same_device,
    needs_more_of_everything,
    request_key,
    value,
    values,
)
from bench.records.aspects import Aspect
from bench.records.enums import Attention, EncoderAttention, Profile, WeightMode
from bench.records.record import Record, WeightFile
from bench.store.journal import Header
from bench.wording.aspects import ASPECTS
from tests.samples import cards
from tests.samples import records as sample
from tests.store.test_journal import header

WANTED = sample.requested()
RUN = cards.rtx_4070()
EFFECTIVE = [aspect for aspect in Aspect if aspect.value.startswith("effective.")]


def changed(run: Record, **parts: dict[str, Any]) -> Record:
    """The run with other values in some of its parts."""
    updated = {name: getattr(run, name).model_copy(update=part) for name, part in parts.items()}
    return run.model_copy(update=updated)


@pytest.mark.parametrize("aspect", Aspect)
def test_every_aspect_is_a_place_in_a_document(aspect: Aspect) -> None:
    document = RUN.cells[0] if aspect in EFFECTIVE else header() if aspect is Aspect.CELLS else RUN
    value(aspect, document)


@pytest.mark.parametrize("aspect", sorted({*RESUME, *PRIOR_RESULTS}))
def test_every_aspect_that_a_person_reads_of_has_a_name(aspect: Aspect) -> None:
    assert ASPECTS[aspect]


@pytest.mark.parametrize(
    ("part", "update", "use", "expected"),
    [
        ("environment", {"bench_commit": "0" * 40}, RESUME, {Aspect.BENCH_COMMIT}),
        ("environment", {"bench_commit": "0" * 40}, PRIOR_RESULTS, set()),
        ("device", {"driver": "1.2"}, RESUME, {Aspect.DRIVER}),
        ("device", {"driver": "1.2"}, PRIOR_RESULTS, {Aspect.DRIVER}),
        ("suite", {"sha256": "0" * 64}, PRIOR_RESULTS, set()),
        ("model", {"repo": "somebody/else"}, MERGED, {Aspect.REPO}),
        ("model", {"revision": "0" * 40}, MERGED, set()),
        ("model", {"revision": "0" * 40}, PREDICTED, set()),
        ("model", {"config_sha256": "0" * 64}, PREDICTED, {Aspect.CONFIGURATION}),
    ],
)
def test_what_differs_counts_where_the_use_needs_it(
    part: str, update: dict[str, Any], use: Use, expected: set[Aspect]
) -> None:
    before = values(use, _as_header(RUN)) if use is RESUME else values(use, RUN)
    other = changed(RUN, **{part: update})
    now = values(use, _as_header(other)) if use is RESUME else values(use, other)
    assert set(differing(before, now)) == expected


def _as_header(run: Record) -> Header:
    kept = {name: getattr(run, name) for name in Header.model_fields if name != "plan"}
    return Header(**kept, plan=())


def test_the_order_of_the_files_of_weights_does_not_count() -> None:
    files = tuple(WeightFile(name=name, size_bytes=1, sha256=sample.sha(name)) for name in "ab")
    one, other = (changed(RUN, model={"files": order}) for order in (files, files[::-1]))
    assert values((Aspect.WEIGHT_FILES,), one) == values((Aspect.WEIGHT_FILES,), other)
    assert values((Aspect.WEIGHT_FILES,), one) != values((Aspect.WEIGHT_FILES,), RUN)


def test_what_is_not_known_yet_is_no_difference() -> None:
    before = values(PRIOR_RESULTS, RUN)
    assert differing(before, {}) == ()
    assert differing(before, {Aspect.TORCH: "0.1"}) == (Aspect.TORCH,)


def test_two_cards_of_one_kind_are_one_device_and_two_sizes_of_cpu_are_not() -> None:
    assert is_same_device(RUN, RUN.model_copy(update={"machine_key": "another"}))
    assert is_same_device(RUN, changed(RUN, environment={"cpu_cores": 1}))
    smoke = sample.smoke()
    assert not is_same_device(smoke, changed(smoke, environment={"cpu_cores": 1}))


@pytest.mark.parametrize(
    ("mode", "repo", "expected"),
    [
        (WeightMode.HUB, "OpenMOSS-Team/MOSS-Audio-4B-Instruct", True),
        (WeightMode.HUB, "OpenMOSS-Team-2/MOSS-Audio-4B-Instruct", False),
        (WeightMode.RANDOM, "OpenMOSS-Team/MOSS-Audio-4B-Instruct", False),
        (WeightMode.LOCAL, None, False),
    ],
)
def test_whose_weights_are_published(mode: WeightMode, repo: str | None, expected: bool) -> None:
    assert is_published(mode, repo) is expected


@pytest.mark.parametrize(
    ("name", "changed", "shared"),
    [
        ("clip_seconds", 60.0, True),
        ("max_tokens", 512, True),
        ("seed", 1, True),
        ("prompt", "What is said?", True),
        ("model", "tiny", False),
        ("weight_mode", WeightMode.RANDOM, False),
        ("profile", Profile.LEAN, False),
        ("dtype", "float32", False),
        ("attention", Attention.EAGER, False),
        ("encoder_attention", EncoderAttention.SDPA, False),
    ],
)
def test_cells_share_a_loaded_model_unless_it_would_be_another(
    name: str, changed: object, shared: bool
) -> None:
    other = WANTED.model_copy(update={name: changed})
    assert (request_key(WORKER, other) == request_key(WORKER, WANTED)) is shared


def test_a_line_has_cells_of_every_length_and_of_nothing_else() -> None:
    assert request_key(LINE, WANTED.model_copy(update={"clip_seconds": 7.0})) == request_key(LINE, WANTED)
    for name, other in (("max_tokens", 7), ("prompt", "What?"), ("seed", 7)):
        assert request_key(LINE, WANTED.model_copy(update={name: other})) != request_key(LINE, WANTED)


@pytest.mark.parametrize("name", ["WORKER", "MEMORY", "LINE", "LINES", "KERNELS", "VARIANT"])
def test_every_field_of_a_use_is_one_of_a_request(name: str) -> None:
    assert request_key(getattr(same_run, name), WANTED)


def test_what_ran_out_of_memory_rules_out_what_is_no_smaller_in_any_way() -> None:
    small, more_tokens, longer, both = (
        WANTED.model_copy(update={"clip_seconds": clip_s, "max_tokens": tokens})
        for clip_s in (10.0, 60.0)
        for tokens in (128, 512)
    )
    eager = both.model_copy(update={"attention": Attention.EAGER})
    assert all(needs_more_of_everything(one, small) for one in (more_tokens, longer, both))
    assert needs_more_of_everything(both, longer)
    assert not any(needs_more_of_everything(small, one) for one in (small, more_tokens, longer, both))
    assert not needs_more_of_everything(longer, more_tokens)
    assert not needs_more_of_everything(more_tokens, longer)
    assert not needs_more_of_everything(eager, small)
