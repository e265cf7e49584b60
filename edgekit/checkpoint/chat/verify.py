"""Whether the derived pieces write what the template writes, on conversations that differ in what templates look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgekit.checkpoint.chat.render import Content, Program
from edgekit.checkpoint.chat.write import IMAGE, Spoken, write
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError

_TEXTS = (
    "Is the heart enlarged?",
    " a  b ",
    "\n\nIs it\n\nnormal?\n",
    "\ta\u00a0",
    "{x} {} {0} {{ y }} {% z %}",
    '<b>&amp;</b> "it\'s" \\n [1] <<2>>',
    "Größe? 影像 🫁",
    " ",
    "12",
    "x" * 300,
    "word " * 2000,
)
_LONG = 20  # turns
_LONGEST_CONSTANT = 100
_SHOWN = 60
_SYSTEM = "You are a careful radiologist."
_MARK = re.compile(r"(?=.*[^\w\s]).{4,}", re.DOTALL)  # what people would not miss a blank in, unlike "?" or "image"


def verified(program: Program, content: Content, template: TemplateSpec) -> TemplateSpec:
    """Return ``template`` with the words that it keeps for itself;
    :class:`CheckpointError` where it writes another text.
    """
    for turns in _conversations():
        _compare(program, content, template, turns)
    reserved = []
    for constant in _tried(program):
        for turns in _answering(constant):
            _compare(program, content, template, turns, f", where an answer holds {constant!r}")
        if _MARK.fullmatch(constant) and any(
            _differs(program, content, template, turns) for turns in _asking(constant)
        ):
            reserved.append(constant)
            continue
        for turns in _asking(constant):
            _compare(program, content, template, turns, f", where a question holds {constant!r}")
    return replace(template, reserved=tuple(reserved))


def verified_system(program: Program, content: Content, template: TemplateSpec) -> TemplateSpec:
    """Do what :func:`verified` does for conversations that begin with a system text,
    which ``template`` has a place for.
    """
    for turns in _conversations():
        _compare(program, content, template, turns, ", behind a system text", _SYSTEM)
    for text in filter(str.strip, _TEXTS):
        for turns in _answering(text):
            _compare(program, content, template, turns, ", behind a system text", text)
    reserved = []
    for constant in _tried(program):
        if constant in template.reserved:
            continue
        systems = [(_SYSTEM, turns) for turns in _asking(constant)]
        systems += [(text, [Spoken("Why?", None, images)]) for text in _around(constant) for images in (0, 1)]
        if _MARK.fullmatch(constant) and any(
            _differs(program, content, template, turns, system) for system, turns in systems
        ):
            reserved.append(constant)
            continue
        for system, turns in systems:
            _compare(program, content, template, turns, f", where {constant!r} goes with a system text", system)
    return replace(template, system_reserved=tuple(reserved))


def _tried(program: Program) -> list[str]:
    return [text for text in program.constants if text.strip() and len(text) <= _LONGEST_CONSTANT and IMAGE not in text]


def _conversations() -> Iterator[list[Spoken]]:
    """1, 2 and 3 turns, with pictures here and there, and many; then every text as a question and as an answer."""
    for pictures in ((0, 0, 0), (1, 0, 0), (2, 0, 0), (0, 1, 0), (0, 0, 2), (1, 1, 1)):
        turns = [Spoken(f"Question {at}?", f"Answer {at}.", count) for at, count in enumerate(pictures)]
        for length in (1, 2, 3):
            yield [*turns[: length - 1], turns[length - 1]._replace(answer=None)]
    yield [*(Spoken(f"Question {at}?", f"Answer {at}.") for at in range(_LONG)), Spoken("The last?")]
    for text in _TEXTS:
        for images in (0, 1):
            yield [Spoken(text, text, images), Spoken(text, text), Spoken(text, None, images)]


def _answering(words: str) -> Iterator[list[Spoken]]:
    yield [*(Spoken("Why?", text) for text in _around(words)), Spoken("Sure?")]


def _asking(words: str) -> Iterator[list[Spoken]]:
    yield [*(Spoken(text, "Yes.") for text in _around(words)), Spoken(f"a{words}b")]
    yield [Spoken(words)]


def _around(words: str) -> tuple[str, ...]:
    return f"a{words}b", f"{words}b", f"a{words}", words


def _differs(
    program: Program, content: Content, template: TemplateSpec, turns: Sequence[Spoken], system: str | None = None
) -> bool:
    return program.render(turns, content, system=system) != write(template, turns, system)


def _compare(
    program: Program,
    content: Content,
    template: TemplateSpec,
    turns: Sequence[Spoken],
    occasion: str = "",
    system: str | None = None,
) -> None:
    wanted, ours = program.render(turns, content, system=system), write(template, turns, system)
    if wanted == ours:
        return
    at = next((at for at, (left, right) in enumerate(zip(wanted, ours, strict=False)) if left != right), 0)
    shown = slice(max(0, at - _SHOWN // 2), at + _SHOWN)
    raise CheckpointError(
        f"{program.origin} does what EdgeKit's pieces of text can't{occasion}: "
        f"it writes {wanted[shown]!r}, they {ours[shown]!r}",
        "EdgeKit takes templates that write every turn alike: give the checkpoint one, in place of this, that writes "
        "what the model was trained with.",
    )
