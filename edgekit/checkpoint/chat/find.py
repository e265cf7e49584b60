"""Where a checkpoint keeps its chat template, as transformers looks for it.

A processor's template goes first: ``chat_template.json``, then ``chat_template.jinja`` with those in
``additional_chat_templates/``; then the tokenizer's, in ``tokenizer_config.json``. Of several named ones, "default" is
the one for conversations (``ProcessorMixin.get_processor_dict``, ``PreTrainedTokenizerBase._from_pretrained``). A key
in ``processor_config.json`` goes before the files in transformers 5.23 and behind them in 4.57: they have to agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgekit.checkpoint.chat.render import Program
from edgekit.checkpoint.documents import Fields
from edgekit.checkpoint.source import Source
from edgekit.checkpoint.specials import special_tokens
from edgekit.errors import CheckpointError

_FOLDER = "additional_chat_templates"


def find_program(source: Source) -> Program | None:
    """Return the checkpoint's chat template, or None when it has none;
    :class:`CheckpointError` when none of several is it.
    """
    key = _in_json(source.table("processor_config.json"))
    file = _in_json(source.table("chat_template.json")) or _in_files(source)
    if key and file and key[0] != file[0]:
        raise CheckpointError(
            f"{key[1]} and {file[1]} have unlike chat templates, and versions of transformers differ on which counts",
            "Take the one away that the model was not trained with.",
        )
    if not (chosen := key or file or _in_json(source.table("tokenizer_config.json"))):
        return None
    text, origin = chosen
    return Program(text, f"The chat template of {origin}", special_tokens(source))


def _in_json(table: Fields) -> tuple[str, str] | None:
    value = table.values.get("chat_template")
    if isinstance(value, list):
        value = {str(item.get("name")): item.get("template") for item in value if isinstance(item, dict)}
    if isinstance(value, dict):
        return _default(value, table.origin)
    text = table.text("chat_template", "")
    return (text, table.origin) if text.strip() else None


def _in_files(source: Source) -> tuple[str, str] | None:
    named = {path.stem: path for path in sorted((source.path / _FOLDER).glob("*.jinja"))}
    lone = source.path / "chat_template.jinja"
    path = lone if lone.is_file() else named.get("default")
    if path is not None:
        text = source.text(str(path.relative_to(source.path)))
        return (text, str(path)) if text.strip() else None
    return _default(dict.fromkeys(named), str(source.path / _FOLDER)) if named else None


def _default(named: Mapping[Any, Any], origin: str) -> tuple[str, str]:
    text = named.get("default")
    if not isinstance(text, str):
        names = ", ".join(str(name)[:40] for name in named) or "none at all"
        raise CheckpointError(
            f"Of the chat templates in {origin}, none is called default: {names}",
            "Say which one is for conversations: write it into chat_template.jinja, and take the others away.",
        )
    return text, origin
