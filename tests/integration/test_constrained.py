"""The embedded model's answers held to schemas, drawn wildly, and its probabilities beside transformers' own."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import torch

from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Prompt, Turn
from edgekit.phantom import Asked, draw
from edgekit.runtime import Completion, Constraint, SamplingParams
from edgekit.runtime.model import Model
from edgekit.serve.grammar import SchemaCompiler
from edgekit.serve.grammars import ANY_OBJECT
from tests.embedded_bundles import EmbeddedBundles
from tests.embedded_oracle import Oracle
from tests.schemas import ASKED

QUESTION = questions(1)[0]
SEEDS = range(6)
TOKENS = 8


@pytest.fixture(scope="module")
def model(embedded_as: EmbeddedBundles) -> Iterator[Model]:
    with Model.open(embedded_as("fp32").path, slots=4) as opened:
        yield opened


@pytest.fixture(scope="module")
def compiler(model: Model) -> SchemaCompiler:
    spec = model.bundle.manifest.spec
    return SchemaCompiler(model.tokenizer, spec.decoder.vocab, spec.stop_ids)


def _prompt(model: Model, asked: Asked) -> Prompt:
    return model.prompt([Turn(asked.question.text, images=(Picture.of(draw(asked.scene)),))])


def _answers(model: Model, constraints: list[Constraint | None]) -> list[Completion]:
    """Answers to one question, side by side, drawn at a temperature that writes nonsense."""
    prompt, generator = _prompt(model, QUESTION), model.generator
    sequences = [
        generator.submit(prompt, SamplingParams(temperature=1.5, max_tokens=80, seed=seed), constraint=constraint)
        for seed, constraint in enumerate(constraints)
    ]
    while generator.busy:
        generator.step()
    completions = [sequence.completion for sequence in sequences]
    assert all(completion is not None and completion.error is None for completion in completions)
    return [completion for completion in completions if completion is not None]


@pytest.mark.parametrize("name", ASKED)
def test_an_answer_is_what_its_schema_asks_for(name: str, model: Model, compiler: SchemaCompiler) -> None:
    grammar = compiler.compile(json.dumps(ASKED[name].schema))
    completions = _answers(model, [grammar.constraint() for _ in SEEDS])
    assert {completion.reason for completion in completions} == {"stop"}
    assert all(ASKED[name].holds(json.loads(completion.text)) for completion in completions)


def test_any_object_is_an_object_wherever_it_ends(model: Model, compiler: SchemaCompiler) -> None:
    grammar = compiler.compile(json.dumps(ANY_OBJECT))
    completions = _answers(model, [grammar.constraint() for _ in SEEDS])
    assert all(completion.text.startswith("{") for completion in completions)
    whole = [json.loads(completion.text) for completion in completions if completion.reason == "stop"]
    assert whole
    assert all(isinstance(value, dict) for value in whole)


def test_free_answers_beside_constrained_ones_are_what_they_are_alone(model: Model, compiler: SchemaCompiler) -> None:
    grammar = compiler.compile(json.dumps(ASKED["a finding"].schema))
    mixed = _answers(model, [grammar.constraint() if seed % 2 else None for seed in SEEDS])
    free = _answers(model, [None for _ in SEEDS])
    for seed in SEEDS:
        assert (mixed[seed].ids == free[seed].ids) == (seed % 2 == 0)


def test_probabilities_are_transformers(model: Model) -> None:
    forced = Oracle().forced(QUESTION, TOKENS)
    params = SamplingParams(max_tokens=TOKENS, logprobs=5)
    completion = next(model.generator.generate([_prompt(model, QUESTION)], params))
    assert list(completion.ids) == forced.tokens[: completion.tokens]
    expected = torch.from_numpy(forced.logits).double().log_softmax(-1)
    assert completion.tokens >= 1
    for at, (token, id) in enumerate(zip(completion.logprobs, completion.ids, strict=True)):
        assert token.logprob == pytest.approx(float(expected[at, id]), abs=1e-3)
        assert [other.logprob for other in token.top] == pytest.approx(expected[at].topk(5).values.tolist(), abs=1e-3)
    assert "".join(token.text for token in completion.logprobs) == completion.text
