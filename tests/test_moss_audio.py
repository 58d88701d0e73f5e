"""The names of the model's package, which are imported when they are first used."""

import subprocess
import sys

import pytest

import bench.moss_audio


def test_every_promised_name_is_there() -> None:
    assert {name: getattr(bench.moss_audio, name).__name__ for name in bench.moss_audio.__all__} == {
        name: name for name in bench.moss_audio.__all__
    }


def test_another_name_is_none_of_the_package() -> None:
    with pytest.raises(AttributeError, match="no attribute 'MossVideoModel'"):
        bench.moss_audio.MossVideoModel  # noqa: B018


def test_a_prompt_needs_no_torch() -> None:
    code = "import sys, bench.moss_audio.prompt; print({'torch', 'transformers', 'numpy'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"
