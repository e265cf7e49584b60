"""From what the store has to what is shown of it; in the store's thread, since names are looked up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from edgekit.errors import NotHere
from edgekit.serve.ward.documents import (
    ConversationDocument,
    PictureDocument,
    ShareDocument,
    TurnDocument,
    VerdictDocument,
    WholeConversation,
    iso,
)
from edgekit.serve.ward.keeper import Store

if TYPE_CHECKING:
    from edgekit.ward.conversations import Conversation
    from edgekit.ward.pictures import StoredPicture
    from edgekit.ward.turns import Turn

_OWN_FIELDS = ("width", "height", "frames", "bits", "colour")
_SHORTER = {"pixel_spacing_mm": "pixel_spacing"}


def conversation_of(store: Store, owner: str, id: str) -> Conversation:
    """Return a conversation; :class:`~edgekit.errors.NotHere` where ``owner`` does not reach it."""
    conversation = store.ward.conversations.of(owner, id)
    if conversation is None:
        raise NotHere("There is no such conversation", "It may have been deleted, or its owner took it back.")
    return conversation


def turn_of(store: Store, owner: str, conversation: str, id: str) -> Turn:
    """Return a turn of a conversation; :class:`~edgekit.errors.NotHere` where ``owner`` does not reach it."""
    turn = store.ward.turns.named(owner, conversation, id)
    if turn is None:
        raise NotHere("There is no such question in this conversation", "It may have been deleted.")
    return turn


def show(store: Store, conversation: Conversation) -> ConversationDocument:
    """Show a conversation without what is in it."""
    head = _head(store, conversation)
    return ConversationDocument(**head, pictures=conversation.pictures, turns=conversation.turns)


def show_whole(store: Store, owner: str, id: str) -> WholeConversation:
    """Show a conversation with all that is in it. Whom it is shared with is for its owner."""
    conversation = conversation_of(store, owner, id)
    shares = store.ward.shares.of(owner, id) if conversation.access == "own" else ()
    return WholeConversation(
        **_head(store, conversation),
        turns=[show_turn(store, turn) for turn in store.ward.turns.of(owner, id)],
        images=[show_picture(picture) for picture in store.ward.pictures.of(owner, id)],
        shares=[ShareDocument(name=share.name, may_ask=share.may_ask) for share in shares],
        report=conversation.report,
    )


def _head(store: Store, conversation: Conversation) -> dict[str, Any]:
    """The fields of a :class:`~edgekit.serve.ward.documents.ConversationHead`."""
    return {
        "id": conversation.id,
        "label": conversation.label,
        "title": conversation.title,
        "referring_question": conversation.referring_question,
        "created": iso(conversation.created_s),
        "changed": iso(conversation.changed_s),
        "access": conversation.access,
        "owner": store.ward.accounts.name_of(conversation.owner),
    }


def show_turn(store: Store, turn: Turn, *, is_running: bool = False) -> TurnDocument:
    """Show a question and its answer. One that is said to be on its way and is not running has failed."""
    on_its_way = turn.state in ("waiting", "writing")
    verdict = VerdictDocument(verdict=turn.verdict.verdict, answer=turn.verdict.answer) if turn.verdict else None
    return TurnDocument(
        id=turn.id,
        number=turn.number,
        question=turn.question,
        pictures=list(turn.pictures),
        answer=turn.answer,
        state="failed" if on_its_way and not is_running else turn.state,
        notes=list(turn.notes),
        seed=turn.seed,
        params=dict(turn.params),
        tokens=turn.tokens,
        prompt_tokens=turn.prompt_tokens,
        bundle=turn.bundle,
        by=store.ward.accounts.name_of(turn.by),
        language=turn.language,
        created=iso(turn.created_s),
        verdict=verdict,
        confidence=None if turn.confidence is None else {"yes": turn.confidence},
    )


def show_picture(picture: StoredPicture) -> PictureDocument:
    """Show what is known of a picture; what is not is left out."""
    facts = dict(picture.facts)
    own: dict[str, Any] = {name: facts.pop(name) for name in _OWN_FIELDS}
    return PictureDocument(
        id=picture.id,
        **own,
        facts={_SHORTER.get(name, name): value for name, value in facts.items() if value not in (None, "", [], ())},
        notes=list(picture.notes),
        warnings=_codes(picture.warnings),
    )


def _codes(warnings: Iterable[Any]) -> list[str]:
    return [str(warning["code"]) for warning in warnings]
