"""``edgekit ask``: options that reach the sampling, pictures that reach the question, and what can't be asked."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgekit.cli.main import main
from edgekit.confidence.of_model import ModelConfidence
from edgekit.inputs.images import Picture
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.model import Model

Capture = pytest.CaptureFixture[str]
COMPLETION = Completion(
    text="No.",
    ids=(1, 2),
    reason="stop",
    prompt_tokens=7,
    reused_tokens=0,
    first_token_ms=12.34,
    tokens_per_s=56.789,
    seed=0,
)


@pytest.fixture
def talks(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Everything that was said to a model: opened, begun, asked, gone on."""
    said: list[Any] = []

    class Talk:
        def __init__(
            self, console: object, model: object, params: SamplingParams, pictures: tuple[Any, ...], confidence: None
        ) -> None:
            said.append((params, len(pictures)))

        def ask(self, question: str) -> Completion:
            said.append(question)
            return COMPLETION

        def go_on(self) -> None:
            said.append("more")

    def opened(path: Path, slots: int) -> object:
        said.append((path, slots))
        return nullcontext()

    monkeypatch.setattr("edgekit.cli.chat.Chat", Talk)
    monkeypatch.setattr(Model, "open", opened)
    monkeypatch.setattr(ModelConfidence, "of", lambda model: None)
    return said


def test_every_option_is_the_sampling_s_and_one_slot_is_enough(talks: list[Any]) -> None:
    options = "--max-tokens 9 --temperature 0.7 --top-p 0.8 --top-k 5 --min-p 0.1 --repetition-penalty 1.2 --seed 3"
    assert main(["ask", "b", "Why?", *options.split(), "--stop", "x", "--stop", "y"]) == 0
    params = SamplingParams(
        max_tokens=9,
        temperature=0.7,
        top_p=0.8,
        top_k=5,
        min_p=0.1,
        repetition_penalty=1.2,
        seed=3,
        stop=("x", "y"),
    )
    assert talks == [(Path("b"), 1), (params, 0), "Why?"]


def test_without_options_the_likeliest_token_is_taken(talks: list[Any]) -> None:
    assert main(["ask", "b", "Why?"]) == 0
    assert talks[1] == (SamplingParams(max_tokens=256), 0)


def test_a_chat_goes_on_after_a_question_or_without_one(talks: list[Any]) -> None:
    assert main(["ask", "b", "Why?", "--chat"]) == 0
    assert talks[2:] == ["Why?", "more"]
    assert main(["ask", "b", "--chat"]) == 0
    assert talks[6:] == ["more"]
    assert main(["ask", "b", " ", "--chat"]) == 0
    assert talks[-1] == "more"
    assert " " not in talks


def test_json_has_the_answer_and_what_was_said_of_its_pictures(
    talks: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    noted = replace(Picture.of(Image.new("L", (4, 4))), notes=("Stretched.",))
    monkeypatch.setattr("edgekit.cli.chat.load_image", lambda source: noted)
    assert main(["ask", "b", "Why?", "--image", "one.dcm", "--image", "two.dcm", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["text"], document["tokens"], document["prompt_tokens"]) == ("No.", 2, 7)
    assert (document["first_token_ms"], document["tokens_per_s"]) == (12.3, 56.79)
    assert document["notes"] == ["one.dcm: Stretched.", "two.dcm: Stretched."]
    assert talks[1][1] == 2


@pytest.mark.parametrize("arguments", [[], [" "], ["Why?", "--chat", "--json"], ["Why?", "--max-tokens", "0"]])
def test_what_cannot_be_asked_is_wrong_usage_before_anything_is_opened(arguments: list[str], talks: list[Any]) -> None:
    assert main(["ask", "b", *arguments]) == 2
    assert not talks


def test_a_picture_that_is_not_there_is_told_before_the_model_is_opened(talks: list[Any], capsys: Capture) -> None:
    assert main(["ask", "b", "Why?", "--image", "nowhere.png"]) == 1
    assert "nowhere.png" in capsys.readouterr().err
    assert not talks
