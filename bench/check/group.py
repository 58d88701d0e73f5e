"""Which records make one check document, and under which name its files lie."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Self

from bench.check.summary import RecordHead
from bench.records.base import Frozen, PathName, Slug
from bench.records.enums import PUBLISHER
from bench.store import naming


class GroupKey(Frozen):
    """One model on one card. `played_bytes`: memory of the card that was emulated, for that is another card.

    Model and slug become folders: their types let nothing through that leaves one.
    """

    model: PathName
    slug: Slug
    repo: str | None
    config_sha256: str
    played_bytes: int | None

    @classmethod
    def of(cls, head: RecordHead) -> Self:
        """The group that a record belongs to.

        Raises:
            ValidationError: a name of the model or the card that cannot be a folder.
        """
        return cls(
            model=head.model.name,
            slug=head.device.slug,
            repo=head.model.repo,
            config_sha256=head.model.config_sha256,
            played_bytes=None if head.emulation is None else head.emulation.total_bytes,
        )

    @property
    def folder(self) -> tuple[str, str]:
        """Where its files lie."""
        return self.model, self.slug

    @property
    def is_published(self) -> bool:
        """Whether its weights are from those who released the model."""
        return (self.repo or "").partition("/")[0] == PUBLISHER


def stems(keys: Iterable[GroupKey]) -> Mapping[GroupKey, str]:
    """The name of each group's files: `check`, or of a card that was played `emulated-12282MiB.check`.

    Where several groups would have one name, because they are about other weights of a model of one name,
    the only one with published weights keeps it and the others get a part of their hash before it.
    """
    places: dict[tuple[str, str, str], list[GroupKey]] = {}
    for key in dict.fromkeys(keys):
        places.setdefault((*key.folder, naming.check_stem(key.played_bytes)), []).append(key)
    return {key: _name(key, group) for group in places.values() for key in group}


def _name(key: GroupKey, group: list[GroupKey]) -> str:
    published = [one for one in group if one.is_published]
    if len(group) == 1 or published == [key]:
        return naming.check_stem(key.played_bytes)
    digest = hashlib.sha256(key.model_dump_json().encode()).hexdigest()
    return naming.check_stem(key.played_bytes, digest)
