"""Writes `schemas/`: run it after a change to a document of `bench/records/` (`make schemas`)."""

from bench import shipped
from bench.records.json_schema import DOCUMENTS, render_json_schema
from bench.store.record_files import write_atomically

if __name__ == "__main__":
    for name, document in DOCUMENTS.items():
        write_atomically(shipped.schemas() / name, render_json_schema(document).encode())
