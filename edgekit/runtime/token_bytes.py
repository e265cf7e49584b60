"""The bytes that a token stands for, as its tokenizer's vocabulary spells them.

What a tokenizer decodes is text: a token that holds part of a character decodes to U+FFFD, and a first space is
dropped. Its bytes say what it is by itself.
"""

from __future__ import annotations

import re

from tokenizers import Tokenizer

_BYTE = re.compile(r"<0x([0-9A-F]{2})>")


class TokenBytes:
    """A vocabulary of GPT-2's kind (a printable character for each byte), or of SentencePiece's (``▁``, ``<0x0A>``).

    Which of the two, the tokenizer's decoder says.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._byte_level = tokenizer.decoder is not None and b"ByteLevel" in tokenizer.decoder.__getstate__()
        self._special = {id: token for id, token in tokenizer.get_added_tokens_decoder().items() if token.special}

    def __call__(self, token: int) -> bytes:
        """Return the bytes of ``token``; of a special one those of its name, and none where the vocabulary has no such
        token (it may be padded).
        """
        name = self._tokenizer.id_to_token(token)
        if name is None:
            return b""
        if self.special(token):
            return name.encode()
        if self._byte_level:
            spelled = [_BYTES.get(character) for character in name]
            whole = [byte for byte in spelled if byte is not None]
            return bytes(whole) if len(whole) == len(spelled) else name.encode()  # added tokens stand as they are
        if byte := _BYTE.fullmatch(name):
            return bytes([int(byte[1], 16)])
        return name.replace("▁", " ").encode()

    def special(self, token: int) -> bool:
        """Whether ``token`` is a special one, which gives an answer no text."""
        return token in self._special


def _gpt2_bytes() -> dict[str, int]:
    """GPT-2's ``bytes_to_unicode``, turned round: a printable byte is its own Latin-1 character, the others have those
    from U+0100 on, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + at): byte for at, byte in enumerate(others)}


_BYTES = _gpt2_bytes()
