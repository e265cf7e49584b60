"""The families' ways to write a conversation, and how a checkpoint says which is its own.

The texts are facts about how the models were trained: LLaVA's conversation templates, TinyLLaVA
Factory's, and the chat templates of Hugging Face's checkpoints. The start token is not part of them:
it comes from the tokenizer.
"""

from __future__ import annotations

from dataclasses import replace

from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.spec import DecoderSpec, TemplateSpec
from edgekit.errors import CheckpointError

_CHAT = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions. "
)
VICUNA = TemplateSpec(
    name="vicuna", system=_CHAT, user="USER: {} ", opening="ASSISTANT:", reply=" {}</s>", stop=("</s>",)
)
# Hugging Face's LLaVA-1.5: the same roles, but no system text, and a blank where Vicuna ends a turn.
VICUNA_HF = TemplateSpec(name="vicuna-hf", system="", user="USER: {} ", opening="ASSISTANT:", reply=" {} ")
PHI = replace(VICUNA, name="phi", reply=" {}<|endoftext|>", stop=("<|endoftext|>",))
MISTRAL = TemplateSpec(
    name="mistral", system="", user="[INST] {} [/INST]", opening="", reply=" {} </s>", stop=("</s>",)
)
CHATML = TemplateSpec(
    name="chatml",
    system="",
    user="<|im_start|>user\n{}<|im_end|>\n",
    opening="<|im_start|>assistant\n",
    reply="{}<|im_end|>\n",
    stop=("<|im_end|>",),
)
ZEPHYR = TemplateSpec(
    name="zephyr", system="", user="<|user|>\n{}</s>\n", opening="<|assistant|>\n", reply="{}</s>\n", stop=("</s>",)
)
LLAMA3 = TemplateSpec(
    name="llama3",
    system="",
    user="<|start_header_id|>user<|end_header_id|>\n\n{}<|eot_id|>",
    opening="<|start_header_id|>assistant<|end_header_id|>\n\n",
    reply="{}<|eot_id|>",
    stop=("<|eot_id|>",),
)

# What stands in a chat template gives it away; the first mark that is found decides.
_MARKS = (
    ("<|start_header_id|>", LLAMA3),
    ("<|im_start|>", CHATML),
    ("<|user|>", ZEPHYR),
    ("[INST]", MISTRAL),
    ("ASSISTANT:", VICUNA_HF),
)


def for_decoder(decoder: DecoderSpec) -> TemplateSpec:
    """What LLaVA's and TinyLLaVA's own code use with a language model of this kind."""
    return {"llama": VICUNA, "mistral": MISTRAL, "phi": PHI}[decoder.kind]


def from_chat_template(source: Source) -> TemplateSpec | None:
    """The template that a Hugging Face checkpoint's chat template writes, or None when it has none.

    :class:`CheckpointError` for one that we do not know: in another's words the model would answer badly.
    """
    text = _chat_template(source)
    found = next((template for mark, template in _MARKS if mark in text), None)
    if text.strip() and found is None:
        raise CheckpointError(
            f"The chat template of {source.path} is of a kind that EdgeKit does not know: {text.strip()[:60]!r}",
            f"It knows these: {', '.join(template.name for _, template in _MARKS)}.",
        )
    return found


def with_image_marks(template: TemplateSpec, config: Fields) -> TemplateSpec:
    """Put <im_start> and <im_end> around images where the model was trained so (LLaVA-Med v1)."""
    if not config.flag("mm_use_im_start_end", False):
        return template
    return replace(template, image_before="<im_start>", image_after="<im_end>")


def _chat_template(source: Source) -> str:
    if text := source.text("chat_template.jinja"):
        return text
    for file in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
        value = source.table(file).values.get("chat_template")
        if isinstance(value, str):
            return value
        # Several named templates; "default" is the one for conversations, or else the first.
        if isinstance(value, list):
            named = {item.get("name"): item.get("template") for item in value if isinstance(item, dict)}
            texts = [named.get("default"), *named.values()]
            return next((text for text in texts if isinstance(text, str)), "")
    return ""
