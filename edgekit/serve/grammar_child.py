"""The child that compiles strangers' schemas first: what harms or holds up a compiler does so to this process.

Run by :class:`~edgekit.serve.grammars.Grammars` with the tokenizer's file, the model's number of logits, and its stop
ids. A message is a schema, its answer what is wrong with it: nothing where it compiled.
"""

from __future__ import annotations

import sys
from pathlib import Path

from edgekit.checkpoint.documents import read_text
from edgekit.checkpoint.tokenizer import parse_tokenizer
from edgekit.errors import InputError
from edgekit.serve.grammar import SchemaCompiler
from edgekit.serve.limited import answer_messages


def main(arguments: list[str]) -> None:
    """Answer messages until the service ends."""
    file, vocab, *stop_ids = arguments
    compiler = SchemaCompiler(parse_tokenizer(read_text(Path(file)), file), int(vocab), [*map(int, stop_ids)])

    def handle(schema: bytes) -> bytes:
        try:
            compiler.compile(schema.decode())
        except InputError as error:
            return error.message.encode()
        return b""

    answer_messages(handle)


if __name__ == "__main__":
    main(sys.argv[1:])
