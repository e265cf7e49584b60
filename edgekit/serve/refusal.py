"""What the service says no with: OpenAI's form of an error, with a status, for every way in which a request can fail.

In: an error of EdgeKit's, or a reason of the service's own. Out: ``{"error": {message, type, param, code}}`` as in
OpenAI's API reference ("Error codes"), which clients parse to tell what may be tried again. This is the second of the
two borders at which errors become messages; the command line is the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from edgekit.errors import ContextExceeded, EdgeKitError, InputError, MissingExtra

_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
NEVER_RETRY = {"x-should-retry": "false"}
"""OpenAI's clients obey this header. Without it they send what was refused twice more, and so triple the load."""


class Refusal(Exception):
    """A request ends with a status and an error in OpenAI's form.

    * ``status``: of HTTP
    * ``message``: for people, what is wrong and what to do
    * ``code``: for programs, one word that stays the same ("model_not_found")
    * ``param``: the field of the request that is meant, as JSON paths name it ("messages[0].content")
    * ``headers``, ``more``: further headers, and further fields of the error
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str,
        *,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def document(self) -> dict[str, Any]:
        """Return the body of the answer."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error | self.more}


def refusal_of(error: Exception) -> Refusal:
    """Translate an error: what the request did wrong is told in its own words, what the service did wrong in ours."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ContextExceeded):
        return _context_exceeded(error)
    if isinstance(error, InputError):
        return Refusal(400, str(error).replace("\n", ". ", 1), "invalid_request", param="messages")
    if isinstance(error, MissingExtra):
        return Refusal(501, f"This service can't do that: {error.message}", "not_installed", headers=NEVER_RETRY)
    if isinstance(error, EdgeKitError):
        message = "The model failed at this request. The service's log says more; others go on."
        return Refusal(500, message, "engine_failed", headers=NEVER_RETRY)
    return Refusal(500, "The service failed at this request. Its log says more.", "internal_error", headers=NEVER_RETRY)


def _context_exceeded(error: ContextExceeded) -> Refusal:
    """OpenAI's code, with llama.cpp's type, numbers and words: each is what some client looks for. LiteLLM and
    LangChain look for "prompt is too long" and at no code (``findings/context-exceeded-by-wording.sh``)."""
    numbers = {"n_prompt_tokens": error.prompt_tokens, "n_ctx": error.context}
    message = (
        f"The prompt is too long: a conversation of {error.prompt_tokens} tokens exceeds the available context size of "
        f"{error.context} tokens, of which the answer needs one at least. Nothing was cut: leave out a picture or "
        "earlier turns, or begin a new one."
    )
    return Refusal(
        400,
        message,
        "context_length_exceeded",
        param="messages",
        more={"type": "exceed_context_size_error", **numbers},
    )


def unsupported(param: str, reason: str) -> Refusal:
    """A field that is understood and not served."""
    return Refusal(400, f"'{param}' is not supported: {reason}", "unsupported_parameter", param=param)


def invalid(param: str, reason: str) -> Refusal:
    """A field whose value can't be meant."""
    return Refusal(400, f"'{param}' {reason}", "invalid_value", param=param)


@contextmanager
def naming(own_name: Callable[[str], str]) -> Iterator[None]:
    """Have what is refused name a request's own fields, which ``own_name`` gives: no caller knows the others."""
    try:
        yield
    except (Refusal, InputError) as error:
        refusal = refusal_of(error)
        param = refusal.param and own_name(refusal.param)
        if param is None or param == refusal.param:
            raise
        message = refusal.message.replace(f"'{refusal.param}'", f"'{param}'")
        raise Refusal(
            refusal.status, message, refusal.code, param=param, headers=refusal.headers, more=refusal.more
        ) from error
