"""The child that compiles schemas, as it runs: a complaint for what is wrong, nothing for what compiled."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from edgekit.serve.worker import Worker, WorkerFailure
from edgekit.units import MIB
from tests.fake_engine import STOP, byte_tokenizer


def _ask(folder: Path, *schemas: str, vocab: int = 260) -> list[str]:
    async def scene() -> list[str]:
        file = folder / "tokenizer.json"
        byte_tokenizer().save(str(file))
        arguments = [str(file), str(vocab), str(STOP), "7"]
        worker = Worker("edgekit.serve.grammar_child", arguments, memory_bytes=256 * MIB, deadline_s=30)
        try:
            return [(await worker.call(schema.encode())).decode() for schema in schemas]
        finally:
            await worker.close()

    return asyncio.run(scene())


def test_it_says_what_is_wrong_and_goes_on(tmp_path: Path) -> None:
    answers = _ask(tmp_path, '{"enum": ["é"]}', '{"type": "bogus"}', '{"type": "object"}')
    assert answers == ["", "The schema can't be used: Invalid type: bogus", ""]


def test_without_a_tokenizer_that_it_can_read_it_is_never_ready(tmp_path: Path) -> None:
    with pytest.raises(WorkerFailure):
        _ask(tmp_path, "{}", vocab=3)
