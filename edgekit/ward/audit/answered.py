"""What the audit keeps of an answer: enough to tell later whether it would be given again, and nothing that it says.

Prompt, answer and pictures stand there as keyed hashes. Each is bound to its conversation or turn, so equal questions
about two patients have nothing in common.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgekit import __version__, config
from edgekit.ward.audit.keys import sign

if TYPE_CHECKING:
    from edgekit.runtime import Completion, SamplingParams


@dataclass(frozen=True, kw_only=True)
class Answered:
    """An answer that has ended, however it did.

    * ``who`` asked, in which ``conversation`` and ``turn`` (ids)
    * ``bundle``: the whole digest of the bundle that answered, ``engine``: what ran it, in the words of
      :func:`~edgekit.ward.audit.engine.engine_words`, with so many ``slots``
    * ``prompt``: the keys of the prompt, one for each token and each row of a picture
    * ``pictures``: the digest of each of its pictures, in their order
    * ``params``, ``completion``: how it was drawn, and what came of it
    * ``confidence``: how sure the model was, where it says so
    """

    who: str
    conversation: str
    turn: str
    bundle: str
    engine: str
    slots: int
    prompt: Sequence[int]
    pictures: Sequence[str]
    params: SamplingParams
    completion: Completion
    confidence: float | None = None

    def facts(self, key: bytes) -> dict[str, Any]:
        """Return what a line says of it; ``key`` is that of contents."""
        completion = self.completion
        return {
            "conversation": self.conversation,
            "turn": self.turn,
            "bundle": self.bundle,
            "engine": self.engine,
            "slots": self.slots,
            "edgekit": __version__,
            "images": [hash_text(key, self.conversation, "image", digest) for digest in self.pictures],
            "seed": completion.seed,
            "params": hash_text(key, self.turn, "params", params_text(self.params)),
            "prompt_tokens": completion.prompt_tokens,
            "prompt": hash_numbers(key, self.turn, "prompt", self.prompt),
            "tokens": completion.tokens,
            "answer": hash_numbers(key, self.turn, "answer", completion.ids),
            "text": hash_text(key, self.turn, "text", completion.text),
            "confidence": self.confidence,
            "outcome": completion.reason,
        }


def params_text(params: SamplingParams) -> str:
    """Return how an answer is drawn as one text, but for the seed, which a line tells itself."""
    return json.dumps({name: value for name, value in config.dump(params).items() if name != "seed"}, sort_keys=True)


def hash_text(key: bytes, within: str, purpose: str, text: str) -> str:
    """Return the keyed hash of a text in hexadecimal, bound to the id ``within`` which it counts, and to a purpose."""
    return sign(key, f"{purpose} {within} {text}".encode(errors="surrogatepass")).hex()


def hash_numbers(key: bytes, within: str, purpose: str, numbers: Iterable[int]) -> str:
    """Return the keyed hash of whole numbers, as :func:`hash_text` does that of a text."""
    return hash_text(key, within, purpose, " ".join(map(str, numbers)))
