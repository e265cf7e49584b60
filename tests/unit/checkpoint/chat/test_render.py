"""Templates as transformers renders them, and what a program says and looks for."""

from __future__ import annotations

from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from edgekit.checkpoint.chat.render import Content, Program
from edgekit.checkpoint.chat.write import Spoken
from edgekit.errors import CheckpointError

TURNS = [Spoken("Is it?", "No.", 1), Spoken("Why? <&>")]
PARTS = (
    "{% for m in messages %}{{ m.role }}:{% for p in m.content %}{{ '<image>' if p.type == 'image' else p.text }}"
    "{% endfor %}|{% endfor %}"
)

BLANKS = "{%- for m in messages %}\n  {% if not loop.first %}\n{{ m | tojson }}\n  {% endif %}\n{%- endfor %}@"


def messages(content: Content) -> list[dict[str, Any]]:
    if content == "text":
        question: Any = "<image>\nIs it?"
        return [
            {"role": "user", "content": question},
            {"role": "assistant", "content": "No."},
            {"role": "user", "content": "Why? <&>"},
        ]
    return [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "Is it?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "No."}]},
        {"role": "user", "content": [{"type": "text", "text": "Why? <&>"}]},
    ]


@pytest.mark.parametrize("prompt", [True, False])
@pytest.mark.parametrize(
    ("content", "source"),
    [
        ("text", "{{ bos_token }}{% for m in messages %}{{ m.role ~ ' ' ~ m.content | trim }}\n{% endfor %}@"),
        (
            "text",
            "{%- for m in messages %}\n  {% if not loop.first %}\n{{ m | tojson }}\n  {% endif %}\n{%- endfor %}@",
        ),
        ("parts", PARTS + "@"),
    ],
)
def test_a_rendering_is_transformers(content: Content, source: str, prompt: bool) -> None:
    source = source.replace("@", "{% if add_generation_prompt %}A:{% endif %}")
    ((theirs,), _) = render_jinja_template(
        [messages(content)], chat_template=source, add_generation_prompt=prompt, bos_token="<s>"
    )
    assert Program(source, "It", {"bos_token": "<s>"}).render(TURNS, content, prompt=prompt) == theirs


def test_a_system_text_comes_first() -> None:
    program = Program("{% for m in messages %}{{ m.role }}={{ m.content }};{% endfor %}", "It", {})
    assert program.render([Spoken("Q")], "text", system="Be.") == "system=Be.;user=Q;"


def test_constants_are_what_it_writes_and_looks_for() -> None:
    source = "{% if '/no' ~ '_think' in messages[0].content %}{{ 'x' }}{% endif %}plain{{ 3 }}{{ 1 // 0 }}"
    constants = Program(source, "It", {}).constants
    assert {"/no_think", "/no", "x"} <= set(constants)
    assert list(constants) == sorted(constants)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{% if %}", "^It is no Jinja template"),
        ("{{ messages.pop().content.x.y }}", "^It can't be rendered"),
        ("{{ raise_exception('only tools') }}", "^It can't be rendered: .*only tools"),
        ("{{ strftime_now('%Y') }}", "^It writes today's date"),
        ("{{ 'a' * 200000 }}", "^It writes 200,000 characters"),
    ],
)
def test_what_can_not_be_used_says_so(source: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        Program(source, "It", {}).render([Spoken("Q")], "text")
