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
