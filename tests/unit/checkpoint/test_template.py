"""Conversations are written down as the models' own code and chat templates write them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgekit.checkpoint import template
from edgekit.checkpoint.chat.write import Spoken, write
from edgekit.checkpoint.open import open_checkpoint
from edgekit.checkpoint.spec import TemplateSpec
from tests.checkpoints import DecoderKind, Layout, write_checkpoint

TURNS = [("What is shown?", "A chest radiograph."), ("Is it normal?", "Yes."), ("Sure?", None)]


def written(spec: TemplateSpec) -> str:
    """The text of TURNS with an image before the first question."""
    return write(spec, [Spoken(question, answer, 1 - min(at, 1)) for at, (question, answer) in enumerate(TURNS)])


VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. USER: <image>\nWhat is shown? ASSISTANT: "
    "A chest radiograph.{end}USER: Is it normal? ASSISTANT: Yes.{end}USER: Sure? ASSISTANT:"
)
MISTRAL = (
    "[INST] <image>\nWhat is shown? [/INST] A chest radiograph. </s>"
    "[INST] Is it normal? [/INST] Yes. </s>[INST] Sure? [/INST]"
)


@pytest.mark.parametrize(
    ("layout", "decoder", "expected"),
    [
        ("llava", "llama", VICUNA.format(end="</s>")),
        ("llava", "mistral", MISTRAL),
        ("tinyllava", "llama", VICUNA.format(end="</s>")),
        ("tinyllava", "phi", VICUNA.format(end="<|endoftext|>")),
        ("factory", "llama", VICUNA.format(end="</s>")),
        ("factory", "phi", VICUNA.format(end="<|endoftext|>")),
        ("hf", "mistral", MISTRAL),
    ],
)
def test_a_familys_template(tmp_path: Path, layout: Layout, decoder: DecoderKind, expected: str) -> None:
    write_checkpoint(tmp_path, layout, decoder)
    assert written(open_checkpoint(tmp_path).spec.template) == expected


def test_a_chat_template_goes_before_the_familys_own(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hf", "llama")
    (tmp_path / "chat_template.jinja").write_text(
        "{% for m in messages %}[{{ m.content }}]{% endfor %}{% if strftime_now is defined %}!{% endif %}"
    )
    spec = open_checkpoint(tmp_path).spec
    assert written(spec.template) == "[<image>\nWhat is shown?][A chest radiograph.][Is it normal?][Yes.][Sure?]"
    assert any("date" in note for note in spec.notes)


def test_images_stand_between_their_marks_where_the_model_learned_them(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava", config={"mm_use_im_start_end": True})
    marked = open_checkpoint(tmp_path).spec.template
    assert (marked.image_before, marked.image_after) == ("<im_start>", "<im_end>")
    assert replace(marked, image_before="", image_after="") == template.VICUNA
