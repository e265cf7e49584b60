"""What pieces are held against the template for; what differs is refused, or kept from those who ask."""

from __future__ import annotations

from functools import cache

import pytest

from edgekit.checkpoint.chat.derive import content_kind, derive
from edgekit.checkpoint.chat.render import Program
from edgekit.checkpoint.chat.system import with_system
from edgekit.checkpoint.chat.verify import verified
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError

LOOP = "{% for m in messages %}@{% endfor %}{% if add_generation_prompt %}A:{% endif %}"


PLAIN = LOOP.replace("@", "{{ m.role[0].upper() + ':' + m.content + '\n' }}")


@cache
def spec(source: str) -> TemplateSpec:
    program = Program(source, "The chat template of here", {"bos_token": "<s>"})
    content = content_kind(program)
    return with_system(program, content, verified(program, content, derive(program, content)))


def test_words_that_switch_the_template_are_kept_from_questions() -> None:
    switched = "{% if '<<SYS>>' in messages[0].content %}!{% endif %}" + PLAIN
    assert spec(switched).reserved == ("<<SYS>>",)
    first = LOOP.replace(
        "@", "{% if m.role == 'user' and m.content.startswith('/no_think') %}!{% endif %}{{ m.content }}\n"
    )
    assert spec(first).reserved == ("/no_think",)
    assert spec(PLAIN).reserved == ()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% for m in messages %}", "is no Jinja template"),
        ("{{ nothing.at.all }}", "can't be rendered"),
        ("{{ raise_exception('only for tools') }}", "only for tools"),
        ("{{ 1 // 0 }}", "ZeroDivisionError"),
        ("{{ messages.__class__.__mro__ }}", "can't be rendered"),
        ("always the same", "does not write each text once"),
        ("{{ messages[-1].content }}", "does not write each text once"),
        ("{% for m in messages | reverse %}{{ m.content }}{% endfor %}", "does not write each text once"),
        ("{{ strftime_now('%d') }}" + PLAIN, "today's date"),
        ("{{ messages | length }}" + PLAIN, "in unlike ways"),
        (PLAIN.replace("'\n'", "('\n' if loop.index0 < 2 else '\n\n')"), "in unlike ways"),
        (LOOP.replace("@", "{{ loop.index }}. {{ m.content }}\n"), "in unlike ways"),
        (LOOP.replace("@", "{{ m.content | upper }}\n"), "does not write each text once"),
        (LOOP.replace("@", "{{ m.content | replace('  ', ' ') }}\n"), "pieces of text can't"),
        (LOOP.replace("@", "{{ m.content.lstrip() }}\n"), "pieces of text can't"),
        (LOOP.replace("@", "{{ m.content[:4096] }}\n"), "pieces of text can't"),
        (LOOP.replace("@", "{{ m.content | truncate(2048, true) }}\n"), "pieces of text can't"),
        (PLAIN.replace("in messages", "in messages[-9:]"), "pieces of text can't"),
        (PLAIN.replace("'\n'", "('\n' if loop.index0 < 12 else '\n\n')"), "pieces of text can't"),
        (LOOP.replace("@", "{{ m.content | e }}\n"), "does not write each text once"),
        (LOOP.replace("@", "{{ m.content | replace('&', '&amp;') }}\n"), "pieces of text can't"),
        (LOOP.replace("@", "{{ m.content.split('###')[0] }}\n"), "where an answer holds '###'"),
        (LOOP.replace("@", "{{ m.content.split('##' ~ '#')[0] }}\n"), "where an answer holds '###'"),
        (LOOP.replace("@", "{{ m.content.split(['##', '#'] | join)[0] }}\n"), "where an answer holds '###'"),
        (LOOP.replace("@", "{{ 'N' if m.content.isdigit() else m.content }}\n"), "pieces of text can't"),
        ("{{ '?' in messages[0].content }}" + PLAIN, "pieces of text can't: it writes 'True"),
        ("{{ '~' in messages[0].content }}" + PLAIN, "where a question holds '~'"),
        ("{{ 'lungs' in messages[-1].content }}" + PLAIN, "where a question holds 'lungs'"),
        (LOOP.replace("@", "{% for p in m.content %}{{ p.text or '<img>' }}{% endfor %}"), "writes a picture"),
        ("{% if messages[0].content is string or messages[0].content | length > 2 %}{{ 1 // 0 }}{% endif %}"
         + LOOP.replace("@", "{% for p in m.content %}{{ p.text or '<image>' }}{% endfor %}"), "ZeroDivisionError"),
        ("{% for i in range(100001) %}{% endfor %}" + PLAIN, "can't be rendered"),
        (LOOP.replace("@", "{{ m.content }}{% for i in range(60000) %}ab{% endfor %}"), "characters for a short"),
    ],
)  # fmt: skip
def test_what_pieces_can_not_say_is_refused(source: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message) as error:
        spec(source)
    assert error.value.message.startswith("The chat template of here ")
    assert "The chat template of here" not in error.value.message[1:]  # it is said once, and so is what to do
    assert error.value.hint not in error.value.message
