"""Suites: TOML files that say which cells to measure, and how. `docs/suites.md` explains every key."""

import difflib
import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeVar

import rfc8785
from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from bench import shipped
from bench.errors import SuiteError, UsageError
from bench.records.base import EngineName, Frozen
from bench.records.enums import Attention, EncoderAttention, Profile
from bench.store.untrusted import read_file
from bench.suite.expectations import MAX_EXPECTATIONS, Expectation
from bench.suite.messages import first_problem
from bench.text import decode

# A clip of 0.2 s gives the model two audio tokens; below that it hears nothing.
MIN_CLIP_S: Final = 0.2
# The model has 40,960 positions at 12.5 audio tokens a second: nothing beyond 3,277 s can run.
MAX_CLIP_S: Final = 3600.0
MAX_TOKENS: Final = 8192
MAX_CELLS: Final = 100_000
_MAX_FILE_BYTES: Final = 2**20
_AT_LINE: Final = re.compile(r" \(at line (\d+), column (\d+)\)\Z")

_Value = TypeVar("_Value", float, int, Attention)


def _each_once(values: tuple[_Value, ...]) -> tuple[_Value, ...]:
    for position, value in enumerate(values):
        if value in values[:position]:
            raise ValueError(f"{_plain(value)} appears twice")
    return values


ClipSeconds = Annotated[float, Field(ge=MIN_CLIP_S, le=MAX_CLIP_S)]
MaxTokens = Annotated[int, Field(ge=1, le=MAX_TOKENS)]


class Axes(Frozen):
    """The swept dimensions. Every combination is one cell."""

    clip_seconds: Annotated[tuple[ClipSeconds, ...], Field(min_length=1), AfterValidator(_each_once)] = Field(
        description=f"{MIN_CLIP_S:g} to {MAX_CLIP_S:g} seconds, each length once"
    )
    max_tokens: Annotated[tuple[MaxTokens, ...], Field(min_length=1), AfterValidator(_each_once)] = Field(
        description=f"whole numbers from 1 to {MAX_TOKENS}, each once"
    )
    attention: Annotated[tuple[Attention, ...], Field(min_length=1), AfterValidator(_each_once)] = Field(
        description="eager, sdpa, flash_attention_2, each once"
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        cells = len(self.clip_seconds) * len(self.max_tokens) * len(self.attention)
        if cells > MAX_CELLS:
            raise ValueError(f"the axes make {cells:,} cells; shorten them to make {MAX_CELLS:,} at most")
        return self


class SamplingSettings(Frozen):
    """Settings of sampling. The defaults are those of the released model."""

    do_sample: bool = Field(default=True, description="true (sampling) or false (greedy)")
    temperature: float = Field(default=1.0, gt=0, le=10, description="a number above 0, up to 10")
    top_p: float = Field(default=1.0, gt=0, le=1, description="a number above 0, up to 1 (1 switches it off)")
    top_k: int = Field(default=50, ge=0, le=200_000, description="0 (off) to 200000")


class Measure(Frozen):
    """Number of repeats, accepted noise, and limits of time in seconds."""

    repeats: int = Field(default=3, ge=1, le=1000, description="1 to 1000")
    max_repeats: int = Field(default=5, ge=1, le=1000, description="repeats to 1000")
    noise_cv: float = Field(default=0.05, gt=0, le=1, description="a number above 0, up to 1; 0.05 is 5 %")
    warmup_tokens: int = Field(default=8, ge=1, le=MAX_TOKENS, description=f"1 to {MAX_TOKENS}")
    cell_budget_s: float = Field(default=60.0, ge=0, le=86_400, description="0 to 86400 seconds")
    cell_limit_s: float = Field(default=3600.0, ge=1, le=86_400, description="1 to 86400 seconds")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_repeats < self.repeats:
            raise ValueError(f"max_repeats is {self.max_repeats}; set it to repeats ({self.repeats}) or more")
        return self


class Suite(Frozen):
    """A versioned set of axes and fixed settings."""

    name: str = Field(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        description="up to 40 of a-z, 0-9 and -: it becomes part of file names",
    )
    version: str = Field(
        pattern=r"^\d{1,9}(\.\d{1,9}){0,2}$", description='a quoted version such as "1" or "1.2"'
    )
    title: str = Field(min_length=1, max_length=120, description="one line of up to 120 characters")
    description: str = Field(default="", max_length=4000, description="text of up to 4000 characters")
    model: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$",
        description='a model name without its organisation, such as "MOSS-Audio-4B-Instruct", or "tiny"',
    )
    engine: EngineName = Field(default="native", description="the name of an engine, such as native")
    profile: Profile = Field(default=Profile.FAITHFUL, description="faithful or lean")
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        default="bfloat16", description="bfloat16, float16 or float32"
    )
    encoder_attention: EncoderAttention = Field(default=EncoderAttention.EAGER, description="eager or sdpa")
    prompt: str = Field(
        default="Describe this audio.",
        min_length=1,
        max_length=4000,
        description="text of 1 to 4000 characters",
    )
    time_markers: bool = Field(default=True, description="true or false")
    seed: int = Field(default=0, ge=0, le=2**32 - 1, description="a whole number from 0 to 4294967295")
    sampling: SamplingSettings = SamplingSettings()
    axes: Axes
    measure: Measure = Measure()
    expect: tuple[Expectation, ...] = Field(
        default=(), max_length=MAX_EXPECTATIONS, description=f"up to {MAX_EXPECTATIONS} tables [[expect]]"
    )

    @model_serializer(mode="wrap")
    def _without_empty(self, serialize: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Expectations count only where there are some: a suite without them keeps the hash it always had."""
        content: dict[str, object] = serialize(self)
        if not self.expect:
            del content["expect"]
        return content

    @property
    def sha256(self) -> str:
        """SHA-256 of the content in its RFC 8785 form: comments, key order, 10 or 10.0 make no difference."""
        return hashlib.sha256(rfc8785.dumps(self.model_dump(mode="json"))).hexdigest()


def shipped_suites() -> tuple[str, ...]:
    """Names of the suites that come with the package, sorted."""
    return tuple(sorted(path.stem for path in shipped.suites().glob("*.toml")))


def find_suite(name_or_path: str) -> Suite:
    """A shipped suite by its name, or a suite file by its path (which ends in `.toml`).

    Raises:
        SuiteError: no such suite or file, or one that cannot be used.
    """
    if name_or_path.endswith(".toml"):
        return read_suite(Path(name_or_path))
    names = shipped_suites()
    if name_or_path in names:
        return read_suite(shipped.suites() / f"{name_or_path}.toml")
    near = difflib.get_close_matches(name_or_path, names, n=2)
    known = f"The shipped suites are {', '.join(names)}; a file of your own ends in .toml"
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    raise SuiteError(f"there is no suite '{name_or_path}'", hint=guess + known)


def read_suite(path: Path) -> Suite:
    """Read one suite file.

    Raises:
        SuiteError: the file cannot be read, is no TOML, or holds a key or value that cannot be used.
    """
    content = _as_json(path)
    try:
        # By way of JSON: there strict mode takes lists and names of enums, and still no "10" for 10.
        suite = Suite.model_validate_json(content, strict=True)
    except ValidationError as error:
        raise first_problem(error, Suite, where=str(path)) from None
    _check_selections(suite, path)
    return suite


def _check_selections(suite: Suite, path: Path) -> None:
    """Of the file only: the command line may well leave out cells that something is expected of."""
    for position, expectation in enumerate(suite.expect):
        for axis in Axes.model_fields:
            known = getattr(suite.axes, axis)
            for value in getattr(expectation, axis) or ():
                if value not in known:
                    raise SuiteError(
                        f"{path}: expect[{position}].{axis}: {_plain(value)} is not on that axis",
                        hint=f"Use {', '.join(map(_plain, known))}, or add it to [axes]",
                    )


def _plain(value: object) -> str:
    """`10.0` -> `10`."""
    return str(value).removesuffix(".0")


def _as_json(path: Path) -> str:
    try:
        return json.dumps(tomllib.loads(decode(read_file(path, _MAX_FILE_BYTES))), default=str)
    except OSError as error:
        raise SuiteError(
            f"cannot read {path}: {error.strerror}", hint="Name a suite file (.toml) that exists"
        ) from None
    except UsageError as error:
        raise SuiteError(f"{path} {error.message}", hint=error.hint) from None
    except RecursionError:
        raise SuiteError(f"{path} is nested too deeply", hint="A suite has tables in one level") from None
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        where = f"{path}, line {place[1]}, column {place[2]}" if place else f"{path}, at its end"
        problem = (
            str(error).removesuffix(" (at end of document)") if not place else str(error)[: place.start()]
        )
        raise SuiteError(f"{where}: {problem}", hint="Correct the TOML there; see docs/suites.md") from None
    except ValueError:
        raise SuiteError(f"{path}: a number has too many digits", hint="Shorten it") from None
