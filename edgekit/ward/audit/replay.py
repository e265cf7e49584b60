"""An answer given again from the store, and held against what the audit kept of it.

In: a turn's id, the store, the audit, a bundle. Out: whether prompt and answer are the same, token by token, or where
they differ, or why that can't be told. Nothing of what was asked or answered is in the result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from edgekit import __version__, config
from edgekit.bundle import open_bundle
from edgekit.errors import EdgeKitError, GateRefused
from edgekit.inputs.images import Picture, load_image
from edgekit.inputs.prompt import Prompt
from edgekit.inputs.prompt import Turn as Spoken
from edgekit.runtime import Completion, SamplingParams
from edgekit.runtime.model import Model
from edgekit.ward.audit.answered import hash_numbers, hash_text, params_text
from edgekit.ward.audit.engine import engine_words
from edgekit.ward.audit.keys import AuditKeys
from edgekit.ward.audit.line import Line
from edgekit.ward.audit.recall import Recalled, recall
from edgekit.ward.audit.verify import lines
from edgekit.ward.ward import Ward

Verdict: TypeAlias = Literal["equal", "differs", "unknown"]
_CODES: Mapping[str, tuple[Verdict, str]] = {
    "": ("equal", "The same prompt has the same answer, token by token"),
    "answer": ("differs", "The same prompt has another answer here"),
    "question": ("differs", "What the store has of the conversation is not what was asked then"),
    "pictures": ("differs", "The pictures in the store are not those that were asked about"),
    "params": ("differs", "The store says that the answer was drawn otherwise than it was"),
    "stored": ("differs", "The answer in the store is not the one that was given"),
    "no_line": ("unknown", "The audit has no answer of this id"),
    "deleted": ("unknown", "The conversation was deleted"),
    "failed": ("unknown", "The answer failed then: there is nothing to compare"),
    "stopped": ("unknown", "The answer was stopped before its first token; the prompt is the same"),
    "bundle": ("unknown", "Another bundle answered"),
    "engine": ("unknown", "Another processor or engine answered, which may round otherwise"),
    "gpu": ("unknown", "The same prompt has another answer here, which a GPU's rounding may have made"),
    "edgekit": ("unknown", "Another EdgeKit wrote the prompt"),
}


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """What came of giving an answer again.

    * ``verdict``; ``code``: why, in a word, "" where all is equal; ``explanation``: in a sentence
    * ``line``: the number of the audit's line of it, 0 where there is none; ``time``: when it was given
    * ``tokens``: how many the answer had then; ``character``: where the texts part, None where they don't, or that
      isn't known
    """

    turn: str
    verdict: Verdict
    code: str
    explanation: str
    line: int = 0
    time: str = ""
    tokens: int = 0
    character: int | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return dict(vars(self))


def result(turn: str, line: Line | None, code: str, detail: str = "", *, tokens: int = 0) -> Replayed:
    """Return what a code of :data:`_CODES` stands for, of the answer that a ``line`` tells of."""
    verdict, explanation = _CODES[code]
    return Replayed(
        turn=turn,
        verdict=verdict,
        code=code,
        explanation=f"{explanation}{detail}.",
        line=line.seq if line else 0,
        time=str(line.fields["time"]) if line else "",
        tokens=line.fields.get("tokens", tokens) if line else 0,
    )


def replay(ward: Ward, folder: Path, key: bytes, turn: str, bundle: Path) -> Replayed:
    """Give the answer of a ``turn`` again by the ``bundle``, and hold it against the audit in ``folder``.

    :class:`~edgekit.errors.EdgeKitError` where store, audit or bundle can't be read, or the bundle does not run here.
    """
    line, deleted = _find(folder, key, turn)
    if line is None:
        return result(turn, None, "no_line")
    recalled = recall(ward, turn)
    if recalled is None:
        when = f", at {deleted.fields['time']}" if deleted else ""
        return result(turn, line, "deleted", when)
    opened = open_bundle(bundle)
    if opened.digest != line.fields["bundle"]:
        there = str(line.fields["bundle"])[:16]
        return result(turn, line, "bundle", f": edgekit-{there}, and {bundle} is edgekit-{opened.digest[:16]}")
    with Model.open(bundle, slots=1 if line.fields["slots"] == 1 else 2) as model:  # rows alone round otherwise
        return again(model, recalled, line, key)


def again(model: Model, recalled: Recalled, line: Line, key: bytes) -> Replayed:
    """Give an answer again by a model of the same bundle, and hold it against its ``line``."""
    contents, asked = AuditKeys.of(key).contents, recalled.asked
    said, id = line.fields, asked.id
    pictures = [tuple(load_image(file) for file in files) for files in recalled.files]
    if code := _altered(recalled, pictures, said, contents):
        return result(id, line, code)
    prompt = model.prompt(
        [
            Spoken(turn.question, None if turn is asked else turn.answer, shown)
            for turn, shown in zip(recalled.turns, pictures, strict=True)
        ]
    )
    if hash_numbers(contents, id, "prompt", prompt.keys) != said["prompt"]:
        other = said["edgekit"] != __version__
        return result(id, line, "edgekit" if other else "question", f": {said['edgekit']}" if other else "")
    if said["outcome"] == "error" or (said["outcome"] == "cancelled" and not said["tokens"]):
        return result(id, line, "failed" if said["outcome"] == "error" else "stopped")
    completion = _answer(model, prompt, _params(recalled, said))
    if hash_numbers(contents, id, "answer", completion.ids) == said["answer"]:
        return result(id, line, "")
    engine = engine_words(model)
    if engine != said["engine"]:
        return result(id, line, "engine", f": {said['engine']}, here {engine}")
    code = "gpu" if model.bundle.manifest.target.kind.on_gpu else "answer"
    return replace(result(id, line, code), character=_parting(asked.answer, completion.text))


def require_equal(replayed: Replayed) -> None:
    """Raise :class:`~edgekit.errors.GateRefused` where an answer differs, and
    :class:`~edgekit.errors.EdgeKitError` where that can't be told."""
    if replayed.verdict == "differs":
        raise GateRefused(replayed.explanation, "See whether bundle and audit are whole: edgekit check, audit verify.")
    if replayed.verdict == "unknown":
        raise EdgeKitError(f"Whether it is the same can't be told. {replayed.explanation}", _HINTS[replayed.code])


_HINTS = {
    "no_line": "An id is that of a question in a conversation; answers over the API are not kept.",
    "deleted": "",
    "failed": "",
    "stopped": "",
    "bundle": "Give the bundle that answered: edgekit audit replay ID BUNDLE",
    "engine": "Try on the machine that answered.",
    "gpu": "Question, pictures, settings and the kept answer are what the audit says they were.",
    "edgekit": "Try with the version that answered.",
}


def _find(folder: Path, key: bytes, turn: str) -> tuple[Line | None, Line | None]:
    """The line of a turn's answer, and that of its conversation's deletion."""
    answered, deletions = None, {}
    for line in lines(folder, key):
        event = line.fields["event"]
        if event == "answered" and line.fields["turn"] == turn:
            answered = line
        elif event in ("conversation_deleted", "conversation_expired"):
            deletions[line.fields.get("conversation")] = line
    return answered, deletions.get(answered.fields["conversation"]) if answered else None


def _altered(recalled: Recalled, pictures: list[tuple[Picture, ...]], said: Mapping[str, Any], contents: bytes) -> str:
    """What of the store isn't as the line says, by its code; "" where all is."""
    asked, conversation = recalled.asked, str(said["conversation"])
    images = [hash_text(contents, conversation, "image", picture.digest) for shown in pictures for picture in shown]
    if images != said["images"]:
        return "pictures"
    if hash_text(contents, asked.id, "params", params_text(_kept_params(recalled))) != said["params"]:
        return "params"
    return "" if hash_text(contents, asked.id, "text", asked.answer) == said["text"] else "stored"


def _kept_params(recalled: Recalled) -> SamplingParams:
    return config.load(SamplingParams, recalled.asked.params, "the store")


def _params(recalled: Recalled, said: Mapping[str, Any]) -> SamplingParams:
    """As it was drawn; one that was stopped ends where it was."""
    params = replace(_kept_params(recalled), seed=said["seed"])
    return replace(params, max_tokens=said["tokens"]) if said["outcome"] == "cancelled" else params


def _answer(model: Model, prompt: Prompt, params: SamplingParams) -> Completion:
    (completion,) = model.generator.generate([prompt], params)
    if completion.error is not None:
        raise completion.error
    return completion


def _parting(first: str, second: str) -> int:
    """How many characters two texts have in common from their beginning on."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(first), len(second)))
