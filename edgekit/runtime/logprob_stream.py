"""An answer's text by its tokens: each with what it gave the text, and how likely it and its alternatives were.

In: the ids, and the logits that each was chosen by. Out: whole tokens, whose texts join to the answer's, and the text
that they are. A character may span tokens, a stop string may begin or end inside of one, and SentencePiece drops an
answer's first space: :mod:`edgekit.runtime.text` says what is let through, and this, whose it is.
"""

from __future__ import annotations

import codecs
from collections import deque
from dataclasses import replace

from tokenizers import Tokenizer

from edgekit.engines.base import Logits
from edgekit.runtime.logprobs import Alternative, TokenLogprob, likeliest, log_softmax
from edgekit.runtime.text import TextStream
from edgekit.runtime.token_bytes import TokenBytes

_UNFINISHED = "\ufffd"


class LogprobStream(TextStream):
    """A sequence's text that is let through in whole tokens, each with its probability and ``alternatives`` others.

    A token's text is settled once all its characters are whole, and told once no stop string can begin in it.
    """

    def __init__(self, tokenizer: Tokenizer, stops: tuple[str, ...], alternatives: int) -> None:
        super().__init__(tokenizer, stops)
        self._tokenizer = tokenizer
        self._alternatives = alternatives
        self._bytes = TokenBytes(tokenizer)
        self._begun = False  # whether a token with text has come: SentencePiece drops the first one's space
        self._open: list[TokenLogprob] = []  # tokens whose text is not settled yet
        self._piece = ""  # the text that came while they were open
        self._settled: deque[TokenLogprob] = deque()  # tokens of which a part may be held back for a stop string
        self._shown = ""  # the text that may be told, and has not been
        self._logprobs: list[TokenLogprob] = []
        self._taken = 0

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...]:
        """The tokens whose text was let through; after ``flush`` one for each that was pushed."""
        return tuple(self._logprobs)

    def take(self) -> tuple[TokenLogprob, ...]:
        """Return those that came since the last call."""
        fresh, self._taken = tuple(self._logprobs[self._taken :]), len(self._logprobs)
        return fresh

    def weigh(self, token: int, logits: Logits) -> None:
        """Note how likely ``token`` was, which is pushed next, among ``logits`` [vocab]."""
        logprobs, special = log_softmax(logits), self._bytes.special(token)
        top = tuple(self._alternative(id, float(logprobs[id])) for id in likeliest(logits, self._alternatives))
        own = b"" if special else self._bytes(token)
        self._begun = self._begun or bool(own)
        self._open.append(TokenLogprob("", own, float(logprobs[token]), top))

    def push(self, token: int) -> str:
        """Return the text of the tokens that ``token`` lets through."""
        self._add(self._detokenizer.push(token))
        if self._detokenizer.whole or self.stopped:
            self._settle()
        return self._let_through()

    def flush(self) -> str:
        """Return the rest, at the end."""
        if self.stopped:
            return ""
        self._add(self._detokenizer.flush())
        self._shown += self._stops.flush()
        self._settle()
        return self._let_through()

    def _add(self, piece: str) -> None:
        self._piece += piece
        self._shown += self._stops.push(piece)

    def _settle(self) -> None:
        self._settled.extend(share(self._open, self._piece))
        self._open, self._piece = [], ""

    def _let_through(self) -> str:
        """Tell the tokens all of whose text may be shown; at a stop string the others, too, cut."""
        text = ""
        while self._settled and (self.stopped or len(self._settled[0].text) <= len(self._shown)):
            token = self._settled.popleft()
            shown = self._shown[: len(token.text)]
            if shown != token.text or (self.stopped and not self._shown):
                token = replace(token, text=shown, bytes=shown.encode())
            self._logprobs.append(token)
            self._shown = self._shown[len(shown) :]
            text += shown
        return text

    def _alternative(self, token: int, logprob: float) -> Alternative:
        own = self._bytes(token)
        if not self._begun and not self._bytes.special(token):
            text: str = self._tokenizer.decode([token])
            if _UNFINISHED not in text:
                return Alternative(text, text.encode(), logprob)
        return Alternative(own.decode("utf-8", "replace"), own, logprob)


def share(tokens: list[TokenLogprob], text: str) -> list[TokenLogprob]:
    """Give each of ``tokens`` its part of ``text``, which they spell together: a character to the token of its last
    byte.

    Where their bytes don't spell it (they are no UTF-8, or the decoder dropped the answer's first space), it goes to
    the last token that has any.
    """
    own = [token.bytes for token in tokens]
    if b"".join(own) == text.encode():
        decoder = codecs.getincrementaldecoder("utf-8")()
        texts = [decoder.decode(part) for part in own]
    else:
        last = max((at for at, part in enumerate(own) if part), default=len(own) - 1)
        texts = [text if at == last else "" for at in range(len(own))]
        if _UNFINISHED not in text:
            own = [part.encode() for part in texts]
    return [replace(token, text=part, bytes=spelled) for token, part, spelled in zip(tokens, texts, own, strict=True)]
