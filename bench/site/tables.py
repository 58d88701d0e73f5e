"""The tables of the data: a row for each published or held record, and for each cell of one.

Columns are declared once: name, type, meaning. Parquet, CSV and the data card read the declaration.
"""

import io
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bench.check.index_file import DamagedError
from bench.check.summary import CellSummary, Estimate
from bench.errors import PackageError
from bench.packages import extra_command
from bench.records.metrics import FIGURES, Metric
from bench.site.interface import Entry

if TYPE_CHECKING:
    import pyarrow as pa

Type = Literal["text", "integer", "number", "boolean", "date"]
Table = Literal["records", "cells"]
Value = str | int | float | bool | None
Row = tuple[Value, ...]
_MOST: Final = 2**63 - 1
_FORMULA: Final = r"^[=+\-@\t\r\n]"


class Column(NamedTuple):
    """One column. Null: not available, or not known."""

    name: str
    type: Type
    meaning: str


def _of_metric(metric: Metric) -> Iterator[Column]:
    kind: Type = "integer" if metric.unit.is_whole else "number"
    meaning = f"{metric.meaning}; {metric.unit.value}"
    yield Column(metric.name, kind, f"Median over the repeats, or the one value: {meaning}")
    if metric.is_statistic:
        yield Column(f"{metric.name}_low", "number", f"Low end of the interval of {metric.name}")
        yield Column(f"{metric.name}_high", "number", f"High end of the interval of {metric.name}")


RECORDS: Final = (
    Column("id", "text", "Id of the entry on the site: first digits of the content hash"),
    Column("content_hash", "text", "SHA-256 over the RFC 8785 form of the record"),
    Column("record_id", "text", "Id that the run gave"),
    Column("created_at", "date", "When the run began, as the record states it"),
    Column("state", "text", "published, or held: suspicious, and in no median"),
    Column("apart", "text", "Why it never counts among measurements of published weights; null: it does"),
    Column("provenance", "text", "measured, emulated, smoke or derived"),
    Column("model", "text", "Model"),
    Column("repo", "text", "Repository of the weights on the Hub; null: from elsewhere"),
    Column("revision", "text", "Commit of the repository"),
    Column("weight_mode", "text", "hub, local, random or tiny"),
    Column("card", "text", "Slug of the device"),
    Column("card_name", "text", "Name of the device, as the driver reports it"),
    Column("memory_total_bytes", "integer", "Memory of the device"),
    Column("suite", "text", "Suite, with its version"),
    Column("bench_version", "text", "Version of bench"),
    Column("torch", "text", "Version of torch"),
    Column("transformers", "text", "Version of transformers"),
    Column("driver", "text", "Version of the driver"),
    Column("os", "text", "Operating system"),
    Column("machine_key", "text", "Keyed hash of the card's UUID: equal for runs on one card"),
    Column("verdict", "text", "Verdict of the record"),
    Column("cells", "integer", "Number of its cells"),
    Column("signature", "text", "signed or unsigned"),
    Column("key_id", "text", "Id of the key that signed"),
    Column("key_confirmed", "boolean", "Whether an account confirms the key"),
    Column("account", "text", "Account that confirms the key; null: none does"),
    Column("account_url", "text", "File at an address of the account, with which it does"),
    Column("handle", "text", "Name that the sender chose; nobody has confirmed it"),
    Column("suspicious", "integer", "Number of suspicious findings"),
    Column("reproduced_confirmed", "integer", "Other confirmed identities that agree; 20: so many or more"),
    Column("reproduced_unconfirmed", "integer", "Other keys without an account that agree; 20: or more"),
    Column("reproduced_cards", "integer", "Other machines that agree; 20: so many or more"),
    Column("disagreeing", "integer", "Others that do not agree, in the worst figure; 20: so many or more"),
    Column("license", "text", "Licence of the record"),
)
CELLS: Final = (
    Column("id", "text", "Id of the record's entry"),
    Column("cell_id", "text", "Hash of the request: equal for equal cells"),
    Column("model", "text", "Model"),
    Column("card", "text", "Slug of the device"),
    Column("state", "text", "State of the record"),
    Column("apart", "text", "As in the table of records"),
    Column("provenance", "text", "As in the table of records"),
    Column("attention", "text", "Requested attention of the language model"),
    Column("clip_seconds", "number", "Length of the clip"),
    Column("max_tokens", "integer", "New tokens"),
    Column("profile", "text", "Settings of the engine"),
    Column("dtype", "text", "Type of the weights"),
    Column("status", "text", "Outcome of the cell"),
    Column("fit", "text", "Whether it fits"),
    Column("labels", "text", "What disturbed it: noisy, contended, throttled, spilled"),
    *(column for metric in FIGURES.values() for column in _of_metric(metric)),
)
TABLES: Final[Mapping[Table, Sequence[Column]]] = {"records": RECORDS, "cells": CELLS}


def record_row(entry: Entry) -> Row:
    """Return the row of a record, in the order of `RECORDS`."""
    head, answers = entry.head, entry.answers
    model, device, software, agreed = head.model, head.device, head.software, answers.reproduction
    sent = head.judged
    return (
        *(entry.id, head.hash, head.id, _date(head.created_at), entry.state.value),
        *(entry.apart.value if entry.apart else None, head.provenance.value),
        *(model.name, model.repo, model.revision, model.weight_mode.value),
        *(device.slug, device.name, device.memory_total_bytes, head.suite),
        *(software.bench_version, software.torch, software.transformers, software.driver, software.os),
        *(head.machine_key, head.verdict.value, head.cells),
        *(answers.integrity.signature.value, answers.identity.key_id, answers.identity.is_confirmed),
        *(answers.identity.account, answers.identity.account_url),
        *(sent.handle if sent else None, answers.plausibility.suspicious),
        *(agreed.confirmed, agreed.unconfirmed, agreed.cards, agreed.disagreeing),
        sent.license if sent else None,
    )


def _date(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def cell_row(entry: Entry, cell: CellSummary) -> Row:
    """Return the row of a cell, in the order of `CELLS`."""
    return (
        *(entry.id, cell.cell_id, entry.head.model.name, entry.head.device.slug, entry.state.value),
        *(entry.apart.value if entry.apart else None, cell.provenance.value, cell.attention.value),
        *(cell.clip_seconds, cell.max_tokens, cell.profile, cell.dtype, cell.status),
        *(cell.fit.value if cell.fit else None, " ".join(cell.labels)),
        *(value for metric in FIGURES.values() for value in _values(metric, cell.figures.get(metric.name))),
    )


def _values(metric: Metric, found: Estimate | None) -> Iterator[Value]:
    value = None if found is None else found.value
    yield round(value) if value is not None and metric.unit.is_whole else value
    if metric.is_statistic:
        yield None if found is None else found.low
        yield None if found is None else found.high


# --- arrow ------------------------------------------------------------------------------------------------


def require_arrow() -> None:
    """Check that what writes Parquet is installed.

    Raises:
        PackageError: it is not.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise PackageError(
            "pyarrow is not installed, which writes the tables of the site",
            hint="Install the extra",
            commands=(extra_command("site"),),
        ) from error


def table(columns: Sequence[Column], rows: Sequence[Row]) -> "pa.Table":
    """Return rows as a table. They go through JSON: `pyarrow.array` would import pandas, which takes long."""
    import pyarrow as pa
    from pyarrow.json import ParseOptions, ReadOptions, read_json

    schema = _schema(columns)
    if not rows:
        return pa.Table.from_batches([], schema)
    lines = "\n".join(
        json.dumps({column.name: _storable(value) for column, value in zip(columns, row, strict=True)})
        for row in rows
    ).encode()
    return read_json(
        io.BytesIO(lines),
        ReadOptions(use_threads=False, block_size=len(lines) + 1),
        ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
    )


def _schema(columns: Sequence[Column]) -> "pa.Schema":
    import pyarrow as pa

    types = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.string(),
    }
    return pa.schema([(column.name, types[column.type]) for column in columns])


def _storable(value: Value) -> Value:
    """Return a value that 64 bits hold; a stranger's integer can have any size, and is then not available."""
    return None if isinstance(value, int) and abs(value) > _MOST else value


class Rows(NamedTuple):
    """The rows of one card in one table, to be kept: for Arrow, and as lines of CSV."""

    arrow: bytes
    csv: bytes


def packed(found: "pa.Table") -> Rows:
    """Return a table as bytes, to be kept; no bytes for no rows."""
    return Rows(_packed(found), csv(found, include_header=False)) if found.num_rows else Rows(b"", b"")


def _packed(found: "pa.Table") -> bytes:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, found.schema) as writer:
        writer.write_table(found)
    return bytes(sink.getvalue().to_pybytes())


def unpacked(columns: Sequence[Column], content: bytes) -> "pa.Table":
    """Return a kept table.

    Raises:
        DamagedError: it is none, or has other columns.
    """
    import pyarrow as pa

    if not content:
        return table(columns, ())
    try:
        found = pa.ipc.open_file(content).read_all()
        found.validate(full=True)
    except pa.ArrowException as error:
        raise DamagedError("it contains a damaged table") from error
    if found.schema != _schema(columns):
        raise DamagedError("it contains a table with other columns")
    return found


def arranged(kept: "pa.Table", fresh: "pa.Table", ids: Sequence[str]) -> "pa.Table":
    """Return the rows of records in the order of their ids: `fresh` ones, and of others the `kept` ones."""
    import pyarrow as pa

    places: dict[str, list[int]] = {}
    for begin, rows in ((0, kept), (kept.num_rows, fresh)):
        own: dict[str, list[int]] = {}
        for place, entry_id in enumerate(rows.column("id").to_pylist(), start=begin):
            own.setdefault(entry_id, []).append(place)
        places |= own
    chosen = [place for entry_id in ids for place in places.get(entry_id, ())]
    taken = pa.Array.from_buffers(pa.int64(), len(chosen), [None, pa.py_buffer(array("q", chosen))])
    return pa.concat_tables([kept, fresh]).take(taken)


def joined(columns: Sequence[Column], kept: Sequence[Rows]) -> tuple["pa.Table", bytes]:
    """Return kept rows as one table and as one file of CSV, in this order."""
    import pyarrow as pa

    header = table(columns, ())
    whole = pa.concat_tables([header, *(unpacked(columns, each.arrow) for each in kept if each.arrow)])
    return whole, b"".join((csv(header), *(each.csv for each in kept)))


def parquet(found: "pa.Table") -> bytes:
    """Return a table as a Parquet file, the same bytes for the same rows."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    texts = [field.name for field in found.schema if pa.types.is_string(field.type)]
    # Hardly a number comes twice: without dictionaries for them the file is smaller, and written faster.
    pq.write_table(found.combine_chunks(), sink, compression="zstd", use_dictionary=texts)
    return bytes(sink.getvalue().to_pybytes())


def csv(found: "pa.Table", *, include_header: bool = True) -> bytes:
    """Return a table as CSV. No text in it is taken for a formula by a spreadsheet (OWASP, CSV injection)."""
    import pyarrow as pa
    from pyarrow import compute
    from pyarrow.csv import WriteOptions, write_csv

    plain = found
    for place, field in enumerate(found.schema):
        if pa.types.is_string(field.type):
            column = found.column(place)
            is_formula = compute.match_substring_regex(column, _FORMULA)
            if compute.any(is_formula).as_py():
                neutral = compute.binary_join_element_wise("'", column, "")
                plain = plain.set_column(place, field, compute.if_else(is_formula, neutral, column))
    sink = pa.BufferOutputStream()
    write_csv(plain, sink, WriteOptions(include_header=include_header))
    return bytes(sink.getvalue().to_pybytes())
