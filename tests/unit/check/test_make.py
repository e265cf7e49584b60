"""How a record is made: what is asked, what a toy engine answers to it, and what the reference's word becomes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgekit.bundle import unsealed
from edgekit.check import make
from edgekit.check.forced import Reader
from edgekit.check.golden import PICTURE, read_golden
from edgekit.check.make import ALONE, KEPT_IDS, QUESTIONS, TOKENS, Answers, ask_engine, ids_of, make_golden, phantoms
from edgekit.check.reference import Script
from edgekit.checkpoint.packed import Array
from edgekit.checkpoint.shapes import tensor_shapes
from edgekit.engines.base import Logits
from edgekit.errors import ConfigError
from edgekit.inputs.examples import Example
from edgekit.inputs.images import Picture, load_image
from edgekit.quantize import quantize
from edgekit.recipe import recipe
from edgekit.runtime.embeddings import Embeddings
from tests.fake_engine import FakeEngine, byte_tokenizer, fake_spec, image_prompt
from tests.specs import manifest
from tests.unit.check.case import BUNDLE
from tests.unit.quantize.fakes import SPEC, Stored, checkpoint, normal

LONG = replace(BUNDLE, manifest=replace(BUNDLE.manifest, context=400))


class Engine(FakeEngine):
    """As many rows per picture as the toy's description says."""

    def encode(self, pixels: npt.NDArray[np.float32]) -> Array:
        return super().encode(pixels)[:, : fake_spec().tokens_per_image]


def examples(folder: Path, count: int, size: tuple[int, int] = (8, 6)) -> list[Example]:
    """Questions by turns about the first of two pictures, the second, and none."""
    for at in range(2):
        Image.new("RGB", size, (at * 90, 10, 10)).save(folder / f"{at}.png")
    return [Example(f"Is it {at}?", None if at % 3 == 2 else folder / f"{at % 3}.png", "no") for at in range(count)]


def test_two_questions_are_asked_of_each_phantom_and_every_second_one_is_wide() -> None:
    asked = phantoms(64, 8)
    assert asked == phantoms(64, 8), "every build asks the same"
    sizes = [question.picture.image.size for question in asked if question.picture]
    assert sizes == [(64, 64)] * 2 + [(64, 48)] * 2 + [(64, 64)] * 2 + [(64, 48)] * 2
    assert [question.picture for question in asked[::2]] == [question.picture for question in asked[1::2]]
    assert len({question.picture for question in asked}) == 4


def test_examples_are_taken_from_all_over_with_pictures_no_larger_than_the_model_s(tmp_path: Path) -> None:
    answers = ask_engine(LONG, byte_tokenizer(), Engine(context=400), examples(tmp_path, 24, (40, 20)))
    assert answers.questions == [f"Is it {at}?" for at in range(0, 24, 3)]
    assert len(answers.questions) == QUESTIONS
    (picture,) = answers.pictures
    assert picture.image.size == (4, 2), "its shape is kept"


def test_a_picture_is_kept_once_and_text_has_none(tmp_path: Path) -> None:
    answers = ask_engine(LONG, byte_tokenizer(), Engine(context=400), examples(tmp_path, 6))
    assert [script.picture for script in answers.scripts] == [0, 1, None, 0, 1, None]
    assert len(answers.pictures) == 2
    for script in answers.scripts:
        assert script.prompt.count(PICTURE) == (script.picture is not None)


def test_answers_are_those_that_the_engine_gives_each_alone(tmp_path: Path) -> None:
    answers = ask_engine(LONG, byte_tokenizer(), Engine(context=400), examples(tmp_path, 4))
    for script, question in zip(answers.scripts, answers.questions, strict=True):
        picture = None if script.picture is None else answers.pictures[script.picture]
        prompt = make.prompt_of(fake_spec(), byte_tokenizer(), question, picture)
        assert ids_of(prompt) == script.prompt
        alone = Engine(context=400)
        rows = Embeddings(alone).rows(prompt, 0, len(prompt))
        assert script.answer == Reader(alone).answer(rows, fake_spec().stop_ids, TOKENS)


def test_a_short_context_cuts_answers_and_leaves_questions_out(tmp_path: Path) -> None:
    asked = [Example(word * 8, None, None) for word in ("a", "bb", "ccc")]
    context = 18  # the prompt of 16 bytes leaves two tokens, and that of 24 none
    tight = replace(BUNDLE, manifest=replace(BUNDLE.manifest, context=context))
    answers = ask_engine(tight, byte_tokenizer(), Engine(context=context), asked)
    assert [len(script.prompt) for script in answers.scripts] == [8, 16]
    assert [len(script.answer) for script in answers.scripts] == [10, 2]
    with pytest.raises(ConfigError, match="context of 18 tokens"):
        ask_engine(tight, byte_tokenizer(), Engine(context=context), asked[2:])


def test_of_a_large_model_half_is_asked() -> None:
    spec = LONG.manifest.spec
    large = replace(LONG.manifest, spec=replace(spec, decoder=replace(spec.decoder, layers=2048)))  # times 16 wide
    answers = ask_engine(replace(LONG, manifest=large), byte_tokenizer(), Engine(context=400))
    assert len(answers.questions) == QUESTIONS // 2


def test_ids_have_a_mark_for_each_picture_whatever_its_rows() -> None:
    assert ids_of(image_prompt("a", 7, "b")) == (ord("a"), PICTURE, ord("b"))


@pytest.mark.parametrize("vocab", [10, KEPT_IDS, 32000])
def test_kept_ids_are_spread_over_the_vocabulary(vocab: int) -> None:
    ids = make._kept_ids(vocab)
    assert len(set(ids)) == len(ids) == min(vocab, KEPT_IDS)
    steps = np.diff([*ids, vocab])
    assert ids[0] == 0
    assert steps.min() >= vocab // len(ids) > 0
    assert steps.max() <= -(-vocab // len(ids))


def test_of_the_reference_s_word_the_highest_logits_and_the_sum_of_all_are_kept() -> None:
    logits: Logits = np.random.default_rng(0).normal(size=(2, 50)).astype(np.float32)
    for place, token, row in zip(make._positions((3, 7), logits), (3, 7), logits, strict=True):
        assert (place.token, place.ids) == (token, tuple(np.argsort(-row)[:32].tolist()))
        np.testing.assert_allclose(place.logits, np.sort(row)[::-1][:32], atol=1e-5)
        assert place.token_logit == pytest.approx(row[token], abs=1e-5)
        assert place.logsumexp == pytest.approx(np.log(np.exp(row).sum()), abs=1e-5)


SOURCE = checkpoint(**{name: Stored(normal(*shape)) for name, shape in tensor_shapes(SPEC).items()})
GREY, COLOUR = (Picture.of(Image.new("RGB", (20, 28), colour)) for colour in ((9, 9, 9), (9, 9, 10)))
SCRIPTS = [
    Script((5, PICTURE, 6), 0, (7, 8)),
    Script((5, PICTURE, 9), 1, (7,)),
    Script((5, PICTURE, 9), 0, (8,)),
    Script((5, PICTURE, 10), 0, (8,)),
]
ASKED = Answers(SCRIPTS, [f"{at}?" for at in range(len(SCRIPTS))], [GREY, COLOUR])


def test_what_is_made_is_sound_and_new_pictures_hold_the_pixels_alone(tmp_path: Path) -> None:
    by = recipe("q8")
    draft = unsealed(tmp_path, manifest(recipe=by))
    golden = make_golden(SOURCE, quantize(SOURCE, by), draft, ASKED)
    stored, arrays = read_golden(unsealed(tmp_path, manifest(recipe=by)))
    assert stored == golden
    assert (golden.reference, golden.alone) == ("unquantized", (0, 2)), "the first two about the first picture"
    assert len(golden.alone) == ALONE
    assert [sequence.answer for sequence in golden.sequences] == [script.answer for script in SCRIPTS]
    for name, picture, mode in zip(golden.pictures, (GREY, COLOUR), ("L", "RGB"), strict=True):
        assert load_image(tmp_path / name) == picture
        with Image.open(tmp_path / name) as file:
            assert (file.mode, file.info) == (mode, {})
    first = golden.sequences[0].positions[0]  # what stands in both files of one place
    kept = dict(zip(golden.kept_ids, arrays.reference.logits[0].tolist(), strict=True))
    for token, logit in zip(first.ids, first.logits, strict=True):
        if token in kept:
            assert kept[token] == pytest.approx(logit, rel=1e-3, abs=1e-3)
    assert np.abs(arrays.exact.rows.astype(float) - arrays.reference.rows).max() > 0, "by the quantized table"


def test_a_checkpoint_that_was_packed_before_is_its_own_reference(tmp_path: Path) -> None:
    packed = replace(SOURCE, tensors=quantize(SOURCE, recipe("q8")).tensors)
    golden = make_golden(packed, packed, unsealed(tmp_path, manifest()), replace(ASKED, pictures=[GREY, GREY]))
    assert golden.reference == "as stored"
