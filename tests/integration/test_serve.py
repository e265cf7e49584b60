"""The service over real sockets: what its API answers, refuses, and never tells. A test for each row of what clients
expect of a server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from edgekit.bundle import Bundle
from edgekit.inputs.images import load_image
from edgekit.inputs.prepared import PreparedPicture
from edgekit.serve import tokens
from edgekit.serve.caller import by_token
from edgekit.serve.openai.documents import ChatCompletion, ChatCompletionChunk, Delta, ModelList
from edgekit.serve.openai.response import Response
from edgekit.serve.settings import Limits, Settings
from tests.embedded_bundles import EmbeddedBundles
from tests.served import Served, Slow, data_url, png, question, serving


@pytest.fixture(scope="module")
def bundle(embedded_as: EmbeddedBundles) -> Bundle:
    return embedded_as("q4")


@pytest.fixture(scope="module")
def served(bundle: Bundle) -> Iterator[Served]:
    with serving(bundle, Settings(aliases=("gpt-4o",))) as served:
        yield served


def endless(served: Served, **fields: Any) -> dict[str, Any]:
    """A question whose answer is 200 tokens long, whatever the model would like."""
    stops = {str(token): -100 for token in served.service.manifest.spec.stop_ids}
    return question("Describe.", png(1), **{"max_tokens": 200, "logit_bias": stops, **fields})


def lines(served: Served, body: dict[str, Any], **headers: str) -> list[str]:
    """The lines of a stream."""
    with served.client() as client, client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-accel-buffering"] == "no"
        return [line for line in answer.iter_lines() if line]


def chunks(stream: list[str]) -> list[ChatCompletionChunk]:
    documents = [line[6:] for line in stream if line.startswith("data: ") and line != "data: [DONE]"]
    return [msgspec.json.decode(document, type=ChatCompletionChunk, strict=True) for document in documents]


def completion(answer: httpx.Response) -> ChatCompletion:
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=ChatCompletion, strict=True)


def text(answer: httpx.Response) -> str:
    return completion(answer).choices[0].message.content


def error(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    document: dict[str, Any] = answer.json()["error"]
    assert document["code"] == code, document
    assert {"message", "type", "param", "code"} <= set(document)
    assert len(answer.headers["x-request-id"]) == 32
    return document


def test_an_answer_is_what_the_description_says(served: Served) -> None:
    answer = served.ask("Describe it.", png(1), logprobs=True, top_logprobs=2)
    document = completion(answer)
    assert msgspec.json.decode(msgspec.json.encode(document)) == answer.json()
    (choice,) = document.choices
    assert choice.logprobs is not None
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    assert bytes(byte for token in choice.logprobs.content for byte in token.bytes).decode() == choice.message.content
    assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content)
    assert all(token.logprob == token.top_logprobs[0].logprob for token in choice.logprobs.content)  # greedy
    usage = document.usage
    assert usage.completion_tokens == len(choice.logprobs.content)
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prompt_tokens_details.image_tokens == served.service.manifest.spec.tokens_per_image


def test_a_stream_says_the_same_as_the_whole(served: Served) -> None:
    body = question("Describe the image.", png(2), max_tokens=24)
    with served.client() as client:
        whole = completion(client.post("/v1/chat/completions", json=body))
    stream = lines(served, body | {"stream": True, "stream_options": {"include_usage": True}})
    assert stream[-1] == "data: [DONE]"
    *parts, end, usage = chunks(stream)
    assert parts[0].choices[0].delta == Delta(role="assistant")
    assert "".join(str(part.choices[0].delta.content or "") for part in parts) == whole.choices[0].message.content
    assert {part.choices[0].finish_reason for part in parts} == {None}
    assert {part.usage for part in (*parts, end)} == {None}
    assert end.choices[0].finish_reason == whole.choices[0].finish_reason
    assert usage.choices == []
    assert usage.usage
    assert usage.usage.total_tokens == whole.usage.total_tokens


def test_logprobs_of_a_stream_join_to_its_text(served: Served) -> None:
    stream = chunks(lines(served, question("Describe.", png(3), max_tokens=20, stream=True, logprobs=True)))
    content = "".join(str(part.choices[0].delta.content or "") for part in stream if part.choices)
    tokens = [token for part in stream for choice in part.choices for token in getattr(choice.logprobs, "content", [])]
    assert "".join(token.token for token in tokens) == content
    assert content


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_a_question_is_answered_with_and_without_the_version(served: Served, path: str) -> None:
    with served.client() as client:
        assert text(client.post(path, json=question("Is there a pacemaker?"))) == text(
            served.ask("Is there a pacemaker?")
        )


def test_the_model_has_its_name_and_its_aliases(served: Served) -> None:
    with served.client() as client:
        for path in ("/v1/models", "/models"):
            models = msgspec.json.decode(client.get(path).content, type=ModelList, strict=True)
            assert [model.id for model in models.data] == ["llava-phantom", "gpt-4o"]
        assert client.get("/v1/models/gpt-4o").status_code == 200
        error(client.get("/v1/models/gpt-5"), 404, "model_not_found")
    assert completion(served.ask(model="gpt-4o")).model == "gpt-4o"
    assert error(served.ask(model="other"), 404, "model_not_found")["param"] == "model"


def test_null_is_unset_and_unknown_fields_are_left_alone(served: Served) -> None:
    plain = text(served.ask("What is it?", png(4)))
    names = ("model", "temperature", "top_p", "n", "stop", "seed", "logprobs", "tools", "response_format", "stream")
    assert text(served.ask("What is it?", png(4), **dict.fromkeys(names))) == plain
    ignored = {"user": "somebody", "store": True, "metadata": {"a": "b"}, "parallel_tool_calls": True, "new": [1]}
    assert text(served.ask("What is it?", png(4), **ignored)) == plain


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_either_name_cuts_the_answer(served: Served, name: str) -> None:
    body = question("Describe.", png(5)) | {"max_tokens": None, name: 3}
    with served.client() as client:
        answer = completion(client.post("/v1/chat/completions", json=body))
    assert (answer.usage.completion_tokens, answer.choices[0].finish_reason) == (3, "length")


def test_a_stop_ends_the_answer_before_it(served: Served) -> None:
    whole = text(served.ask("Describe.", png(6), max_tokens=30))
    word = whole.split()[2]
    for stop in (word, [word]):
        answer = completion(served.ask("Describe.", png(6), max_tokens=30, stop=stop))
        assert answer.choices[0].message.content == whole.partition(word)[0]
        assert answer.choices[0].finish_reason == "stop"


def test_a_seed_gives_the_same_answer_and_is_told(served: Served) -> None:
    drawn = {"temperature": 3.0, "max_tokens": 30}
    first = completion(served.ask("Describe.", png(7), **drawn))
    again = completion(served.ask("Describe.", png(7), **drawn, seed=first.edgekit.seeds[0]))
    assert again.choices[0].message.content == first.choices[0].message.content
    assert text(served.ask("Describe.", png(7), **drawn, seed=5)) != text(
        served.ask("Describe.", png(7), **drawn, seed=6)
    )


def test_n_answers_are_those_of_seeds_that_follow_each_other(served: Served) -> None:
    drawn = {"temperature": 2.0, "max_tokens": 12}
    several = completion(served.ask("Describe.", png(8), **drawn, n=3, seed=40))
    assert [choice.index for choice in several.choices] == [0, 1, 2]
    alone = [text(served.ask("Describe.", png(8), **drawn, seed=seed)) for seed in (40, 41, 42)]
    assert [choice.message.content for choice in several.choices] == alone
    assert error(served.ask(n=99), 400, "invalid_value")["param"] == "n"
    stream = lines(served, question("Describe.", png(8), **drawn, n=3, seed=40, stream=True))
    texts = ["", "", ""]
    for chunk in chunks(stream):
        for choice in chunk.choices:
            texts[choice.index] += str(choice.delta.content or "")
    assert texts == alone


def test_a_system_text_stands_before_the_first_question(served: Served) -> None:
    """This model's template has a place for one or has none: what is asked of it is the same either way."""
    messages: list[dict[str, Any]] = [{"role": role, "content": "Be brief."} for role in ("system", "developer")]
    body = {"messages": [*messages, {"role": "user", "content": "What is it?"}], "max_tokens": 4}
    with served.client() as client:
        with_system = completion(client.post("/v1/chat/completions", json=body))
    assert with_system.usage.prompt_tokens > completion(served.ask("What is it?")).usage.prompt_tokens


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([{"role": "system", "content": "x"}], "messages"),
        ([{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}], "messages[1]"),
        ([{"role": "tool", "content": "x"}], "messages[0].role"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "messages[0].content[0].type"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"content": "x"}], "messages[0].role"),
    ],
)
def test_a_conversation_that_is_none_is_refused_where_it_is_wrong(served: Served, messages: Any, param: str) -> None:
    assert error(served.ask(messages=messages), 400, "invalid_value")["param"] == param


def test_messages_of_one_role_are_joined(served: Served) -> None:
    apart = [{"role": "user", "content": "What is it?"}, {"role": "user", "content": "Be brief."}]
    joined = [{"role": "user", "content": "What is it?\n\nBe brief."}]
    assert text(served.ask(messages=apart)) == text(served.ask(messages=joined))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.png", "HTTPS://a/b", "file:///etc/passwd", "x", "data:,x", ""])
def test_no_address_is_ever_asked_for_a_picture(served: Served, url: str) -> None:
    content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "x"}]
    answer = served.ask(messages=[{"role": "user", "content": content}])
    assert error(answer, 400, "unsupported_image_url")["param"] == "messages[0].content[0].image_url"


def test_what_is_no_picture_is_refused_in_our_words(served: Served) -> None:
    refused = error(served.ask("x", b"no picture at all"), 400, "invalid_request")
    assert "PNG" in refused["message"]
    url = {"type": "image_url", "image_url": {"url": "data:image/png;base64,@@"}}
    error(served.ask(messages=[{"role": "user", "content": [url]}]), 400, "invalid_image_url")


@pytest.mark.parametrize(
    "field",
    [
        {"tools": [{"type": "function"}]},
        {"functions": [{"name": "x"}]},
        {"audio": {"voice": "x"}},
        {"modalities": ["text", "audio"]},
        {"presence_penalty": 0.5},
        {"frequency_penalty": -1},
        {"tool_choice": "required"},
        {"prediction": {"type": "content"}},
        {"grammar": 'root ::= "yes"'},
        {"json_schema": {"const": "yes"}},
        {"guided_json": {"const": "yes"}},
        {"guided_regex": "yes|no"},
        {"guided_choice": ["yes", "no"]},
        {"guided_grammar": 'root ::= "yes"'},
        {"structured_outputs": {"choice": ["yes", "no"]}},
    ],
)
def test_what_is_not_served_is_refused_by_its_name(served: Served, field: dict[str, Any]) -> None:
    assert error(served.ask(**field), 400, "unsupported_parameter")["param"] == next(iter(field))


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ({"temperature": -1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"top_logprobs": 21, "logprobs": True}, "top_logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"stop": [""]}, "stop"),
        ({"logit_bias": {"999999": 1}}, "logit_bias"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"messages": "x"}, "messages"),
    ],
)
def test_a_value_that_cant_be_meant_is_refused_by_its_name(served: Served, field: dict[str, Any], param: str) -> None:
    assert error(served.ask(**field), 400, "invalid_value")["param"] == param


def test_neutral_penalties_are_taken(served: Served) -> None:
    assert served.ask(presence_penalty=0, frequency_penalty=0.0, tools=[], tool_choice="none").status_code == 200


def test_what_is_no_json_is_refused_in_json(served: Served) -> None:
    with served.client() as client:
        for body in (b"", b"{", b"\xff\xfe", b'{"messages": NaN}'):
            error(client.post("/v1/chat/completions", content=body), 400, "invalid_json")


@pytest.mark.parametrize("stream", [False, True])
def test_a_context_exceeded_is_refused_with_both_numbers(served: Served, stream: bool) -> None:
    refused = error(served.ask("word " * 3000, stream=stream), 400, "context_length_exceeded")
    assert refused["n_prompt_tokens"] > refused["n_ctx"] == served.service.model.engine.context


@pytest.mark.parametrize("path", ["/v1/completions", "/v1/embeddings", "/embeddings", "/v1/audio/speech"])
def test_what_others_serve_is_said_not_to_be(served: Served, path: str) -> None:
    with served.client() as client:
        error(client.post(path, json={}), 404, "unsupported_endpoint")
        error(client.get("/v1/nothing"), 404, "not_found")
        error(client.get("/v1/chat/completions"), 405, "method_not_allowed")
        error(client.get("/v1/models/"), 404, "model_not_found")


def test_flex_is_said_to_be_batch(served: Served) -> None:
    assert completion(served.ask(service_tier="flex")).service_tier == "flex"
    assert completion(served.ask(service_tier="auto")).service_tier == "default"


def test_a_prefix_is_reused_for_its_caller_alone(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    one, other = tokens.add(file, "one"), tokens.add(file, "other")

    def cached(token: str, picture: bytes) -> int:
        with here.client(token) as client:
            body = question("Is there a pacemaker?", picture)
            answer = completion(client.post("/v1/chat/completions", json=body))
            assert answer.usage.prompt_tokens_details.image_tokens
            return answer.usage.prompt_tokens_details.cached_tokens

    with serving(bundle, tokens=file) as here:
        images = here.service.manifest.spec.tokens_per_image
        assert cached(one, png(9)) < images
        assert cached(other, png(9)) < images
        assert cached(one, png(9)) > images
        assert cached(other, png(9)) > images
        (first, _) = tokens.read_tokens(file)
        here.on_loop(lambda: here.service.forget(by_token(first).id))
        assert cached(one, png(9)) < images
        assert cached(other, png(9)) > images


def test_a_token_is_needed_where_there_are_some_and_a_wrong_one_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    secret = tokens.add(file, "ward")
    with serving(bundle, tokens=file) as served:
        for token, code in (("", "token_missing"), ("ek-wrong", "token_wrong")):
            with served.client(token) as client:
                answer = client.post("/v1/chat/completions", json=question("x"))
                error(answer, 401, code)
                assert answer.headers["www-authenticate"].startswith("Bearer")
                assert client.get("/metrics").status_code == 401
                assert client.get("/v1/models").status_code == (401 if token else 200)
                assert client.get("/healthz").status_code == (401 if token else 200)
        with served.client(secret) as client:
            assert client.post("/v1/chat/completions", json=question("x")).status_code == 200
            tokens.remove(file, "ward")
            error(client.post("/v1/chat/completions", json=question("x")), 401, "token_wrong")


def test_of_a_token_that_is_removed_nothing_is_left_for_its_names_next_holder(bundle: Bundle, tmp_path: Path) -> None:
    file, id = tmp_path / "tokens.toml", str(uuid.uuid4())
    first = tokens.add(file, "ward")
    body = question("What do you see?", png(5))
    with serving(bundle, tokens=file) as served:
        with served.client(first) as client:
            client.post("/v1/chat/completions", json=body, headers={"x-conversation-id": id})
            again = completion(client.post("/v1/chat/completions", json=body))
            assert again.usage.prompt_tokens_details.cached_tokens > served.service.manifest.spec.tokens_per_image
        tokens.remove(file, "ward")
        with served.client(tokens.add(file, "ward")) as client:
            error(client.get(f"/v1/chat/completions/{id}"), 404, "conversation_not_found")
            other = completion(client.post("/v1/chat/completions", json=body))
            assert other.usage.prompt_tokens_details.cached_tokens < served.service.manifest.spec.tokens_per_image


def test_what_was_on_its_way_when_its_token_was_removed_is_not_the_next_holders(bundle: Bundle, tmp_path: Path) -> None:
    file, id = tmp_path / "tokens.toml", str(uuid.uuid4())
    body, named = question("What do you see?", png(5)), {"x-conversation-id": id}
    first, begun, goes_on = tokens.add(file, "ward"), threading.Event(), threading.Event()
    answers: list[httpx.Response] = []

    async def decode(picture: bytes) -> PreparedPicture:
        begun.set()
        await asyncio.to_thread(goes_on.wait, 20)
        return PreparedPicture.of(load_image(picture), bundle.manifest.spec.image)

    def ask(served: Served) -> None:
        with served.client(first) as client:
            answers.append(client.post("/v1/chat/completions", json=body, headers=named))

    with serving(bundle, tokens=file, decode=decode) as served:
        asking = threading.Thread(target=ask, args=(served,))
        asking.start()
        assert begun.wait(20)
        tokens.remove(file, "ward")
        with served.client(tokens.add(file, "ward")) as client:
            assert client.get("/readyz").status_code == 200, "the service has seen that it is another's"
            goes_on.set()
            asking.join(30)
            assert completion(answers[0]).choices, "what was let in is answered"
            error(client.get(f"/v1/chat/completions/{id}"), 404, "conversation_not_found")
            begun.clear()
            other = completion(client.post("/v1/chat/completions", json=body))
            assert begun.is_set(), "the picture is decoded anew"
            assert other.usage.prompt_tokens_details.cached_tokens < served.service.manifest.spec.tokens_per_image


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"host": "evil.example"}, "host_not_allowed"),
        ({"origin": "https://evil.example"}, "origin_not_allowed"),
        ({"origin": "null"}, "origin_not_allowed"),
    ],
)
def test_loopback_is_no_boundary(served: Served, headers: dict[str, str], code: str) -> None:
    with served.client() as client:
        error(client.post("/v1/chat/completions", json=question("x"), headers=headers), 403, code)
        own = {"origin": served.url.rstrip("/")}
        assert client.post("/v1/chat/completions", json=question("x"), headers=own).status_code == 200


def test_a_caller_waits_for_so_many_requests_and_no_more(bundle: Bundle) -> None:
    limits = Limits(waiting_per_caller=1)
    with serving(bundle, Settings(limits=limits), slots=1, engine=Slow) as served, served.client() as client:
        body = endless(served, stream=True)
        with client.stream("POST", "/v1/chat/completions", json=body) as running:
            rest = _first(running)
            with client.stream("POST", "/v1/chat/completions", json=body) as waiting:
                _until(lambda: len(served.service.engine.waiting) == 1)
                refused = served.ask()
                error(refused, 429, "too_many_requests")
                assert int(refused.headers["retry-after"]) > 0
                assert refused.headers["x-should-retry"] == "false"
                assert next(line for line in waiting.iter_lines() if line).startswith(": queued")
                assert next(rest) is not None


def test_a_caller_that_goes_frees_its_slot_in_every_phase(bundle: Bundle) -> None:
    with serving(bundle, slots=1, engine=Slow) as served, served.client() as client:
        body = endless(served)
        for stream in (True, False):
            with client.stream("POST", "/v1/chat/completions", json=body | {"stream": True}) as running:
                rest = _first(running)
                with pytest.raises(httpx.ReadTimeout):  # goes while it waits
                    client.post("/v1/chat/completions", json=body | {"stream": stream}, timeout=0.3)
                _until(lambda: not served.service.engine.waiting)
                assert len(served.service.engine.live) == 1
                assert next(rest) is not None
            _until(lambda: not served.service.engine.live)  # went while it was written
        assert served.ask().status_code == 200


def test_an_answer_is_taken_up_where_its_link_broke(served: Served) -> None:
    body = endless(served, stream=True)
    id = str(uuid.uuid4())
    with served.client(headers={"x-conversation-id": id}) as client:
        with client.stream("POST", "/v1/chat/completions", json=body) as answer:
            seen, begun = _read_some(answer)
        error(client.post("/v1/chat/completions", json=body), 409, "answer_running")
        rest = client.get(f"/v1/chat/completions/{id}", params={"offset": seen})
        assert rest.status_code == 200
        from_id = client.get(f"/v1/chat/completions/{id}", headers={"last-event-id": str(seen)})
        whole = client.get(f"/v1/chat/completions/{id}")
        texts = [
            "".join(
                str(choice.delta.content or "") for part in chunks(got.text.splitlines()) for choice in part.choices
            )
            for got in (rest, from_id, whole)
        ]
        assert texts[0] == texts[1]
        assert begun + texts[0] == texts[2]
        error(client.get(f"/v1/chat/completions/{id}", params={"offset": 100_000}), 400, "invalid_value")
        error(client.get(f"/v1/chat/completions/{uuid.uuid4()}"), 404, "conversation_not_found")
        short = {"x-conversation-id": "guess-me"}
        error(client.post("/v1/chat/completions", json=body, headers=short), 400, "invalid_conversation_id")
    with served.client() as client:
        plain = body | {"stream": False}
        assert texts[2] == text(client.post("/v1/chat/completions", json=plain))


def test_a_response_is_what_the_newer_api_says(served: Served) -> None:
    content = [
        {"type": "input_image", "image_url": data_url(png(1))},
        {"type": "input_text", "text": "Describe."},
    ]
    body = {"input": [{"role": "user", "content": content}], "max_output_tokens": 5}
    with served.client() as client:
        response = msgspec.json.decode(client.post("/v1/responses", json=body).content, type=Response, strict=True)
        chat = completion(served.ask("Describe.", png(1), max_tokens=5))
        assert response.output[0].content[0].text == chat.choices[0].message.content
        assert response.status == "incomplete"
        assert response.usage
        assert response.usage.output_tokens == 5
        stream = client.post("/v1/responses", json=body | {"stream": True}).text
        events = [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
        assert "".join(deltas) == response.output[0].content[0].text
        assert events[-1]["type"] == "response.incomplete"
        error(client.post("/v1/responses", json=body | {"previous_response_id": "x"}), 400, "unsupported_parameter")


def test_health_never_waits_for_the_engine(served: Served) -> None:
    with served.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["status"] == "ready"
        assert "edgekit_answers_total" in client.get("/metrics").text
        assert client.get("/openapi.json").json()["openapi"] == "3.1.0"
        assert "EdgeKit" in client.get("/").text


def test_each_example_of_the_description_is_answered(served: Served) -> None:
    with served.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
        for path in ("/v1/chat/completions", "/v1/responses"):
            examples = paths[path]["post"]["requestBody"]["content"]["application/json"]["examples"]
            assert {"whole", "stream"} <= examples.keys()
            for name, example in examples.items():
                if name != "form":  # without the child that compiles schemas
                    assert client.post(path, json=example["value"]).status_code == 200


def _first(answer: httpx.Response) -> Iterator[str]:
    """Wait for a stream's first token; the connection lives as long as the lines that are returned do."""
    assert answer.status_code == 200, answer.read()
    rest = answer.iter_lines()
    for line in rest:
        if '"content":"' in line and '"content":""' not in line:
            return rest
    raise AssertionError("the stream ended before its first token")


def _read_some(answer: httpx.Response) -> tuple[int, str]:
    """Read a few events of a stream: the last one's number, and their text."""
    seen, begun = 0, ""
    for line in answer.iter_lines():
        if line.startswith("id: "):
            seen = int(line[4:])
        if line.startswith("data: "):
            begun += str(chunks([line])[0].choices[0].delta.content or "")
            if seen > 5:
                return seen, begun
    raise AssertionError("the stream ended too soon")


def _until(condition: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)
