"""Which of several weights of one name are the published ones: their records are merged on a card's page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.check.group import GroupKey
from bench.records.enums import WeightMode
from bench.site.interface import State
from bench.site.states import Opened
from bench.weights.checkpoint import shipped_configuration

_COUNTING: Final = (State.PUBLISHED, State.HELD)


def main_group(opened: Sequence[Opened]) -> GroupKey | None:
    """Return the group of published weights on the real card, of records of one model and card.

    The configuration that bench ships decides, where a record has it. Otherwise keys vote with published
    records, and where there are none with held ones. A key votes once for a group, as do all unsigned
    records together; of equal votes the group that came first wins. Others change nothing, unless there are
    no records but them: anybody can copy a record and edit the copy. None where no record is of published
    weights.
    """
    published, held = (_votes(one for one in opened if one.placed.state is state) for state in _COUNTING)
    for group in (*published, *held):
        if group.config_sha256 == shipped_configuration(group.model):
            return group
    votes = published or held or _votes(opened)
    return max(votes, key=lambda group: len(votes[group]), default=None)  # the first of equals


def _votes(opened: Iterable[Opened]) -> Mapping[GroupKey, set[str | None]]:
    """Return the keys that have a record of each group, in the order of the records."""
    found: dict[GroupKey, set[str | None]] = {}
    for one in opened:
        received = one.placed.received
        is_hub = one.head.model.weight_mode is WeightMode.HUB
        if is_hub and received.group.is_published and received.group.emulated_bytes is None:
            found.setdefault(received.group, set()).add(received.key_id)
    return found
