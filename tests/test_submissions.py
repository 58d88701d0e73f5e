"""A pull request may add bundles below `results/`, under their own names, and nothing else there."""

import os
from pathlib import Path

import pytest

from bench.identity.envelope import read_bundle
from bench.store.record_files import render
from bench.submit.place import place_of
from tests.identity.signers import bundled, signer
from tests.samples.predictions import derived_record
from tests.submit.conftest import clone_in, git
from tests.submit.pull_request import OLD, PullRequest
from tests.validate.good import ordinary
from tools.submissions import MOST_BYTES, MOST_FILES

PLACE = str(place_of(ordinary(), signer().public_key.keyid))


@pytest.fixture
def pull(tmp_path: Path) -> PullRequest:
    return PullRequest(tmp_path)


def test_a_bundle_is_taken_out_unchanged(pull: PullRequest) -> None:
    pull.write(PLACE, bundled(ordinary()))
    pull.write("README.md", b"elsewhere anything can change")
    assert pull.check() == (0, ["1 files, 0 refused"])
    (taken,) = pull.out.iterdir()
    assert taken.read_bytes() == bundled(ordinary())
    assert read_bundle(taken).is_signed


def test_what_the_base_gained_meanwhile_is_not_of_the_branch(pull: PullRequest) -> None:
    pull.write(PLACE, bundled(ordinary()))
    pull.commit()
    git(pull.folder, "checkout", "-q", "main")
    pull.write("results/tiny/cpu/newer.json", b"{}\n")
    pull.commit()
    git(pull.folder, "checkout", "-q", "change")
    assert pull.check() == (0, ["1 files, 0 refused"])


def test_a_branch_that_merged_its_base_is_refused(pull: PullRequest) -> None:
    pull.write(PLACE, bundled(ordinary()))
    pull.commit()
    git(pull.folder, "checkout", "-q", "main")
    pull.write("results/tiny/cpu/earlier.json", b"{}\n")
    pull.commit()
    git(pull.folder, "checkout", "-q", "change")
    git(pull.folder, "merge", "-q", "--no-edit", "main")
    assert pull.check() == (
        1,
        ["refused: the branch contains merges (1): rebase it onto its base instead", "1 files, 0 refused"],
    )


def test_a_changed_file_is_refused(pull: PullRequest) -> None:
    pull.write(OLD, bundled(ordinary()))
    assert pull.check() == (
        1,
        [f"refused: {OLD}: is there already, and must stay as it is", "1 files, 1 refused"],
    )


def test_a_deleted_file_is_refused(pull: PullRequest) -> None:
    (pull.folder / OLD).unlink()
    pull.write(PLACE, bundled(ordinary()))
    code, lines = pull.check()
    assert code == 1
    assert f"refused: {OLD}: is there already, and must stay as it is" in lines


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (PLACE, render(ordinary()).encode(), "is not a bundle (is a record without a signature)"),
        (PLACE, bundled(derived_record()), "is a prediction, which is not submitted"),
        (PLACE, b"PK\x03\x04", "is not a bundle (not valid JSON"),
        ("results/run.sh", b"#!/bin/sh\n", "is not a bundle (not valid JSON"),
        ("results/tiny/cpu/x.bundle.json", bundled(ordinary()), f"belongs at {PLACE}"),
        (PLACE, bundled(ordinary(), 2), "belongs at results/"),
        ("results/a\n::error::b\x1b[2J.json", b"[]", "is not a bundle (is not a record"),
        ("results/\u202eä.json", b"{}", "is not a bundle (is not a record"),
        (PLACE, b" " * (MOST_BYTES + 1), f"has {MOST_BYTES + 1} bytes"),
    ],
    ids=["record", "prediction", "zip", "script", "place", "key", "control", "bidi", "large"],
)
def test_anything_else_is_refused_in_one_line(name: str, content: bytes, why: str, pull: PullRequest) -> None:
    pull.write(name, content)
    code, lines = pull.check()
    assert code == 1
    assert len(lines) == 2
    assert lines[0].startswith("refused: results/")
    assert why in lines[0]
    assert lines[0].isprintable()


@pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")
def test_a_link_is_not_followed(pull: PullRequest) -> None:
    (pull.folder / PLACE).parent.mkdir(parents=True)
    (pull.folder / PLACE).symlink_to("/etc/passwd")
    code, lines = pull.check()
    assert (code, lines[0]) == (1, f"refused: {PLACE}: is not an ordinary file")
    assert list(pull.out.iterdir()) == []


def test_a_file_that_can_be_run_is_refused(pull: PullRequest) -> None:
    pull.write(PLACE, bundled(ordinary()))
    git(pull.folder, "add", "--all")
    git(pull.folder, "update-index", "--chmod=+x", PLACE)
    git(pull.folder, "config", "core.fileMode", "false")
    assert "is not an ordinary file" in pull.check()[1][0]


def test_too_many_files_are_refused_unread(pull: PullRequest) -> None:
    for number in range(MOST_FILES + 1):
        pull.write(f"results/x/{number}.json", b"{}")
    code, lines = pull.check()
    assert code == 1
    assert (
        lines[0] == f"refused: {MOST_FILES + 1} files are changed: at most {MOST_FILES} in one pull request"
    )


def test_a_commit_that_is_not_there(pull: PullRequest) -> None:
    code, lines = pull.check(base="0" * 40)
    assert code == 2
    assert lines[0].startswith("git: ")


def test_variables_of_a_hook_do_not_lead_elsewhere(
    pull: PullRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull.write(PLACE, bundled(ordinary()))
    pull.commit()
    monkeypatch.setenv("GIT_DIR", str(clone_in(tmp_path / "other") / ".git"))
    assert pull.check() == (0, ["1 files, 0 refused"])
