"""What every format shows."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.records.enums import Profile, Provenance, WeightMode
from bench.records.record import Record
from bench.report import csv, html, markdown
from bench.report import json as check_json
from bench.report.basics import Tone
from bench.report.terminal import as_text
from bench.report.view import view_of
from bench.text import clean
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.named import RECORDS


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS.keys())
def test_every_cell_is_one_row(record: Record) -> None:
    view = view_of(record)
    assert sorted(row.cell_id for row in view.rows) == sorted(cell.cell_id for cell in record.cells)


def test_a_grid_is_clips_by_tokens() -> None:
    grid = view_of(sample.standard()).grids[0]
    assert grid.columns == ("128", "256", "512", "1,024")
    assert [line.clip for line in grid.lines] == ["10 s", "30 s", "60 s", "120 s", "300 s", "600 s"]
    words = [cell.row.status.word for cell in grid.lines[-1].cells if cell]
    assert words == ["ran", "ran", "out of memory", "skipped"]


def test_a_grid_with_holes_says_so() -> None:
    cells = [sample.measured(sample.requested(10.0, 128)), sample.measured(sample.requested(60.0, 512))]
    grid = view_of(sample.record(cells)).grids[0]
    assert [[cell is not None for cell in line.cells] for line in grid.lines] == [
        [True, False],
        [False, True],
    ]


def test_an_attention_that_cannot_run_is_one_line() -> None:
    view = view_of(sample.standard())
    assert view.grids[0].uniform is None
    assert view.grids[1].uniform is not None
    assert view.misses[-1].cells == ("all 24 cells of FlashAttention 2",)


def test_cells_that_differ_in_another_setting_stand_in_another_grid() -> None:
    lean = sample.requested().model_copy(update={"profile": Profile.LEAN})
    view = view_of(sample.record([sample.measured(sample.requested()), sample.measured(lean)]))
    assert [grid.title for grid in view.grids] == ["SDPA, profile faithful", "SDPA, profile lean"]


def test_more_memory_is_a_stronger_tint() -> None:
    lines = view_of(sample.all_measured_48()).grids[0].lines
    first, last = lines[0].cells[0], lines[-1].cells[-1]
    assert first is not None
    assert last is not None
    assert (first.heat, last.heat) == (0, 4)


def test_equal_memory_has_no_tint() -> None:
    view = view_of(sample.record([sample.measured(sample.requested())]))
    assert view.grids[0].lines[0].cells[0] is not None
    assert view.grids[0].lines[0].cells[0].heat is None
    assert view.heat_legend == ""


def test_provenance_and_weights_are_in_words_and_a_warning_unless_plain() -> None:
    assert view_of(sample.standard()).stamp_tone is Tone.MUTED
    random = view_of(sample.standard(WeightMode.RANDOM))
    assert random.stamp == "measured on this device, random weights"
    assert random.stamp_tone is Tone.WARN
    assert view_of(sample.smoke()).stamp == "smoke run, tiny model, made-up weights"


def test_medians_come_with_interval_and_variation() -> None:
    figure = view_of(sample.standard()).rows[0].figures["decode_tokens_per_s"]
    assert (figure.text, figure.interval, figure.variation) == ("47.4 tok/s", "47.0–47.8 tok/s", "cv 0.0063")


def test_not_available_is_a_word() -> None:
    figure = view_of(sample.standard()).rows[0].figures["energy_j"]
    assert (figure.value, figure.text) == (None, "n/a")


def test_raw_repeats_are_kept_and_the_cold_one_is_named() -> None:
    row = view_of(sample.standard()).rows[0]
    assert [repetition.name for repetition in row.repetitions] == ["cold", "1", "2", "3", "4", "5"]


def test_settings_in_force_are_shown_once_and_a_fallback_is_marked() -> None:
    ran = sample.measured(sample.requested())
    other = sample.with_kernels(sample.measured(sample.requested(30.0)), attention="eager")
    kernels = view_of(sample.record([ran, other])).kernels
    assert [(entry.cells, entry.differs) for entry in kernels] == [(1, False), (1, True)]
    assert "eager (asked for sdpa)" in kernels[1].facts[0].text


@pytest.mark.parametrize(
    ("record", "command"),
    [
        (sample.smoke(), "bench run --suite smoke --device cpu"),
        (sample.standard(WeightMode.RANDOM), "bench run --suite standard --gpu rtx-4070 --weights random"),
        (sample.standard(WeightMode.LOCAL), "bench run --suite standard --gpu rtx-4070 --model MODEL_DIR"),
        (
            sample.record(
                [sample.measured(sample.requested(clip)) for clip in (5.0, 7.5)],
                weight_mode=WeightMode.RANDOM,
                overrides=("clip_seconds", "repeats"),
                definition={"measure": {"repeats": 3}},
            ),
            "bench run --suite standard --gpu rtx-4070 --weights random --clip-seconds 5,7.5 --repeats 3",
        ),
        (
            sample.record(
                [], weight_mode=WeightMode.RANDOM, overrides=("model",), model="MOSS-Audio-8B-Instruct"
            ),
            "bench run --suite standard --gpu rtx-4070 --weights random --model MOSS-Audio-8B-Instruct",
        ),
        (
            sample.record([], weight_mode=WeightMode.LOCAL, overrides=("model",)),
            "bench run --suite standard --gpu rtx-4070 --model MODEL_DIR",
        ),
    ],
)
def test_the_command_repeats_the_run(record: Record, command: str) -> None:
    assert view_of(record).repeat_command == command


def test_a_hostile_name_cannot_leave_its_place_in_the_command() -> None:
    view = view_of(sample.renamed(sample.hostile(), "suite", sample.HOSTILE))
    words = shlex.split(view.repeat_command)
    assert words[:3] == ["bench", "run", "--suite"]
    assert words[3].startswith("<script>")
    assert words[4] == "--gpu"
    assert any("<script>" in note for note in view.repeat_notes)


def test_a_suite_named_like_an_option_is_no_option() -> None:
    view = view_of(sample.renamed(sample.record([]), "suite", "--yes"))
    assert shlex.split(view.repeat_command)[2:4] == ["--suite", "yes"]


def test_an_interrupted_run_can_be_resumed_and_says_how() -> None:
    assert any("--resume" in note for note in view_of(sample.interrupted()).repeat_notes)


def test_the_largest_cell_stands_at_the_top() -> None:
    texts = [fact.text for fact in view_of(sample.standard()).highlights]
    assert texts == ["600 s × 256 tokens", "36.6 tok/s", "2.41 s", "12.70 GB (11.83 GiB)"]


def test_the_speed_of_a_larger_device_is_no_highlight() -> None:
    view = view_of(cards.emulated())
    assert [fact.label for fact in view.highlights] == [
        "Longest clip that ran",
        "Memory there, CUDA context included",
    ]
    assert not any("bandwidth" in line or "J per token" in line for line in view.card_lines)


def test_a_view_of_a_prediction_is_derived_whatever_the_record_says() -> None:
    from bench.records.record import Predicted

    view = view_of(sample.record([sample.not_measured(sample.requested(), Predicted())]))
    assert view.rows[0].provenance is Provenance.DERIVED


def test_what_the_driver_did_not_tell_is_a_word_not_zero() -> None:
    bare = cards.STATE.model_copy(
        update={
            "other_processes": None,
            "display": None,
            "power_limit_w": None,
            "budget": cards.STATE.budget.model_copy(
                update={"headless_bytes": None, "desktop_bytes": None, "now_bytes": None}
            ),
        }
    )
    view = view_of(cards.with_card([cards.measured()], state=bare))
    texts = {fact.label: fact.text for fact in view.card}
    labels = ("Budget without a desktop", "Free when the run began", "Other programs", "Power limit", "ECC")
    assert [texts[label] for label in labels] == ["n/a"] * 5
    assert view.card_lines[0] == "Card: at most 10.49 GiB taken"


def test_out_of_memory_says_when_and_how_much() -> None:
    (miss, *_) = view_of(cards.rtx_4070()).misses
    assert miss.status.reason == (
        "the allocator could not get what the prefill asked for; during prefill; "
        "2.18 GiB asked for, 0.38 GiB were free; the allocator held 10.64 GiB"
    )


def test_memory_that_another_program_took_is_told_in_every_format() -> None:
    seen = cards.measured().device_memory
    assert seen is not None
    beside = {"device_memory": seen.model_copy(update={"contended": True})}
    ran_out = sample.out_of_memory(sample.requested(60.0)).model_copy(update=beside)
    view = view_of(cards.with_card([cards.measured(), ran_out]))
    for render in (html.render, markdown.render, as_text, check_json.render, csv.render):
        assert "contended" in render(view)
        assert "another program computed on the card" in render(view)


def test_none_beside_a_desktop_and_unknown_are_two_words() -> None:
    cells = [cards.measured(300.0, 1024)]
    words = [
        view_of(cards.with_card(cells, state=state)).frontier[0].longest_fit_with_desktop
        for state in (cards.STATE, None)
    ]
    assert words == ["none", "n/a"]


def test_a_context_that_other_programs_are_in_says_so() -> None:
    cell = cards.measured()
    assert cell.device_memory is not None
    seen = cell.device_memory.model_copy(update={"context_source": "device", "back_at_baseline": False})
    view = view_of(cards.with_card([cell.model_copy(update={"device_memory": seen})]))
    figures = view.rows[0].figures
    assert figures["context_bytes"].note == "of the whole device"
    assert figures["residue_bytes"].note == "not back at the baseline"


def test_never_held_back_is_said_only_where_somebody_looked() -> None:
    cell = cards.measured()
    assert cell.power is not None
    free = cell.power.model_copy(update={"throttle_reasons": {}})
    blind = free.model_copy(update={"throttle_reasons": None})
    for power, text in ((free, "never"), (blind, "n/a")):
        view = view_of(cards.with_card([cell.model_copy(update={"power": power})]))
        assert view.rows[0].figures["held_back_share"].text == text


@given(st.text(max_size=2000))
def test_clean_text_is_one_printable_line(text: str) -> None:
    cleaned = clean(text, 100)
    assert len(cleaned) <= 100
    assert cleaned == " ".join(cleaned.split())
    assert all(
        character.isprintable() or character == "\ufffd" or ord(character) > 127 for character in cleaned
    )
    assert not set(cleaned) & {"\x1b", "\u202e", "\u2066", "\u200b", "\u2028"}
    cleaned.encode()
