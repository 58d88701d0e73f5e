import pytest

from bench.errors import ExitCode, UsageError
from bench.records.enums import Attention, Profile
from bench.store.canonical import sha256_of
from bench.suite.overrides import (
    override,
    parse_attention_list,
    parse_int_list,
    parse_seconds_list,
    suite_info,
)
from bench.suite.suite import Suite, find_suite


def test_comma_lists_are_read() -> None:
    assert parse_seconds_list("5, 30,0.5") == (5.0, 30.0, 0.5)
    assert parse_int_list("128,512") == (128, 512)
    assert parse_attention_list("sdpa,flash_attention_2") == (Attention.SDPA, Attention.FLASH_ATTENTION_2)


def test_a_bad_item_is_named_with_its_option() -> None:
    with pytest.raises(
        UsageError, match=r"--clip-seconds: '10s' is not a number of seconds. Write it as 5,30,60"
    ):
        parse_seconds_list("5,10s")
    with pytest.raises(UsageError, match=r"--max-tokens: '' is not a whole number. Write it as 128,512"):
        parse_int_list("128,")
    with pytest.raises(
        UsageError, match=r"--attention: 'flash' is not an attention backend. Write it as eager,sdpa,"
    ):
        parse_attention_list("sdpa,flash")


def test_given_settings_replace_those_of_the_suite_and_no_others() -> None:
    base = find_suite("quick")
    changed = override(base, clip_seconds=(5.0,), profile=Profile.LEAN, model="MOSS-Audio-8B-Instruct")
    assert (changed.axes.clip_seconds, changed.profile, changed.model) == (
        (5.0,),
        "lean",
        "MOSS-Audio-8B-Instruct",
    )
    assert (changed.axes.max_tokens, changed.measure) == (base.axes.max_tokens, base.measure)
    assert override(base) == base


def test_more_repeats_than_the_suite_allows_lift_its_limit() -> None:
    assert override(find_suite("quick"), repeats=20).measure.max_repeats == 20


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"clip_seconds": (10.0, 9000.0)}, "--clip-seconds: 9000.0 is too long. Use 0.2 to 3600 seconds"),
        ({"clip_seconds": (10.0, float("nan"))}, "--clip-seconds: NaN is"),
        ({"max_tokens": (1, 1)}, "--max-tokens: 1 appears twice. Use whole numbers from 1 to 8192"),
        ({"repeats": 0}, "--repeats: 0 is too small. Use 1 to 1000"),
        ({"model": "a/b"}, "--model: 'a/b' cannot be used. Use a model name without its organisation"),
    ],
)
def test_a_value_out_of_bounds_is_named_with_its_option(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        override(find_suite("quick"), **changes)  # type: ignore[arg-type]
    assert str(caught.value).startswith(expected)
    assert caught.value.exit_code == ExitCode.USAGE


def test_the_record_names_what_was_changed_and_holds_what_was_run() -> None:
    base = find_suite("quick")
    info = suite_info(
        override(base, clip_seconds=(5.0,), max_tokens=base.axes.max_tokens, repeats=2), base=base
    )
    assert info.overrides == ("clip_seconds", "repeats")
    assert info.sha256 == sha256_of(info.definition) != base.sha256
    unchanged = suite_info(base, base=base)
    assert (unchanged.overrides, unchanged.sha256) == ((), base.sha256)


def test_a_suite_that_bears_the_name_of_a_shipped_one_is_an_own_one() -> None:
    shipped = find_suite("standard")
    origins = [suite_info(override(base, repeats=2), base=base).origin for base in _standards(shipped)]
    assert origins == ["shipped", "own", "own", "own"]


def _standards(shipped: Suite) -> list[Suite]:
    longer = shipped.measure.model_copy(update={"cell_limit_s": 7200.0})
    return [
        shipped,
        shipped.model_copy(update={"measure": longer}),
        shipped.model_copy(update={"version": "2"}),
        shipped.model_copy(update={"name": "mine"}),
    ]


def test_underscores_belong_to_no_number() -> None:
    with pytest.raises(UsageError, match="1_0"):
        parse_int_list("8,1_0")
    assert parse_attention_list("flash_attention_2") == (Attention.FLASH_ATTENTION_2,)
