from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation.logits_process import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from edgekit.engines.base import Logits
from edgekit.errors import EngineError, InputError
from edgekit.runtime.sampling import Sampler, SamplingParams, biased, candidates, columns, penalize


def _random_logits(seed: int, vocab: int, spread: float = 4.0) -> Logits:
    return (np.random.default_rng(seed).normal(size=vocab) * spread).astype(np.float32)


def _oracle(logits: Logits, params: SamplingParams, seen: list[int]) -> Logits:
    """The probabilities [vocab] that transformers would draw from."""
    steps = LogitsProcessorList([RepetitionPenaltyLogitsProcessor(params.repetition_penalty)])
    steps.append(TemperatureLogitsWarper(params.temperature))
    if params.top_k:
        steps.append(TopKLogitsWarper(params.top_k))
    if params.top_p < 1:
        steps.append(TopPLogitsWarper(params.top_p))
    if params.min_p:
        steps.append(MinPLogitsWarper(params.min_p))
    scores = steps(torch.tensor([seen]), torch.from_numpy(logits.copy())[None])
    probabilities: Logits = scores.softmax(-1)[0].numpy()
    return probabilities


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    vocab=st.sampled_from([2, 7, 300]),
    temperature=st.floats(0.1, 4),
    top_p=st.floats(0.01, 1),
    top_k=st.integers(0, 400),
    min_p=st.floats(0, 0.9),
    penalty=st.floats(0.5, 2),
    seen=st.lists(st.integers(0, 299), min_size=1, max_size=5),
)
def test_filters_leave_what_transformers_leaves(
    seed: int,
    vocab: int,
    temperature: float,
    top_p: float,
    top_k: int,
    min_p: float,
    penalty: float,
    seen: list[int],
) -> None:
    logits = _random_logits(seed, vocab)
    params = SamplingParams(temperature=temperature, top_p=top_p, top_k=top_k, min_p=min_p, repetition_penalty=penalty)
    expected = _oracle(logits, params, seen)
    ids, weights = candidates(penalize(logits, np.array(seen), penalty), params)
    assert list(ids) == list(np.flatnonzero(expected))
    np.testing.assert_allclose(weights / weights.sum(), expected[ids], rtol=2e-4, atol=1e-7)


@given(logits=st.lists(st.integers(-3, 3), min_size=1, max_size=40), top_k=st.integers(1, 50))
def test_top_k_keeps_ties_as_transformers_does(logits: list[int], top_k: int) -> None:
    row = np.array(logits, dtype=np.float32)
    params = SamplingParams(temperature=1.0, top_k=top_k)
    assert list(candidates(row, params)[0]) == list(np.flatnonzero(_oracle(row, params, [0])))


@pytest.mark.parametrize(
    ("top_p", "kept"), [(0.2, [0]), (0.25, [0]), (0.26, [0, 1]), (0.51, [0, 1, 2]), (1.0, [0, 1, 2, 3])]
)
def test_of_equal_tokens_the_nucleus_takes_the_lowest_ids(top_p: float, kept: list[int]) -> None:
    ids, _ = candidates(np.zeros(4, dtype=np.float32), SamplingParams(temperature=1.0, top_p=top_p))
    assert list(ids) == kept


def test_the_nucleus_of_a_flat_distribution_is_most_of_it() -> None:
    ids, _ = candidates(_random_logits(1, 5000, 0.04), SamplingParams(temperature=1.0, top_p=0.9))
    expected = np.flatnonzero(_oracle(_random_logits(1, 5000, 0.04), SamplingParams(temperature=1.0, top_p=0.9), [0]))
    assert len(set(ids) ^ set(expected)) <= 1
    assert len(ids) > 4000


def test_draws_follow_the_probabilities() -> None:
    logits, draws = _random_logits(3, 12, 1.0), 20_000
    params = SamplingParams(temperature=0.8, top_k=8, seed=5)
    sampler = Sampler(params)
    counts = np.bincount([sampler(logits) for _ in range(draws)], minlength=12)
    expected = _oracle(logits, params, [0]) * draws
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()


@given(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0]), min_size=1, max_size=30))
def test_greedy_takes_the_lowest_id_of_the_largest(logits: list[float]) -> None:
    assert Sampler(SamplingParams())(np.array(logits, dtype=np.float32)) == logits.index(max(logits))


def test_greedy_heeds_the_repetition_penalty_for_prompt_and_answer() -> None:
    sampler = Sampler(SamplingParams(repetition_penalty=2.0), seen=[0, 99_999])
    logits = np.array([3.0, 2.0, 1.6, -1.0], dtype=np.float32)
    assert [sampler(logits) for _ in range(3)] == [1, 2, 0]
    assert logits.tolist() == pytest.approx([3.0, 2.0, 1.6, -1.0])


def test_a_seed_repeats_itself_and_a_missing_one_is_reported() -> None:
    logits = _random_logits(0, 1000)
    first = Sampler(SamplingParams(temperature=1.5))
    again = Sampler(SamplingParams(temperature=1.5, seed=first.seed))
    other = Sampler(SamplingParams(temperature=1.5, seed=first.seed + 1))
    draws = [[sampler(logits) for _ in range(40)] for sampler in (first, again, other)]
    assert draws[0] == draws[1] != draws[2]


@pytest.mark.parametrize("temperature", [1e-300, 1e-6, 1e-3])
def test_a_tiny_temperature_is_greedy(temperature: float) -> None:
    logits = _random_logits(2, 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Sampler(SamplingParams(temperature=temperature))(logits) == logits.argmax()


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("values", [[1.0, math.nan, 2.0], [0.0, math.inf], [-math.inf, -math.inf]])
def test_logits_that_are_no_numbers_are_an_engine_error(values: list[float], temperature: float) -> None:
    with pytest.raises(EngineError, match="not a number"):
        Sampler(SamplingParams(temperature=temperature))(np.array(values, dtype=np.float32))


def test_tokens_that_are_ruled_out_are_never_drawn() -> None:
    sampler = Sampler(SamplingParams(temperature=5.0, top_p=0.999, seed=0))
    logits = np.array([-math.inf, 1.0, -math.inf, 1.5], dtype=np.float32)
    assert {sampler(logits) for _ in range(200)} == {1, 3}


@pytest.mark.parametrize(("drawn", "token"), [(0.0, 1), (1 - 2**-53, 3)])
def test_the_ends_of_the_random_numbers_are_tokens_too(
    drawn: float, token: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fixed:
        def random(self) -> float:
            return drawn

    sampler = Sampler(SamplingParams(temperature=1.0))
    monkeypatch.setattr(sampler, "_random", Fixed())
    assert sampler(np.array([-math.inf, 1.0, 0.5, 1.5], dtype=np.float32)) == token


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 0),
        ("max_tokens", 2.5),
        ("max_tokens", True),
        ("temperature", -0.1),
        ("temperature", math.nan),
        ("temperature", "hot"),
        ("temperature", 10**400),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("min_p", -0.1),
        ("min_p", 2),
        ("repetition_penalty", 0),
        ("repetition_penalty", math.inf),
        ("repetition_penalty", None),
        ("stop", "end"),
        ("stop", ("",)),
        ("stop", ("a", 1)),
        ("seed", -1),
        ("seed", "7"),
        ("logprobs", -1),
        ("logprobs", 21),
        ("logprobs", True),
    ],
)
def test_impossible_parameters_are_input_errors(name: str, value: object) -> None:
    with pytest.raises(InputError, match=name) as caught:
        SamplingParams(**{name: value})  # type: ignore[arg-type]
    assert name in caught.value.hint


def test_a_bias_lifts_a_token_or_bans_it() -> None:
    logits = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    assert Sampler(SamplingParams(logit_bias=((0, 5.0),)))(logits) == 0
    assert Sampler(SamplingParams(logit_bias=((2, -100.0), (7, 100.0))))(logits) == 1
    assert logits.tolist() == [1.0, 2.0, 3.0]
    drawn = Sampler(SamplingParams(temperature=1.0, seed=1, logit_bias=((0, 100.0),)))
    assert {drawn(logits) for _ in range(20)} == {0}


@pytest.mark.parametrize("bias", [((-1, 1.0),), ((1, float("nan")),), ((1, float("inf")),)])
def test_a_bias_that_is_none_is_refused(bias: tuple[tuple[int, float], ...]) -> None:
    with pytest.raises(InputError, match="logit_bias"):
        SamplingParams(logit_bias=bias)


def test_biases_of_a_whole_vocabulary_cost_no_more_than_a_few_arrays() -> None:
    """They are added with every token, and all the sequences of a step wait meanwhile."""
    logits = _random_logits(1, 32_000)
    biases = [(token % 40_000, (token % 7) - 3.0) for token in range(64_000)]  # some twice, some behind the vocabulary

    def one_by_one() -> Logits:
        scores: Logits = logits.copy()
        for token, bias in biases:
            if token < len(scores):
                scores[token] += np.float32(bias)
        return scores

    ids, values = columns(biases)
    assert biased(logits, ids, values) == pytest.approx(one_by_one(), abs=1e-5)
    assert 5 * _least_s(lambda: biased(logits, ids, values)) < _least_s(one_by_one)


def _least_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(5):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times)
