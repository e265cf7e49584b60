"""A conversation at the terminal: questions in, answers out as they come, until the end of input."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from edgekit.confidence.of_model import ModelConfidence, sentences
from edgekit.confidence.record import Verdict
from edgekit.console import Console
from edgekit.errors import EdgeKitError
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Turn
from edgekit.runtime import Completion, Finished, SamplingParams
from edgekit.runtime.model import Model

HELP = "/image FILE lays a picture before the next question, /new begins a new conversation, Ctrl-D ends."


def lay(console: Console, path: Path) -> Picture:
    """Load a picture for the next question; what was left out or done to draw it is said first."""
    picture = load_image(path)
    for line in notes(path, picture):
        console.note(line)
    return picture


def notes(path: Path, picture: Picture) -> list[str]:
    """Return what the picture's reader has to say, with the file's name."""
    return [f"{path.name}: {note}" for note in picture.notes]


@dataclass(frozen=True)
class Spoken:
    """An answer, and what the bundle's record says of it (None: there is none)."""

    completion: Completion
    verdict: Verdict | None

    def document(self, notes: Iterable[str]) -> dict[str, Any]:
        """Return both as JSON has them; ``notes`` are what the readers of its pictures said."""
        document = self.completion.document([*notes, *sentences(self.verdict)])
        return document if self.verdict is None else document | {"confidence": self.verdict.document()}


class Chat:
    """The turns so far, and the pictures that wait for the next question."""

    def __init__(
        self,
        console: Console,
        model: Model,
        params: SamplingParams,
        pictures: tuple[Picture, ...],
        confidence: ModelConfidence | None = None,
    ) -> None:
        self._console, self._model = console, model
        self._params = params if confidence is None else confidence.params(params)
        self._confidence = confidence
        self._pictures = pictures
        self._turns: list[Turn] = []

    def ask(self, question: str) -> Spoken:
        """Write the answer as it comes, then what is to be known of it.

        A question that fails, or is interrupted, is no part of the conversation.
        """
        turns = [*self._turns, Turn(question, images=self._pictures)]
        completion = None
        try:
            for event in self._model.stream(turns, self._params):
                if isinstance(event, Finished):
                    completion = event.completion
                else:
                    self._console.print(event.text, end="")
        finally:
            self._console.print()
        assert completion is not None, "a stream ends with its completion"
        if completion.reason == "length":
            self._console.note(f"(Cut off after {completion.tokens} tokens: --max-tokens, or the context is full.)")
        verdict = None if self._confidence is None else self._confidence.verdict(question, completion)
        for sentence in sentences(verdict):
            self._console.note(sentence)
        self._pictures = ()
        self._turns = [*turns[:-1], replace(turns[-1], answer=completion.text)]
        return Spoken(completion, verdict)

    def go_on(self) -> None:
        """Read lines until the end of input. Errors, and Ctrl-C in an answer, end that answer only."""
        if sys.stdin.isatty():
            with suppress(ImportError):
                import readline  # noqa: F401  (arrow keys and a history, for input())
            self._console.note(f"Ask away. {HELP}")
        while (line := _read_line()) is not None:
            self._try(line)

    def _try(self, line: str) -> None:
        try:
            self._take(line)
        except EdgeKitError as error:
            self._console.error(error)
            if "context" in error.hint:
                self._console.note("/new begins a new conversation.")
        except KeyboardInterrupt:
            if not sys.stdin.isatty():
                raise
            self._console.note("Interrupted; this question is forgotten.")

    def _take(self, line: str) -> None:
        command, _, rest = line.partition(" ")
        if command == "/image" and rest.strip():
            path = Path(rest.strip())
            self._pictures = (*self._pictures, lay(self._console, path))
            self._console.note(f"{path.name} stands before the next question.")
        elif command == "/new":
            self._turns, self._pictures = [], ()
            self._console.note("A new conversation.")
        elif line.startswith("/"):
            self._console.note(HELP)
        elif line:
            self.ask(line)


def _read_line() -> str | None:
    """The next line without blanks around it; None at the end of input."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        return line.strip() if line else None
    try:
        return input("> ").strip()
    except EOFError:
        click.echo(err=True)
        return None
