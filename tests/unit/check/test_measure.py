"""The figures against their definitions on whole distributions."""

from __future__ import annotations

import numpy as np
import pytest

from edgekit.check.golden import Position
from edgekit.check.measure import (
    UNUSABLE,
    SequenceFigures,
    compare,
    divergence_of_kept,
    figures,
    gain,
    offset,
    relative_error,
)

VOCAB, KEPT = 40, 32


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def record(logits: np.ndarray, tokens: list[int], kept: int = KEPT) -> list[Position]:
    positions = []
    for row, token in zip(logits, tokens, strict=True):
        ids = np.argsort(-row)[:kept]
        top = tuple(float(value) for value in row[ids])
        total = float(np.log(np.exp(row).sum()))
        positions.append(Position(token, float(row[token]), tuple(map(int, ids)), top, total))
    return positions


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shares: np.ndarray = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    return shares


def test_divergence_is_that_of_the_whole_distribution_when_all_of_it_is_kept() -> None:
    reference, engine = normal(5, VOCAB), normal(5, VOCAB, seed=1)
    p, q = log_softmax(reference), log_softmax(engine)
    expected = (np.exp(p) * (p - q)).sum(-1)
    compared = compare(record(reference, [0] * 5, VOCAB), engine.astype(np.float32))
    np.testing.assert_allclose(compared.kl, expected, atol=1e-5)


def test_what_is_not_kept_counts_as_one_outcome() -> None:
    reference, engine = 3 * normal(5, VOCAB), 3 * normal(5, VOCAB, seed=1)
    p, q = np.exp(log_softmax(reference)), np.exp(log_softmax(engine))
    merged = []
    for a, b in zip(p, q, strict=True):
        ids = np.argsort(-a)[:KEPT]
        first, second = np.append(a[ids], 1 - a[ids].sum()), np.append(b[ids], 1 - b[ids].sum())
        merged.append((first * np.log(first / second)).sum())
    compared = compare(record(reference, [0] * 5), engine.astype(np.float32))
    np.testing.assert_allclose(compared.kl, merged, rtol=1e-4)
    assert (compared.kl <= (p * np.log(p / q)).sum(-1) + 1e-6).all()


def test_perplexity_is_of_the_answer_s_tokens() -> None:
    reference, engine = normal(4, VOCAB), normal(4, VOCAB, seed=1)
    tokens, at = [3, 1, 4, 1], np.arange(4)
    ratio = np.exp(log_softmax(reference)[at, tokens].mean() - log_softmax(engine)[at, tokens].mean())
    summed = figures([compare(record(reference, tokens), engine.astype(np.float32))])
    assert summed.perplexity_ratio == pytest.approx(ratio, rel=1e-5)


def test_first_choices() -> None:
    """Three positions: right and decided, wrong and decided, wrong and open."""
    reference = np.array([[2.0, 0, 0], [2.0, 0, 0], [0.4, 0, 0]])
    engine = np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]], np.float32)
    compared = compare(record(reference, [0, 1, 0], 3), engine)
    assert compared.top1.tolist() == [True, False, False]
    assert compared.decided.tolist() == [True, True, False]
    assert compared.same.tolist() == [True, True, False]
    summed = figures([compared, compared])
    assert summed.top1 == pytest.approx(1 / 3)
    assert (summed.top1_decided, summed.first_token) == (0.5, 1.0)
    assert (summed.sequences, summed.positions, summed.decided, summed.same_tokens) == (2, 6, 4, 0)


def test_the_same_logits_are_no_distance_away() -> None:
    logits = normal(6, VOCAB).astype(np.float32)
    tokens = [int(token) for token in logits.argmax(-1)]
    summed = figures([compare(record(logits.astype(np.float64), tokens), logits)])
    assert summed.kl == pytest.approx(0, abs=1e-6)
    assert summed.perplexity_ratio == pytest.approx(1)
    assert (summed.top1, summed.top1_decided, summed.same_tokens) == (1, 1, 1)


def test_numbers_that_are_none_are_far_away() -> None:
    bad = np.full((2, VOCAB), np.nan, np.float32)
    summed = figures([compare(record(normal(2, VOCAB), [0, 0]), bad)])
    assert (summed.kl, summed.perplexity_ratio) == (UNUSABLE, UNUSABLE)
    assert relative_error(bad, normal(2, VOCAB)) == UNUSABLE
    assert relative_error(normal(2, 3), normal(3, 2)) == UNUSABLE
    assert offset(bad, normal(2, VOCAB)) == UNUSABLE


def test_nothing_decided_is_nothing_wrong() -> None:
    none, nats = np.zeros(2, bool), np.zeros(2)
    summed = figures([SequenceFigures(top1=none, decided=none, same=none, kl=nats, nll=nats, reference_nll=nats)])
    assert summed.top1_decided == 1


def test_an_offset_is_what_rows_have_alike() -> None:
    rows, bias = normal(500, 8), np.arange(8.0)
    noisy = rows + 0.1 * normal(500, 8, seed=1)
    assert relative_error(noisy, rows) == pytest.approx(0.1, rel=0.1)
    assert offset(noisy, rows) < 0.01
    length = np.sqrt((rows**2).sum(-1).mean())
    assert offset(noisy + bias, rows) == pytest.approx(np.linalg.norm(bias) / length, rel=0.01)


def test_a_gain_is_what_noise_has_nothing_of() -> None:
    expected, noise = normal(40, 256), normal(40, 256, seed=1)
    assert gain(1.03 * expected, expected) == pytest.approx(0.03)
    assert gain(0.97 * expected + 0.05 * noise, expected) == pytest.approx(-0.03, abs=0.002)
    assert gain(expected[:1], expected) == gain(np.full_like(expected, np.nan), expected) == UNUSABLE


def test_divergence_of_equals_is_zero() -> None:
    p = log_softmax(normal(3, 10))[:, :4]
    np.testing.assert_allclose(divergence_of_kept(p, p), 0, atol=1e-12)
