"""The published schema of a comparison."""

import json

import jsonschema

from bench import shipped
from bench.compare.compare import compare
from bench.compare.gates import parse_gate
from bench.compare.sides import side_of
from bench.records.comparison import COMPARISON_VERSION
from tests.samples import records as sample
from tests.samples.comparisons import cell, record

SCHEMA = json.loads((shipped.schemas() / f"compare-{COMPARISON_VERSION}.json").read_text(encoding="utf-8"))


def test_a_comparison_satisfies_it() -> None:
    want = sample.requested(60.0)
    base = side_of("base", [record(cell(), sample.out_of_memory(want))])
    new = side_of("new", [record(cell(slow=1.2), number=1)])
    made = compare(base, [new], [parse_gate("latency_s:+5%")])
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(made.model_dump_json()))
