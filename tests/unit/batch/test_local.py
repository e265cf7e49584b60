"""A list asked of a toy model: each row's own answer, whatever its neighbours come to."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PIL import Image

from edgekit.batch.local import Local
from edgekit.batch.rows import Row
from edgekit.errors import EngineError
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import ImagePiece, Prompt, TextPiece, Turn
from edgekit.runtime import Generator, SamplingParams
from edgekit.runtime.model import Model
from tests.fake_engine import IMAGE, IMAGE_ROWS, FakeEngine, byte_tokenizer, fake_spec

PARAMS = SamplingParams(max_tokens=4, temperature=1.0, seed=3)


class Toy:
    """Stands for an open bundle, with what a list needs of it."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.generator = Generator(self.engine, byte_tokenizer(), fake_spec())
        manifest = SimpleNamespace(source="toy", spec=SimpleNamespace(image=IMAGE))
        self.bundle = SimpleNamespace(manifest=manifest)
        self.fingerprint = "edgekit-0123456789abcdef"

    def prompt(self, turns: Sequence[Turn]) -> Prompt:
        (turn,) = turns
        images = [ImagePiece(picture, IMAGE, IMAGE_ROWS) for picture in turn.images]
        return Prompt((*images, TextPiece(tuple(turn.question.encode()))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, shade in (("a.png", 10), ("b.png", 200)):
        Image.new("L", (6, 6), shade).save(tmp_path / name)
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return tmp_path


def asked(folder: Path, *rows: tuple[str, tuple[str, ...]]) -> dict[Any, Any]:
    local = Local(cast(Model, Toy()))
    rows_ = [Row(number, question, images, folder) for number, (question, images) in enumerate(rows)]
    return {row.id: answer for row, answer in local.answers(rows_, PARAMS)}


def test_each_row_has_the_answer_that_it_has_alone(folder: Path) -> None:
    rows = [
        ("Why?", ("a.png",)),
        ("Who?", ("a.png",)),
        ("Why?", ("b.png",)),
        ("Why?", ()),
        ("Why?", ("b.png", "a.png")),
    ]
    together = asked(folder, *rows)
    assert together == {number: asked(folder, row)[0] for number, row in enumerate(rows)}
    assert len({answer.text for answer in together.values()}) == len(rows)
    assert together[4].sha256 == tuple(
        hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("b.png", "a.png")
    )
    assert {(answer.tokens, answer.reason, answer.seed, answer.error) for answer in together.values()} == {
        (4, "length", 3, None)
    }


def test_what_cannot_be_asked_is_that_row_s_loss(folder: Path) -> None:
    rows = [("Why?", ("lost.png",)), ("Why?", ("damaged.png",)), ("Why?", ("a.png",)), ("x" * 96, ("a.png",))]
    answers = asked(folder, *rows)
    assert answers[0].error.startswith("There is no file lost.png. ")
    assert answers[1].error.startswith("damaged.png is a PNG")
    assert len(answers[1].sha256) == len(answers[3].sha256) == 1
    assert answers[2] == asked(folder, rows[2])[0]
    assert "The prompt is 105 tokens long" in answers[3].error


def test_how_sure_an_answer_is_is_told_where_it_was_asked_for(folder: Path) -> None:
    row = Row("1", "Is it?", ("a.png",), folder)
    (_, plain), (_, sure) = (
        next(Local(cast(Model, Toy())).answers([row], replace(PARAMS, logprobs=count))) for count in (None, 20)
    )
    assert plain.confidence is None
    assert sure.confidence is not None
    assert 0 < sure.confidence.score < 1
    assert replace(sure, confidence=None) == plain


def test_a_list_of_nothing_but_losses_comes_to_its_end(folder: Path) -> None:
    assert len(asked(folder, *[("Why?", ("lost.png",))] * 20)) == 20


def test_what_fails_in_the_engine_is_that_row_s_loss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = FakeEngine.encode

    def fail(self: FakeEngine, pixels: Any) -> Any:
        if pixels.mean() > 0:
            raise EngineError("Too bright", "Look away.")
        return encode(self, pixels)

    monkeypatch.setattr(FakeEngine, "encode", fail)
    answers = asked(folder, ("Why?", ("b.png",)), ("Why?", ("a.png",)))
    assert (answers[0].error, answers[1].error) == ("Too bright. Look away.", None)


def test_neighbours_pictures_are_read_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []

    def load(path: Path) -> Any:
        loaded.append(path)
        return load_image(path)

    monkeypatch.setattr("edgekit.batch.pictures.load_image", load)
    asked(folder, ("Why?", ("a.png",)), ("Who?", ("a.png",)), ("Why?", ("b.png",)))
    assert loaded == [folder / "a.png", folder / "b.png"]


def test_a_damaged_picture_is_read_once_for_all_that_ask_about_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(path: Path) -> Any:
        loaded.append(path.name)
        return load_image(path)

    monkeypatch.setattr("edgekit.batch.pictures.load_image", load)
    answers = asked(folder, *[(f"Why {number}?", ("damaged.png",)) for number in range(3)], ("Why?", ("a.png",)))
    assert loaded == ["damaged.png", "a.png"]
    assert len({answers[number].error for number in range(3)}) == 1
    assert answers[3].text


def test_a_list_that_nobody_wants_to_its_end_leaves_no_thread(folder: Path) -> None:
    answers = Local(cast(Model, Toy())).answers([Row(n, "Why?", (f"{n}.png",), folder) for n in range(9)], PARAMS)
    next(answers)
    answers.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("edgekit-ahead")]


def test_it_says_which_bundle_answers() -> None:
    local = Local(cast(Model, Toy()))
    assert (local.model, local.fingerprint) == ("toy", "edgekit-0123456789abcdef")
