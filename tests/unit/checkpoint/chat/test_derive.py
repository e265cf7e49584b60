"""What the pieces can say beyond the published shapes, and what is refused; jinja2 is the oracle throughout."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils.chat_template_utils import render_jinja_template

from edgekit.checkpoint.chat.derive import content_kind, derive
from edgekit.checkpoint.chat.render import Program
from edgekit.checkpoint.chat.system import with_system
from edgekit.checkpoint.chat.verify import verified
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError

LOOP = "{% for m in messages %}@{% endfor %}{% if add_generation_prompt %}A:{% endif %}"
PLAIN = LOOP.replace("@", "{{ m.role[0].upper() + ':' + m.content + '\n' }}")
QUESTION = "{% if m.role == 'user' %}@{% else %}A: {{ m.content }}\n{% endif %}"


@cache
def spec(source: str) -> TemplateSpec:
    program = Program(source, "The chat template of here", {"bos_token": "<s>"})
    content = content_kind(program)
    return with_system(program, content, verified(program, content, derive(program, content)))


def theirs(source: str, turns: list[Spoken]) -> str:
    messages = []
    for turn in turns:
        messages.append({"role": "user", "content": "<image>\n" * turn.images + turn.question})
        if turn.answer is not None:
            messages.append({"role": "assistant", "content": turn.answer})
    ((text,), _) = render_jinja_template([messages], chat_template=source, add_generation_prompt=True, bos_token="<s>")
    return str(text)


TEXTS = st.text(st.sampled_from(" \n\tab{}%<>/éß影\u00a0\u2003"), max_size=12)


@given(data=st.data())
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize(
    "source",
    [
        PLAIN,
        "{{ bos_token }}{sys}\n" + PLAIN,
        LOOP.replace("@", QUESTION.replace("@", "Q: {{ m.content | trim }}\n")),
        LOOP.replace("@", "{{ m.role[0].upper() + ': ' + m.content.strip() }}{# none #}\n"),
        LOOP.replace("@", "{%- generation -%}{{ '{' + m.role + '} ' + m.content }}{%- endgeneration %}\n"),
        LOOP.replace("@", "{% if m.role == 'system' %}{% continue %}{% endif %}[{{ m.content }}]\n"),
    ],
)
def test_any_conversation_is_written_as_the_template_renders_it(source: str, data: st.DataObject) -> None:
    template = spec(source)
    count = data.draw(st.integers(1, 3))
    turns = [
        Spoken(data.draw(TEXTS), None if at == count - 1 else data.draw(TEXTS), data.draw(st.integers(0, 2)))
        for at in range(count)
    ]
    assert write(template, turns) == theirs(source, turns)


def test_words_that_switch_the_template_are_kept_from_questions() -> None:
    switched = "{% if '<<SYS>>' in messages[0].content %}!{% endif %}" + PLAIN
    assert spec(switched).reserved == ("<<SYS>>",)
    first = LOOP.replace(
        "@", "{% if m.role == 'user' and m.content.startswith('/no_think') %}!{% endif %}{{ m.content }}\n"
    )
    assert spec(first).reserved == ("/no_think",)
    assert spec(PLAIN).reserved == ()


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


def test_pictures_may_stand_apart_from_the_question() -> None:
    parts = "{% for p in m.content %}{{ '<image> ' if p.type == 'image' else '\n' + p.text }}{% endfor %}"
    template = spec(LOOP.replace("@", parts))
    assert write(template, [Spoken("Q", "R", 2), Spoken("S")]) == "<image> <image> \nQ\nR\nSA:"


def test_a_template_that_takes_both_kinds_of_content_is_asked_in_parts() -> None:
    both = (
        "{% if m.content is string %}{{ m.content }}{% else %}{% for p in m.content %}"
        "{{ '<image>' if p.type == 'image' else p.text }}{% endfor %}{% endif %}"
    )
    assert write(spec(LOOP.replace("@", both)), [Spoken("Q", None, 1)]) == "<image>QA:"
    only_texts = both.replace("'<image>'", "''")  # a language model's, which passes over pictures
    assert write(spec(LOOP.replace("@", only_texts)), [Spoken("Q", None, 1)]) == "<image>\nQA:"


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
