"""What went wrong decides the status, and what a caller may read: his own fault in full, ours in one neutral line."""

from __future__ import annotations

import pytest

from edgekit.errors import ContextExceeded, EngineError, InputError, MissingExtra
from edgekit.serve.refusal import Refusal, invalid, naming, refusal_of, unsupported

SECRET = "patient 4711"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InputError("The image is cut off", "Copy it again."), 400, "invalid_request"),
        (MissingExtra("Reading DICOM", "dicom"), 501, "not_installed"),
        (EngineError(SECRET), 500, "engine_failed"),
        (RuntimeError(SECRET), 500, "internal_error"),
        (Refusal(404, "no such model", "model_not_found"), 404, "model_not_found"),
    ],
)
def test_an_error_has_its_status_and_gives_nothing_of_ours_away(error: Exception, status: int, code: str) -> None:
    refusal = refusal_of(error)
    document = refusal.document()["error"]
    assert (refusal.status, document["code"]) == (status, code)
    assert set(document) == {"message", "type", "param", "code"}
    assert SECRET not in str(document)
    assert (document["type"] == "server_error") == (status >= 500)
    assert status < 500 or refusal.headers["x-should-retry"] == "false"


def test_what_to_do_stands_in_the_same_line() -> None:
    assert refusal_of(InputError("It is cut off", "Copy it again.")).message == "It is cut off. Copy it again."


def test_a_context_exceeded_has_both_numbers_and_both_names() -> None:
    error = refusal_of(ContextExceeded(900, 512)).document()["error"]
    assert (error["code"], error["type"]) == ("context_length_exceeded", "exceed_context_size_error")
    assert (error["n_prompt_tokens"], error["n_ctx"]) == (900, 512)
    assert error["message"].startswith("The prompt is too long"), "LiteLLM and LangChain look for these words alone"
    assert "900 tokens exceeds the available context size of 512" in error["message"], "and some for llama.cpp's"


def test_a_field_is_named() -> None:
    assert unsupported("tools", "no").document()["error"]["param"] == "tools"
    assert invalid("n", "must be 1").message == "'n' must be 1"
    assert (Refusal(401, "", "x").document()["error"]["type"]) == "authentication_error"


def test_another_api_names_its_own_fields() -> None:
    with pytest.raises(Refusal) as refused, naming(lambda param: param.replace("messages", "input")):
        raise invalid("messages[0].role", "is wrong.")
    assert (refused.value.param, refused.value.message) == ("input[0].role", "'input[0].role' is wrong.")
    with pytest.raises(Refusal) as exceeded, naming(lambda param: param.replace("messages", "input")):
        raise ContextExceeded(900, 512)
    assert (exceeded.value.param, exceeded.value.more["n_ctx"]) == ("input", 512)


@pytest.mark.parametrize("error", [InputError("It is cut off"), Refusal(429, "later", "busy"), KeyError("x")])
def test_what_has_no_other_name_is_raised_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, naming(lambda param: param):
        raise error
    assert raised.value is error
