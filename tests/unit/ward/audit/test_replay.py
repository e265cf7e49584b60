"""An answer is given again and is the same, or it is said what isn't, or why that can't be told."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from edgekit import config
from edgekit.errors import EdgeKitError, GateRefused
from edgekit.inputs.images import load_image
from edgekit.inputs.prompt import Turn as Spoken
from edgekit.runtime import SamplingParams
from edgekit.runtime.model import Model
from edgekit.target import target
from edgekit.ward.audit import replay as replays
from edgekit.ward.audit.answered import Answered
from edgekit.ward.audit.audit import Audit
from edgekit.ward.audit.engine import engine_words
from edgekit.ward.audit.here import audit_key
from edgekit.ward.audit.replay import Replayed, replay, require_equal
from edgekit.ward.history import history
from edgekit.ward.turns import Turn
from edgekit.ward.ward import Ward
from tests.audits import silent
from tests.fake_engine import DriftingEngine
from tests.toy_service import model_of
from tests.wards import MASTER, open_ward

OWNER, KEY = "account 1", audit_key(MASTER)
WARM = SamplingParams(max_tokens=12, temperature=1.0, seed=7)
ASCII = replace(WARM, logit_bias=tuple((byte, -100.0) for byte in range(128, 256)))
"""Whose answers are in a later prompt the very tokens that they were drawn as."""


def png(shade: int) -> Any:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, shade, shade)).save(stream, "PNG")
    return SimpleNamespace(file=stream.getvalue(), media_type="image/png", facts={}, notes=(), warnings=())


@dataclass
class Asked:
    """A ward in which is asked as the service does it, and replayed."""

    folder: Path
    ward: Ward
    audit: Audit
    conversation: str
    model: Model = field(default_factory=lambda: model_of(DriftingEngine(context=256, seed=3)))

    def picture(self, shade: int) -> str:
        return self.ward.pictures.add(OWNER, self.conversation, png(shade)).id

    def ask(self, question: str, *pictures: str, params: SamplingParams = WARM, stop_at: int = 0) -> Turn:
        ward, conversation = self.ward, self.conversation
        turn = ward.turns.add(OWNER, conversation, question, pictures, config.dump(params), seed=params.seed or 0)
        shown = history(ward.turns.of(OWNER, conversation), turn.id)
        images = [
            tuple(load_image(ward.pictures.file(OWNER, conversation, name)) for name in one.pictures) for one in shown
        ]
        answers = [*(one.answer for one in shown[:-1]), None]
        rows = zip(shown, answers, images, strict=True)
        spoken = [Spoken(one.question, answer, some) for one, answer, some in rows]
        prompt = self.model.prompt(spoken)
        sequence = self.model.generator.submit(prompt, params)
        while sequence.completion is None:
            if stop_at and len(sequence.ids) == stop_at:
                self.model.generator.cancel(sequence)
            self.model.generator.step()
        completion = sequence.completion
        state: Any = {"cancelled": "stopped", "error": "failed"}.get(completion.reason, "whole")
        ward.turns.finish(turn.id, completion.text, state, tokens=completion.tokens)
        self.audit.answered(
            Answered(
                who="account anna",
                conversation=conversation,
                turn=turn.id,
                bundle=self.model.bundle.digest,
                engine=engine_words(self.model),
                slots=self.model.engine.slots,
                prompt=prompt.keys,
                pictures=[image.digest for some in images for image in some],
                params=params,
                completion=completion,
            )
        )
        return turn

    def replay(self, turn: str) -> Replayed:
        return replay(self.ward, self.folder / "audit", KEY, turn, Path("bundle"))


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    audit = Audit.open(tmp_path / "audit", KEY, tell=silent)
    with open_ward(tmp_path) as ward:
        made = Asked(tmp_path, ward, audit, ward.conversations.create(OWNER).id)
        monkeypatch.setattr(replays, "open_bundle", lambda path: made.model.bundle)
        monkeypatch.setattr(Model, "open", lambda path, slots: model_of(DriftingEngine(slots, context=256, seed=3)))
        yield made


def test_every_answer_of_a_conversation_is_the_same_again(asked: Asked) -> None:
    chest, hand = asked.picture(10), asked.picture(200)
    greedy = SamplingParams(max_tokens=9)
    turns = [asked.ask("one?", chest, params=ASCII), asked.ask("two?", params=ASCII)]
    turns.append(asked.ask("three?", hand, chest, params=greedy))
    replayed = [asked.replay(turn.id) for turn in turns]
    assert {(one.verdict, one.code) for one in replayed} == {("equal", "")}
    assert [one.tokens for one in replayed] == [12, 12, 9]
    assert [one.line for one in replayed] == [1, 2, 3]
    for one in replayed:
        require_equal(one)
    assert "one?" not in str(replayed[0].document())


def test_one_that_was_stopped_is_the_same_as_far_as_it_went(asked: Asked) -> None:
    turn = asked.ask("one?", stop_at=5)
    assert (asked.replay(turn.id).verdict, asked.replay(turn.id).tokens) == ("equal", 5)
    after = asked.ask("two?")
    assert asked.replay(after.id).verdict == "equal"


def _change(asked: Asked, turn: Turn, **changes: Any) -> None:
    """As somebody with all keys may, behind the audit's back."""
    asked.ward.database.change("UPDATE turns SET state = 'writing' WHERE id = ?", (turn.id,))
    asked.ward.turns._update(turn.id, "whole", changes)


@pytest.mark.parametrize(
    ("number", "changes", "code"),
    [
        (1, {"answer": "No."}, "stored"),
        (0, {"answer": "No."}, "question"),
        (0, {"question": "One?"}, "question"),
        (1, {"question": "Two?"}, "question"),
        (1, {"params": config.dump(replace(WARM, temperature=0.9))}, "params"),
        (0, {"pictures": []}, "pictures"),
    ],
)
def test_what_was_changed_in_the_store_is_said(asked: Asked, number: int, changes: Any, code: str) -> None:
    turns = [asked.ask("one?", asked.picture(10)), asked.ask("two?")]
    _change(asked, turns[number], **changes)
    replayed = asked.replay(turns[1].id)
    assert (replayed.verdict, replayed.code) == ("differs", code)
    with pytest.raises(GateRefused):
        require_equal(replayed)


def test_another_answer_differs_from_where_it_does(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = asked.ask("one?")
    monkeypatch.setattr(Model, "open", lambda path, slots: model_of(DriftingEngine(slots, context=256, seed=4)))
    replayed = asked.replay(turn.id)
    assert (replayed.verdict, replayed.code) == ("differs", "answer")
    assert replayed.character is not None
    monkeypatch.setattr(replays, "engine_words", lambda model: "onnxruntime/9/riscv/none")
    replayed = asked.replay(turn.id)
    assert (replayed.verdict, replayed.code) == ("unknown", "engine")
    assert "onnxruntime/9" in replayed.explanation
    with pytest.raises(EdgeKitError, match="can't be told"):
        require_equal(replayed)


def test_another_answer_of_a_gpu_is_no_sign_of_a_change(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which kernels compute a row there depends on how many rows there are."""
    manifest = replace(asked.model.bundle.manifest, target=target("rtx3050"))
    asked.model = replace(asked.model, bundle=replace(asked.model.bundle, manifest=manifest))
    turn = asked.ask("one?")

    def opens(seed: int) -> None:
        other = model_of(DriftingEngine(2, context=256, seed=seed))
        monkeypatch.setattr(Model, "open", lambda path, slots: replace(other, bundle=asked.model.bundle))

    opens(3)
    assert asked.replay(turn.id).verdict == "equal"
    opens(4)
    replayed = asked.replay(turn.id)
    assert (replayed.verdict, replayed.code) == ("unknown", "gpu")
    assert replayed.character is not None
    with pytest.raises(EdgeKitError, match="rounding"):
        require_equal(replayed)


def test_the_same_answer_of_another_processor_is_the_same(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = asked.ask("one?")
    monkeypatch.setattr(replays, "engine_words", lambda model: "onnxruntime/9/riscv/none")
    assert asked.replay(turn.id).verdict == "equal"


def test_what_can_t_be_told_is_said_with_its_reason(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    turn, stopped = asked.ask("one?"), asked.ask("two?", stop_at=0)
    assert asked.replay("nowhere").code == "no_line"
    monkeypatch.setattr(replays, "__version__", "9.0")
    assert asked.replay(stopped.id).verdict == "equal", "another version that writes the same prompt"
    _change(asked, turn, question="One?")
    assert asked.replay(turn.id).code == "edgekit"
    other = replace(asked.model.bundle, digest="f" * 64)
    monkeypatch.setattr(replays, "open_bundle", lambda path: other)
    replayed = asked.replay(turn.id)
    assert (replayed.verdict, replayed.code) == ("unknown", "bundle")
    assert "edgekit-ffffffffffffffff" in replayed.explanation


def test_what_was_deleted_is_said_with_when(asked: Asked) -> None:
    turn = asked.ask("one?")
    asked.ward.conversations.delete(OWNER, asked.conversation)
    head = asked.audit.note("conversation_deleted", "account anna", conversation=asked.conversation)
    replayed = asked.replay(turn.id)
    assert (replayed.verdict, replayed.code, replayed.line) == ("unknown", "deleted", head.seq - 1)
    assert "deleted, at 20" in replayed.explanation


def test_one_that_failed_or_never_began_has_nothing_to_compare(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise EdgeKitError("no", "none")

    with monkeypatch.context() as patch:
        patch.setattr(asked.model.engine, "decode", fail)
        turn = asked.ask("one?")
    assert (asked.replay(turn.id).verdict, asked.replay(turn.id).code) == ("unknown", "failed")
