"""Conversations are written down as the models' own code and chat templates write them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jinja2
import pytest

from edgekit.checkpoint import open_checkpoint, template
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import TemplateSpec
from edgekit.errors import CheckpointError
from tests.checkpoints import DecoderKind, Layout, write_checkpoint

TURNS = [("What is shown?", "A chest radiograph."), ("Is it normal?", "Yes."), ("Sure?", None)]

# The published chat templates, cut to what they do with text and images.
HF_LLAVA = (
    "{% for m in messages %}{{ m.role.upper() + ': ' }}"
    "{% for c in m.content if c.type == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in m.content if c.type == 'text' %}{{ c.text + ' ' }}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{% for c in m.content if c.type == 'image' %}{{ '<image>\n' }}{% endfor %}"
    "{% for c in m.content if c.type == 'text' %}{{ c.text }}{% endfor %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    CHATML.replace("<|im_start|>' + m.role + '\n'", "<|start_header_id|>' + m.role + '<|end_header_id|>\n\n'")
    .replace("<|im_start|>assistant\n", "<|start_header_id|>assistant<|end_header_id|>\n\n")
    .replace("<|im_end|>\n", "<|eot_id|>")
)
ZEPHYR = CHATML.replace("<|im_start|>' + m.role + '", "<|' + m.role + '|>").replace("<|im_end|>", "</s>")
ZEPHYR = ZEPHYR.replace("<|im_start|>assistant", "<|assistant|>") + "{# <|user|> #}"


def written(spec: TemplateSpec) -> str:
    """The text of TURNS with an image before the first question, as the template's description defines it."""
    text = spec.system
    for i, (question, answer) in enumerate(TURNS):
        text += spec.user.format((spec.image if i == 0 else "") + question) + spec.opening
        text += spec.reply.format(answer) if answer is not None else ""
    return text


def source_with(folder: Path, **files: Any) -> Source:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name.replace("__", ".")).write_text(text)
    return Source(folder, Fields({}, "config.json"), {})


@pytest.mark.parametrize(
    ("chat", "name"), [(HF_LLAVA, "vicuna-hf"), (CHATML, "chatml"), (ZEPHYR, "zephyr"), (LLAMA3, "llama3")]
)
def test_a_chat_template_is_recognised_and_written_alike(tmp_path: Path, chat: str, name: str) -> None:
    found = template.from_chat_template(source_with(tmp_path, chat_template__jinja=chat))
    assert found is not None
    assert found.name == name
    messages = []
    for i, (question, answer) in enumerate(TURNS):
        image = [{"type": "image"}] if i == 0 else []
        messages.append({"role": "user", "content": [*image, {"type": "text", "text": question}]})
        if answer is not None:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": answer}]})
    expected = jinja2.Template(chat, keep_trailing_newline=True).render(messages=messages, add_generation_prompt=True)
    assert written(found) == expected


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template__jinja": "[INST]"},
        {"chat_template__json": {"chat_template": "[INST]"}},
        {"processor_config__json": {"chat_template": "[INST]"}},
        {"tokenizer_config__json": {"chat_template": "[INST]"}},
        {"tokenizer_config__json": {"chat_template": [3, {"name": "default", "template": "[INST]"}]}},
    ],
)
def test_a_chat_template_is_found_wherever_it_lies(tmp_path: Path, files: dict[str, Any]) -> None:
    found = template.from_chat_template(source_with(tmp_path, **files))
    assert found == template.MISTRAL


def test_llama_3_ends_a_turn_with_its_own_token() -> None:
    assert template.LLAMA3.stop == ("<|eot_id|>",)


@pytest.mark.parametrize(
    "files",
    [
        {"chat_template__jinja": "<|turn|>{{ messages }}"},
        {"tokenizer_config__json": {"chat_template": [{"name": "other", "template": "<|turn|>"}]}},
    ],
)
def test_an_unknown_chat_template_is_refused(tmp_path: Path, files: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match=r"<\|turn\|>") as error:
        template.from_chat_template(source_with(tmp_path, **files))
    assert "chatml" in error.value.hint


@pytest.mark.parametrize("files", [{}, {"tokenizer_config__json": {"chat_template": 3}}])
def test_no_chat_template_is_none(tmp_path: Path, files: dict[str, Any]) -> None:
    assert template.from_chat_template(source_with(tmp_path, **files)) is None


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
    (tmp_path / "chat_template.jinja").write_text(HF_LLAVA)
    assert open_checkpoint(tmp_path).spec.template.name == "vicuna-hf"


def test_images_stand_between_their_marks_where_the_model_learned_them(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "llava", config={"mm_use_im_start_end": True})
    found = open_checkpoint(tmp_path).spec.template
    assert (found.image_before, found.image_after) == ("<im_start>", "<im_end>")
    assert replace(found, image_before="", image_after="") == template.VICUNA
