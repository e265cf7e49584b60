"""A template is taken apart in a process of its own, and what is said where that is ended."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from edgekit import child
from edgekit.checkpoint.chat import pieces as taken
from edgekit.checkpoint.chat.pieces import pieces, pieces_apart
from edgekit.checkpoint.chat.render import Program
from edgekit.errors import CheckpointError

PLAIN = (
    "{{ bos_token }}{% for m in messages %}{{ m.role + ': ' + m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def program(source: str) -> Program:
    return Program(source, "The chat template of here", {"bos_token": "<s>"})


def test_the_pieces_are_the_same_from_another_process() -> None:
    assert pieces_apart(program(PLAIN)) == pieces(program(PLAIN))


@pytest.mark.parametrize("source", ["{{ raise_exception('as it\nwants') }}", "{% for m in %}", "{{ messages | last }}"])
def test_an_error_is_the_same_from_another_process(source: str) -> None:
    with pytest.raises(CheckpointError) as here:
        pieces(program(source))
    with pytest.raises(CheckpointError) as there:
        pieces_apart(program(source))
    assert (there.value.message, there.value.hint) == (here.value.message, here.value.hint)


@pytest.mark.parametrize("name", ["SIGXCPU", "SIGKILL"])
def test_a_process_that_was_ended_is_a_template_that_takes_too_much(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    script = f"import os, signal; os.kill(os.getpid(), signal.{name})"
    monkeypatch.setattr(taken, "python", lambda *_: [sys.executable, "-c", script])
    with pytest.raises(CheckpointError, match="of here takes too much time or memory"):
        pieces_apart(program(PLAIN))


def test_what_takes_too_much_with_a_system_text_alone_is_read_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def command(module: str, *arguments: str) -> list[str]:
        """The first is ended, as by its limit; the second is as it is."""
        ended = [sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"]
        return child.python(module, *arguments) if "plain" in arguments else ended

    monkeypatch.setattr(taken, "python", command)
    template = pieces_apart(program(PLAIN))
    assert template.system_refused == "takes too much time or memory for a short conversation"
    assert template == replace(pieces(program(PLAIN), system=False), system_refused=template.system_refused)
