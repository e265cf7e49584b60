"""A model to be asked, over a toy engine: every token of its vocabulary would end its answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from edgekit.inputs.prompt import Prompt, Turn
from tests.fake_engine import VOCAB, FakeEngine, byte_tokenizer, fake_spec, image_prompt


def model(engine: FakeEngine, pause: float = 0.0) -> Any:
    """What is asked of a model here; writing a prompt takes ``pause`` seconds."""

    def prompt(turns: Sequence[Turn]) -> Prompt:
        time.sleep(pause)
        said = " ".join(turn.question[:12] for turn in turns) if turns else "what?"
        return image_prompt("a", 7, said)

    bundle = SimpleNamespace(manifest=SimpleNamespace(spec=fake_spec(stop_ids=tuple(range(VOCAB)))))
    return SimpleNamespace(engine=engine, tokenizer=byte_tokenizer(), bundle=bundle, prompt=prompt)
