"""Where a template writes a caller's system text: in place of its own, or inside the first turn.

A checkpoint whose template has no place for one is read all the same: most conversations have none. Why it has none is
kept for whoever sends one.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from edgekit.checkpoint.chat.derive import escaped, split
from edgekit.checkpoint.chat.render import Content, Program
from edgekit.checkpoint.chat.verify import verified_system
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError, gist

_SYSTEM, _ASKED, _BLANKS = "Sxfirst", "Qxfirst", " \n"


def with_system(program: Program, content: Content, template: TemplateSpec) -> TemplateSpec:
    """Return ``template`` with the place of a system text that the program writes alike,
    or with the reason for none.
    """
    try:
        places = _places(program, content, template)
    except CheckpointError as error:
        return without_system(program, template, error.message)
    *others, last = places
    for place in others:
        with suppress(CheckpointError):
            return verified_system(program, content, place)
    try:
        return verified_system(program, content, last)
    except CheckpointError as error:
        return without_system(program, template, error.message)


def without_system(program: Program, template: TemplateSpec, reason: str) -> TemplateSpec:
    """Return ``template`` with the reason why it has no place for a system text.

    It goes into a bundle: without where the checkpoint lay, and without what a terminal or UTF-8 would not take.
    """
    said = reason.removeprefix(f"{program.origin} ")
    return replace(template, system_refused=gist("".join(letter if letter.isprintable() else " " for letter in said)))


def _places(program: Program, content: Content, template: TemplateSpec) -> list[TemplateSpec]:
    """The places that one rendering leaves possible, at least one; :class:`CheckpointError` where it leaves none."""
    asked = [Spoken(_ASKED)]
    text = program.render(asked, content, system=_SYSTEM)
    if _SYSTEM not in text:
        raise program.error("passes over a system text")
    head, between, after = split(program, text, _SYSTEM, _ASKED)
    plain = write(template, asked).removesuffix(_ASKED + template.opening)
    begins = plain.removeprefix(template.system)
    alike = program.render(asked, content, system=f"{_BLANKS}{_SYSTEM}{_BLANKS}") == text
    trimmed = replace(template, trim=(*template.trim, "system")) if alike else template
    places = []
    if between.endswith(begins):
        turn = f"{escaped(head)}{{}}{escaped(between.removesuffix(begins))}"
        places.append(replace(trimmed, system_turn=turn))
    if head.startswith(plain):
        places.append(replace(trimmed, system_inside=f"{escaped(head.removeprefix(plain))}{{}}{escaped(between)}"))
    if after != template.opening or not places:
        raise program.error(f"writes a conversation with a system text in a way of its own: {text[:300]!r}")
    return places
