"""The families' ways to write a conversation, and how a checkpoint says which is its own.

LLaVA's and TinyLLaVA's own layouts have no chat template: the texts are facts about how the models were trained, out of
LLaVA's conversation templates and TinyLLaVA Factory's. Hugging Face's layout brings a template, which
:mod:`edgekit.checkpoint.chat` takes apart. The start token is the tokenizer's, unless a template writes it.
"""

from __future__ import annotations

from dataclasses import replace

from edgekit.checkpoint.chat.find import find_program
from edgekit.checkpoint.chat.pieces import pieces_apart
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import DecoderSpec, TemplateSpec

_CHAT = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
VICUNA = TemplateSpec(
    name="vicuna",
    system=_CHAT,
    user="USER: {} ",
    opening="ASSISTANT:",
    reply=" {}</s>",
    stop=("</s>",),
    system_turn="{} ",
)
PHI = replace(VICUNA, name="phi", reply=" {}<|endoftext|>", stop=("<|endoftext|>",))
MISTRAL = TemplateSpec(
    name="mistral",
    system="",
    user="[INST] {} [/INST]",
    opening="",
    reply=" {} </s>",
    stop=("</s>",),
    system_inside="<<SYS>>\n{}\n<</SYS>>\n\n",
)

_DATE = (
    "The chat template would write the day's date, and no answer could be checked again: prompts have the date that it "
    "writes where it has no clock."
)


def for_decoder(decoder: DecoderSpec) -> TemplateSpec:
    """Return what LLaVA's and TinyLLaVA's own code use with a language model of this kind."""
    return {"llama": VICUNA, "mistral": MISTRAL, "phi": PHI}[decoder.kind]


def from_chat_template(source: Source) -> TemplateSpec | None:
    """Return what a Hugging Face checkpoint's chat template writes, or None when it has none.

    :class:`CheckpointError` for one that does more than pieces of text can say: in other words than those that it
    learned, the model would answer badly.
    """
    program = find_program(source)
    return None if program is None else pieces_apart(program)


def notes(source: Source) -> tuple[str, ...]:
    """Say what people should know of what :func:`from_chat_template` decided."""
    program = find_program(source)
    if program is None or "strftime_now" not in program.source:
        return ()
    return (_DATE,)


def with_image_marks(template: TemplateSpec, config: Fields) -> TemplateSpec:
    """Put <im_start> and <im_end> around images where the model was trained so (LLaVA-Med v1)."""
    if not config.flag("mm_use_im_start_end", False):
        return template
    return replace(template, image_before="<im_start>", image_after="<im_end>")
