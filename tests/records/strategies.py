"""Hypothesis strategies read off the schema: any value that a model allows, also for fields added later."""

import types
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import EnumMeta
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from hypothesis import strategies as st
from pydantic import AwareDatetime, BaseModel, JsonValue
from pydantic.fields import FieldInfo

from bench.records.cell import CellResult
from bench.records.record import Record
from bench.store.record_files import seal

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
JSON_NUMBERS = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
# One record holds hundreds of fields: drawing few distinct values keeps hypothesis quick.
BY_TYPE: dict[object, st.SearchStrategy[Any]] = {
    str: TEXT,
    bool: st.booleans(),
    type(None): st.none(),
    AwareDatetime: st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
        lambda moment: moment.replace(microsecond=0)
    ),
    JsonValue: st.none() | st.booleans() | JSON_NUMBERS | TEXT | st.lists(JSON_NUMBERS, max_size=2),
}


def values(annotation: object, metadata: Sequence[object] = ()) -> st.SearchStrategy[Any]:
    """Values of a field with this annotation and these constraints."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = [item for extra in arguments[1:] for item in _constraints(extra)]
        return values(arguments[0], [*inner, *metadata])
    if origin in (Union, types.UnionType):
        return st.one_of([values(argument) for argument in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    return _plain(annotation, metadata)


def _constraints(extra: object) -> Sequence[object]:
    return extra.metadata if isinstance(extra, FieldInfo) else [extra]


def _plain(annotation: object, metadata: Sequence[object]) -> st.SearchStrategy[Any]:
    if annotation is str and (pattern := _limit(metadata, "pattern")) is not None:
        return st.from_regex(cast(str, pattern), fullmatch=True, alphabet=st.characters(codec="ascii"))
    if annotation in (int, float):
        above = _limit(metadata, "gt") is not None
        low = 1 if above else 0 if _limit(metadata, "ge") is not None else -1000
        return st.integers(low, 2**53 - 1) if annotation is int else st.floats(low, 1e9)
    if isinstance(annotation, EnumMeta):
        return st.sampled_from(list(annotation.__members__.values()))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return instances(annotation)
    return BY_TYPE[annotation]


def _limit(metadata: Sequence[object], name: str) -> object:
    return next((getattr(item, name) for item in metadata if hasattr(item, name)), None)


def instances(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Valid instances of a pydantic model."""
    fields = {name: values(field.annotation, field.metadata) for name, field in model.model_fields.items()}
    return st.fixed_dictionaries(fields).map(lambda drawn: model(**drawn))


CELLS: st.SearchStrategy[CellResult] = st.deferred(lambda: instances(CellResult))
RECORDS: st.SearchStrategy[Record] = st.deferred(lambda: instances(Record)).map(
    lambda record: seal(record.model_dump(mode="json"))
)
