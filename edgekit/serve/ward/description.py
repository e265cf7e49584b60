"""The ward's part of ``GET /openapi.json``: each operation by the types that it reads and writes."""

from __future__ import annotations

from edgekit.serve.ward import documents, requests
from edgekit.serve.ward.operation import LOOKED, SENT, Operation

EVENTS, PNG, BYTES, SVG, ARCHIVE = (
    "text/event-stream",
    "image/png",
    "application/octet-stream",
    "image/svg+xml",
    "application/gzip",
)
_CONVERSATION = "/api/conversations/{conversation}"
_NUMBER = {"type": "integer", "minimum": 0, "maximum": 16384}
_ANSWERS = {"conversation": "$response.body#/id"}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/session"): Operation(
        id="session", summary="Who asks, and what answers", answer=documents.SessionDocument
    ),
    ("POST", "/api/session"): Operation(
        id="sign_in",
        summary="Begin a session, by a cookie",
        body=requests.SignIn,
        example={"name": "anna", "password": "a long walk to the sea"},
        answer=documents.SessionDocument,
        errors=SENT,
    ),
    ("DELETE", "/api/session"): Operation(id="sign_out", summary="End the session", status=204),
    ("POST", "/api/session/lock"): Operation(id="lock", summary="Lock the session", status=204),
    ("POST", "/api/session/unlock"): Operation(
        id="unlock",
        summary="Go on with a locked session",
        body=requests.Unlock,
        answer=documents.SessionDocument,
        errors=SENT,
    ),
    ("POST", "/api/invitation"): Operation(
        id="accept",
        summary="Choose a password by a one-time link, and begin a session",
        body=requests.Invitation,
        answer=documents.SessionDocument,
        errors=SENT,
    ),
    ("POST", "/api/password"): Operation(
        id="change_password",
        summary="Change one's password, which ends all of one's sessions",
        body=requests.NewPassword,
        status=204,
        errors=SENT,
    ),
    ("PATCH", "/api/account"): Operation(
        id="change_account",
        summary="Choose the language of one's page",
        body=requests.ChangedAccount,
        status=204,
        errors=SENT,
    ),
    ("GET", "/api/conversations"): Operation(
        id="conversations",
        summary="One's conversations, and those that were shared, the last changed first",
        answer=documents.ConversationList,
        errors=(400, *LOOKED),
        query={
            "search": {"type": "string"},
            "before": {"type": "string"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100},
        },
    ),
    ("POST", "/api/conversations"): Operation(
        id="begin_conversation",
        summary="Begin a conversation",
        body=requests.NewConversation,
        example={"label": "bed 4"},
        answer=documents.ConversationDocument,
        status=201,
        errors=(*SENT, 409),
        leads_to=dict.fromkeys(
            ("conversation", "access", "change_conversation", "ask", "add_picture", "share"), _ANSWERS
        ),
    ),
    ("GET", _CONVERSATION): Operation(
        id="conversation", summary="A conversation with all that is in it", answer=documents.WholeConversation
    ),
    ("PATCH", _CONVERSATION): Operation(
        id="change_conversation",
        summary="Change texts of a conversation",
        body=requests.ChangedConversation,
        answer=documents.ConversationDocument,
        errors=SENT,
    ),
    ("DELETE", _CONVERSATION): Operation(
        id="delete_conversation", summary="Delete a conversation for good, in backups, too", status=204
    ),
    ("GET", f"{_CONVERSATION}/access"): Operation(
        id="access",
        summary="What one may do in a conversation: whether a page that shows it may still do so",
        answer=documents.AccessDocument,
    ),
    ("POST", f"{_CONVERSATION}/messages"): Operation(
        id="ask",
        summary="Ask, and have it answered, as events or whole",
        body=requests.NewQuestion,
        example={"text": "Is there an effusion?", "max_tokens": 16, "stream": False},
        answer=documents.TurnDocument,
        also=(EVENTS,),
        errors=(*SENT, 409, 501, 504),
        leads_to={
            id: {"conversation": "$request.path.conversation", "turn": "$response.body#/id"}
            for id in ("follow", "stop")
        },
    ),
    ("GET", f"{_CONVERSATION}/messages/{{turn}}/events"): Operation(
        id="follow",
        summary="Take an answer up behind what of it has come",
        answer=EVENTS,
        errors=(400, *LOOKED),
        query={"offset": {"type": "integer", "minimum": 0, "maximum": 999999999}},
    ),
    ("DELETE", f"{_CONVERSATION}/messages/{{turn}}"): Operation(
        id="stop", summary="Stop an answer; what was written of it stays", status=204
    ),
    ("POST", f"{_CONVERSATION}/images"): Operation(
        id="add_picture",
        summary="Take a picture's file, as the body",
        body=BYTES,
        answer=documents.PictureDocument,
        status=201,
        errors=(*SENT, 409, 415, 501),
        leads_to={
            id: {"conversation": "$request.path.conversation", "picture": "$response.body#/id"}
            for id in ("picture", "pixels", "mask", "remove_picture")
        },
    ),
    ("GET", f"{_CONVERSATION}/images/{{picture}}"): Operation(
        id="picture",
        summary="A picture's frame as PNG",
        answer=PNG,
        errors=(400, *LOOKED, 501),
        query={"side": _NUMBER, "frame": _NUMBER},
    ),
    ("GET", f"{_CONVERSATION}/images/{{picture}}/pixels"): Operation(
        id="pixels",
        summary="A frame's numbers, 16 bits each, by rows; x-picture says how they are drawn",
        answer=BYTES,
        also=(PNG,),
        errors=(400, *LOOKED, 501),
        query={"side": _NUMBER, "frame": _NUMBER},
    ),
    ("POST", f"{_CONVERSATION}/images/{{picture}}/mask"): Operation(
        id="mask",
        summary="Blacken rectangles of a picture, which becomes another",
        body=requests.Mask,
        example={"rectangles": [[0, 0, 1, 1]]},
        answer=documents.PictureDocument,
        status=201,
        errors=(*SENT, 409, 501),
    ),
    ("DELETE", f"{_CONVERSATION}/images/{{picture}}"): Operation(
        id="remove_picture",
        summary="Remove a picture that no question was asked about",
        status=204,
        errors=(*LOOKED, 409),
    ),
    ("PUT", f"{_CONVERSATION}/shares/{{name}}"): Operation(
        id="share",
        summary="Share a conversation with a colleague",
        body=requests.Share,
        example={"may_ask": True},
        status=204,
        errors=SENT,
    ),
    ("DELETE", f"{_CONVERSATION}/shares/{{name}}"): Operation(
        id="withdraw", summary="Take a conversation back from a colleague", status=204
    ),
    ("POST", "/api/feedback"): Operation(
        id="feedback",
        summary="Say of an answer that it is right, wrong, or what it should have been",
        body=requests.Feedback,
        status=204,
        errors=SENT,
    ),
    ("GET", "/api/colleagues"): Operation(
        id="colleagues", summary="To whom a conversation can be shown", answer=documents.Colleagues
    ),
    ("GET", f"{_CONVERSATION}/qr"): Operation(
        id="qr", summary="Note that a report is printed, and bind it to the audit by a code", answer=SVG
    ),
    ("GET", "/api/admin"): Operation(id="figures", summary="How the service fares", answer=documents.AdminDocument),
    ("GET", "/api/support"): Operation(
        id="support",
        summary="An archive for help from afar, without anything of patients; x-archive says what is in it",
        answer=ARCHIVE,
    ),
}
TYPES = tuple(
    dict.fromkeys(
        kind
        for operation in OPERATIONS.values()
        for kind in (operation.body, operation.answer)
        if isinstance(kind, type)
    )
)
"""Of all documents that are read and written."""
