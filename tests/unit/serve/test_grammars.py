"""Strangers' schemas: compiled in a child first, whose faults (a stand-in's) cost the caller an error and no more."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.errors import InputError
from edgekit.serve import grammars as module
from edgekit.serve.grammar import Grammar, SchemaCompiler, SchemaConstraint
from edgekit.serve.grammars import ANY_OBJECT, KEPT, MOST_SCHEMA_BYTES, Grammars
from edgekit.serve.worker import Worker
from edgekit.units import MIB
from tests.fake_engine import STOP, byte_tokenizer
from tests.schemas import ASKED

ROOM = 256 * MIB


class Counting(SchemaCompiler):
    """Counts what is compiled in the service's own process."""

    def __init__(self) -> None:
        super().__init__(byte_tokenizer(), 260, [STOP])
        self.compiled: list[str] = []

    def compile(self, schema: str) -> Grammar:
        self.compiled.append(schema)
        return super().compile(schema)


class Faulty(Worker):
    """Asks the stand-in for a fault in place of what it is asked."""

    def __init__(self, fault: bytes) -> None:
        super().__init__("tests.standing_in", memory_bytes=ROOM, deadline_s=1)
        self.fault = fault

    async def call(self, payload: bytes) -> bytes:
        return await super().call(self.fault)


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[tuple[Grammars, Counting]]:
    """Grammars with a true child."""
    file = folder / "tokenizer.json"
    byte_tokenizer().save(str(file))
    arguments = [str(file), "260", str(STOP)]
    compiler = Counting()
    worker = Worker("edgekit.serve.grammar_child", arguments, memory_bytes=ROOM, deadline_s=30)
    grammars = Grammars(compiler, worker)
    try:
        await grammars.start()
        yield grammars, compiler
    finally:
        await grammars.close()


def _first_ids(constraint: object) -> list[int]:
    assert isinstance(constraint, SchemaConstraint)
    return [*map(int, np.flatnonzero(np.isfinite(constraint.allowed(np.zeros(260, dtype=np.float32)))))]


def test_what_compiled_in_the_child_makes_constraints_here(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as (grammars, compiler):
            assert _first_ids(await grammars.constraint(ASKED["yes or no"].schema)) == [ord('"')]
            assert _first_ids(await grammars.constraint(ANY_OBJECT)) == [ord("{")]
            with pytest.raises(InputError, match="The schema can't be used: Invalid type"):
                await grammars.constraint({"type": "bogus"})
            assert [json.loads(schema) for schema in compiler.compiled] == [ASKED["yes or no"].schema, ANY_OBJECT]

    asyncio.run(scene())


def test_a_schema_that_is_asked_again_is_compiled_once(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(tmp_path) as (grammars, compiler):
            for _ in range(3):
                first, second = [await grammars.constraint(ASKED["scores"].schema) for _ in range(2)]
                assert first is not second
            assert len(compiler.compiled) == 1
            for number in range(KEPT):
                await grammars.constraint({"const": number})
            await grammars.constraint(ASKED["scores"].schema)
            assert len(compiler.compiled) == KEPT + 2

    asyncio.run(scene())


def test_no_schema_passes_itself_over(tmp_path: Path) -> None:
    """llguidance's own options would drop what it can't do, or write what is no JSON."""

    async def scene() -> None:
        async with opened(tmp_path) as (grammars, compiler):
            with pytest.raises(InputError, match="uniqueItems"):
                await grammars.constraint({"type": "array", "uniqueItems": True, "x-guidance": {"lenient": True}})
            constraint = await grammars.constraint({**ASKED["scores"].schema, "x-guidance": {"item_separator": ";"}})
            for byte in b"[1,2]":
                constraint.accept(byte)
            assert constraint.ended
            assert "x-guidance" not in compiler.compiled[0]

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (b"sleep 60", "takes too long"),
        (b"allocate %d" % (2 * ROOM), "too much memory"),
        (b"exit 0", "can't be compiled"),
        (b"raise something", "can't be compiled"),
    ],
)
def test_what_harms_the_child_is_an_error_and_never_compiled_here(fault: bytes, reason: str) -> None:
    async def scene() -> None:
        compiler, worker = Counting(), Faulty(fault)
        grammars = Grammars(compiler, worker)
        try:
            for _ in range(2):
                with pytest.raises(InputError, match=reason):
                    await grammars.constraint(ANY_OBJECT)
            assert not compiler.compiled
            worker.fault = b"echo "
            assert _first_ids(await grammars.constraint(ANY_OBJECT)) == [ord("{")]
        finally:
            await grammars.close()

    asyncio.run(scene())


def _nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {"description": "x" * MOST_SCHEMA_BYTES},
        {"description": "é" * (MOST_SCHEMA_BYTES // 2)},
        {"const": float("nan")},
        {"const": "\ud800"},
        {"const": b"bytes"},
        _nested(100_000),
    ],
    ids=["long", "long in UTF-8", "not a number", "no UTF-8", "no JSON", "deep"],
)
def test_what_is_too_long_or_no_json_reaches_no_compiler(schema: dict[str, Any]) -> None:
    async def scene() -> None:
        compiler, worker = Counting(), Faulty(b"exit 0")
        grammars = Grammars(compiler, worker)
        try:
            with pytest.raises(InputError, match=r"bytes|JSON"):
                await grammars.constraint(schema)
        finally:
            await grammars.close()
        assert not compiler.compiled

    asyncio.run(scene())


def test_those_of_a_model_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[str, float] = {}

    class Limited(Worker):
        def __init__(self, name: str, arguments: list[str], *, memory_bytes: int, deadline_s: float) -> None:
            super().__init__(name, arguments, memory_bytes=memory_bytes, deadline_s=deadline_s)
            limits.update(memory_bytes=memory_bytes, deadline_s=deadline_s)

    async def scene() -> None:
        file = tmp_path / "tokenizer.json"
        byte_tokenizer().save(str(file))
        grammars = Grammars.open(file, byte_tokenizer(), 260, [STOP])
        try:
            assert _first_ids(await grammars.constraint(ASKED["scores"].schema)) == [ord("[")]
        finally:
            await grammars.close()

    monkeypatch.setattr(module, "Worker", Limited)
    asyncio.run(scene())
    assert limits == {"memory_bytes": 64 * MIB, "deadline_s": 5.0}
