"""Chat templates rendered as transformers renders them: a Jinja environment of its kind, and the conversation's shape.

Two kinds of templates are about. A processor's goes through a message's parts, ``{"type": "image"}`` and
``{"type": "text", "text": …}``. A language model's takes a message for a text, and a picture is ``<image>`` with a line
break in it, as LLaVA trains (https://huggingface.co/docs/transformers/model_doc/llava).

jinja2 is imported here alone, and in functions: nothing that works on a bundle needs it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from edgekit.checkpoint.chat.write import IMAGE, Spoken
from edgekit.errors import CheckpointError

if TYPE_CHECKING:
    from jinja2 import Environment, Template

Content = Literal["parts", "text"]

_HINT = "Compare it with the published one; a template of your own goes into chat_template.jinja."
_LONGEST = 100_000  # characters of one rendering: more than any prompt holds


@dataclass(frozen=True)
class Program:
    """A chat template: its ``source``, the ``origin`` of that for messages, and special tokens (``bos_token``, …)."""

    source: str
    origin: str
    tokens: Mapping[str, str]

    def render(
        self, turns: Sequence[Spoken], content: Content, *, prompt: bool = True, system: str | None = None
    ) -> str:
        """Return the text of a conversation; with ``prompt``, up to where the next answer goes.

        ``system`` is what a caller's system message says, where there is one.

        :class:`CheckpointError` with the template's own words when it refuses, or is broken.
        """
        import jinja2

        messages = [message for turn in turns for message in _messages(turn, content)]
        if system is not None:
            messages.insert(0, {"role": "system", "content": _content(system, 0, content)})
        given = {"messages": messages, "tools": None, "documents": None, "add_generation_prompt": prompt}
        template = self._template  # what is wrong with it has an error of its own
        try:
            text = template.render({**given, **self.tokens})
        except jinja2.UndefinedError as error:
            if "strftime_now" in str(error):
                raise CheckpointError(
                    f"{self.origin} writes today's date into every prompt, so that no answer could be checked again",
                    "Put a template beside it that names a day, and take this one away.",
                ) from None
            raise self.error(f"can't be rendered: {error}") from None
        except MemoryError:
            raise self.error("takes more memory than any conversation: it writes without end") from None
        except Exception as error:  # whatever the program does: it is the checkpoint's, not ours
            raise self.error(f"can't be rendered: {type(error).__name__}: {error}") from None
        if len(text) > _LONGEST:
            raise self.error(f"writes {len(text):,} characters for a short conversation")
        return text

    @cached_property
    def constants(self) -> tuple[str, ...]:
        """The texts that the program compares with, looks for or writes, also those that it puts together; sorted."""
        from jinja2 import nodes

        texts = set()
        for node in self._environment.parse(self.source).find_all(nodes.Expr):
            with suppress(Exception):  # nodes.Impossible, and what the program's own arithmetic raises
                texts.add(node.as_const())
        return tuple(sorted(text for text in texts if isinstance(text, str)))

    def error(self, problem: str) -> CheckpointError:
        """Return the error that says ``problem`` ("writes …") of the program, and what to do."""
        return CheckpointError(f"{self.origin} {problem[:600]}", _HINT)

    @cached_property
    def _environment(self) -> Environment:
        return _environment()

    @cached_property
    def _template(self) -> Template:
        import jinja2

        try:
            return self._environment.from_string(self.source)
        except (jinja2.TemplateSyntaxError, RecursionError) as error:
            raise self.error(f"is no Jinja template: {error}") from None


def _messages(turn: Spoken, content: Content) -> list[dict[str, Any]]:
    messages = [{"role": "user", "content": _content(turn.question, turn.images, content)}]
    if turn.answer is not None:
        messages.append({"role": "assistant", "content": _content(turn.answer, 0, content)})
    return messages


def _content(text: str, images: int, content: Content) -> str | list[dict[str, str]]:
    if content == "text":
        return f"{IMAGE}\n" * images + text
    return [*({"type": "image"} for _ in range(images)), {"type": "text", "text": text}]


def _environment() -> Environment:
    """transformers' settings (utils/chat_template_utils.py), without the clock: see ``template.notes``."""
    import jinja2.ext
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(jinja2.ext.Extension):
        """``{% generation %}`` marks what an assistant says for training; here it is written like the rest."""

        tags = {"generation"}  # noqa: RUF012  (as jinja2's own class has it)

        def parse(self, parser: Any) -> Any:
            line = next(parser.stream).lineno
            body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
            return jinja2.nodes.Scope(body).set_lineno(line)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    return environment


def _to_json(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)


def _raise(message: str) -> None:
    import jinja2

    raise jinja2.TemplateError(message)
