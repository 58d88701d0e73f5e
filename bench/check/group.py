"""Groups of records that make one check document, and the names of its files."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Self

from bench.check.summary import RecordHead
from bench.judge.same_run import MERGED, is_published, values
from bench.records.base import Frozen, PathName, Slug
from bench.records.enums import WeightMode
from bench.store import naming


class GroupKey(Frozen):
    """One model on one card. `emulated_bytes`: memory of an emulated card, which counts as another card.

    Model and slug become folders: their types let nothing through that leaves one.
    """

    model: PathName
    slug: Slug
    repo: str | None
    config_sha256: str
    emulated_bytes: int | None

    @classmethod
    def of(cls, head: RecordHead) -> Self:
        """The group that a record belongs to.

        Raises:
            ValidationError: a name of the model or the card that cannot be a folder.
        """
        found = values(MERGED, head).values()
        return cls.model_validate(dict(zip(cls.model_fields, found, strict=True)))

    @property
    def folder(self) -> tuple[str, str]:
        """Names of the two folders of its files: model and card."""
        return self.model, self.slug

    @property
    def is_published(self) -> bool:
        """Whether its weights are the published ones: a repository is stated of weights from the Hub only."""
        return is_published(WeightMode.HUB, self.repo)


def stems(keys: Iterable[GroupKey]) -> Mapping[GroupKey, str]:
    """The name of each group's files: `check`, or of an emulated card `emulated-12282MiB.check`.

    Where several groups would have one name, because they are about other weights of a model of one name,
    the only one with published weights keeps it and the others get a part of their hash before it.
    """
    places: dict[tuple[str, str, str], list[GroupKey]] = {}
    for key in dict.fromkeys(keys):
        places.setdefault((*key.folder, naming.check_stem(key.emulated_bytes)), []).append(key)
    return {key: _name(key, group) for group in places.values() for key in group}


def _name(key: GroupKey, group: list[GroupKey]) -> str:
    published = [one for one in group if one.is_published]
    if len(group) == 1 or published == [key]:
        return naming.check_stem(key.emulated_bytes)
    digest = hashlib.sha256(key.model_dump_json().encode()).hexdigest()
    return naming.check_stem(key.emulated_bytes, digest)
