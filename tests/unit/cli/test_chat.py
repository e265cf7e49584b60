"""A conversation with a model that gives the answers it is told to: what is remembered, laid before, and forgotten."""

from __future__ import annotations

import builtins
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from PIL import Image

from edgekit.cli.chat import HELP, Chat, lay, notes
from edgekit.confidence.of_model import ModelConfidence
from edgekit.console import Console
from edgekit.errors import EdgeKitError, InputError
from edgekit.inputs.images import Picture
from edgekit.inputs.prompt import Turn
from edgekit.runtime import Completion, Event, Finished, SamplingParams, TextDelta
from edgekit.runtime.sequence import Reason
from tests.confidence_records import RECORD

Capture = pytest.CaptureFixture[str]
GREY = Picture.of(Image.new("L", (4, 4), 7))


class Answering:
    """A model's answers in their order: text, that comes in two pieces; or an error, after the first piece."""

    def __init__(self, *answers: str | BaseException, reason: Reason = "stop") -> None:
        self.asked: list[list[Turn]] = []
        self._answers, self._reason = list(answers), reason

    def stream(self, turns: Sequence[Turn], params: SamplingParams) -> Iterator[Event]:
        self.asked.append(list(turns))
        answer = self._answers.pop(0)
        sequence = cast("Any", None)
        yield TextDelta(sequence, "wel")
        if isinstance(answer, BaseException):
            raise answer
        yield TextDelta(sequence, "l")
        completion = Completion(
            text=answer,
            ids=(1, 2),
            reason=self._reason,
            prompt_tokens=3,
            reused_tokens=0,
            first_token_ms=1.0,
            tokens_per_s=1.0,
            seed=0,
        )
        yield Finished(sequence, completion)


def chat(model: Answering, *pictures: Picture) -> Chat:
    return Chat(Console(), cast("Any", model), SamplingParams(), pictures)


def type_lines(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    Image.new("L", (4, 4), 9).save(tmp_path / "a picture.png")
    return tmp_path / "a picture.png"


def test_an_answer_is_written_as_it_comes_and_remembered_with_its_pictures(capsys: Capture) -> None:
    model = Answering("first", "second")
    talk = chat(model, GREY)
    assert talk.ask("one?").completion.text == "first"
    talk.ask("two?")
    assert capsys.readouterr() == ("well\nwell\n", "")
    assert model.asked == [
        [Turn("one?", images=(GREY,))],
        [Turn("one?", "first", (GREY,)), Turn("two?")],
    ]


@pytest.mark.parametrize("error", [EdgeKitError("no room"), KeyboardInterrupt()])
def test_a_question_that_fails_is_forgotten_and_its_pictures_wait(error: BaseException, capsys: Capture) -> None:
    model = Answering(error, "second")
    talk = chat(model, GREY)
    with pytest.raises(type(error)):
        talk.ask("one?")
    assert capsys.readouterr().out == "wel\n", "what is said of it begins a line of its own"
    talk.ask("two?")
    assert model.asked[1] == [Turn("two?", images=(GREY,))]


def test_an_answer_that_was_cut_is_told(capsys: Capture) -> None:
    chat(Answering("long", reason="length")).ask("one?")
    assert "(Cut off after 2 tokens: --max-tokens, or the context is full.)" in capsys.readouterr().err


def test_lines_are_questions_pictures_and_a_new_beginning(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    model = Answering("first", "second", "third")
    type_lines(monkeypatch, "one?", "", "  two?  ", f"/image {picture}", "/new", f"/image {picture}", "three?")
    chat(model).go_on()
    assert model.asked[0] == [Turn("one?")]
    assert model.asked[1] == [Turn("one?", "first"), Turn("two?")]
    ((third,),) = model.asked[2:]
    assert (third.question, len(third.images)) == ("three?", 1), "the first picture went with the old conversation"
    err = capsys.readouterr().err
    assert err.count("a picture.png stands before the next question.") == 2
    assert "A new conversation." in err


@pytest.mark.parametrize("line", ["/image", "/help", "/", "/imagine"])
def test_other_commands_get_the_list_of_them(line: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    type_lines(monkeypatch, line)
    chat(Answering()).go_on()
    assert capsys.readouterr().err == f"{HELP}\n"


@pytest.mark.parametrize(("hint", "is_about_it"), [("Ask less, or give a longer context.", True), ("Copy it.", False)])
def test_an_error_ends_its_question_alone_and_a_full_context_has_a_way_out(
    hint: str, is_about_it: bool, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    model = Answering(InputError("too long", hint), "second")
    type_lines(monkeypatch, "one?", "/image nowhere.png", "two?")
    chat(model).go_on()
    err = capsys.readouterr().err
    assert err.count("Error: ") == 2
    assert ("/new begins" in err) == is_about_it
    assert model.asked[1] == [Turn("two?")]


def test_ctrl_c_ends_an_answer_at_a_terminal_and_the_command_elsewhere(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    lines = iter(["one?", "two?"])

    def typed(prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    model = Answering(KeyboardInterrupt(), "second")
    monkeypatch.setitem(sys.modules, "readline", None)  # it would listen to the real terminal
    monkeypatch.setattr(builtins, "input", typed)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    chat(model).go_on()
    err = capsys.readouterr().err
    assert err.startswith(f"Ask away. {HELP}\n")
    assert "Interrupted; this question is forgotten." in err
    assert model.asked[1] == [Turn("two?")]
    type_lines(monkeypatch, "one?")
    with pytest.raises(KeyboardInterrupt):
        chat(Answering(KeyboardInterrupt())).go_on()


def test_what_a_picture_s_reader_did_is_said_with_the_file_s_name(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    noted, path = replace(GREY, notes=("Two frames.", "Stretched.")), Path("a folder/deep.dcm")
    monkeypatch.setattr("edgekit.cli.chat.load_image", lambda source: noted)
    assert lay(Console(json=True), path) is noted
    assert notes(path, noted) == ["deep.dcm: Two frames.", "deep.dcm: Stretched."]
    assert capsys.readouterr().err.splitlines() == notes(path, noted)


def test_what_speaks_against_an_answer_is_said_after_it_and_in_json(capsys: Capture) -> None:
    talk = Chat(Console(), cast("Any", Answering("first")), SamplingParams(), (), ModelConfidence(RECORD))
    spoken = talk.ask("one?")
    printed = capsys.readouterr()
    assert printed.out == "well\n"
    document = spoken.document(["A note."])
    assert document["confidence"]["low"] is None  # a stand-in tells no probabilities
    assert document["notes"] == ["A note."]
    unlike = replace(spoken, verdict=replace(spoken.verdict, unlike=True)) if spoken.verdict else spoken
    assert unlike.document([])["notes"][0].startswith("The picture is unlike those")
