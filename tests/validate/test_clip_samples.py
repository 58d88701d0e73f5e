"""Hashes of clips that are not those of the request."""

from bench.validate.clip_samples import clip_samples
from tests.validate import edits
from tests.validate.edits import Document, edited, fresh

OTHER = "ab" * 32


def about(document: Document) -> list[str]:
    """Return the paths of what these rules alone find."""
    return [found.path for found in clip_samples(edits.candidate(document))]


def with_a_clip_of_ones_own() -> Document:
    own = fresh()
    for cell in own["cells"]:
        cell["requested"]["clip_source_sha256"] = "cd" * 32
    return own


def test_another_clip_than_the_shipped_speech() -> None:
    where = "cells[0].effective.clip_sha256"
    assert edits.found({where: OTHER}) == [("settings_contradicted", f"$.{where}")]


def test_another_clip_in_every_cell() -> None:
    changes = {f"cells[{nth}].effective.clip_sha256": OTHER for nth in range(4)}
    assert about(edited({**changes})) == [*changes]


def test_one_clip_of_ones_own_with_two_hashes() -> None:
    own = with_a_clip_of_ones_own()
    first, second = (own["cells"][nth]["requested"]["clip_seconds"] for nth in (0, 1))
    assert first == second
    assert about(own) == []
    where = "cells[1].effective.clip_sha256"
    assert about(edited({where: OTHER}, own)) == [where]


def test_two_lengths_with_one_hash() -> None:
    own = with_a_clip_of_ones_own()
    for cell in own["cells"]:
        cell["effective"]["clip_sha256"] = OTHER
    longer = [
        f"cells[{nth}].effective.clip_sha256"
        for nth, cell in enumerate(own["cells"])
        if cell["requested"]["clip_seconds"] == 60.0
    ]
    assert longer
    assert about(own) == longer


def test_a_clip_beyond_all_lengths_is_no_crash() -> None:
    assert about(edited({"cells[0].requested.clip_seconds": 1e308})) == []
