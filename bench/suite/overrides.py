"""Changes of a suite from the command line: comma lists for axes, and single settings."""

from collections.abc import Callable
from typing import Final, TypeVar

from pydantic import ValidationError

from bench.errors import UsageError
from bench.records.enums import Attention, Profile
from bench.records.record import SuiteInfo
from bench.suite.messages import describe
from bench.suite.suite import Suite, find_suite, shipped_suites

_Item = TypeVar("_Item")

_OPTIONS: Final = {
    "model": "--model",
    "engine": "--engine",
    "profile": "--profile",
    "axes.clip_seconds": "--clip-seconds",
    "axes.max_tokens": "--max-tokens",
    "axes.attention": "--attention",
    "measure.repeats": "--repeats",
}


def override(
    suite: Suite,
    *,
    model: str | None = None,
    engine: str | None = None,
    profile: Profile | None = None,
    clip_seconds: tuple[float, ...] | None = None,
    max_tokens: tuple[int, ...] | None = None,
    attention: tuple[Attention, ...] | None = None,
    repeats: int | None = None,
) -> Suite:
    """Return the suite with these settings in place of its own; None keeps a setting.

    Raises:
        UsageError: a value out of bounds; the message names the option.
    """
    content = suite.model_dump()
    measure, axes = content["measure"], content["axes"]
    content |= _given(model=model, engine=engine, profile=profile)
    axes |= _given(clip_seconds=clip_seconds, max_tokens=max_tokens, attention=attention)
    if repeats is not None:
        measure |= {"repeats": repeats, "max_repeats": max(repeats, suite.measure.max_repeats)}
    try:
        return Suite.model_validate(content)
    except ValidationError as error:
        raise _named_by_option(error) from None


def suite_info(suite: Suite, *, base: Suite) -> SuiteInfo:
    """The suite as a record contains it: what ran, its hash, and which settings differ from `base`."""
    before, after = _flat(base), _flat(suite)
    changed = tuple(key for key in _OPTIONS if before[key] != after[key])
    names = tuple(key.rpartition(".")[2] for key in changed)
    definition = suite.model_dump(mode="json")
    is_shipped = base.name in shipped_suites() and base.sha256 == find_suite(base.name).sha256
    return SuiteInfo(
        name=suite.name,
        version=suite.version,
        origin="shipped" if is_shipped else "own",
        sha256=suite.sha256,
        overrides=names,
        definition=definition,
    )


def parse_seconds_list(text: str, *, option: str = "--clip-seconds") -> tuple[float, ...]:
    """`5,30,60` -> `(5.0, 30.0, 60.0)`.

    Raises:
        UsageError: an item is empty or no number; the message names item and option.
    """
    return _parse_list(text, float, option=option, what="a number of seconds", example="5,30,60")


def parse_int_list(text: str, *, option: str = "--max-tokens") -> tuple[int, ...]:
    """`128,512` -> `(128, 512)`.

    Raises:
        UsageError: an item is empty or no whole number; the message names item and option.
    """
    return _parse_list(text, int, option=option, what="a whole number", example="128,512")


def parse_attention_list(text: str, *, option: str = "--attention") -> tuple[Attention, ...]:
    """`sdpa,flash_attention_2` -> the two members of Attention.

    Raises:
        UsageError: an item is no attention backend; the message names item and option.
    """
    return _parse_list(
        text, Attention, option=option, what="an attention backend", example=",".join(Attention)
    )


def _parse_list(
    text: str, convert: Callable[[str], _Item], *, option: str, what: str, example: str
) -> tuple[_Item, ...]:
    items = []
    for item in text.split(","):
        try:
            if "_" in item and convert is not Attention:  # Python's own spelling of 1_000
                raise ValueError(item)
            items.append(convert(item.strip()))
        except ValueError:
            raise UsageError(
                f"{option}: '{item.strip()}' is not {what}", hint=f"Write it as {example}"
            ) from None
    return tuple(items)


def _named_by_option(error: ValidationError) -> UsageError:
    """`axes.clip_seconds[1]: -5 is ...` -> `--clip-seconds: -5 is ...`."""
    problem = error.errors(include_url=False)[0]
    _, fault, fix = describe(problem, Suite)
    key = ".".join(part for part in problem["loc"] if isinstance(part, str))
    return UsageError(f"{_OPTIONS.get(key, 'suite')}: {fault}", hint=fix)


def _given(**settings: object) -> dict[str, object]:
    return {name: value for name, value in settings.items() if value is not None}


def _flat(suite: Suite) -> dict[str, object]:
    content = suite.model_dump(mode="json")
    return content | {
        f"{table}.{key}": value for table in ("axes", "measure") for key, value in content[table].items()
    }
