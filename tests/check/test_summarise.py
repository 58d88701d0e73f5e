"""What merging reads of one record."""

from bench.check.summarise import summarise
from bench.judge.verdict import judge
from bench.records.enums import Fit, Provenance
from bench.text import MAX_NAME
from tests.samples import cards, odd_predictions
from tests.samples import predictions as derived
from tests.samples import records as sample


def test_the_head_says_what_the_judge_says() -> None:
    record, said = cards.rtx_4070(), judge(cards.rtx_4070())
    head = summarise(record, "../r.json").head
    assert (head.verdict, head.why, head.lines) == (said.verdict, said.why, said.frontier)
    assert (head.path, head.cells) == ("../r.json", len(record.cells))


def test_figures_have_six_digits_and_sizes_all_of_them() -> None:
    cell = sample.measured(sample.requested())
    assert cell.summary is not None
    assert cell.summary.latency_s is not None
    odd = cell.summary.latency_s.model_copy(update={"median": 2.123456789})
    changed = cell.model_copy(update={"summary": cell.summary.model_copy(update={"latency_s": odd})})
    (summary,) = summarise(sample.record([changed])).cells
    assert summary.figures["latency_s"][0] == 2.12346
    assert summary.figures["reserved_peak_bytes"][0] == cell.summary.reserved_peak_bytes


def test_a_predicted_cell_is_derived_and_names_whether_it_fits() -> None:
    cells = summarise(derived.derived_record()).cells
    assert {cell.provenance for cell in cells} == {Provenance.DERIVED}
    assert {cell.fit for cell in cells} == {Fit.FITS, Fit.TOO_CLOSE_TO_CALL, Fit.DOES_NOT_FIT}


def test_a_ceiling_has_three_digits() -> None:
    (cell, *_) = summarise(derived.derived_record()).cells
    assert cell.envelope is not None
    assert cell.envelope.ceiling is not None
    assert cell.envelope.ceiling.decode_tokens_per_s == 62.4


def test_no_text_of_a_record_passes_unclean() -> None:
    for record in (sample.hostile(), cards.hostile(), odd_predictions.hostile()):
        text = summarise(record).model_dump_json()
        assert not any(letter in text for letter in ("\\u001b", "\\u202e", "\x1b", "\u202e"))


def test_the_key_of_a_machine_is_a_name() -> None:
    odd = cards.rtx_4070().model_copy(update={"machine_key": "\x1b[2J\n" + "a" * 300_000})
    key = summarise(odd).head.machine_key
    assert key is not None
    assert key.startswith("\ufffd[2J a")
    assert len(key) <= MAX_NAME
