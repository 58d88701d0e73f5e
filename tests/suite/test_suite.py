import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from bench.errors import ExitCode, SuiteError
from bench.records.enums import Attention, WeightMode
from bench.suite.cells import expand
from bench.suite.overrides import override
from bench.suite.suite import Suite, find_suite, read_suite, shipped_suites

DOCS = Path(__file__).parents[2] / "docs" / "suites.md"

GOOD = """\
name = "mine"
version = "1"
title = "A title"
model = "MOSS-Audio-4B-Instruct"
seed = 0

[axes]
clip_seconds = [10, 60]
max_tokens = [128]
attention = ["sdpa"]

[measure]
repeats = 3
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(path: Path) -> str:
    with pytest.raises(SuiteError) as caught:
        read_suite(path)
    assert caught.value.exit_code == ExitCode.USAGE
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix(f"{path}")


def test_the_shipped_suites_are_named_like_their_files() -> None:
    assert shipped_suites() == ("long-audio", "quick", "smoke", "standard")
    assert tuple(find_suite(name).name for name in shipped_suites()) == shipped_suites()


@pytest.mark.parametrize(
    ("name", "version", "sha256"),
    [
        ("long-audio", "1", "f76d911272edd41d70f6fac81c81a820a393c5a1dda3771b83b7bd7d4d07626d"),
        ("quick", "1", "e14fb03a7736929a3d9f6838ee5994e96ab30585ea56bfb57e6dc35cb13dd2f0"),
        ("smoke", "1", "d3862548f31ca4ceb8c708789efd945d7d08b557857fa39a43eb1ea2d39724a3"),
        ("standard", "1", "9070053ce82f40b6b9ae44d56631195f308f2d041f796ef95b40440a0e606709"),
    ],
)
def test_a_shipped_suite_changes_only_with_its_version(name: str, version: str, sha256: str) -> None:
    """Records of one suite compare by this hash: raise `version` in the file, then change both here."""
    suite = find_suite(name)
    assert (suite.version, suite.sha256) == (version, sha256)


@pytest.mark.parametrize("name", ["long-audio", "quick", "smoke", "standard"])
def test_shipped_suites_run_as_upstream_does(name: str) -> None:
    suite = find_suite(name)
    sampling = suite.sampling
    assert (sampling.do_sample, sampling.temperature, sampling.top_p, sampling.top_k) == (True, 1.0, 1.0, 50)
    assert (suite.prompt, suite.time_markers) == ("Describe this audio.", True)
    assert (suite.profile, suite.encoder_attention) == ("faithful", "eager")
    assert suite.axes.attention == (Attention.SDPA, Attention.FLASH_ATTENTION_2)


def test_the_standard_sweep_holds_the_cells_of_the_public_recipes() -> None:
    axes = find_suite("standard").axes
    points = {(clip, tokens) for clip in axes.clip_seconds for tokens in axes.max_tokens}
    assert {(10, 128), (60, 512), (300, 1024)} <= points
    assert (min(axes.clip_seconds), max(axes.clip_seconds)) == (10, 600)


def test_the_longest_cell_fits_into_the_context_of_the_model() -> None:
    axes = find_suite("long-audio").axes
    clip = max(axes.clip_seconds)
    markers = sum(len(str(second)) for second in range(2, int(clip) + 1, 2))
    assert clip * 12.5 + markers + 26 + max(axes.max_tokens) <= 40_960


def test_a_file_is_found_by_its_path_and_gets_defaults(tmp_path: Path) -> None:
    suite = find_suite(str(written(tmp_path, GOOD)))
    assert suite.name == "mine"
    assert suite.axes.clip_seconds == (10.0, 60.0)
    assert (suite.dtype, suite.sampling.top_k, suite.measure.warmup_tokens) == ("bfloat16", 50, 8)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_that_notepad_or_powershell_saved_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(GOOD.replace("A title", "Jürgens Titel").replace("\n", "\r\n").encode(encoding))
    assert read_suite(path).title == "Jürgens Titel"


def test_an_unknown_name_gets_the_nearest_and_the_list() -> None:
    with pytest.raises(
        SuiteError, match=r"no suite 'standart'. Did you mean standard\? .*long-audio, quick, smoke"
    ):
        find_suite("standart")


BAD = [
    (
        "seed = 0",
        "seed = true",
        ": seed: true is not a whole number. Use a whole number from 0 to 4294967295",
    ),
    ("seed = 0", "seed = -1", ": seed: -1 is too small. Use a whole number from 0 to 4294967295"),
    ("seed = 0", "sede = 0", ": unknown key sede. Did you mean seed?"),
    ("seed = 0", "zzz = 0", ": unknown key zzz. Known keys are name, version,"),
    ("seed = 0", "clip_seconds = [1]", ": unknown key clip_seconds. Did you mean axes.clip_seconds?"),
    ("seed = 0", 'sampling = "greedy"', ": sampling: 'greedy' is not a table"),
    ("seed = 0", "seed = 1979-05-27", ": seed: '1979-05-27' is not a whole number."),
    (
        "[10, 60]",
        "[10, 60, -5]",
        ": axes.clip_seconds[2]: -5 is too short. Use 0.2 to 3600 seconds, each length once",
    ),
    ("[10, 60]", "[0.1]", ": axes.clip_seconds[0]: 0.1 is too short."),
    ("[10, 60]", "[9000]", ": axes.clip_seconds[0]: 9000 is too long."),
    ("[10, 60]", "[1e400]", ": axes.clip_seconds[0]: Infinity is"),
    ("[10, 60]", "[nan]", ": axes.clip_seconds[0]: NaN is"),
    ("[10, 60]", '["10"]', ": axes.clip_seconds[0]: '10' is not a number."),
    ("[10, 60]", "[10, 10.0]", ": axes.clip_seconds: 10 appears twice."),
    ("[10, 60]", "[]", ": axes.clip_seconds: [] is empty."),
    ("[10, 60]", "10", ": axes.clip_seconds: 10 is not a list."),
    (
        "clip_seconds = [10, 60]",
        "",
        ": axes.clip_seconds is missing. Add clip_seconds to [axes]: 0.2 to 3600 seconds",
    ),
    ("[128]", "[1.5]", ": axes.max_tokens[0]: 1.5 is not a whole number."),
    ("[128]", "[0]", ": axes.max_tokens[0]: 0 is too small. Use whole numbers from 1 to 8192, each once"),
    (
        '["sdpa"]',
        '["spda"]',
        ": axes.attention[0]: 'spda' is unknown. Use eager, sdpa, flash_attention_2, each once",
    ),
    ("[axes]", "[axis]", ": unknown key axis (and 1 more). Did you mean axes?"),
    ("repeats = 3", "repeat = 3", ": unknown key measure.repeat. Did you mean measure.repeats?"),
    ("repeats = 3", "repeats = 0", ": measure.repeats: 0 is too small. Use 1 to 1000"),
    ("repeats = 3", "repeats = 9", ": measure: max_repeats is 5; set it to repeats (9) or more"),
    ('"mine"', '"My Suite"', ": name: 'My Suite' cannot be used. Use up to 40 of a-z, 0-9 and -"),
    ('"1"', "1", ': version: 1 is not text in quotes. Use a quoted version such as "1" or "1.2"'),
    ('"A title"', '""', ": title: '' is empty."),
    (
        "MOSS-Audio-4B-Instruct",
        "OpenMOSS-Team/MOSS",
        ": model: 'OpenMOSS-Team/MOSS' cannot be used. Use a model name",
    ),
    ("repeats = 3", "repeats = ", ", line 13, column 11: Invalid value."),
    ("repeats = 3", "repeats 3", ", line 13, column 9: Expected '=' after a key"),
    ("repeats = 3", 'x = "', ", line 13, column 6: Illegal character"),
    (
        "repeats = 3",
        "[[expect]]\nfit = true",
        ": unknown key expect[0].fit. Did you mean expect.fits?",
    ),
    (
        "repeats = 3",
        '[[expect]]\ndecode_token_per_s = ">= 1"',
        ": unknown key expect[0].decode_token_per_s. Did you mean expect.decode_tokens_per_s?",
    ),
    (
        "repeats = 3",
        '[[expect]]\ndecode_tokens_per_s = "> 20"',
        ': expect[0].decode_tokens_per_s: \'> 20\' is not a bound; write ">= 20" or "<= 20"',
    ),
    (
        "repeats = 3",
        '[[expect]]\nprocess_peak_bytes = "<= 12 gib."',
        ": expect[0].process_peak_bytes: '12 gib.' is not a size: write 12GiB,",
    ),
    (
        "repeats = 3",
        "[[expect]]\ndecode_tokens_per_s = 20",
        ': expect[0].decode_tokens_per_s: 20 is not a bound; write ">= 20" or "<= 20"',
    ),
    (
        "repeats = 3",
        '[[expect]]\nfits = "yes"',
        ": expect[0].fits: 'yes' is neither true nor false. Use true",
    ),
    ("repeats = 3", "[[expect]]\nclip_seconds = [10]", ": expect[0]: states nothing; add fits = true or"),
    (
        "repeats = 3",
        "[[expect]]\nfits = true\n[[expect]]\nfits = true\nclip_seconds = [10, 11]",
        ": expect[1].clip_seconds: 11 is not on that axis. Use 10, 60, or add it to [axes]",
    ),
    (
        "repeats = 3",
        '[[expect]]\nfits = true\nattention = ["eager"]',
        ": expect[0].attention: eager is not on that axis. Use sdpa, or add it to [axes]",
    ),
    (
        "repeats = 3",
        "[expect]\nfits = true",
        ': expect: {"fits": true} is not a list. Use up to 100 tables [[expect]]',
    ),
    ("repeats = 3", '"a\\nb\\u001b[31m" = 1', ": unknown key measure.a b [31m."),
]


@pytest.mark.parametrize(("old", "new", "expected"), BAD)
def test_a_mistake_is_named_with_file_key_and_fix(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert GOOD.count(old) == 1 or old == '"1"'
    assert complaint(written(tmp_path, GOOD.replace(old, new, 1))).startswith(expected)


def test_only_the_first_mistake_is_told_and_the_others_counted(tmp_path: Path) -> None:
    text = GOOD.replace("[128]", "[0]").replace("[10, 60]", "[-5, -6]")
    assert complaint(written(tmp_path, text)).startswith(
        ": axes.clip_seconds[0]: -5 is too short (and 2 more). Use 0.2"
    )


def test_axes_that_make_too_many_cells_are_refused(tmp_path: Path) -> None:
    lengths = ", ".join(str(length) for length in range(1, 1001))
    tokens = ", ".join(str(count) for count in range(1, 102))
    text = GOOD.replace("128", tokens).replace("10, 60", lengths)
    assert "the axes make 101,000 cells" in complaint(written(tmp_path, text))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a = 'J\xfcrgen'", "not UTF-8 text"),
        (b"\xff\xfe\x00", "not UTF-16-LE text"),
        ("a = 1".encode("utf-16-le"), "seems to be UTF-16-LE text without a byte order mark"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"x = " + b"[" * 300 + b"]" * 300, ""),
        (b"seed = " + b"9" * 5000, ""),
        (b"x" * 2_000_000, "larger than 1 MiB"),
        (b"a" * 10_000 + b" = 1", "aaa…"),
    ],
)
def test_files_that_are_no_suite_get_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    text = complaint(path)
    assert expected in text
    assert len(text) < 400


def test_a_missing_file_and_a_folder_get_one_line(tmp_path: Path) -> None:
    assert "No such file or directory" in str(complaint(tmp_path / "missing.toml"))
    (tmp_path / "folder.toml").mkdir()
    assert "it is a folder" in str(complaint(tmp_path / "folder.toml"))


@given(
    line=st.integers(0, GOOD.count("\n")),
    junk=st.text(max_size=30)
    | st.sampled_from(["[axes]", "x=[[1]]", "seed=1e9", "axes.a=1", "[[measure]]", "a.b.c=1"]),
)
def test_no_edit_makes_anything_but_a_suite_or_one_line(
    tmp_path_factory: pytest.TempPathFactory, line: int, junk: str
) -> None:
    lines = GOOD.splitlines()
    lines.insert(line, junk)
    path = tmp_path_factory.getbasetemp() / "fuzz.toml"
    path.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    try:
        assert isinstance(read_suite(path), Suite)
    except SuiteError as error:
        assert len(str(error).splitlines()) == 1


def test_the_hash_is_of_the_content_and_not_of_the_file(tmp_path: Path) -> None:
    first = read_suite(written(tmp_path, GOOD))
    text = "# a comment\n" + GOOD.replace("[10, 60]", "[ 10.0,\n 60.0 ]").replace("seed = 0\n", "")
    assert read_suite(written(tmp_path, text)).sha256 == first.sha256
    assert read_suite(written(tmp_path, GOOD.replace("[128]", "[129]"))).sha256 != first.sha256


def test_expectations_are_in_the_hash_and_no_part_of_a_cell(tmp_path: Path) -> None:
    plain = read_suite(written(tmp_path, GOOD))
    strict = read_suite(
        written(tmp_path, GOOD + '[[expect]]\nfits = true\nprocess_peak_bytes = "<= 11.5GiB"\n')
    )
    same = read_suite(written(tmp_path, GOOD + '[[expect]]\nfits=true\nprocess_peak_bytes="<=12348030976"\n'))
    assert "expect" not in plain.model_dump()
    assert strict.sha256 == same.sha256 != plain.sha256
    cells = [
        expand(each, weight_mode=WeightMode.HUB, clip_source_sha256="0" * 64) for each in (plain, strict)
    ]
    assert cells[0] == cells[1]
    assert Suite.model_validate(strict.model_dump()) == strict
    shorter = override(strict, clip_seconds=(10,))
    assert shorter.expect == strict.expect


def test_cells_that_the_command_line_leaves_out_may_be_expected_to_fit(tmp_path: Path) -> None:
    suite = read_suite(written(tmp_path, GOOD + "[[expect]]\nfits = true\nclip_seconds = [60]\n"))
    assert override(suite, clip_seconds=(10,)).axes.clip_seconds == (10,)


def test_the_expectations_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    example = re.findall(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)[1]
    everywhere, some = read_suite(written(tmp_path, GOOD + example)).expect
    assert everywhere.fits is True
    assert set(some.bounds) == {"decode_tokens_per_s", "time_to_first_token_s", "process_peak_bytes"}


def test_the_example_of_the_documentation_can_be_used(tmp_path: Path) -> None:
    example = re.search(r"```toml\n(.*?)```", DOCS.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert example is not None
    suite = read_suite(written(tmp_path, example[1]))
    assert (suite.name, suite.sampling.do_sample, suite.axes.clip_seconds) == (
        "podcast",
        False,
        (60.0, 600.0),
    )


def defaults(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every key with its default as TOML writes it, empty where there is none."""
    keys: dict[str, str] = {}
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys |= defaults(field.annotation, f"{prefix}{name}.")
        else:
            keys[prefix + name] = "" if field.is_required() else f"`{json.dumps(field.default)}`"
    return keys


def test_the_documentation_lists_every_key_with_its_default() -> None:
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| (.*?) ?\|", DOCS.read_text(encoding="utf-8").split("## Keys")[1], re.MULTILINE
    )
    assert dict(rows) == defaults(Suite)


def test_the_documentation_counts_the_cells_of_the_shipped_suites() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| .* \| (\d+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    axes = {name: find_suite(name).axes for name in shipped_suites()}
    counts = {n: str(len(a.clip_seconds) * len(a.max_tokens) * len(a.attention)) for n, a in axes.items()}
    assert dict(rows) == counts


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (".".join("a" * 5000) + " = 1", "is nested too deeply"),
        ("x = 0x" + "f" * 20_000, "a number has too many digits"),
        ("x = " + "9" * 5000, "a number has too many digits"),
    ],
    ids=["key of 5,000 parts", "hexadecimal", "decimal"],
)
def test_what_python_cannot_hold_is_one_line(tmp_path: Path, line: str, expected: str) -> None:
    assert expected in complaint(written(tmp_path, f"{line}\n{GOOD}"))
