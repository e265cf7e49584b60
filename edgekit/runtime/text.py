"""From token ids to text, as they come: whole characters only, and nothing past a stop string.

``Detokenizer`` turns ids into pieces of text whose concatenation is what the tokenizer decodes from all
ids at once. (The tokenizers library has a ``DecodeStream``; it can't give what is left at the end, and it
raises where a run of byte tokens turns out not to be UTF-8.) ``StopStrings`` cuts the text before the
first stop string and keeps back what may still become one.
"""

from __future__ import annotations

import re

from tokenizers import Tokenizer

from edgekit.engines.base import Logits
from edgekit.runtime.logprobs import TokenLogprob

_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_UNFINISHED = "\ufffd"


class Detokenizer:
    """Incremental decoding, at a cost per token that does not grow with the text.

    Two things make a token's text depend on its neighbours. A character may span tokens: its bytes decode to
    U+FFFD until it is whole. And SentencePiece's decoder drops the first space of whatever it is given, and
    decodes a run of byte tokens (``<0x0A>``) all together: one wrong byte spoils the run, so a run is held
    until it ends. Hence only a short window of ids is decoded: the tokens that gave the last text (they
    carry the dropped space), then the new ones.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._skipped = {id for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}
        self._window: list[int] = []
        self._given = 0  # tokens of the window whose text was given out whole
        self._sent = 0  # characters of the window's text that were given out
        self.whole = True
        """Whether the text of all tokens so far was given out, and none is held back."""

    def push(self, token: int) -> str:
        """Return the text that ``token`` completes; "" while a character is unfinished."""
        name = None if token in self._skipped else self._tokenizer.id_to_token(token)
        if name is None:  # special, or padding of the vocabulary: it has no text and breaks no run
            return ""
        self._window.append(token)
        if _BYTE.fullmatch(name):
            self.whole = False
            return ""
        text = self._decode(self._window)
        whole = text.removesuffix(_UNFINISHED)
        piece = whole[self._sent :]
        self._sent = max(self._sent, len(whole))
        self.whole = whole == text
        if self.whole:
            self._slide()
        return piece

    def flush(self) -> str:
        """Return the rest, at the end: unfinished characters come out as U+FFFD."""
        piece = self._decode(self._window)[self._sent :]
        self._sent += len(piece)
        self.whole = True
        return piece

    def _slide(self) -> None:
        recent = self._window[self._given :]
        self._window, self._given, self._sent = recent, len(recent), len(self._decode(recent))

    def _decode(self, ids: list[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True)
        return text


class StopStrings:
    """Lets text through up to the stop string that is complete first (of two that end together, the longer)."""

    def __init__(self, stops: tuple[str, ...]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """Return what of the text so far may be shown now; "" once a stop string was found."""
        if self.stopped:
            return ""
        text = self._held + text
        ends = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if ends:
            self.stopped, self._held = True, ""
            return text[: min(ends)[1]]
        show = len(text) - self._undecided(text)
        self._held = text[show:]
        return text[:show]

    def flush(self) -> str:
        """Return what was kept back, at the end: it became no stop string."""
        text, self._held = self._held, ""
        return text

    def _undecided(self, text: str) -> int:
        """Length of the longest end of ``text`` with which a stop string begins."""
        longest = max(map(len, self._stops), default=0)
        lengths = range(min(longest, len(text)), 0, -1)
        return next((n for n in lengths if any(stop.startswith(text[-n:]) for stop in self._stops)), 0)


class TextStream:
    """A sequence's text: ids in; whole characters out, up to a stop string."""

    def __init__(self, tokenizer: Tokenizer, stops: tuple[str, ...]) -> None:
        self._detokenizer = Detokenizer(tokenizer)
        self._stops = StopStrings(stops)

    @property
    def stopped(self) -> bool:
        return self._stops.stopped

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...]:
        """None: :class:`~edgekit.runtime.logprobs.LogprobStream` has them."""
        return ()

    def take(self) -> tuple[TokenLogprob, ...]:
        return ()

    def weigh(self, token: int, logits: Logits) -> None:
        """Note nothing of ``logits``: this text goes without its tokens' probabilities."""

    def push(self, token: int) -> str:
        return self._stops.push(self._detokenizer.push(token))

    def flush(self) -> str:
        return self._stops.push(self._detokenizer.flush()) + self._stops.flush()
