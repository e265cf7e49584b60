"""The runtime on real graphs: a request's answer is the same to the last token, whoever else is asking."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from tokenizers import Tokenizer

from edgekit.bundle import Bundle, open_bundle
from edgekit.engines.open import open_engine
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import ImagePiece, Prompt, TextPiece
from edgekit.pipeline import build
from edgekit.recipe import recipe
from edgekit.runtime import Completion, Generator, SamplingParams, Sequence
from edgekit.target import target
from tests.checkpoints import write_checkpoint
from tests.fake_engine import byte_tokenizer

pytestmark = pytest.mark.parity

TARGET = replace(target("cpu"), context=320, slots=4)
PARAMS = SamplingParams(max_tokens=12, temperature=1.0, top_p=0.95, seed=3)
TOKENIZER: Tokenizer = byte_tokenizer()


@pytest.fixture(scope="module", params=["q4", "q8"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("runtime")
    write_checkpoint(folder / "checkpoint", "hf", "llama", "clip")
    return open_bundle(build(folder / "checkpoint", TARGET, recipe(request.param), folder / "bundle").bundle.path)


@pytest.fixture
def generator(bundle: Bundle) -> Iterator[Generator]:
    engine = open_engine(bundle, slots=4)
    yield Generator(engine, TOKENIZER, bundle.manifest.spec)
    engine.close()


def ids(count: int, seed: int) -> tuple[int, ...]:
    return tuple(int(token) for token in np.random.default_rng(seed).integers(5, 150, count))


def prompts(bundle: Bundle) -> list[Prompt]:
    """Long and short, even and odd, two of them on one image."""
    spec = bundle.manifest.spec
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3)).astype(np.uint8)
    image = ImagePiece(Picture(Image.fromarray(pixels), "noise"), spec.image, spec.tokens_per_image)
    on_image = [Prompt((TextPiece(ids(7, 0)), image, TextPiece(ids(length, length)))) for length in (9, 12)]
    return [*on_image, *(Prompt((TextPiece(ids(length, length)),)) for length in (1, 2, 21, 129, 300, 64))]


def answer(bundle: Bundle, prompt: Prompt) -> Completion:
    engine = open_engine(bundle, slots=4)
    completion = next(Generator(engine, TOKENIZER, bundle.manifest.spec).generate([prompt], PARAMS))
    engine.close()
    return completion


def test_answers_are_those_given_alone(bundle: Bundle, generator: Generator) -> None:
    asked = prompts(bundle)
    together = list(generator.generate(asked, PARAMS))
    again = list(generator.generate(reversed(asked), PARAMS))[::-1]  # from whatever the slots hold by now
    for prompt, first, second in zip(asked, together, again, strict=True):
        alone = answer(bundle, prompt)
        assert first.ids == second.ids == alone.ids
        assert alone.error is None
    assert together[1].reused_tokens >= 7


def test_joining_and_leaving_changes_no_answer(bundle: Bundle, generator: Generator) -> None:
    asked = prompts(bundle)
    sequences: list[Sequence] = []
    for prompt in asked:
        sequences.append(generator.submit(prompt, PARAMS))
        generator.step()
        generator.step()
        if len(sequences) == 4:
            generator.cancel(sequences[2])
    while generator.busy:
        generator.step()
    for index, (prompt, sequence) in enumerate(zip(asked, sequences, strict=True)):
        assert sequence.completion is not None
        if index != 2:
            assert sequence.completion.ids == answer(bundle, prompt).ids
