"""Constraints for what callers ask for: their schemas, compiled in a child with limits and only then here.

In: a schema as JSON has it. Out: a constraint for one answer. Compilers have hung and crashed services by a schema
alone; here that costs the caller an error, and nobody else anything.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from edgekit.errors import InputError
from edgekit.runtime.constraint import Constraint
from edgekit.serve.grammar import SIMPLER, Grammar, SchemaCompiler
from edgekit.serve.worker import Reason, Worker, WorkerFailure
from edgekit.units import KIB, MIB

ANY_OBJECT: Mapping[str, Any] = {"type": "object"}
"""What ``json_object`` of OpenAI's API asks for."""
MOST_SCHEMA_BYTES = 16 * KIB
MEMORY_BYTES = 64 * MIB
DEADLINE_S = 5.0
KEPT = 16
"""Grammars that are kept compiled: an application asks by the same schema again and again."""

_LIMITS: dict[Reason, str] = {
    "time": "takes too long to compile",
    "memory": "takes too much memory to compile",
    "died": "can't be compiled",
}


class Grammars:
    """Compiles schemas by ``worker``, which runs :mod:`edgekit.serve.grammar_child`, and then by ``compiler``."""

    def __init__(self, compiler: SchemaCompiler, worker: Worker) -> None:
        self._compiler = compiler
        self._worker = worker
        self._kept: OrderedDict[str, Grammar] = OrderedDict()

    @classmethod
    def open(cls, file: Path, tokenizer: Tokenizer, vocab: int, stop_ids: Sequence[int]) -> Grammars:
        """Return those of a model: ``tokenizer`` was read from ``file``. Raises what :class:`SchemaCompiler` does."""
        arguments = [str(file), str(vocab), *map(str, stop_ids)]
        worker = Worker("edgekit.serve.grammar_child", arguments, memory_bytes=MEMORY_BYTES, deadline_s=DEADLINE_S)
        return cls(SchemaCompiler(tokenizer, vocab, stop_ids), worker)

    async def start(self) -> None:
        """Wait until the child is ready; :class:`~edgekit.serve.worker.WorkerFailure` where it does not start."""
        await self._worker.start()

    async def close(self) -> None:
        """End the child."""
        await self._worker.close()

    async def constraint(self, schema: Mapping[str, Any]) -> Constraint:
        """Return a constraint for one answer; :class:`~edgekit.errors.InputError` where the schema can't be used."""
        text = _written(schema)
        grammar = self._kept.get(text) or await self._compile(text)
        self._kept[text] = grammar
        self._kept.move_to_end(text)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return grammar.constraint()

    async def _compile(self, schema: str) -> Grammar:
        try:
            complaint = await self._worker.call(schema.encode())
        except WorkerFailure as failure:
            raise InputError(f"The schema {_LIMITS[failure.reason]}", SIMPLER) from failure
        if complaint:
            raise InputError(complaint.decode(), SIMPLER)
        return await asyncio.to_thread(self._compiler.compile, schema)


def _written(schema: Mapping[str, Any]) -> str:
    """The schema as text, which names properties in the order in which they will stand in the answer.

    Without llguidance's own options, by which a schema would be passed over in part, or answers be no JSON.
    """
    schema = {key: value for key, value in schema.items() if key != "x-guidance"}
    try:
        text = json.dumps(schema, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        length = len(text.encode())
    except (ValueError, TypeError, RecursionError) as error:
        raise InputError(
            "The schema is no JSON that can be written: numbers must be finite, texts UTF-8", SIMPLER
        ) from error
    if length > MOST_SCHEMA_BYTES:
        raise InputError(f"The schema has {length} bytes; at most {MOST_SCHEMA_BYTES} are taken", SIMPLER)
    return text
