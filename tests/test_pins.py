"""Documents of schema 1.0, and what they were summarised and compared as before the redesign, stay equal.

`data/pins/records.json.xz` has the records as text, `checks.json.xz` and `comparisons.json.xz` what came of
them; `cases.json` names the records of each merged check document and of each comparison. Sentences in
`checks.json.xz` and `comparisons.json.xz` are those of today.
`comparisons-1.1.json.xz` has comparisons as 1.1 wrote them before a gate had a `decision`.
"""

import functools
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from bench.check.document import merge
from bench.check.summarise import summarise
from bench.compare.compare import compare, compare_pairs
from bench.compare.gates import parse_gate
from bench.compare.sides import Side, side_of
from bench.records.comparison import Comparison
from bench.records.record import Record
from bench.store.record_files import read_record

PINS: Final = Path(__file__).parent / "data" / "pins"
UNLIKE: Final = frozenset({"schema_version", "content_hash"})
NEW: Final = frozenset(
    {
        "settings",
        "reason_code",
        "reason_codes",
        "note_code",
        "why_code",
        "caveat_codes",
        "desktop_use_basis",
        "earlier_attempts",
    }
    | {"undecided_s", "undecided_status"}
    | {"attention_kernel", "rounding_bytes", "system"}
    | {"kernel", "sdpa_grouping", "has_flash_kernels"}
    | {"interval_kind", "interval_n"}
    | {"predicted_headless", "predicted_desktop", "headless_likely", "desktop_likely"}
    | {"budget_basis", "read_at", "desktop_is_given", "calibrated_by", "other_ways"}
    | {"typical_bytes", "typical_headless_bytes", "typical_desktop_bytes"}
    | {"headless_likely_fits_s", "desktop_likely_fits_s", "likely_fits", "likely_fits_s", "likely_is_known"}
    | {"decision", "remedy", "remedy_code", "base_interval", "new_interval"}
)
"""Keys of schema 1.1 that 1.0 does not have."""
CONCLUDED: Final = frozenset(
    {"label", "interval", "process_spread", "verdict", "better", "note", "result", "why"}
)
"""Of a comparison: names of sides, and what is concluded from figures. The rules for these are newer."""
NEWER_RULES: Final = {
    "derived": frozenset({"why"}),
    "emulated": frozenset({"why", "desktop_bytes", "fits_with_desktop", "longest_fit_with_desktop_s"}),
}
"""Of check documents, by provenance: the sentence of a prediction names three lengths now, and the desktop
that an emulated card may have is the median of its evidence, 696.5 MiB, in place of 797."""
LATER: Final = {"embeddings": "device", "variables": {}, "provenance": "derived"}
"""Keys that were added to 1.0 with a value that means what the older bench did."""
CASES: Final = json.loads((PINS / "cases.json").read_text())


@functools.cache
def pinned(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lzma.decompress((PINS / f"{name}.json.xz").read_bytes()))
    return found


@pytest.fixture(scope="session")
def records(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Record]:
    """Every pinned record, read from disk with its hash verified on the document as stored."""
    folder = tmp_path_factory.mktemp("pins")
    found = {}
    for name, text in pinned("records").items():
        path = folder / f"{name}.json"
        path.write_text(text, encoding="utf-8")
        found[name] = read_record(path)
    return found


def differences(old: Any, new: Any, place: str = "", but: frozenset[str] = frozenset()) -> list[str]:
    """Where two documents differ beside `UNLIKE`, the new keys and `but`; a missing key counts as null."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [key for key in {**old, **new} if key not in UNLIKE | NEW | but]
        return [
            d
            for key in keys
            for d in differences(old.get(key, LATER.get(key)), new.get(key), f"{place}.{key}", but)
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            d
            for n, pair in enumerate(zip(old, new, strict=True))
            for d in differences(*pair, f"{place}.{n}", but)
        ]
    return [] if old == new else [f"{place}: {old!r} became {new!r}"]


@pytest.mark.parametrize("name", pinned("records"))
def test_a_record_of_1_0_is_read_and_written_alike(name: str, records: dict[str, Record]) -> None:
    assert differences(json.loads(pinned("records")[name]), records[name].model_dump(mode="json")) == []


@pytest.mark.parametrize("name", pinned("checks"))
def test_a_check_document_stays_equal(name: str, records: dict[str, Record]) -> None:
    made = merge(summarise(records[part]) for part in CASES["merged"].get(name, [name]))
    newer = NEWER_RULES.get(made.provenance.value, frozenset())
    assert differences(pinned("checks")[name], made.model_dump(mode="json"), but=newer) == []


def of_figures(old: dict[str, Any], made: Comparison) -> list[str]:
    """Where the figures of a comparison differ, which cells were compared, and why others were not.

    Why a cell was refused has the same name as why a gate failed.
    """
    found = made.model_dump(mode="json")
    return [
        *differences(old, found, but=CONCLUDED | {"against"}),
        *(
            difference
            for before, after in zip(old["against"], found["against"], strict=True)
            for difference in (
                *differences(before, after, but=CONCLUDED | {"cells"}),
                *differences(before["cells"], after["cells"], but=CONCLUDED - {"result"}),
            )
        ),
    ]


@pytest.mark.parametrize("name", pinned("comparisons-1.1"))
def test_a_comparison_of_1_1_without_decisions_is_read(name: str) -> None:
    found = Comparison.model_validate(pinned("comparisons-1.1")[name])
    (gate, *_) = found.against[0].gates
    assert gate.decision is None
    assert gate.result in {"passed", "failed", "cannot_tell"}


@pytest.mark.parametrize("name", CASES["compared"])
def test_a_comparison_stays_equal(name: str, records: dict[str, Record]) -> None:
    def side(names: Sequence[str]) -> Side:
        return side_of("+".join(names), [records[one] for one in names])

    base, news, gates = CASES["compared"][name]
    made = compare(side(base), [side(names) for names in news], [parse_gate(gate) for gate in gates])
    assert of_figures(pinned("comparisons")[name], made) == []


@pytest.mark.parametrize("name", CASES["pairs"])
def test_an_interleaved_comparison_stays_equal(name: str, records: dict[str, Record]) -> None:
    pairs, gates = CASES["pairs"][name]
    found = [(records[base], records[new]) for base, new in pairs]
    made = compare_pairs(found, ("base", "new"), [parse_gate(gate) for gate in gates])
    assert of_figures(pinned("comparisons")[name], made) == []


def test_a_difference_would_be_noticed() -> None:
    assert differences({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == [".a.1.b: 2 became 3"]
    assert differences({"a": 1}, {}) == [".a: 1 became None"]
    assert differences({"content_hash": 1}, {"content_hash": 2}) == []
