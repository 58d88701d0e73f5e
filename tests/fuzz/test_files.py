"""Every kind of file that a command reads, with content of every kind."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile as sf
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from bench import shipped
from bench.errors import BenchError
from bench.records.submission import Envelope
from bench.store.canonical import content_hash
from bench.store.record_files import render
from bench.weights.checkpoint import read_tensors
from bench.weights.local import open_local
from tests.cli.conftest import journal_of
from tests.fuzz.harness import fuzzed, place, said
from tests.identity.signers import bundled, signed, signed_payload
from tests.samples import cards
from tests.samples import records as sample
from tests.samples.predictions import derived_record

DRY: Final = ("--dry-run", "--device", "cpu")

# --- mutations --------------------------------------------------------------------------------------------

HOSTILE_TEXTS: Final = (
    *("", " ", "\x00", "\x1b[31m", "\x9b31m", "\u202eevil", "\u2028", "a\nb", "\ud800", "x" * 5000, "[bold]"),
    *("</script>", "{{x}}", "../../etc/passwd", "CON", "nan", "1e400", "9" * 5000, "'", '"', "\\", "é", "🙂"),
    *("::error::x", "| a | b |", "`x`", "%s%n", "2026-13-45T99:99:99Z", "0001-01-01T00:00:00Z"),
    *("9999-12-31T23:59:59+14:00", "sha256:" + "0" * 64),
)
HOSTILE_NUMBERS: Final = (
    *(0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, 10**400, -(10**400), 0.0, -0.0, 5e-324, 1e308, -1e308),
    *(0.1, 1e-9, float("nan"), float("inf"), float("-inf")),
)
HOSTILE_JSON: Final[st.SearchStrategy[object]] = st.sampled_from(
    [None, True, False, [], {}, [[]], {"": None}, ["x"] * 50, *HOSTILE_TEXTS, *HOSTILE_NUMBERS]
)


def places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value inside a document."""
    pairs = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in pairs:
        yield (*at, key)
        if isinstance(value, dict | list):
            yield from places(value, (*at, key))


def at_place(document: Any, place: tuple[Any, ...]) -> Any:
    """The value that a way leads to."""
    for key in place:
        document = document[key]
    return document


def mutate(document: Any, kind: str, where: int, other: int, value: object) -> None:
    """Replace, remove, rename or move one value; `where` and `other` count the values."""
    ways = list(places(document))
    if not ways:
        return
    *outer, key = ways[where % len(ways)]
    inner = at_place(document, tuple(outer))
    if kind == "remove":
        del inner[key]
    elif kind == "rename" and isinstance(inner, dict):
        inner[str(value)] = inner.pop(key)
    elif kind == "move":
        inner[key] = deepcopy(at_place(document, ways[other % len(ways)]))
    else:
        inner[key] = deepcopy(value)  # the next mutation may put it into itself


NUMBER: Final = st.integers(0, 10**6)
MUTATION: Final = st.tuples(
    st.sampled_from(["replace", "replace", "remove", "rename", "move"]), NUMBER, NUMBER, HOSTILE_JSON
)
MUTATIONS: Final = st.lists(MUTATION, min_size=1, max_size=3)


def mutated(documents: Callable[[], tuple[Any, ...]]) -> st.SearchStrategy[Any]:
    """One of the documents with a few values that do not belong where they are."""

    def make(number: int, mutations: list[tuple[str, int, int, object]]) -> Any:
        known = documents()
        document = deepcopy(known[number % len(known)])
        for mutation in mutations:
            mutate(document, *mutation)
        return document

    return st.builds(make, NUMBER, MUTATIONS)


@st.composite
def raw(draw: st.DrawFn, contents: Callable[[], tuple[bytes, ...]]) -> bytes:
    """A file with some bytes changed, cut, doubled, or nested too deeply; or nothing but bytes."""
    known = contents()
    content = known[draw(NUMBER) % len(known)]
    kind = draw(st.sampled_from(["flip", "cut", "insert", "double", "bytes", "deep", "utf-16"]))
    at = draw(st.integers(0, max(0, len(content) - 1)))
    junk = draw(
        st.binary(max_size=8)
        | st.sampled_from([b"\x00" * 4, b"\xff", b'"', b"{", b"[" * 3, b"\n", b"=", b"1e999"])
    )
    match kind:
        case "flip":
            return content[:at] + junk + content[at + len(junk) :]
        case "cut":
            return content[:at]
        case "insert":
            return content[:at] + junk + content[at:]
        case "double":
            return content[:at] + content[at // 2 :]
        case "deep":
            return content[:at] + junk * 20_000 + content[at:]
        case "utf-16":
            return content.decode(errors="replace").encode("utf-16")
    return draw(st.binary(max_size=200))


def as_json(document: JsonValue, *, sealed: bool) -> bytes:
    """The document as text, with the hash that belongs to it where it can have one."""
    if sealed and isinstance(document, dict):
        with suppress(BenchError):
            document["content_hash"] = content_hash(document)
    return json.dumps(document).encode()


# --- suites -----------------------------------------------------------------------------------------------

VALUES_OF_TOML: Final = (
    *("[]", "{}", "[[1]]", "true", '""', '"\\u001b[31m\\u202e"', '"x\\ny"', "nan", "inf", "-inf", "1e400"),
    *("0xffffffffffffffffffff", "9" * 30, "9" * 5000, "0x" + "f" * 20_000, "1979-05-27T07:32:00Z"),
    *("0000-01-01", "9999-12-31", "24:61:61", "07:32:00", "[1, 1]", "-1", "0", "0.2", "3600", "1e-300"),
    *(
        "'''" + "x" * 5000 + "'''",
        "[" * 200 + "]" * 200,
        "[" * 50_000,
        "{a = {b = {}}}",
        '["sdpa"]',
        '"native"',
    ),
    *(
        "[" + "1," * 3000 + "]",
        "[" + ",".join(map(str, range(1, 9000))) + "]",
        '">= 1e400"',
        '"<= 0"',
        "🙂",
        "\x00",
    ),
)
KEYS_OF_TOML: Final = (
    *("name", "version", "title", "description", "model", "engine", "profile", "dtype", "prompt", "seed"),
    *("encoder_attention", "time_markers", "axes.clip_seconds", "axes.max_tokens", "axes.attention", "axes"),
    *("measure.repeats", "measure.cell_budget_s", "sampling.temperature", "sampling", "expect", "fits"),
    *(
        ".".join("a" * 5000),
        '"\\u001b[2J"',
        '""',
        "[axes]",
        "[[expect]]",
        "[measure]",
        "expect.x",
        "latency_s",
    ),
)


@cache
def suites() -> tuple[bytes, ...]:
    """The shipped suites."""
    return tuple(path.read_bytes() for path in sorted(shipped.suites().glob("*.toml")))


@st.composite
def suite_files(draw: st.DrawFn) -> bytes:
    """A shipped suite with lines replaced, or other bytes."""
    if draw(st.booleans()):
        return draw(raw(suites))
    lines = draw(st.sampled_from(suites())).decode().splitlines()
    for _ in range(draw(st.integers(1, 3))):
        key, value = (
            draw(st.sampled_from(KEYS_OF_TOML)),
            draw(st.sampled_from(VALUES_OF_TOML) | st.text(max_size=9)),
        )
        line = key if key.startswith("[") else f"{key} = {value}"
        at = draw(st.integers(0, len(lines)))
        same = [number for number, old in enumerate(lines) if old.split("=")[0].strip() == key]
        lines[same[0] if same else at : (same[0] if same else at) + 1] = [line]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def test_suites() -> None:
    with place():

        @fuzzed(80)
        @given(
            suite_files(),
            st.sampled_from([("suites",), ("run", *DRY, "--suite"), ("frontier", *DRY, "--suite")]),
        )
        def check(content: bytes, command: tuple[str, ...]) -> None:
            Path("mine.toml").write_bytes(content)
            said(*command, "mine.toml")

        check()


# --- records, journals ------------------------------------------------------------------------------------


@cache
def documents() -> tuple[Any, ...]:
    """Records of each kind, as JSON values."""
    made = (sample.smoke(), sample.interrupted(), cards.emulated(), derived_record(), sample.hostile())
    found = tuple(json.loads(render(each)) for each in made)
    for document in found:
        document["cells"] = document["cells"][:3]
        document["content_hash"] = content_hash(document)
    return found


RECORD_COMMANDS: Final = (
    ("report", "mine.json", "--format", "json,md,csv,html"),
    ("report", ".", "--no-index", "--format", "md,csv"),
    ("compare", "mine.json", "whole.json"),
    ("compare", "whole.json", "mine.json", "--format", "json", "--fail-on", "latency_s:+5%"),
    ("compare", "mine.json", "mine.json", "--format", "html", "--fail-on", "reserved_peak_bytes:+1%"),
    ("validate", "mine.json"),
    ("validate", ".", "--json"),
    ("submit", "mine.json", "--print"),
    ("submit", "--verify", "mine.json"),
    ("run", *DRY, "--resume", "mine.json"),
)


@pytest.mark.parametrize("command", RECORD_COMMANDS, ids=" ".join)
def test_records(command: tuple[str, ...]) -> None:
    with place():
        Path("whole.json").write_text(render(sample.smoke()), encoding="utf-8")
        texts = tuple(json.dumps(each).encode() for each in documents())
        contents = st.builds(as_json, mutated(documents), sealed=st.sampled_from([True, True, True, False]))

        @fuzzed(20)
        @given(contents | raw(lambda: texts))
        def check(content: bytes) -> None:
            Path("mine.json").write_bytes(content)
            said(*command)

        check()


BUNDLE_COMMANDS: Final = (
    ("validate", "mine.json"),
    ("submit", "--verify", "mine.json"),
    ("report", "mine.json", "--format", "json"),
)


@cache
def statements() -> tuple[Any, ...]:
    """What a key signs about each record, as JSON values."""
    made = [Envelope.model_validate_json(bundled(each)) for each in (sample.smoke(), sample.hostile())]
    return tuple(json.loads(base64.b64decode(envelope.payload)) for envelope in made)


def as_bundle(statement: JsonValue) -> bytes:
    """Return the file of a statement with a valid signature; what cannot be canonical is signed as it is."""
    try:
        return signed(statement)
    except BenchError:
        return signed_payload(json.dumps(statement).encode())


@pytest.mark.parametrize("command", BUNDLE_COMMANDS, ids=" ".join)
def test_bundles(command: tuple[str, ...]) -> None:
    with place():

        @fuzzed(20)
        @given(st.builds(as_bundle, mutated(statements)))
        def check(content: bytes) -> None:
            Path("mine.json").write_bytes(content)
            said(*command)

        check()


def test_journals() -> None:
    with place() as folder:
        (folder / "whole.json").write_text(render(sample.smoke()), encoding="utf-8")
        journal = journal_of(folder / "whole.json", folder, done=2)
        header, *cells = [json.loads(line) for line in journal.read_text().splitlines()]
        whole = journal.read_bytes()
        lines = st.lists(mutated(lambda: (header, *cells)), max_size=4)

        @fuzzed(30)
        @given(
            st.builds(
                lambda first, rest: "".join(json.dumps(x) + "\n" for x in [*first, *rest]).encode(),
                st.sampled_from([[header], []]),
                lines,
            )
            | raw(lambda: (whole,))
        )
        def check(content: bytes) -> None:
            journal.write_bytes(content)
            said("run", *DRY, "--resume", journal.name)
            said("run", *DRY, "--resume", "whole.json")

        check()


# --- models, audio ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bench.weights.tiny import write_tiny_checkpoint

    folder = tmp_path_factory.mktemp("tiny") / "model"
    write_tiny_checkpoint(folder)
    return folder


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "model.safetensors.index.json"])
def test_models(tiny: Path, name: str) -> None:
    with place() as folder:
        (folder / "model").mkdir()
        for path in tiny.iterdir():
            (folder / "model" / path.name).write_bytes(path.read_bytes())
        whole = (
            (tiny / name).read_bytes()
            if (tiny / name).exists()
            else b'{"weight_map": {"a": "model.safetensors"}}'
        )
        if name.endswith("index.json"):
            (folder / "model" / "model.safetensors").rename(folder / "model" / "model-1.safetensors")
        size = int.from_bytes(whole[:8], "little")
        is_header = name == "model.safetensors"
        document = json.loads(whole[8 : 8 + size] if is_header else whole)

        def content_of(changed_document: Any) -> bytes:
            text = json.dumps(changed_document).encode()
            return len(text).to_bytes(8, "little") + text + whole[8 + size :] if is_header else text

        @fuzzed(30)
        @given(mutated(lambda: (document,)).map(content_of) | raw(lambda: (whole,)))
        def check(content: bytes) -> None:
            (folder / "model" / name).write_bytes(content)
            for read in (open_local, read_tensors):
                try:
                    read(folder / "model")
                except BenchError as error:
                    assert str(error).splitlines()
            said(
                "run", "--device", "cpu", "--yes", "--model", "model", "--suite", "smoke", "--out", "results"
            )

        check()


@cache
def sounds() -> tuple[bytes, ...]:
    """A quarter of a second in each format."""
    from io import BytesIO

    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, 2))
    made = []
    for form in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "RF64", "CAF", "AU"):
        file = BytesIO()
        sf.write(file, noise, 16_000, format=form)
        made.append(file.getvalue())
    return tuple(made)


def test_audio() -> None:
    with place():

        @fuzzed(80)
        @given(raw(sounds))
        def check(content: bytes) -> None:
            Path("mine.wav").write_bytes(content)
            told = said("run", *DRY, "--suite", "smoke", "--audio", "mine.wav")
            assert told.code in {0, 2}

        check()


# --- gates ------------------------------------------------------------------------------------------------


def test_gates() -> None:
    with place():
        Path("a.json").write_text(render(sample.smoke()), encoding="utf-8")
        numbers = st.from_regex(r"[+-]?[0-9]{0,6}(\.[0-9]{0,6})?%?", fullmatch=True) | st.text(max_size=5)
        names = st.sampled_from(
            ["latency_s", "decode_tokens_per_s", "reserved_peak_bytes", "load_s", "x", ""]
        )
        gates = st.builds("{}:{}".format, names, numbers) | st.text(max_size=20)

        @fuzzed(30)
        @given(gates, st.sampled_from(["table", "json", "md"]))
        def check(gate: str, form: str) -> None:
            said("compare", "a.json", "a.json", f"--fail-on={gate}", f"--format={form}")

        check()


# --- the environment --------------------------------------------------------------------------------------

VARIABLES: Final = (
    *("COLUMNS", "LINES", "LANG", "LC_ALL", "TERM", "NO_COLOR", "HOME", "XDG_CACHE_HOME"),
    *("XDG_CONFIG_HOME", "HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_TOKEN", "CUDA_VISIBLE_DEVICES"),
    *("CUDA_DEVICE_ORDER", "BENCH_TURNS", "_BENCH_COMPLETE", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"),
    *("PYTORCH_CUDA_ALLOC_CONF", "OMP_NUM_THREADS", "TMPDIR", "USER", "LOGNAME", "FORCE_COLOR"),
)


COMMANDS: Final = (
    ("gpus", "4070"),
    ("suites", "smoke"),
    ("report", "a.json"),
    ("compare", "a.json", "a.json"),
    ("run", *DRY),
)


def test_variables() -> None:
    with place():
        Path("a.json").write_text(render(sample.smoke()), encoding="utf-8")
        values = st.sampled_from(
            [
                "",
                "0",
                "1",
                "-1",
                "9" * 20,
                "x",
                "/dev/null",
                "é",
                "\x1b[31m",
                "\udcfc",
                "a" * 5000,
                ",",
                "../..",
            ]
        )

        @fuzzed(30)
        @given(st.dictionaries(st.sampled_from(VARIABLES), values, max_size=3), st.sampled_from(COMMANDS))
        def check(variables: dict[str, str], command: tuple[str, ...]) -> None:
            with pytest.MonkeyPatch.context() as patch:
                for name, value in variables.items():
                    if name != "_BENCH_COMPLETE":
                        patch.setenv(name, value)
                said(*command)

        check()


@pytest.mark.parametrize("command", [*COMMANDS, ("doctor", "--device", "cpu")], ids=" ".join)
def test_forced_colours_are_all_that_is_more(command: tuple[str, ...]) -> None:
    """No line is rewritten in a log file."""
    with place(), pytest.MonkeyPatch.context() as patch:
        Path("a.json").write_text(render(sample.smoke()), encoding="utf-8")
        patch.setenv("FORCE_COLOR", "1")
        said(*command)
