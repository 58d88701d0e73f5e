import os
import platform
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.store.scrub import scrub, scrub_tail


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            'File "/usr/lib/python3.11/site-packages/torch/nn.py", line 3, in f',
            'File "<path>/nn.py", line 3, in f',
        ),
        ("/home/alice/clips/call with mum.wav", "<path>/call with mum.wav"),
        ("PYTHONPATH=/opt/a:/home/alice/b", "PYTHONPATH=<path>/a:<path>/b"),
        ("error:/home/alice/b", "error:<path>/b"),
        ("in /home/alice", "in ~"),
        ("/Users/Jane Doe/x/y.json missing", "<path>/y.json missing"),
        ("cannot open //home//alice//x", "cannot open <path>/x"),
        ("~/secret/x", "<path>/x"),
        ("~alice/x", "<path>/x"),
        ("file:///home/alice/x.wav", "<path>/x.wav"),
        ("./a/b and ../../c/d", "<path>/b and <path>/d"),
        (r"C:\Users\Alice Smith\proj\a.json", "<path>/a.json"),
        (r"OSError: [Errno 2] 'C:\\Users\\alice\\x.json'", "OSError: [Errno 2] '<path>/x.json'"),
        ("D:/data/clips/z.wav", "<path>/z.wav"),
        (r"\\server\share\alice\x", "<path>/x"),
        ("token hf_abcdefghijklmnop refused", "token <token> refused"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: <token>"),
        ("https://alice:s3cret@proxy.corp:8080", "https://<token>@proxy.corp:8080"),
        (
            "GET https://cdn.hf.co/x?Expires=1&Signature=abc failed",
            "GET https://cdn.hf.co/x?<token> failed",
        ),
    ],
)
def test_what_tells_who_or_where_goes(text: str, expected: str) -> None:
    assert scrub(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1/2 of 3 / 4 at 12.5 tok/s and/or n/a",
        "see https://huggingface.co/docs/transformers/main/en",
        "CUDA error: out of memory (12/16 GiB), a:b, C: D",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (3x4 and 5x6)",
        "OpenMOSS-Team/MOSS-Audio-4B-Instruct, application/json, torch.nn.functional",
        "ValueError: bad value ~ 5, a\\b",
        "größer als 3 °C, 音声",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert scrub(text) == text


def test_file_names_of_another_encoding_do_not_break_the_record() -> None:
    assert scrub("a \udcff b") == "a ? b"


PIECES = st.sampled_from(
    ["~", ":", "C:", "home", "Users", "alice", " ", ".", "..", "<path>", "<user>", "x", '"', "?", "@", "\n"]
) | st.sampled_from(
    [
        "/",
        "\\",
        "//",
        "https://",
        "file://",
        "hf_abcdefgh",
        "Bearer ",
        "(",
        "=",
        "1",
        "<",
        ">",
        platform.node(),
    ]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text())
@example("alice/x")
@example("C:\\a\\\\b/c")
def test_scrubbing_twice_changes_nothing_more(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)


ROOTS = (
    *("/home/zebulon/", "//home/zebulon/", "file:///home/zebulon/", "/Users/zebulon/", "~zebulon/"),
    *("C:\\Users\\zebulon\\", "\\\\srv\\zebulon\\", "file:///C:/Users/zebulon/"),
)


@given(
    st.lists(st.sampled_from(["srv", "proj x", "a-b", "deep"]), max_size=4),
    st.sampled_from(ROOTS),
    st.sampled_from(["", "'", '"', "(", "=", ": ", "file "]),
)
def test_no_folder_of_a_path_survives(folders: list[str], root: str, before: str) -> None:
    separator = "\\" if "\\" in root else "/"
    words = [folder.replace(" ", "_") for folder in folders]
    assert "zebulon" not in scrub(before + root + separator.join([*words, "last.py"]))


PLANTED = """
from bench.store.scrub import scrub_tail
print("\\n".join(scrub_tail(["", "zebulon on gpubox and ZEBULON_2, not zebulonx", "  ", "at gpubox.lan\\n"])))
"""


def test_user_and_host_of_this_process_are_hidden() -> None:
    code = "import platform; platform.node = lambda: 'gpubox.lan'\n" + PLANTED
    environment = os.environ | {"LOGNAME": "zebulon", "USER": "zebulon"}
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert answer.stderr == ""
    assert answer.stdout.splitlines() == [
        "<user> on <host> and <user>_2, not zebulonx",
        "at <host>",
    ]


def test_names_that_hide_nobody_stay() -> None:
    environment = os.environ | {"LOGNAME": "torch", "USER": "torch"}
    code = "from bench.store.scrub import scrub; print(scrub('torch.OutOfMemoryError'))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert answer.stdout.strip() == "torch.OutOfMemoryError"


def test_a_tail_is_the_last_lines_cut_to_length() -> None:
    tail = scrub_tail([f"line {number} " + "x" * 500 for number in range(30)] + ["", "\n"], keep=5)
    assert [line.split()[1] for line in tail] == ["25", "26", "27", "28", "29"]
    assert {len(line) for line in tail} == {300}


def test_a_path_in_the_place_of_a_repository_is_hidden() -> None:
    said = scrub("Checkout 'https://huggingface.co//home/alice/models/X/tree/main' for available files")
    assert said == "Checkout 'https://huggingface.co/<path>' for available files"
    assert scrub(said) == said
