"""Where a template writes a system text, or why it has no place for one."""

from __future__ import annotations

from functools import cache

import pytest

from edgekit.checkpoint.chat.derive import content_kind, derive
from edgekit.checkpoint.chat.render import Program
from edgekit.checkpoint.chat.system import with_system
from edgekit.checkpoint.chat.verify import verified
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.spec import TemplateSpec

LOOP = "{% for m in messages %}@{% endfor %}{% if add_generation_prompt %}A:{% endif %}"


@cache
def spec(source: str) -> TemplateSpec:
    program = Program(source, "The chat template of here", {"bos_token": "<s>"})
    content = content_kind(program)
    return with_system(program, content, verified(program, content, derive(program, content)))


SWITCHED = "{% if m.role == 'system' %}@{% else %}{{ m.role + m.content }}{% endif %}{{ '\\n' }}"


@pytest.mark.parametrize(
    ("system", "reason"),
    [
        ("{{ m.content | upper }}", "passes over a system text"),
        ("{{ m.content ~ m.content }}", "does not write each text once"),
        ("{{ m.content[:20] }}", "pieces of text can't, behind a system text"),
        ("{{ m.content | replace('  ', ' ') }}", "pieces of text can't, behind a system text"),
        ("{{ raise_exception('no such role') }}", "no such role"),
        ("{{ m.content.split('###')[0] }}", "where '###' goes with a system text"),
    ],
)
def test_a_system_text_that_pieces_can_not_say_leaves_the_rest(system: str, reason: str) -> None:
    written = spec(LOOP.replace("@", SWITCHED.replace("@", system)))
    assert (written.system_turn, written.system_inside) == ("", "")
    assert reason in written.system_refused
    assert write(written, [Spoken("Q")]) == "userQ\nA:"


def test_words_that_switch_a_system_text_are_kept_from_it() -> None:
    switched = SWITCHED.replace("@", "{{ 'fast: ' if '/no_think' in m.content else 'slow: ' }}{{ m.content }}")
    written = spec(LOOP.replace("@", switched))
    assert (written.reserved, written.system_reserved) == ((), ("/no_think",))
    assert write(written, [Spoken("Q")], "Be brief.") == "slow: Be brief.\nuserQ\nA:"


def test_why_there_is_no_place_for_a_system_text_can_be_kept() -> None:
    refusing = SWITCHED.replace("@", "{{ raise_exception('\\x1b[2Jno\\udcff' ~ 'x' * 999) }}")
    reason = spec(LOOP.replace("@", refusing)).system_refused
    assert reason.startswith("can't be rendered: TemplateError:  [2Jno ")
    assert reason.isprintable()
    assert len(reason) <= 300
