"""Each shape of ``docs/reads.md`` is written as transformers renders the template, or refused for the reason there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from edgekit.checkpoint import template
from edgekit.checkpoint.chat.find import find_program
from edgekit.checkpoint.chat.pieces import pieces
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError
from tests.chat_templates import SHAPES, Shape
from tests.reads import rows

ROWS = rows("Chat templates")
READ = [name for name, verdict in ROWS.items() if verdict.startswith("read")]
WITHOUT_SYSTEM = rows("System texts")
REFUSED = [name for name, verdict in ROWS.items() if verdict.startswith("refused")]

CONVERSATIONS = [
    [Spoken("What is shown?", images=1)],
    [Spoken("Is the heart enlarged?")],
    [Spoken("What is shown?", "A chest radiograph.", 1), Spoken("Is it normal?")],
    [Spoken("One?", "Yes."), Spoken("Two?", "No.", 1), Spoken("Three {x}?", images=1)],
    [Spoken("  Compare\nboth. \n", " They\n\nare alike. ", 2), Spoken("\tWhy? ")],
    [Spoken("Größe? {{ messages }} %}", '"12 cm" <b>&</b>\n'), Spoken("影像?", images=2)],
]
SYSTEMS = ["You read chest radiographs.", " Answer\nin {one} word. \n"]
DATE = "26 Jul 2024"  # Llama 3.2's template has it for where there is no clock


def source(folder: Path, shape: Shape) -> Source:
    (folder / "chat_template.jinja").write_text(shape.text, encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": shape.bos, "eos_token": shape.eos}))
    return Source(folder, Fields({}, "config.json"), {})


def rendered(shape: Shape, turns: list[Spoken], *, parts: bool, system: str | None = None, **values: str) -> str:
    messages: list[dict[str, Any]] = []
    if system is not None:
        messages.append({"role": "system", "content": [{"type": "text", "text": system}] if parts else system})
    for turn in turns:
        said = [("user", turn.question, turn.images), ("assistant", turn.answer, 0)]
        for role, text, images in said[: 1 if turn.answer is None else 2]:
            listed = [*[{"type": "image"}] * images, {"type": "text", "text": text}]
            messages.append({"role": role, "content": listed if parts else "<image>\n" * images + str(text)})
    given = {"bos_token": shape.bos, "eos_token": shape.eos, **values}
    ((text,), _) = render_jinja_template([messages], chat_template=shape.text, add_generation_prompt=True, **given)
    assert isinstance(text, str)
    return text


def taken_apart(read: Source) -> TemplateSpec:
    program = find_program(read)
    assert program is not None
    return pieces(program)


def test_every_shape_has_its_row() -> None:
    assert SHAPES.keys() == ROWS.keys()
    assert len(READ) >= 20


@pytest.mark.parametrize("name", READ)
def test_a_shape_is_written_as_transformers_renders_it(tmp_path: Path, name: str) -> None:
    shape = SHAPES[name]
    read = source(tmp_path, shape)
    spec = taken_apart(read)
    parts = "part.t" in shape.text  # the template goes through a message's parts
    for turns in CONVERSATIONS:
        assert write(spec, turns) == rendered(shape, turns, parts=parts, date_string=DATE)
    _, _, note = ROWS[name].partition(": ")
    assert [about for about in template.notes(read) if note in about] if note else not template.notes(read)


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", sorted(set(READ) - WITHOUT_SYSTEM.keys()))
def test_a_system_text_is_written_as_transformers_renders_it(tmp_path: Path, name: str, system: str) -> None:
    shape = SHAPES[name]
    spec = taken_apart(source(tmp_path, shape))
    assert not spec.system_refused
    parts = "part.t" in shape.text
    for turns in CONVERSATIONS:
        expected = rendered(shape, turns, parts=parts, system=system, date_string=DATE)
        assert write(spec, turns, system) == expected
        assert system.strip() in expected


@pytest.mark.parametrize("name", WITHOUT_SYSTEM)
def test_a_template_without_a_place_for_a_system_text_says_why(tmp_path: Path, name: str) -> None:
    spec = taken_apart(source(tmp_path, SHAPES[name]))
    assert name in READ
    assert not spec.system_turn
    assert not spec.system_inside
    assert WITHOUT_SYSTEM[name].partition(": ")[2] in spec.system_refused


@pytest.mark.parametrize("name", REFUSED)
def test_a_shape_is_refused_in_words(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError) as error:
        taken_apart(source(tmp_path, SHAPES[name]))
    assert ROWS[name].partition(": ")[2] in str(error.value)
    assert error.value.hint
