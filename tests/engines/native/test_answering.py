"""How tokens are chosen, and when an answer ends, as `generate` gets it."""

from bench.engines.native.answering import generation_config
from tests.samples.records import GREEDY, SAMPLED


def test_a_forced_length_has_no_early_end() -> None:
    forced, free = (
        generation_config(max_tokens=9, forced_length=forced, sampling=GREEDY, end_of_answer=[3, 5])
        for forced in (True, False)
    )
    assert (forced.min_new_tokens, forced.max_new_tokens) == (9, 9)
    assert (free.min_new_tokens, free.max_new_tokens) == (None, 9)
    assert (free.eos_token_id, free.pad_token_id) == ([3, 5], 3)


def test_sampling_is_as_asked_and_greedy_has_no_temperature() -> None:
    sampled, greedy = (
        generation_config(max_tokens=9, forced_length=True, sampling=sampling, end_of_answer=[])
        for sampling in (SAMPLED, GREEDY)
    )
    assert (sampled.do_sample, greedy.do_sample) == (True, False)
    assert (sampled.temperature, sampled.top_p, sampled.top_k) == (
        SAMPLED.temperature,
        SAMPLED.top_p,
        SAMPLED.top_k,
    )
    assert sampled.eos_token_id is sampled.pad_token_id is None
    assert greedy.use_cache
