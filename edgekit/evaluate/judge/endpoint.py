"""The judge's end: any endpoint of OpenAI's API, asked by the official client.

The client waits and asks again by itself where a reply may still come: after 408, 409, 429 and 5xx, a timeout or a cut
connection, as long as the endpoint says or else twice as long each time. A redirect is not followed: texts go where
somebody said, and nowhere else.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from edgekit.errors import EdgeKitError, InputError, MissingExtra, gist
from edgekit.evaluate.judge.prompt import Request
from edgekit.evaluate.judge.verdict import FILTERED

if TYPE_CHECKING:
    import openai

KEY = "EDGEKIT_JUDGE_KEY"
RETRIES = 8
TIMEOUT_S = 120.0
MAX_TOKENS = 1024
_NOBODY = frozenset({401, 403, 404})
_CONNECT_S = 10.0  # a firewall that drops what is sent shall not look like a judge that thinks
_UNSUITED = ("unsupported_parameter", "unsupported_value")
"""Wrong key, not allowed, no such model or path: the next request would be told the same."""
_FROM_ELSEWHERE = ("OpenAI-Organization", "OpenAI-Project")
"""What the client takes from the environment for OpenAI's own endpoint, and is nobody else's business."""


class NoReply(EdgeKitError):
    """One request has no reply that can be used, however often it was made."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back: fields as those of a :class:`~edgekit.evaluate.judge.judgement.Judgement`."""

    reply: str | None
    refusal: str | None = None
    finish: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Endpoint:
    """An endpoint at ``url`` that is asked for ``model``, greedily; nothing is sent before the first request.

    :class:`InputError` for a URL that is none; :class:`MissingExtra` without the client.
    """

    def __init__(
        self, url: str, model: str, *, key: str = "", timeout_s: float = TIMEOUT_S, retries: int = RETRIES
    ) -> None:
        self.url = endpoint_url(url)
        self.model = model
        self._key = key
        self._unsent = _FROM_ELSEWHERE if key else (*_FROM_ELSEWHERE, "Authorization")
        self._client = _client(self.url, key, timeout_s, retries)

    def ask(self, request: Request) -> Reply:
        """Return the reply to a request.

        :class:`NoReply` where it has none; another :class:`EdgeKitError` where none would have one.
        """
        import openai

        try:
            completion = self._client.chat.completions.create(
                model=self.model,
                messages=[{"role": "system", "content": request.system}, {"role": "user", "content": request.user}],
                temperature=0,
                max_tokens=MAX_TOKENS,
                extra_headers={name: openai.Omit() for name in self._unsent},
            )
        except openai.APIStatusError as error:
            return self._refused(error)
        except openai.APITimeoutError:
            raise NoReply("it took too long") from None
        except openai.APIConnectionError as error:
            raise NoReply(f"it can't be reached: {self._told(error.__cause__ or error)}") from None
        except (openai.OpenAIError, ValueError) as error:  # what comes may be anything
            raise NoReply(f"what it sent is no reply: {self._told(error)}") from None
        return _reply(completion, self._clean)

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def _refused(self, error: openai.APIStatusError) -> Reply:
        """A filter's word is a reply; others are errors, of this request or of all."""
        status = error.status_code
        said = self._told(error).removeprefix(f"Error code: {status} - ")
        if error.code == FILTERED:
            return Reply(reply=None, refusal=said, finish=FILTERED)
        if status in _NOBODY:
            raise EdgeKitError(
                f"The judge at {self.url} refuses with {status}: {said}",
                f"Check --judge and --judge-model, and its key in {KEY}.",
            )
        if error.code in _UNSUITED:
            raise EdgeKitError(
                f"{self.model} can't judge: {said}",
                "Take a model that answers at temperature 0, within max_tokens.",
            )
        if 300 <= status < 400:
            raise EdgeKitError(
                f"The judge at {self.url} sends requests elsewhere ({status}), which is not followed",
                "Give the address that it names by --judge, if it is to read the answers.",
            )
        raise NoReply(f"it refuses with {status}: {said}")

    def _told(self, error: BaseException) -> str:
        """An error's words without the key, which an endpoint may send back."""
        return gist(self._clean(str(error) or type(error).__name__))

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "…") if self._key else text


def key_here(environment: Mapping[str, str] = os.environ) -> str:
    """Return the judge's key from the environment, empty where it has none; :class:`InputError` for what is no key."""
    key = environment.get(KEY, "").strip()
    if not key.isascii() or (key and not key.isprintable()) or " " in key:
        raise InputError(f"{KEY} holds no key", "It is one word, as the endpoint's owner gives it.")
    return key


def endpoint_url(url: str) -> str:
    """Return where an endpoint's paths begin: ``/v1`` where only a server is named; :class:`InputError` for no URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{url!r} is no endpoint's address", "Give it as in --judge https://api.example.org/v1.")
    if parts.username or parts.password:
        raise InputError("The judge's address holds a password", f"Give its key in {KEY}.")
    if parts.query or parts.fragment:
        raise InputError(f"{url} has more than an endpoint's address", "Leave out what stands behind '?' or '#'.")
    return url.rstrip("/") + ("/v1" if parts.path in ("", "/") else "")


def _client(url: str, key: str, timeout_s: float, retries: int) -> openai.OpenAI:
    try:
        import openai
    except ImportError as error:
        raise MissingExtra("A judge", "judge") from error
    try:
        return openai.OpenAI(
            api_key=key or "none",  # the client wants one; without a key, the header that would hold it is left out
            base_url=url,
            timeout=openai.Timeout(timeout_s, connect=min(timeout_s, _CONNECT_S)),
            max_retries=retries,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )
    except Exception as error:  # an address that is none after all, or a proxy of the environment's that is none
        raise InputError(
            f"{url} can't be asked: {gist(str(error))}", "Check --judge, and HTTP_PROXY, HTTPS_PROXY and ALL_PROXY."
        ) from error


def _reply(completion: Any, clean: Callable[[str], str]) -> Reply:
    """What the client made of a body, which may hold anything; :class:`NoReply` where that is no chat completion."""
    choices = getattr(completion, "choices", None)
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = getattr(choice, "message", None)
    if message is None:
        raise NoReply(f"what it sent is no chat completion: {gist(clean(str(completion)), 120)!r}")
    usage = getattr(completion, "usage", None)
    return Reply(
        reply=_of_type(str, message, "content"),
        refusal=_of_type(str, message, "refusal"),
        finish=_of_type(str, choice, "finish_reason"),
        prompt_tokens=_of_type(int, usage, "prompt_tokens"),
        completion_tokens=_of_type(int, usage, "completion_tokens"),
    )


def _of_type(type_: type[Any], record: Any, name: str) -> Any:
    value = getattr(record, name, None)
    return value if isinstance(value, type_) and not isinstance(value, bool) else None
