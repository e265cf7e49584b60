"""What is asked while a bundle is measured: pictures that differ, answers that do not end, slots that are full."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgekit.errors import EngineError
from edgekit.profile.asking import answers, ask_about, draw_pictures, fill, fresh, never_ending
from tests.fake_engine import VOCAB, FakeEngine, fake_spec, text_prompt
from tests.unit.profile.fakes import model


def test_no_two_pictures_are_alike_and_every_machine_draws_the_same(tmp_path: Path) -> None:
    (tmp_path / "again").mkdir()
    paths = draw_pictures(tmp_path, 3)
    assert len({path.read_bytes() for path in paths}) == 3
    assert [path.read_bytes() for path in draw_pictures(tmp_path / "again", 2)] == [p.read_bytes() for p in paths[:2]]
    with Image.open(paths[0]) as picture:
        assert picture.size == (512, 512)


def test_an_answer_is_ended_by_no_token_and_no_words() -> None:
    spec = replace(fake_spec(stop_ids=tuple(range(VOCAB))), template=replace(fake_spec().template, stop=("a",)))
    endless = never_ending(spec)
    assert (endless.stop_ids, endless.template.stop) == ((), ())
    assert replace(endless, stop_ids=spec.stop_ids, template=spec.template) == spec, "nothing else is another"
    assert len(ask_about(model(FakeEngine()), [], 20).ids) == 20


def test_everything_is_asked_at_once() -> None:
    engine = FakeEngine(slots=3)
    asked = answers(fresh(model(engine)), [text_prompt(word) for word in ("one", "two", "three")], 5)
    assert [len(sequence.ids) for sequence in asked] == [5, 5, 5]
    assert ("decode", 0, 1, 2) in engine.calls


def test_the_first_error_is_raised() -> None:
    class Broken(FakeEngine):
        def decode(self, tokens: object, slots: object) -> object:  # type: ignore[override]
            raise EngineError("out of memory")

    with pytest.raises(EngineError, match="out of memory"):
        answers(fresh(model(Broken())), [text_prompt("one")], 5)


def test_full_contexts_are_full_in_every_slot_and_share_nothing() -> None:
    engine = FakeEngine(slots=3, context=96)
    fill(model(engine), tokens=8)
    assert engine.valid == [95, 95, 95]  # the last token of an answer is never written
    assert not [call for call in engine.calls if call[0] == "copy"]
