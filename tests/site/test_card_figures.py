"""Reproduction, against a definition that looks at every pair."""

from collections.abc import Sequence
from itertools import product
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from bench.records.metrics import METRICS
from bench.site.card_figures import Owner, reproduction
from bench.site.interface import MOST_COUNTED, MOST_LINKS, Reproduction
from bench.validate.outliers import COMPARED, figures_of
from tests.validate.figures import Drawn, record, records

FACTOR: Final = 1.35


def agree(metric: str, first: float, second: float) -> bool:
    """Whether two figures agree: the definition."""
    low, high = sorted((first, second))
    return high <= low * FACTOR + METRICS[metric].noise_bytes


Shared = tuple[str, float, list[tuple[int, float]]]


def owner_of(one: Owner) -> str | None:
    """Who owns a key, as far as is known."""
    return one.holder if one.holder is not None else one.key_id


def shared(owners: Sequence[Owner], drawn: Sequence[Drawn], own: int) -> list[Shared]:
    """Return each figure of a record, and those of the same cell and metric that count against it."""
    values, mine = drawn[own][0], owners[own]
    found = []
    for place, metric in product(range(2), COMPARED):
        if metric in values[place]:
            others = [
                (nth, other[0][place][metric])
                for nth, other in enumerate(drawn)
                if metric in other[0][place]
                and other[1] is not None
                and other[3]
                and owner_of(owners[nth]) != owner_of(mine)
            ]
            found.append((metric, values[place][metric], others))
    return found


@given(records, st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x.example", "github.com/y"])))
def test_reproduction_counts_each_other_owner_that_agrees_with_the_worst_figure(
    drawn: list[Drawn], holders: dict[str, str]
) -> None:
    owners = [
        Owner(str(nth), key, machine, holders.get(key or ""))
        for nth, (_, key, machine, _) in enumerate(drawn)
    ]
    published = frozenset(nth for nth, one in enumerate(drawn) if one[3])
    figures = figures_of((nth, record(one[0])) for nth, one in enumerate(drawn))
    found = reproduction(owners, figures, published, FACTOR)
    for own, (_, _, machine, _) in enumerate(drawn):
        every = shared(owners, drawn, own)
        assert (own in found) == bool(every)
        if not every:
            continue
        sides = [
            (
                [nth for nth, value in others if agree(metric, own_value, value)],
                [nth for nth, value in others if not agree(metric, own_value, value)],
            )
            for metric, own_value, others in every
        ]
        agreed = [[owners[nth] for nth in inside] for inside, _ in sides]
        counts = [
            (len({one.holder for one in each} - {None}), len({one.key_id for one in each if not one.holder}))
            for each in agreed
        ]
        assert (found[own].confirmed, found[own].unconfirmed) == min(counts)
        assert (found[own].cards is None) == (machine is None)
        # An owner with a figure on each side agrees in one of its records.
        lacking = [
            len({owner_of(owners[nth]) for nth in outside} - {owner_of(owners[nth]) for nth in inside})
            for inside, outside in sides
        ]
        assert found[own].disagreeing == max(lacking)
        links = {int(each) for each in found[own].agreeing_ids}
        assert any(links <= set(inside) for inside, _ in sides)


def test_unsigned_records_count_for_nothing() -> None:
    owners = [Owner("mine", "key", "m"), *(Owner(str(nth), None, None) for nth in range(5))]
    same = ({"latency_s": 1.0},)
    figures = figures_of((nth, record(same)) for nth in range(6))
    found = reproduction(owners, figures, frozenset(range(6)), FACTOR)
    assert found[0].unconfirmed == 0
    assert found[1].unconfirmed == 1, "the signed one agrees with an unsigned one"


def test_reruns_under_one_key_are_no_reproduction() -> None:
    owners = [Owner(str(nth), "key", f"machine {nth}") for nth in range(5)]
    figures = figures_of((nth, record(({"latency_s": 1.0},))) for nth in range(5))
    assert reproduction(owners, figures, frozenset(range(5)), FACTOR)[0].unconfirmed == 0


def found_of(owners: Sequence[Owner]) -> dict[int, Reproduction]:
    """Owners whose only figures are all the same."""
    figures = figures_of((nth, record(({"latency_s": 1.0},))) for nth in range(len(owners)))
    return reproduction(owners, figures, frozenset(range(len(owners))), FACTOR)


def test_two_keys_of_one_account_do_not_reproduce_each_other() -> None:
    found = found_of([Owner(str(nth), f"key {nth}", f"machine {nth}", "github.com/ada") for nth in range(2)])
    assert {(each.confirmed, each.unconfirmed, each.agreeing_ids) for each in found.values()} == {(0, 0, ())}


def test_confirmed_ones_are_counted_by_account_and_others_apart() -> None:
    ada, bob = "github.com/ada", "bob.example"
    owners = [Owner(f"ada {nth}", f"key {nth}", None, ada) for nth in range(2)]
    owners += [Owner(f"bob {nth}", f"key {nth}", None, bob) for nth in range(2, 5)]
    owners += [Owner(f"free {nth}", f"key {nth}", None) for nth in range(5, 55)]
    found = found_of(owners)
    assert (found[0].confirmed, found[0].unconfirmed) == (1, MOST_COUNTED)
    assert (found[2].confirmed, found[2].unconfirmed) == (1, MOST_COUNTED)
    assert (found[54].confirmed, found[54].unconfirmed) == (2, MOST_COUNTED)
    assert found[0].agreeing_ids[:3] == ("bob 2", "bob 3", "bob 4"), "a crowd of keys hides no account"


def test_many_records_have_few_links() -> None:
    count = 500
    owners = [Owner(str(nth), f"key {nth}", None) for nth in range(count)]
    values = [{"latency_s": 1.0 + (nth % 2) * 9 + nth / 1e6} for nth in range(count)]
    figures = figures_of((nth, record((each,))) for nth, each in enumerate(values))
    found = reproduction(owners, figures, frozenset(range(count)), FACTOR)[100]
    assert (found.unconfirmed, found.disagreeing) == (MOST_COUNTED, MOST_COUNTED)
    assert 0 < len(found.agreeing_ids) <= MOST_LINKS
    assert 0 < len(found.disagreeing_ids) <= MOST_LINKS
    assert all(int(each) % 2 == 0 for each in found.agreeing_ids)


def test_one_record_more_leaves_most_of_many_as_they_are() -> None:
    count = 300

    def found(records: int) -> dict[int, Reproduction]:
        owners = [Owner(str(nth), f"key {nth}", f"machine {nth}") for nth in range(records)]
        values = [{"latency_s": 1.0 + (nth * 0.618 % 1) / 10} for nth in range(records)]
        figures = figures_of((nth, record((each,))) for nth, each in enumerate(values))
        return reproduction(owners, figures, frozenset(range(records)), FACTOR)

    before, after = found(count), found(count + 1)
    assert sum(before[nth] != after[nth] for nth in before) <= MOST_LINKS
