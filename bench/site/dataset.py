"""What describes the data: data card (Croissant 1.0), README, citation, licence."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from bench import shipped
from bench.records.submission import LICENSE
from bench.site.output import Written
from bench.site.tables import TABLES, Column

NAME: Final = "moss-audio-bench-results"
TITLE: Final = "MOSS-Audio bench: results"
AUTHORS: Final = "the senders of the records of MOSS-Audio bench"
LICENSE_URL: Final = "https://creativecommons.org/publicdomain/zero/1.0/"
_DESCRIPTION: Final = (
    "Memory and speed of MOSS-Audio models on graphics cards and CPUs, one row for each cell of each record. "
    "Records come from anybody: each was checked for contradictions and for what no card can do, and states "
    "who signed it and how many others agree. Refused and withdrawn records are left out; those that are "
    "held for a person are marked in the column `state`."
)
_TYPES: Final = {
    "text": "sc:Text",
    "integer": "sc:Integer",
    "number": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:DateTime",
}
_FORMATS: Final = {"parquet": "application/vnd.apache.parquet", "csv": "text/csv"}
_CONTEXT: Final[dict[str, JsonValue]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(files: Mapping[str, Written], newest: datetime) -> bytes:
    """Return the data card. `files` are the tables by name, such as `cells.parquet`."""
    document: dict[str, JsonValue] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": NAME,
        "description": _DESCRIPTION,
        "license": LICENSE_URL,
        "url": "./",
        "creator": {"@type": "sc:Organization", "name": AUTHORS},
        "datePublished": f"{newest:%Y-%m-%d}",
        "version": f"{newest.year}.{newest.month}.{newest.day}",
        "citeAs": f"{TITLE}, {newest:%Y-%m-%d}. {LICENSE}.",
        "isLiveDataset": True,
        "distribution": [_file(name, written) for name, written in sorted(files.items())],
        "recordSet": [_record_set(name, columns) for name, columns in TABLES.items()],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def _file(name: str, written: Written) -> dict[str, JsonValue]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{written.size_bytes} B",
        "encodingFormat": _FORMATS[name.rpartition(".")[2]],
        "sha256": written.sha256,
    }


def _record_set(name: str, columns: Sequence[Column]) -> dict[str, JsonValue]:
    fields: list[JsonValue] = [
        {
            "@type": "cr:Field",
            "@id": f"{name}/{column.name}",
            "name": column.name,
            "description": column.meaning,
            "dataType": _TYPES[column.type],
            "source": {"fileObject": {"@id": f"{name}.parquet"}, "extract": {"column": column.name}},
        }
        for column in columns
    ]
    key: JsonValue = [
        {"@id": f"{name}/{key}"} for key in ("id", "cell_id") if key in {c.name for c in columns}
    ]
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": key, "field": fields}


def citation(newest: datetime) -> bytes:
    """Return CITATION.cff (1.2.0)."""
    lines = (
        "cff-version: 1.2.0",
        "message: If you use these data, please cite them.",
        "type: dataset",
        f'title: "{TITLE}"',
        "authors:",
        f'  - name: "{AUTHORS}"',
        f"date-released: {newest:%Y-%m-%d}",
        f"license: {LICENSE}",
    )
    return ("\n".join(lines) + "\n").encode()


def readme(records: int, cells: int) -> bytes:
    """Return README.md of the data: tables, columns, licence."""
    parts = [
        f"# {TITLE}\n\n{_DESCRIPTION}\n",
        f"{records:,} records, {cells:,} cells. `croissant.json` describes the files for machines.",
        f"Licence: {LICENSE} (`LICENSE`). How to cite: `CITATION.cff`.\n",
        "Figures are medians over the repeats of a cell; the raw series of a record are in",
        "`../records/ID/record.json`. In CSV a text that a spreadsheet would run begins with an ' sign.\n",
    ]
    for name, columns in TABLES.items():
        rows = (f"| `{column.name}` | {column.type} | {column.meaning} |" for column in columns)
        parts.append("\n".join((f"## {name}\n", "| column | type | meaning |", "|---|---|---|", *rows, "")))
    return "\n".join(parts).encode()


def license_text() -> bytes:
    """Return the legal code of CC0 1.0."""
    return shipped.data("CC0-1.0.txt").read_bytes()
