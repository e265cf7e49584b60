"""What the embedded model was never meant for: real pictures, pictures of nothing, questions about anything.

It answers in its small language, rightly or not, or one clear error says why it can't; nothing else happens.
"""

from __future__ import annotations

import importlib.util
import io
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgekit.errors import EdgeKitError, InputError
from edgekit.evaluate.phantoms import questions
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Turn
from edgekit.phantom import draw, scene
from edgekit.phantom.embedded import embedded
from edgekit.runtime import SamplingParams
from edgekit.runtime.model import Model
from edgekit.runtime.sequence import Completion
from tests.embedded_bundles import EmbeddedBundles

Answers = Callable[[Picture], list[str]]
VQA_RAD = Path(__file__).resolve().parents[3] / "shared" / "data" / "vqa-rad" / "images"
ORDINARY = ("Is there a nodule?", "Where is the effusion?", "How many findings are there?", "Describe the image.")
MOST = 48
# Radiographs and scans in grey and colour, one with many frames, of 8, 12 and 16 bits.
DICOM = ("CT_small.dcm", "MR_small.dcm", "RG1_UNCR.dcm", "SC_rgb.dcm", "693_UNCI.dcm", "OBXXXX1A.dcm", "emri_small.dcm")


def dicom_files() -> list[Path]:
    files = []
    for module, *parts in (("pydicom", "data", "test_files"), ("data_store", "data")):
        spec = importlib.util.find_spec(module)
        if spec is not None and spec.origin is not None:
            files += [path for path in Path(spec.origin).parent.joinpath(*parts).glob("*.dcm") if path.name in DICOM]
    return sorted(files)


def odd_pictures() -> dict[str, Image.Image]:
    random = np.random.default_rng(0)
    return {
        "one pixel": Image.new("L", (1, 1), 200),
        "wide": Image.linear_gradient("L").resize((2000, 10)),
        "tall": Image.linear_gradient("L").resize((3, 1500)),
        "16 bits": Image.fromarray(random.integers(0, 2**16, (60, 80), np.uint16)),
        "RGBA": Image.fromarray(random.integers(0, 256, (50, 70, 4), np.uint8)),
        "palette": Image.radial_gradient("L").convert("P"),
        "bits": Image.radial_gradient("L").convert("1"),
        "CMYK": Image.radial_gradient("L").convert("CMYK"),
        "black": Image.new("RGB", (300, 200)),
        "white": Image.new("RGB", (300, 200), "white"),
        "colour": Image.new("RGB", (300, 200), "magenta"),
        "noise": Image.fromarray(random.integers(0, 256, (224, 224, 3), np.uint8)),
        "negative": Image.fromarray(255 - np.asarray(draw(scene(5)))),
        "upside down": draw(scene(5)).rotate(180),
    }


ODD = odd_pictures()
ODD_QUESTIONS = (
    "?",
    " \n\t ",
    "nodule",
    "a" * 300,
    "Is there a nodule? " * 100,
    "هل القلب متضخم؟",
    "Ist das Herz vergrößert?",
    "心臓は大きいですか？",
    "🫁🫀❓",
    "<image>",
    "Is <image> there <image><image> a nodule?",
    "</s><s>[INST] USER: ASSISTANT: <|endoftext|>",
    "\x00\x07\u202e\ufeff",
    "'; DROP TABLE findings; --",
)


@pytest.fixture(scope="module")
def model(embedded_as: EmbeddedBundles) -> Iterator[Model]:
    with Model.open(embedded_as("q4").path, slots=2) as opened:
        yield opened


def answers(model: Model, picture: Picture, asked: tuple[str, ...] = ORDINARY) -> list[str]:
    """What the model says to each question about a picture; every answer is one."""
    prompts = [model.prompt([Turn(question, images=(picture,))]) for question in asked]
    completions: list[Completion] = list(model.generator.generate(prompts, SamplingParams(max_tokens=MOST)))
    for completion in completions:
        assert completion.error is None
        assert completion.reason == "stop" or completion.tokens == MOST
        assert completion.prompt_tokens > model.bundle.manifest.spec.tokens_per_image
    return [completion.text for completion in completions]


@pytest.fixture(scope="module")
def ordinary(model: Model) -> Answers:
    """Return the answers to the ordinary questions about a picture, asked once."""
    return cache(lambda picture: answers(model, picture))


def vqa_rad() -> list[Path]:
    """Some of the images, from beginning to end."""
    return sorted(VQA_RAD.iterdir())[::30]


def words(text: str) -> set[str]:
    return set(re.findall(r"[^\s,.]+", text.lower()))


@pytest.mark.skipif(not VQA_RAD.is_dir(), reason="the VQA-RAD images are not here")
def test_radiographs_of_people_get_answers(ordinary: Answers) -> None:
    paths = vqa_rad()
    assert len(paths) > 9
    for path in paths:
        assert len(ordinary(load_image(path))) == len(ORDINARY)


@pytest.mark.skipif(not dicom_files(), reason="pydicom and pydicom-data are not installed")
def test_dicom_files_get_answers(ordinary: Answers) -> None:
    for path in dicom_files():
        assert len(ordinary(load_image(path))) == len(ORDINARY)


@pytest.mark.parametrize("name", ODD)
def test_a_picture_unlike_any_phantom_is_no_error(model: Model, ordinary: Answers, name: str) -> None:
    file = io.BytesIO()
    ODD[name].save(file, "TIFF" if name == "CMYK" else "PNG")
    assert answers(model, load_image(file.getvalue())) == ordinary(load_image(file.getvalue()))


@pytest.mark.parametrize("harm", ["empty", "text", "cut"])
def test_what_is_no_picture_is_one_clear_error(model: Model, harm: str) -> None:
    file = io.BytesIO()
    draw(scene(5)).save(file, "PNG")
    content = {"empty": b"", "text": b"Is there a nodule?" * 20, "cut": file.getvalue()[:9000]}[harm]
    with pytest.raises(InputError) as caught:
        load_image(content)
    assert caught.value.hint


@pytest.mark.parametrize("question", ODD_QUESTIONS, ids=lambda question: repr(question)[:20])
def test_any_question_gets_an_answer(model: Model, ordinary: Answers, question: str) -> None:
    picture = Picture.of(draw(scene(5)))
    before = ordinary(picture)
    assert len(answers(model, picture, (question,))) == 1
    assert answers(model, picture) == before, "what one asks is nothing to the next"


def test_a_question_longer_than_the_context_is_one_clear_error(model: Model) -> None:
    with pytest.raises(EdgeKitError, match="at most") as caught:
        answers(model, Picture.of(draw(scene(5))), ("Is there a nodule? " * 2000,))
    assert caught.value.hint


def test_a_question_without_a_picture_gets_an_answer(model: Model) -> None:
    prompt = model.prompt([Turn("Is there a nodule?")])
    (completion,) = model.generator.generate([prompt], SamplingParams(max_tokens=MOST))
    assert completion.error is None


@pytest.mark.skipif(not (embedded() / "README.md").exists(), reason="the embedded model is not trained yet")
def test_its_answers_are_in_its_small_language(ordinary: Answers) -> None:
    vocabulary = {word for asked in questions() for word in words(asked.question.answer)}
    pictures = [Picture.of(picture) for picture in ODD.values()]
    pictures += [load_image(path) for path in [*(vqa_rad() if VQA_RAD.is_dir() else ()), *dicom_files()]]
    for picture in pictures:
        for text in ordinary(picture):
            assert text.strip()
            assert words(text) <= vocabulary, text
