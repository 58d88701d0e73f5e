"""JUnit XML: a cell is a test case, which a build server lists with its time and its failure."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Final

from bench.records.cell import CellResult
from bench.records.metrics import METRICS, value
from bench.records.record import Record
from bench.report.ci.cases import Case, Result
from bench.text import clean
from bench.wording.labels import suite

# XML 1.0, production 2 [Char]. A document must not contain other characters, not even as a reference.
_INVALID: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS: Final = {Result.FAILED: "failure", Result.ERROR: "error", Result.SKIPPED: "skipped"}


def render(record: Record, cases: Sequence[Case]) -> str:
    """The document. `time` is the sum of the timed generations of a cell, without loading."""
    root = ET.Element("testsuites", _counts(cases))
    name = f"bench.{record.suite.name}"
    suite = ET.SubElement(root, "testsuite", {"name": _text(name), **_counts(cases)})
    # Without a zone: the schema that most servers check against knows none. It is UTC.
    suite.set("timestamp", record.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"))
    _add_properties(suite, _about(record))
    for case in cases:
        suite.append(_testcase(name, case))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    results = Counter(case.result for case in cases)
    return {
        "tests": str(len(cases)),
        "failures": str(results[Result.FAILED]),
        "errors": str(results[Result.ERROR]),
        "skipped": str(results[Result.SKIPPED]),
        "time": _seconds(sum(_took_s(case.cell) for case in cases)),
    }


def _testcase(classname: str, case: Case) -> ET.Element:
    attributes = {
        "classname": _text(classname),
        "name": _text(case.name),
        "time": _seconds(_took_s(case.cell)),
    }
    element = ET.Element("testcase", attributes)
    _add_properties(element, _figures(case.cell))
    if case.result in _TAGS:
        details = {"message": _text(case.why)}
        if case.result is not Result.SKIPPED:
            details["type"] = "expectation" if case.result is Result.FAILED else case.status.code
        problem = ET.SubElement(element, _TAGS[case.result], details)
        problem.text = "\n".join(map(_text, _error_tail(case.cell))) or None
    return element


def _about(record: Record) -> Iterator[tuple[str, str]]:
    yield "record_id", record.record_id
    yield "suite", suite(record.suite.name, record.suite.version, record.suite.origin)
    yield "model", record.model.name
    yield "device", record.device.name
    yield "provenance", record.provenance
    yield "weight_mode", record.model.weight_mode


def _figures(cell: CellResult) -> Iterator[tuple[str, str]]:
    """Medians, under the names of the contract; figures that are not available are left out."""
    yield "cell_id", cell.cell_id
    yield "status", cell.outcome.status
    for metric in METRICS:
        found = value(cell.summary, metric)
        if found is not None:
            yield metric, str(found)
    if cell.summary is not None and cell.summary.labels:
        yield "labels", " ".join(cell.summary.labels)


def _add_properties(parent: ET.Element, properties: Iterator[tuple[str, str]]) -> None:
    element = ET.SubElement(parent, "properties")
    for name, text in properties:
        ET.SubElement(element, "property", {"name": name, "value": _text(text)})


def _error_tail(cell: CellResult) -> tuple[str, ...]:
    tail: tuple[str, ...] = getattr(cell.outcome, "error_tail", ())
    return tail


def _took_s(cell: CellResult) -> float:
    cold_s = cell.cold.latency_s if cell.cold else 0.0
    return cold_s + sum(repeat.latency_s for repeat in cell.repeats)


def _seconds(duration_s: float) -> str:
    return f"{duration_s:.3f}"


def _text(text: str) -> str:
    """One line that any XML parser accepts; the writer escapes it."""
    return _INVALID.sub("\ufffd", clean(text))
