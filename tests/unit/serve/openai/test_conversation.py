"""Messages as turns: roles joined, system texts gathered, pictures from data URLs and from nowhere else."""

from __future__ import annotations

import base64
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgekit.serve.conversation import Conversation, Question
from edgekit.serve.openai import conversation
from edgekit.serve.openai.conversation import conversation_of, image_of
from edgekit.serve.openai.request import ImageUrl, Message
from edgekit.serve.refusal import Refusal

FILE = bytes(range(256))
DATA = base64.b64encode(FILE).decode()
URL = f"data:image/png;base64,{DATA}"


def read(*messages: Any) -> Conversation:
    """Read messages, each a pair of role and content or a document."""
    documents = [{"role": m[0], "content": m[1]} if isinstance(m, tuple) else m for m in messages]
    return conversation_of(msgspec.convert(documents, list[Message]))


def refused(*messages: Any) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read(*messages)
    assert caught.value.status == 400
    return caught.value


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def image(file: bytes) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64.b64encode(file).decode()}"}}


def test_questions_and_answers_are_turns() -> None:
    assert read(("user", "What?"), ("assistant", "A rib."), ("user", "Where?")) == Conversation(
        None, (Question("What?", (), "A rib."), Question("Where?", (), None))
    )


def test_messages_of_one_role_are_joined() -> None:
    conversation = read(
        ("user", [image(b"1"), text("What?")]),
        ("user", [text("Be"), text("brief."), image(b"2")]),
        ("assistant", "A"),
        ("assistant", [text("rib.")]),
        ("user", "Where?"),
    )
    assert conversation.questions == (
        Question("What?\n\nBe\nbrief.", (b"1", b"2"), "A\n\nrib."),
        Question("Where?", (), None),
    )
    assert conversation.images == 2


def test_a_system_text_between_messages_of_one_role_does_not_part_them() -> None:
    conversation = read(("user", "a"), ("system", "s"), ("user", "b"), ("assistant", "c"), ("user", "d"))
    assert conversation == Conversation("s", (Question("a\n\nb", (), "c"), Question("d", (), None)))


def test_system_and_developer_texts_are_gathered_in_their_order() -> None:
    conversation = read(
        ("developer", "one"), ("user", "a"), ("system", [text("two"), text("three")]), ("system", " "), ("user", "b")
    )
    assert conversation.system == "one\n\ntwo\nthree"
    assert read(("system", ""), ("developer", "\n"), ("user", "a")).system is None


@pytest.mark.parametrize("kind", ["text", "input_text", "output_text"])
def test_a_text_has_the_names_of_both_apis(kind: str) -> None:
    assert read(("user", [{"type": kind, "text": "What?"}])).questions[0].text == "What?"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": URL}},
        {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
        {"type": "image_url", "image_url": URL},
        {"type": "input_image", "image_url": URL, "detail": "auto"},
    ],
)
def test_a_picture_has_the_forms_of_all_clients(part: dict[str, Any]) -> None:
    assert read(("user", [part])).questions == (Question("", (FILE,), None),)


@pytest.mark.parametrize(
    ("messages", "param", "word"),
    [
        ([], "messages", "no question"),
        ([("system", "x")], "messages", "no question"),
        ([("user", "x"), ("assistant", "y")], "messages[1]", "last message"),
        ([("user", "x"), ("assistant", "y"), ("system", "z")], "messages[1]", "last message"),
        ([("assistant", "x"), ("user", "y")], "messages[0]", "begins"),
        ([("system", "s"), ("assistant", "x"), ("user", "y")], "messages[1]", "begins"),
        ([("user", "x"), ("tool", "y")], "messages[1].role", "tool"),
        ([("", "x")], "messages[0].role", "served"),
        ([("User", "x")], "messages[0].role", "User"),
        ([{"role": "user"}], "messages[0].content", "missing"),
        ([("user", None)], "messages[0].content", "missing"),
        ([("user", "x"), {"role": "assistant", "tool_calls": []}], "messages[1].content", "missing"),
        ([("user", [{"type": "text"}])], "messages[0].content[0].text", "missing"),
        ([("user", [text("x"), {"type": "image_url"}])], "messages[0].content[1].image_url", "missing"),
        ([("user", [{"type": "input_audio"}])], "messages[0].content[0].type", "input_audio"),
        ([("user", [{"type": "file"}])], "messages[0].content[0].type", "file"),
        ([("system", [image(b"1")]), ("user", "x")], "messages[0].content", "picture"),
        ([("user", "x"), ("assistant", [image(b"1")]), ("user", "y")], "messages[1]", "picture"),
    ],
)
def test_what_cant_be_meant_is_refused_where_it_is(messages: list[Any], param: str, word: str) -> None:
    refusal = refused(*messages)
    assert (refusal.code, refusal.param) == ("invalid_value", param)
    assert word in refusal.message


def test_a_refusal_repeats_little_of_what_was_sent() -> None:
    assert len(refused(("x" * 100_000, "a")).message) < 200
    assert len(refused(("user", [{"type": "y" * 100_000}])).message) < 200


@pytest.mark.parametrize(
    "url",
    [
        f"data:image/png;base64,{DATA}",
        f"DATA:IMAGE/PNG;BASE64,{DATA}",
        f"data:;base64,{DATA}",
        f"data:image/jpeg;charset=utf-8;base64,{DATA}",
        f"data:application/dicom;name=a.dcm;transfer-syntax=1.2.840.10008.1.2;base64,{DATA}",
        f"data:image/svg+xml;base64,{DATA}",
        f"data:application/octet-stream;base64,{DATA}",
        f"data:image/x-portable.graymap-1;base64,{DATA}",
    ],
)
def test_a_data_url_in_any_of_its_forms_is_read(url: str) -> None:
    assert image_of(url, "p") == image_of(ImageUrl(url), "p") == FILE


@given(st.binary(max_size=300))
def test_what_was_encoded_is_decoded(file: bytes) -> None:
    assert image_of("data:image/png;base64," + base64.b64encode(file).decode(), "p") == file


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://127.0.0.1:9/x.png",
        "HTTPS://a/b",
        "https://user:secret@host/",
        "//host/x.png",
        "file:///etc/hostname",
        "FILE:/etc/hostname",
        "/etc/hostname",
        "ftp://host/x.png",
        "gopher://host/",
        "unix:/run/x",
        "\\\\host\\share",
        " data:image/png;base64,AA==",
        "\tdata:image/png;base64,AA==",
        "blob:https://host/1",
        "http://host/data:image/png;base64,AA==",
        "http://host/?x=data:image/png;base64,AA==",
        "view-source:data:image/png;base64,AA==",
        "data:image/png,AA==",
        "data:,x",
        "data:image/png;base64",
        "data:image/png;base64;charset=utf-8,AA==",
        "data://host/image/png;base64,AA==",
        "data:text/html;x=http://host/;base64,AA==",
        "http://[::1",
        "http://h\u00f6st/\udcff",
    ],
)
def test_an_address_is_refused_whatever_its_form(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64, "b64decode", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(Refusal) as caught:
        image_of(url, "messages[0].content[0].image_url")
    refusal = caught.value
    assert (refusal.status, refusal.code) == (400, "unsupported_image_url")
    assert refusal.param == "messages[0].content[0].image_url"
    assert "host" not in refusal.message, "what was sent is not repeated"


@pytest.mark.parametrize("data", ["@@", "A", "A===", "AA==AA==", "é", "AA\udcff", "-_-_"])
def test_what_is_no_base64_is_refused(data: str) -> None:
    with pytest.raises(Refusal) as caught:
        image_of(f"data:image/png;base64,{data}", "p")
    assert (caught.value.code, caught.value.param) == ("invalid_image_url", "p")


@pytest.mark.parametrize("data", ["QUJD", "QUI", "QUI=", "QU\nJD", "QUJD\r\n", "QQ", "QQ=="])
def test_base64_may_come_in_lines_and_without_its_padding(data: str) -> None:
    assert b"ABC".startswith(image_of(f"data:image/png;base64,{data}", "p"))


@given(st.binary(max_size=40), st.integers(1, 4))
def test_base64_is_decoded_piece_by_piece(file: bytes, quarters: int) -> None:
    data = base64.b64encode(file).decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversation, "PIECE", 4 * quarters)
        assert image_of(f"data:image/png;base64,{data}", "p") == file
        with pytest.raises(Refusal, match="no valid base64"):
            image_of(f"data:image/png;base64,QQ=={data}QUJD", "p")


def test_blanks_in_base64_take_no_memory_of_their_own() -> None:
    """A list of what stands between them did: fifty bytes for each."""
    url = "data:image/png;base64," + "QUJD " * 10**5
    tracemalloc.start()
    try:
        assert image_of(url, "p") == b"ABC" * 10**5
        assert tracemalloc.get_traced_memory()[1] < 5 * len(url)
    finally:
        tracemalloc.stop()


def test_a_long_header_costs_no_time() -> None:
    for url in ("data:" + "a" * 10**7, "data:a/b" + ";x=y" * 10**6, "data:" + "a/" * 10**6 + ";base64,AA=="):
        with pytest.raises(Refusal, match="fetches none"):
            image_of(url, "p")


def test_texts_are_measured_in_utf8() -> None:
    said = read(("system", "é"), ("user", "€"), ("assistant", "a"), ("user", "b"))
    assert said.text_bytes == 2 + 3 + 1 + 1
    assert said.images == 0


def test_a_file_is_no_text() -> None:
    assert read(("user", [image(FILE)])).text_bytes == 0
