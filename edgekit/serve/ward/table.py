"""Every path of the ward's, with what answers its methods."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from edgekit.serve.ward import admin, conversations, feedback, images, messages, report, session, sharing
from edgekit.serve.ward.desk import Desk
from edgekit.serve.ward.endpoint import Endpoint, Handler

CONVERSATION = "/api/conversations/{conversation}"
PATHS: dict[str, dict[str, Handler]] = {
    "/api/session": {"GET": session.tell, "POST": session.sign_in, "DELETE": session.sign_out},
    "/api/session/lock": {"POST": session.lock},
    "/api/session/unlock": {"POST": session.unlock},
    "/api/invitation": {"POST": session.accept},
    "/api/password": {"POST": session.change_password},
    "/api/account": {"PATCH": session.change_account},
    "/api/conversations": {"GET": conversations.list_all, "POST": conversations.create},
    CONVERSATION: {"GET": conversations.look_at, "PATCH": conversations.change, "DELETE": conversations.delete},
    f"{CONVERSATION}/access": {"GET": conversations.access},
    f"{CONVERSATION}/messages": {"POST": messages.ask},
    f"{CONVERSATION}/messages/{{turn}}": {"DELETE": messages.stop},
    f"{CONVERSATION}/messages/{{turn}}/events": {"GET": messages.follow},
    f"{CONVERSATION}/images": {"POST": images.add},
    f"{CONVERSATION}/images/{{picture}}": {"GET": images.show, "DELETE": images.remove},
    f"{CONVERSATION}/images/{{picture}}/pixels": {"GET": images.pixels},
    f"{CONVERSATION}/images/{{picture}}/mask": {"POST": images.mask},
    f"{CONVERSATION}/shares/{{name}}": {"PUT": sharing.give, "DELETE": sharing.withdraw},
    f"{CONVERSATION}/qr": {"GET": report.qr},
    "/api/feedback": {"POST": feedback.give},
    "/api/colleagues": {"GET": sharing.colleagues},
    "/api/admin": {"GET": admin.figures},
    "/api/support": {"GET": admin.support},
}


def routes(desk: Desk) -> list[BaseRoute]:
    """Return every path that there is."""
    endpoints = {path: Endpoint(path.removeprefix("/"), desk, **handlers) for path, handlers in PATHS.items()}
    return [Route(path, endpoint, methods=list(endpoint.methods)) for path, endpoint in endpoints.items()]
