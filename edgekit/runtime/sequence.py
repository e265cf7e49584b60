"""One request on its way from a prompt to an answer: what was asked, what was generated, where it stands.

``keys`` is everything that the sequence reads, one int per position (see :class:`Prompt`); the first
``written`` positions are in the KV of ``slot``. The token generated last is in ``keys`` but not yet in the
KV: the next step writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from edgekit.checkpoint.packed import Array
from edgekit.errors import EdgeKitError
from edgekit.inputs.prompt import Prompt
from edgekit.runtime.logprobs import TokenLogprob
from edgekit.runtime.sampling import Sampler
from edgekit.runtime.text import TextStream

State = Literal["waiting", "prefilling", "decoding", "finished"]
Reason = Literal["stop", "length", "cancelled", "error"]


@dataclass(frozen=True, kw_only=True)
class Completion:
    """An answer, and how it came about.

    * ``text``, and its ``ids``: the tokens generated, without the one that ended it
    * ``reason``: why it ended
    * ``prompt_tokens`` (image rows count), of which ``reused_tokens`` were in the KV already
    * ``first_token_ms`` from ``submit`` to the first token, waiting included; ``tokens_per_s``: the rate after it (both
      0 where there is none)
    * ``seed``: the one used
    * ``error``: set when ``reason`` is "error"
    * ``logprobs``: one for each of ``ids``, where they were asked for
    * ``pooled``: of each image, what :meth:`~edgekit.runtime.generator.Generator.pool_images` asked for
    """

    text: str
    ids: tuple[int, ...]
    reason: Reason
    prompt_tokens: int
    reused_tokens: int
    first_token_ms: float
    tokens_per_s: float
    seed: int
    error: EdgeKitError | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    pooled: tuple[Array | None, ...] = field(default=(), compare=False, repr=False)

    @property
    def tokens(self) -> int:
        return len(self.ids)

    def document(self, notes: Iterable[str] = ()) -> dict[str, Any]:
        """Return an answer as JSON has it; ``notes`` are what the readers of its pictures said."""
        return {
            "text": self.text,
            "tokens": self.tokens,
            "prompt_tokens": self.prompt_tokens,
            "first_token_ms": round(self.first_token_ms, 1),
            "tokens_per_s": round(self.tokens_per_s, 2),
            "reason": self.reason,
            "seed": self.seed,
            "notes": list(notes),
        }


@dataclass(eq=False, kw_only=True)
class Sequence:
    """A sequence is what ``Generator.submit`` gives: read ``state`` and ``completion``, leave the rest to it.

    * ``prompt``, of so many ``prompt_tokens``, and the most tokens of the answer, ``max_tokens``
    * ``sampler``, ``stream``: draw the next token, and make text of tokens
    * ``submitted``, ``times``: when it was submitted, and when each token came, in seconds of a steady clock
    * ``keys``: the prompt's and the answer's, one for each token
    * ``slot``: the arena's row that it has, None while it has none
    * ``written``: tokens whose keys and values lie there, of which ``reused`` did before
    * ``ids``, ``text``: the answer so far
    * ``completion``: the whole of it, once it has ended
    * ``caller``: who asked, and so who owns what is remembered of this
    * ``share``: as whom it shares slots fairly with others: its caller where nothing else is said
    * ``batch``: whether it waits behind those that don't say so
    * ``fleeting``: whether nothing of it is remembered once it has ended
    """

    prompt: Prompt
    max_tokens: int
    sampler: Sampler
    stream: TextStream
    submitted: float
    keys: list[int] = field(init=False)
    prompt_tokens: int = field(init=False)
    slot: int | None = None
    written: int = 0
    reused: int = 0
    ids: list[int] = field(default_factory=list)
    text: str = ""
    times: list[float] = field(default_factory=list)
    completion: Completion | None = None
    caller: str = ""
    share: str = ""
    batch: bool = False
    fleeting: bool = False

    def __post_init__(self) -> None:
        self.keys = list(self.prompt.keys)
        self.prompt_tokens = len(self.keys)
        self.share = self.share or self.caller

    @property
    def owner(self) -> str:
        """For whom what is kept of it may be reused: its caller, or once that is forgotten, nobody who asks."""
        return f"{self.caller}\0forgotten" if self.fleeting else self.caller

    @property
    def state(self) -> State:
        if self.completion is not None:
            return "finished"
        if self.slot is None:
            return "waiting"
        return "prefilling" if self.written < self.prompt_tokens else "decoding"

    def append(self, token: int) -> str:
        """Make ``token`` part of the answer; returns the text that it completes."""
        self.ids.append(token)
        self.keys.append(token)
        return self._say(self.stream.push(token))

    def finish(self, reason: Reason, error: EdgeKitError | None = None, pooled: tuple[Array | None, ...] = ()) -> str:
        """Set the completion; returns the text that was still held back."""
        rest = self._say(self.stream.flush())
        if self.stream.stopped and reason == "length":
            reason = "stop"
        self.completion = Completion(
            text=self.text,
            ids=tuple(self.ids),
            reason=reason,
            prompt_tokens=self.prompt_tokens,
            reused_tokens=self.reused,
            first_token_ms=1000 * (self.times[0] - self.submitted) if self.times else 0.0,
            tokens_per_s=_rate(self.times),
            seed=self.sampler.seed,
            error=error,
            logprobs=self.stream.logprobs,
            pooled=pooled,
        )
        return rest

    def _say(self, text: str) -> str:
        self.text += text
        return text


def _rate(times: list[float]) -> float:
    """Tokens per second after the first, from the time of each."""
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
