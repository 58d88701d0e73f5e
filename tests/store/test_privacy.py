"""Private text is found where it is unmistakable, and ordinary text of records and notes is not."""

import os
import subprocess
import sys
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.store.privacy import MOST_CHARACTERS, revealed


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("hf_AbCdEfGhIjKlMnOpQrStUvWx", "an access token"),
        ("hf_abcdefghijklmnopqrstuvwxyz", "an access token"),
        ("HF_TOKEN=hf_0123456789abcdef", "an access token"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "an access token"),
        ("github_pat_11ABCDEFG0abcdefghij", "an access token"),
        ("Authorization: Bearer abc.def-ghi", "an access token"),
        ("https://alice:s3cret@proxy.corp:8080", "an access token"),
        ("AKIAIOSFODNN7EXAMPLE", "an access token"),
        ("-----BEGIN PRIVATE KEY-----", "an access token"),
        ("ask ada.lovelace+gpu@example.co.uk", "an e-mail address"),
        ("GPU-8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c", "the id of a card or a computer"),
        ("8F3A2B1C-0D4E-4F5A-9B6C-7D8E9F0A1B2C", "the id of a card or a computer"),
        ("link/ether 00:1a:2b:3c:4d:5e", "the id of a card or a computer"),
        ("Serial Number: 0324117012345", "a serial number"),
        ("serial=AB12-34CD", "a serial number"),
        ("1652922012345", "a serial number"),
        ("/home/alice", "a path"),
        ("in /home/alice/models", "a path"),
        ("error:/home/alice/b", "a path"),
        ("'/opt/models/x.safetensors'", "a path"),
        ("PYTHONPATH=/opt/a:/srv/b", "a path"),
        (r"C:\Users\Alice", "a path"),
        (r"C:\\Users\\Alice\\x", "a path"),
        ("D:/data/clips/z.wav", "a path"),
        (r"\\server\share\alice", "a path"),
        ("file:///x", "a path"),
        ("~alice/x", "a path"),
        ("ASIAIOSFODNN7EXAMPLE", "an access token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2ln", "an access token"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "an access token"),
        ("npm_abcdefghijklmnopqrstuvwxyz0123456789", "an access token"),
        ("pypi-AgEIcHlwaS5vcmcCJDEyMzQ1", "an access token"),
        (f"{'a' * 100}@example.org", "an e-mail address"),
        ("ада@почта.рф", "an e-mail address"),
        ("ada@xn--e1afmkfd.xn--p1ai", "an e-mail address"),
        ("GPU_8f3a2b1c-0d4e-4f5a-9b6c-7d8e9f0a1b2c", "the id of a card or a computer"),
        ("00-1A-2b-3c-4d-5e", "the id of a card or a computer"),
        ("S/N: 1324567890", "a serial number"),
        ("gcc -I/home/ada/include", "a path"),
        ("//home/ada/x", "a path"),
        ("./home/ada", "a path"),
        ("..//home/ada", "a path"),
        ("~/x", "a path"),
    ],
)
def test_private_text_is_found(text: str, kind: str) -> None:
    assert revealed(text) == kind
    assert revealed(f"A note: {text}, and more.") == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Describe this audio.",
        "OpenMOSS-Team/MOSS-Audio-4B-Instruct",
        "1/2 of 3 / 4 at 12.5 tok/s and/or n/a",
        "see https://huggingface.co/docs/transformers/main/en",
        "git+https://github.com/OpenMOSS/MOSS-Audio@0f3a",
        'File "<path>/nn.py", line 3, in f',
        "<path>/a:<path>/b",
        "<token>@proxy.corp",
        "hf_transfer",
        "hf_transfer==0.1.9",
        "HF_HUB_ENABLE_HF_TRANSFER",
        "sk-learn and scikit-learn",
        "torch==2.13.0+cu130",
        "580.65.06",
        "2026-11-20T18:04:09Z",
        "CUDA error: out of memory (12/16 GiB), a:b, C: D",
        "<script>alert(1)</script>",
        "PCI 0000:01:00.0",
        "f" * 64,
        "1234567890123.5",
        "AMD Ryzen 9 7950X 16-Core Processor",
        "serial execution of 2 cells",
        "@ada on the forum",
        "~30 tok/s",
        "1.2.3.4.5",
        "26-11-20-18-04-09",
        "S/N of 60 dB",
        "npm_config_registry",
        "https://example.org/home/ada and https://example.org//x/y",
        "pkg@1.2.rc1",
        "a -x/y/z of b-I/c",
    ],
)
def test_ordinary_text_is_not(text: str) -> None:
    assert revealed(text) is None


@pytest.mark.parametrize("end", [".", ")", " "])
def test_a_serial_number_may_end_a_sentence(end: str) -> None:
    assert revealed(f"it is 1652922012345{end}") == "a serial number"


@pytest.mark.parametrize(
    "part",
    [
        *("a.", "a-", "a@", "a@a.", "+/", "//", "./", "\\", "~a", "~/", "sk-", "sk-a", "eyJ-", "eyJa-"),
        *(
            "SERIAL-",
            "serial ",
            "Bearer ",
            "://a:",
            "-----BEGIN ",
            "00-",
            "0-",
            "AA:",
            "1",
            "/a ",
            "-I/",
            "C:",
        ),
    ],
)
def test_the_time_grows_with_the_length_alone(part: str) -> None:
    text = (part * MOST_CHARACTERS)[: MOST_CHARACTERS - 1] + "!"
    begin = process_time()
    revealed(text)
    assert process_time() - begin < 0.5, "the square of 20,000 steps takes seconds"


def test_a_text_that_is_too_long_is_refused_unread() -> None:
    assert revealed("a" * MOST_CHARACTERS) is None
    assert revealed("a" * (MOST_CHARACTERS + 1)) == "more than 20,000 characters"


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert revealed(text) is None or revealed(text + "\n") is not None


def test_the_names_of_this_user_and_this_computer_are_found() -> None:
    code = (
        "import platform; from bench.store.privacy import names_revealed as f;"
        "print(f('as Alicesmith.'), f('alicesmithson'), f(platform.node() + ' is') is not None)"
    )
    own = {**os.environ, "LOGNAME": "alicesmith"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=own)
    found, longer, computer = said.stdout.strip().rsplit(" ", 2)
    assert (found, longer) == ("your user name", "None")
    assert computer in {"True", "False"}, "a generic name of a computer hides nobody"
