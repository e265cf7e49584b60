"""The pieces of text that a chat template writes, read off a few of its renderings.

Rendered is a conversation of words that stand nowhere else; what stands between them are the pieces. Nothing is
believed that :mod:`edgekit.checkpoint.chat.verify` has not compared.

What a template writes behind the last answer of a conversation that nothing follows is not looked at, except to cut the
end of a reply off the beginning of the next turn: prompts end with a question.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from edgekit.checkpoint.chat.render import Content, Program
from edgekit.checkpoint.chat.write import IMAGE, Spoken
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError

_NAME = "chat template"
_ASKED, _SAID = ("Qxfirst", "Qxsecond", "Qxthird"), ("Axfirst", "Axsecond")
_BLANKS = " \n"
_LISTED = re.compile(r"\btype\b.{1,20}\btext\b")  # a message's parts as Python or JSON show them, quoted somehow


def content_kind(program: Program) -> Content:
    """Tell whether the template goes through a message's parts or takes it for a text.

    :class:`CheckpointError` when it does neither, and when it writes a picture otherwise than ``<image>``.
    """
    asked = Spoken(_ASKED[0])
    try:
        plain, pictured = (program.render([asked._replace(images=count)], "parts") for count in (0, 1))
    except CheckpointError:
        return "text"  # most of those join the message to other texts
    if plain.count(asked.question) != 1 or _LISTED.search(plain):
        return "text"
    if pictured.count(IMAGE) == 1:
        return "parts"
    if pictured == plain:  # it passes over pictures
        return "text"
    raise program.error(f"writes a picture otherwise than {IMAGE}: {pictured[:200]!r}")


def derive(program: Program, content: Content) -> TemplateSpec:
    """Derive the pieces; :class:`CheckpointError` where the turns of a conversation are written in unlike ways."""
    first, second, third = _ASKED
    head, after = split(program, program.render([Spoken(first)], content), first)
    turns = [Spoken(first, _SAID[0]), Spoken(second, _SAID[1]), Spoken(third)]
    text = program.render(turns, content)
    parts = split(program, text, first, _SAID[0], second, _SAID[1], third)
    unlike = [parts[0] != head, parts[1] != parts[3], parts[2] != parts[4], parts[5] != after]
    if any(unlike):
        raise program.error(f"writes the turns of a conversation in unlike ways: {text[:400]!r}")
    end, before = _cut(parts[2], head, _closed_end(program, content))
    plain = TemplateSpec(
        name=_NAME,
        system=head.removesuffix(before),
        user=f"{escaped(before)}{{}}",
        opening=after,
        reply=f"{{}}{escaped(end)}",
        stop=_stops(end),
    )
    spec = _with_pictures(program, content, _with_past(plain, parts[1], end), head + first + after)
    return replace(spec, trim=_trim(program, content))


def split(program: Program, text: str, *words: str) -> list[str]:
    """Return what stands before, between and behind ``words``, each of which is there once, in this order."""
    parts = []
    for word in words:
        before, seen, text = text.partition(word)
        if not seen or word in text:
            raise program.error(f"does not write each text once, in its order: {before + seen + text[:300]!r}")
        parts.append(before)
    return [*parts, text]


def _closed_end(program: Program, content: Content) -> str | None:
    """What ends an answer that nothing follows, where the template writes such a conversation."""
    try:
        text = program.render([Spoken(_ASKED[0], _SAID[0])], content, prompt=False)
    except CheckpointError:
        return None
    return text.partition(_SAID[0])[2]


def _cut(between: str, head: str, end: str | None) -> tuple[str, str]:
    """``between`` an answer and the next question: (what ends the reply, what begins the turn, as ``head`` ends)."""
    if end is not None and between.startswith(end) and head.endswith(between[len(end) :]):
        return end, between[len(end) :]
    size = next(
        size for size in range(min(len(between), len(head)), -1, -1) if head.endswith(between[len(between) - size :])
    )
    return between[: len(between) - size], between[len(between) - size :]


def _with_past(spec: TemplateSpec, behind: str, end: str) -> TemplateSpec:
    """``spec`` with the form of an answer that stands ``behind`` a question: as the opening goes on, or otherwise."""
    if behind.startswith(spec.opening):
        return replace(spec, reply=f"{escaped(behind.removeprefix(spec.opening))}{{}}{escaped(end)}")
    return replace(spec, past=f"{escaped(behind)}{{}}{escaped(end)}")


def _with_pictures(program: Program, content: Content, spec: TemplateSpec, plain: str) -> TemplateSpec:
    """``spec`` with the form of pictures; ``plain`` is the first question without one."""
    word = _ASKED[0]
    before, between, after = split(program, program.render([Spoken(word, None, 1)], content), IMAGE, word)
    first, middle, last, _ = _split_two(program, program.render([Spoken(word, None, 2)], content), word)
    if first != before or after != spec.opening or not before.startswith(spec.system):
        raise program.error(f"writes a question with a picture in another way than one without: {plain[:300]!r}")
    begins = before.removeprefix(spec.system)
    each = IMAGE + middle
    if last == between == middle and escaped(begins) + "{}" == spec.user:
        return replace(spec, image=each)
    # Two pictures end in `last`, one in `between`: the same, or what stands between two goes behind the last as well.
    joint = between.removeprefix(middle) if between.startswith(middle) else None
    if joint is None or last != between:
        raise program.error(f"joins pictures in a way of its own: {IMAGE}{middle}{IMAGE}{last}{word}")
    return replace(spec, image=each, pictured=f"{escaped(begins)}{{}}{escaped(joint)}{{}}")


def _split_two(program: Program, text: str, word: str) -> list[str]:
    first, seen, rest = text.partition(IMAGE)
    if not seen:
        raise program.error(f"does not write each picture: {text[:300]!r}")
    return [first, *split(program, rest, IMAGE, word)]


def _trim(program: Program, content: Content) -> tuple[Literal["question", "turn", "answer"], ...]:
    """What loses the blanks around it."""
    asked, padded = Spoken(_ASKED[0]), Spoken(f"{_BLANKS}{_ASKED[0]}{_BLANKS}")
    trim: list[Literal["question", "turn", "answer"]] = []
    if program.render([asked], content) == program.render([padded], content):
        pictured = (turn._replace(images=1) for turn in (asked, padded))
        alike = len({program.render([turn], content) for turn in pictured}) == 1
        trim.append("question" if alike else "turn")
    answers = (_SAID[0], f"{_BLANKS}{_SAID[0]}{_BLANKS}")
    if len({program.render([Spoken(_ASKED[0], answer), Spoken(_ASKED[1])], content) for answer in answers}) == 1:
        trim.append("answer")
    return tuple(trim)


def _stops(end: str) -> tuple[str, ...]:
    """The mark that ends a reply, where it is one that no reply holds: "<|im_end|>", "</s>"."""
    mark = re.match(r"\s*(<[^<>\s]+>)", end)
    return (mark[1],) if mark else ()


def escaped(text: str) -> str:
    """Return ``text`` as a part of a format string."""
    return text.replace("{", "{{").replace("}", "}}")
