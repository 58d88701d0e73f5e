"""Pydantic's validation errors as one line for a person: the key, its fault, and the fix."""

import difflib
import json
from typing import Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bench.errors import SuiteError

_NO_SUCH: Final = "extra_forbidden"
_MAX_SHOWN: Final = 60

# What is wrong, by pydantic's type of error; the key's own description says what to write instead.
_PROBLEMS: Final = {
    "bool_type": "is neither true nor false",
    "enum": "is unknown",
    "finite_number": "is not a finite number",
    "float_type": "is not a number",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "int_from_float": "is not a whole number",
    "int_type": "is not a whole number",
    "less_than_equal": "is too large",
    "literal_error": "is unknown",
    "model_type": "is not a table",
    "string_pattern_mismatch": "cannot be used",
    "string_too_long": "is too long",
    "string_too_short": "is empty",
    "string_type": "is not text in quotes",
    "too_short": "is empty",
    "tuple_type": "is not a list",
}
_OF_LENGTHS: Final = {"greater_than_equal": "is too short", "less_than_equal": "is too long"}


def first_problem(error: ValidationError, model: type[BaseModel], *, where: str) -> SuiteError:
    """The first problem; unknown keys come first, since a key missing elsewhere often follows from one."""
    found = error.errors(include_url=False)
    # pydantic calls a list of which every item is bad "too short" as well: that is no mistake of its own.
    inside = {problem["loc"][:-1] for problem in found}
    problems = [
        problem for problem in found if not (problem["type"] == "too_short" and problem["loc"] in inside)
    ]
    problems.sort(key=lambda problem: problem["type"] != _NO_SUCH)
    key, fault, fix = describe(problems[0], model)
    message = f"{key}: {fault}" if key else fault
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return SuiteError(_one_line(f"{where}: {message}{more}"), hint=fix)


def describe(problem: ErrorDetails, model: type[BaseModel]) -> tuple[str, str, str | None]:
    """The key, its fault, and the fix. The key is empty where the fault names it; the fix may be None."""
    key = _dotted(problem["loc"])
    allowed = _keys(model).get(_dotted(tuple(part for part in problem["loc"] if isinstance(part, str))))
    kind = problem["type"]
    if kind == _NO_SUCH:
        return "", f"unknown key {key}", _nearest(problem["loc"], model)
    if kind == "missing":
        return "", f"{key} is missing", _addition(key, allowed)
    fix = f"Use {allowed}" if allowed else None
    if kind == "value_error":
        return key, problem["msg"].removeprefix("Value error, "), fix
    texts = _PROBLEMS | _OF_LENGTHS if "clip_seconds" in problem["loc"] else _PROBLEMS
    return key, f"{_shown(problem['input'])} {texts.get(kind, 'cannot be used')}", fix


def _keys(model: type[BaseModel], prefix: str = "") -> dict[str, str | None]:
    """Every key of a model, dotted, with its description; tables are among them, with none."""
    keys: dict[str, str | None] = {}
    for name, field in model.model_fields.items():
        keys[prefix + name] = field.description
        table = _table(field.annotation)
        if table is not None:
            keys |= _keys(table, f"{prefix}{name}.")
    return keys


def _table(annotation: object) -> type[BaseModel] | None:
    """The model of a table, also where a list has one in each item; None for a plain value."""
    candidates = (annotation, *get_args(annotation)[:1])
    models = (each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel))
    return next(models, None)


def _nearest(location: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """`measure.repeat` -> did you mean measure.repeats; with nothing near, the keys that this table has."""
    keys, table = _keys(model), "".join(f"{part}." for part in location[:-1] if isinstance(part, str))
    own = [key for key in keys if key.startswith(table) and "." not in key[len(table) :]]
    # Several tables may have one leaf: suggest that of this table, else of the first.
    by_leaf = {key.rpartition(".")[2]: key for key in [*reversed(keys), *own]}
    near = difflib.get_close_matches(str(location[-1]), by_leaf, n=1)
    return f"Did you mean {by_leaf[near[0]]}?" if near else f"Known keys are {', '.join(own)}"


def _dotted(location: tuple[int | str, ...]) -> str:
    """`("axes", "clip_seconds", 2)` -> `axes.clip_seconds[2]`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{_shortened(part)}" for part in location)
    return "".join(parts).removeprefix(".")


def _addition(key: str, allowed: str | None) -> str:
    table, _, name = key.rpartition(".")
    if allowed is None:
        return f"Add the table [{key}]"
    return f"Add {name} to [{table}]: {allowed}" if table else f"Add {name}: {allowed}"


def _shown(value: object) -> str:
    return _shortened(f"'{value}'" if isinstance(value, str) else json.dumps(value))


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}…"


def _one_line(text: str) -> str:
    """Without line breaks and terminal codes, which a key or value of the file may hold."""
    return "".join(char if char.isprintable() else " " for char in text)
