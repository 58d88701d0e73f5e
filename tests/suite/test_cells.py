from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from bench.records.cell import Requested, Sampling
from bench.records.enums import Attention, EncoderAttention, Profile, WeightMode
from bench.suite.cells import Cell, cell_id, expand
from bench.suite.overrides import override
from bench.suite.suite import SamplingSettings, Suite, find_suite

CLIP = "ab" * 32
REQUESTED = Requested(
    model="MOSS-Audio-4B-Instruct",
    weight_mode=WeightMode.HUB,
    engine="native",
    profile=Profile.FAITHFUL,
    dtype="bfloat16",
    attention=Attention.SDPA,
    encoder_attention=EncoderAttention.EAGER,
    clip_seconds=10,
    clip_source_sha256=CLIP,
    max_tokens=128,
    prompt="Describe this audio.",
    time_markers=True,
    sampling=Sampling(do_sample=True, temperature=1.0, top_p=1.0, top_k=50),
    seed=0,
)


def cells_of(suite: Suite) -> tuple[Cell, ...]:
    return expand(suite, weight_mode=WeightMode.HUB, clip_source_sha256=CLIP)


def test_this_id_must_never_change() -> None:
    """Records on disk and in the community's collection are found by it."""
    assert cell_id(REQUESTED) == "37deb0130ac9e73f"


def test_whole_and_decimal_lengths_are_one_cell() -> None:
    assert cell_id(REQUESTED.model_copy(update={"clip_seconds": 10.0})) == cell_id(REQUESTED)


OTHER: dict[str, st.SearchStrategy[object]] = {
    "model": st.text(min_size=1, max_size=40),
    "weight_mode": st.sampled_from(WeightMode),
    "profile": st.sampled_from(Profile),
    "dtype": st.sampled_from(["bfloat16", "float16", "float32"]),
    "attention": st.sampled_from(Attention),
    "encoder_attention": st.sampled_from(EncoderAttention),
    "clip_seconds": st.floats(0.2, 3600),
    "clip_source_sha256": st.text("0123456789abcdef", min_size=64, max_size=64),
    "max_tokens": st.integers(1, 8192),
    "prompt": st.text(max_size=40),
    "time_markers": st.booleans(),
    "sampling": st.builds(
        Sampling,
        do_sample=st.booleans(),
        temperature=st.none() | st.floats(0.1, 10),
        top_p=st.none() | st.floats(0.1, 1),
        top_k=st.none() | st.integers(0, 1000),
    ),
    "seed": st.integers(0, 2**32 - 1),
}


def test_every_field_that_can_vary_is_tried_below() -> None:
    assert set(OTHER) | {"engine"} == set(Requested.model_fields)


@given(data=st.data(), name=st.sampled_from(sorted(OTHER)))
def test_any_change_of_any_field_changes_the_id(data: st.DataObject, name: str) -> None:
    value = data.draw(OTHER[name])
    changed = Requested.model_validate(REQUESTED.model_dump() | {name: value})
    assert (cell_id(changed) == cell_id(REQUESTED)) == (changed == REQUESTED)


def test_an_id_survives_the_way_through_json() -> None:
    assert cell_id(Requested.model_validate_json(REQUESTED.model_dump_json())) == cell_id(REQUESTED)


def test_every_combination_becomes_one_cell_with_an_id_of_its_own() -> None:
    suite = find_suite("standard")
    cells = cells_of(suite)
    points = {(c.requested.clip_seconds, c.requested.max_tokens, c.requested.attention) for c in cells}
    assert points == set(product(suite.axes.clip_seconds, suite.axes.max_tokens, suite.axes.attention))
    assert len({cell.cell_id for cell in cells}) == len(cells) == 48


def test_cells_run_attention_by_attention_and_from_small_to_large() -> None:
    suite = override(
        find_suite("quick"),
        clip_seconds=(60.0, 10.0),
        max_tokens=(512, 128),
        attention=(Attention.FLASH_ATTENTION_2, Attention.SDPA),
    )
    ran = [(c.requested.attention, c.requested.clip_seconds, c.requested.max_tokens) for c in cells_of(suite)]
    sizes = [(10, 128), (10, 512), (60, 128), (60, 512)]
    assert ran == [(kind, *size) for kind in (Attention.FLASH_ATTENTION_2, Attention.SDPA) for size in sizes]


@given(st.permutations([10.0, 30.0, 60.0]), st.permutations([128, 256]), st.permutations(list(Attention)))
def test_the_order_of_the_axes_changes_no_id(
    clips: list[float], tokens: list[int], attention: list[Attention]
) -> None:
    suite = override(
        find_suite("quick"), clip_seconds=tuple(clips), max_tokens=tuple(tokens), attention=tuple(attention)
    )
    straight = override(
        find_suite("quick"),
        clip_seconds=(10.0, 30.0, 60.0),
        max_tokens=(128, 256),
        attention=tuple(Attention),
    )
    assert {cell.cell_id for cell in cells_of(suite)} == {cell.cell_id for cell in cells_of(straight)}


def test_the_same_cell_has_the_same_id_in_every_suite() -> None:
    quick, standard = (
        {cell.cell_id for cell in cells_of(find_suite(name))} for name in ("quick", "standard")
    )
    assert quick <= standard


def test_greedy_decoding_is_one_cell_whatever_the_temperature() -> None:
    def first(temperature: float) -> Cell:
        sampling = SamplingSettings(do_sample=False, temperature=temperature)
        return cells_of(find_suite("quick").model_copy(update={"sampling": sampling}))[0]

    assert first(1.0) == first(0.5)
    assert first(1.0).requested.sampling == Sampling(
        do_sample=False, temperature=None, top_p=None, top_k=None
    )
