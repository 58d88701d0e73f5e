"""Writes `schemas/`: run it after a change to `bench/records/schema.py` (`make schemas`)."""

from bench import shipped
from bench.records.json_schema import FILE_NAME, render_json_schema
from bench.records.store import write_atomically

if __name__ == "__main__":
    write_atomically(shipped.schemas() / FILE_NAME, render_json_schema().encode())
