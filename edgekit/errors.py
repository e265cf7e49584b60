"""Every error that EdgeKit raises on purpose.

```
EdgeKitError(message, hint)        what and where; what to do about it
├── CheckpointError                a checkpoint that can't be read or understood
├── BundleError                    a bundle that is damaged, incomplete or of another version
├── ConfigError                    a target, recipe or manifest that says something wrong
├── InputError                     an image, a prompt or an argument that can't be used
│   └── DecodeError                an image that a decoder gave up, told in the decoder's words
│   └── ContextExceeded            a prompt that the context has no room for
│   └── NotHere                    something kept that is not there, or another's
│   └── NotAllowed                 something kept that may be looked at, and not changed
│   └── InUse                      something kept that others need
├── EngineError                    a runtime that can't load or run a graph
├── DiskFull                       no space is left for what has to be written
├── MissingExtra                   a library that an extra would bring
└── GateRefused                    over budget, answers differ, signature wrong
```

They are translated in two places only: the command line and the HTTP service.
"""

from __future__ import annotations


class EdgeKitError(Exception):
    """An error for people: ``message`` says what and where, ``hint`` what to do."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class CheckpointError(EdgeKitError):
    """A checkpoint can't be read or understood."""


class BundleError(EdgeKitError):
    """A bundle is damaged, incomplete or of another version."""


class ConfigError(EdgeKitError):
    """A target, recipe, config or manifest says something that it can't mean."""


class InputError(EdgeKitError):
    """An image, a prompt or an argument can't be used."""


class ContextExceeded(InputError):
    """A prompt of ``prompt_tokens`` (the rows of images count) is too long for a context of ``context`` tokens."""

    def __init__(self, prompt_tokens: int, context: int) -> None:
        super().__init__(
            f"The prompt is {prompt_tokens} tokens long; at most {context - 1} fit (images count, the answer needs "
            "room too)",
            "Shorten the question, leave out an image or earlier turns, or build with a larger context.",
        )
        self.prompt_tokens = prompt_tokens
        self.context = context


class DecodeError(InputError):
    """An image's decoder gave up. The message holds that library's words, which can say what the file holds and where
    the process keeps it: they are for who gave the file here, and for nobody at the other end of a network.
    """


class NotHere(InputError):
    """Something kept is not there, or is another's: nobody is told which."""


class NotAllowed(InputError):
    """Something kept may be looked at by who asks, and not be changed."""


class InUse(InputError):
    """Something kept can't go as long as others need it."""


class DiskFull(EdgeKitError):
    """No space is left for what has to be written; nothing of it was."""


class EngineError(EdgeKitError):
    """A runtime can't load or run a graph."""


class MissingExtra(EdgeKitError):
    """A library is missing that the named extra brings."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(f"{purpose} needs the extra '{extra}'", f"Run: pip install 'edgekit[{extra}]'")
        self.purpose = purpose
        self.extra = extra


class GateRefused(EdgeKitError):
    """A gate said no; ``--force`` goes on and the manifest keeps it."""

    exit_code = 3


def gist(text: str, limit: int = 300) -> str:
    """Return another program's words in ``limit`` characters at most: how they begin, and twice as much of how they
    end, since that is where the reason mostly stands.
    """
    if len(text) <= limit:
        return text
    start = (limit - 3) // 3
    return f"{text[:start].rstrip()} … {text[start + 3 - limit :].lstrip()}"
