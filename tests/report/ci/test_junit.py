"""JUnit XML: valid against the schema that build servers use, whatever a record holds."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench.records.cell import Failed
from bench.records.record import Record
from bench.report.ci.cases import cases_of
from bench.report.ci.junit import render
from tests.samples import records as sample

SMOKE = sample.smoke()
SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("junit.xsd"))
EXPECT: dict[str, JsonValue] = {"expect": [{"fits": True}, {"decode_tokens_per_s": ">= 30"}]}


def document(record: Record) -> ET.Element:
    text = render(record, cases_of(record))
    SCHEMA.validate(text)
    return ET.fromstring(text)


@pytest.mark.parametrize("make", [sample.standard, sample.smoke, sample.nothing_fits, sample.hostile])
def test_it_is_valid(make: object) -> None:
    assert callable(make)
    document(make())


def test_every_cell_is_a_case_and_the_counts_add_up() -> None:
    record = sample.record(sample.standard().cells, definition=EXPECT)
    root = document(record)
    (suite,) = root
    cases = suite.findall("testcase")
    assert len(cases) == len(record.cells) == int(suite.attrib["tests"])
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        found = [case for case in cases if case.find(tag) is not None]
        assert str(len(found)) == suite.attrib[name] == root.attrib[name]
        assert found


def test_a_case_has_its_medians_and_the_time_of_its_generations() -> None:
    record = sample.standard()
    cell = record.cells[0]
    case = next(iter(document(record).iter("testcase")))
    properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert cell.summary is not None
    assert cell.summary.latency_s is not None
    assert float(properties["latency_s"]) == cell.summary.latency_s.median
    assert int(properties["process_peak_bytes"]) == cell.summary.process_peak_bytes
    assert "energy_j" not in properties
    timed = [*cell.repeats, *([cell.cold] if cell.cold else [])]
    assert float(case.attrib["time"]) == pytest.approx(sum(r.latency_s for r in timed), abs=0.001)
    assert case.attrib["classname"] == "bench.standard"
    assert case.attrib["name"] == "10 s, 128 tokens, sdpa"


def test_a_failure_says_what_was_expected_and_an_error_what_went_wrong() -> None:
    record = sample.record(sample.standard().cells, definition=EXPECT)
    root = document(record)
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.attrib["message"].startswith("expected fits, found out of memory: CUDA out of memory")
    error = root.find(".//error")
    assert error is not None
    assert error.attrib["type"] == "failed"
    assert error.text == "RuntimeError: cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"


@given(st.text(alphabet=st.characters(codec=None, exclude_categories=[]), max_size=50))
def test_no_text_of_a_record_breaks_it(text: str) -> None:
    """Surrogates and U+FFFE, which XML 1.0 forbids, among them."""
    cell = sample.not_measured(
        sample.requested(), Failed.model_construct(reason=text, error_tail=(text, "]]>"))
    )
    whole = SMOKE
    device = whole.device.model_copy(update={"name": text})
    record = whole.model_copy(update={"cells": (cell,), "device": device})
    root = ET.fromstring(render(record, cases_of(record)).encode())
    error = root.find(".//error")
    assert error is not None
    assert (error.text or "").endswith("]]>")
