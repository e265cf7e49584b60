"""Several callers at once, on the embedded model: each answer is the one given alone, to the last bit of its logits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from operator import attrgetter

import numpy as np
import pytest

from edgekit.bundle import Bundle
from edgekit.engines.base import Engine, Logits
from edgekit.engines.open import open_engine
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.phantom.draw import draw
from edgekit.runtime import Generator, SamplingParams, Sequence
from edgekit.runtime.model import Model, open_tokenizer, public_keys
from edgekit.runtime.sampling import Sampler
from tests.embedded_bundles import EmbeddedBundles

pytestmark = pytest.mark.parity

CALLERS = "abcd"
ROUNDS = 3


class _Noting:
    """A sampler that notes the logits it draws from."""

    def __init__(self, sampler: Sampler) -> None:
        self.rows: list[Logits] = []
        self._sampler = sampler

    def __getattr__(self, name: str) -> object:
        return getattr(self._sampler, name)

    def __call__(self, logits: Logits) -> int:
        self.rows.append(logits.copy())
        return self._sampler(logits)


def _noted(sequence: Sequence) -> _Noting:
    noting = _Noting(sequence.sampler)
    sequence.sampler = noting  # type: ignore[assignment]
    return noting


@pytest.fixture(scope="module", params=["q4", "q8"])
def bundle(request: pytest.FixtureRequest, embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as(request.param)


@pytest.fixture(scope="module")
def model(bundle: Bundle) -> Iterator[Model]:
    with Model.of(bundle, open_tokenizer(bundle), open_engine(bundle, 4)) as opened:
        yield opened


def _asked(model: Model) -> list[tuple[Prompt, SamplingParams]]:
    """Two questions about each of ten phantoms, and some without; each answer is drawn with a seed of its own."""
    prompts: list[Prompt] = []
    for number, (scene, group) in enumerate(groupby(questions(60), key=attrgetter("scene"))):
        picture, texts = Picture.of(draw(scene)), [asked.question.text for asked in group]
        prompts += [model.prompt([Turn(text, images=(picture,))]) for text in (texts[-1], texts[number % 5])]
        if number % 4 == 0:
            prompts.append(model.prompt([Turn(texts[0])]))
    return [(prompt, SamplingParams(max_tokens=24, temperature=1.5, seed=seed)) for seed, prompt in enumerate(prompts)]


def _alone(model: Model, engine: Engine, prompt: Prompt, params: SamplingParams) -> tuple[Sequence, list[Logits]]:
    return _answer(Generator(engine, model.tokenizer, model.bundle.manifest.spec), prompt, params)


def _answer(generator: Generator, prompt: Prompt, params: SamplingParams) -> tuple[Sequence, list[Logits]]:
    sequence = generator.submit(prompt, params)
    noting = _noted(sequence)
    while generator.busy:
        generator.step()
    return sequence, noting.rows


def _company(
    model: Model, asked: list[tuple[Prompt, SamplingParams]], random: np.random.Generator
) -> Iterator[tuple[int, Sequence, list[Logits]]]:
    """Ask all, by several callers of whom some leave and some are forgotten; who asked, and what came."""
    public = public_keys(model.bundle.manifest.spec, model.tokenizer)
    generator = Generator(model.engine, model.tokenizer, model.bundle.manifest.spec, public=public)
    visits: list[tuple[int, Sequence, _Noting]] = []
    leaving: dict[Sequence, int] = {}

    def step() -> None:
        for sequence in leaving:
            leaving[sequence] -= 1
            if leaving[sequence] == 0:
                generator.cancel(sequence)
        if random.random() < 0.03:
            generator.forget(str(random.choice([*CALLERS])))
        generator.step()

    for number in np.roll(np.arange(len(asked)), int(random.integers(len(asked)))).tolist():
        prompt, params = asked[number]
        caller, batch = str(random.choice([CALLERS[number // 4 % 4], *CALLERS])), bool(random.random() < 0.2)
        sequence = generator.submit(prompt, params, caller=caller, batch=batch)
        visits.append((int(number), sequence, _noted(sequence)))
        if random.random() < 0.4:
            leaving[sequence] = int(random.integers(1, 14))
        for _ in range(int(random.integers(0, 3))):
            step()
    while generator.busy:
        step()
    for number, sequence, noting in visits:
        yield number, sequence, noting.rows


def test_every_answer_is_the_one_given_alone_whoever_else_asks_and_leaves(model: Model) -> None:
    asked, random = _asked(model), np.random.default_rng(0)
    alone = [_alone(model, model.engine, prompt, params) for prompt, params in asked]
    reused, cancelled = 0, Counter[str]()
    for _ in range(ROUNDS):
        for number, sequence, rows in _company(model, asked, random):
            (single, expected), completion = alone[number], sequence.completion
            assert completion is not None
            assert single.completion is not None
            reused += completion.reused_tokens
            if completion.reason == "cancelled":
                cancelled["writing" if rows else "waiting or reading"] += 1
            else:
                assert (completion.ids, completion.reason) == (single.completion.ids, single.completion.reason)
                assert len(rows) == len(expected)
            for row, other in zip(rows, expected, strict=False):
                np.testing.assert_array_equal(row, other)
    assert min(cancelled["writing"], cancelled["waiting or reading"]) >= 3
    assert reused > 500
    distinct = {single.completion.ids for single, _ in alone if single.completion is not None}
    assert len(distinct) > len(asked) / 2, "an answer mixed up with its neighbour's would show"


def _conversation(
    model: Model, pictures: tuple[Picture, ...], texts: list[str], seed: int
) -> Iterator[tuple[Prompt, SamplingParams, Sequence, list[Logits]]]:
    """Ask one after another, each with all that was said before."""
    generator, turns = Generator(model.engine, model.tokenizer, model.bundle.manifest.spec), list[Turn]()
    for text in texts:
        turn = Turn(text, images=() if turns else pictures)
        prompt, params = model.prompt([*turns, turn]), SamplingParams(max_tokens=24, temperature=1.5, seed=seed)
        sequence, rows = _answer(generator, prompt, params)
        yield prompt, params, sequence, rows
        turns.append(replace(turn, answer=sequence.text))


def test_a_conversation_goes_on_as_if_all_of_it_were_read_afresh(model: Model) -> None:
    """To the last bit. Behind an answer that was decoded and not read again, a fifth of the logits would differ."""
    for number, (scene, group) in enumerate(groupby(questions(60), key=attrgetter("scene"))):
        texts = ["Describe the findings.", *(asked.question.text for asked in group)][:3]
        answers, read = [*_conversation(model, (Picture.of(draw(scene)),), texts, number)], 1
        for prompt, params, sequence, rows in answers:
            assert sequence.reused >= read - 1, "the prompt before, whose last token may join the answer's first"
            alone, expected = _alone(model, model.engine, prompt, params)
            assert sequence.ids == alone.ids
            np.testing.assert_array_equal(rows, expected)
            read = len(prompt)


def test_another_callers_picture_is_read_anew_and_ones_own_is_not(model: Model) -> None:
    (prompt, params), *_ = _asked(model)
    public = public_keys(model.bundle.manifest.spec, model.tokenizer)
    generator = Generator(model.engine, model.tokenizer, model.bundle.manifest.spec, public=public)

    def reused(caller: str) -> int:
        sequence = generator.submit(prompt, params, caller=caller)
        while generator.busy:
            generator.step()
        assert sequence.completion is not None
        return sequence.completion.reused_tokens

    assert 0 < len(public) < len(prompt) - 1
    assert [reused(caller) for caller in "abab"] == [0, len(public), len(prompt) - 1, len(prompt) - 1]
    generator.forget("a")
    assert [reused(caller) for caller in "ab"] == [len(public), len(prompt) - 1]


def test_a_single_slot_gives_the_same_tokens(model: Model) -> None:
    """Its one row decodes without company, so that last bits may differ; tokens drawn greedily do not."""
    engine = open_engine(model.bundle, 1)
    try:
        for prompt, _ in _asked(model)[:8]:
            greedy = SamplingParams(max_tokens=24)
            single, several = (_alone(model, each, prompt, greedy)[0].completion for each in (engine, model.engine))
            assert single is not None
            assert several is not None
            assert single.ids == several.ids
    finally:
        engine.close()
